/* Every section and key of the configuration, with its default and its help. */
#include "conf_link.h"
#include "conf_tls.h"

const struct conf_section conf_sections[] = {
	{"guard", NULL, "The guard as a whole.", false, false},
	{"users", NULL,
		"The users that the processes run as: a name or a number, a different one for each, never root.", false, false},
	{"dataplane", NULL, "The process that bridges frames.", false, false},
	{"inside", NULL,
		"The wire towards our own servers. Paths here and everywhere are relative to the folder of this file.",
		false, false},
	{"outside", NULL, "The wire towards everybody else.", false, false},
	{"tls", "tls partners",
		"A TLS profile: how TLS is spoken with the servers on a side. Built in are intermediate (the defaults below),\n"
		"modern (only version 1.3) and high (only 1.3, AES-256, P-384 and P-521). Others can be made here, of what is\n"
		"secure: anything else is refused. Lists are separated by commas, the best first.", false, false},
	{"group", "group board",
		"A group of users: an item group:NAME of a list of users stands for its members.", true, true},
	{"labels", NULL,
		"Security labels: the policies that give them their meaning, and what holds for all profiles.", false, true},
	{"clearance", "clearance staff",
		"Which labels some users are cleared for, whoever they speak with: of messages that they send, and that are sent\n"
		"to them. The one that fits a user best holds: the user itself, then the domain, then *.domain.", true, true},
	{"profile", "profile default",
		"A profile says what may pass; any number of them, each with a name. Outbound is what goes from inside to\n"
		"outside, inbound what comes back. Lists are separated by commas, and an item @FILE stands for those in that\n"
		"file, one a line (@@ begins an item with @); quote a value that holds ; or #.",
		false, true},
	{"peer", "peer b.example",
		"A peer is a domain outside that ours may speak with: [peer b.example], [peer *.b.example] for all below it,\n"
		"[peer *] for any other. The longest match governs. Without one nothing passes. Presence, words, hours,\n"
		"messages and binaries may stand here as in a profile, where they hold for this peer: words are added, and all\n"
		"else may only be tighter.",
		false, true},
	{"certificate", "certificate a.example",
		"A real certificate and its key, shown wherever a certificate of that domain is due, in the place of one that the\n"
		"guard CA makes: [certificate a.example], or [certificate *.a.example] for all below it. For a domain of ours it\n"
		"is shown outside, for a peer inside. The usual: the owner's certificate outward, the guard CA inward.",
		true, false},
	{"link", "link satellite",
		"Two servers that speak without a handshake (XEP-0361: no stream header, no features, no SASL, no dialback), as\n"
		"they have agreed beforehand. Only connections between these two addresses, to this port, are taken as such; who\n"
		"each of them may be is what stands here.",
		true, false},
	{NULL, NULL, NULL, false, false},
};

#define CONF(member) offsetof(struct conf, member)
#define TLS(member) offsetof(struct conf_tls, member)
#define PROFILE(member) offsetof(struct conf_profile, member)
#define PEER(member) offsetof(struct conf_peer, member)
#define GROUP(member) offsetof(struct conf_group, member)
#define CLEARANCE(member) offsetof(struct conf_clearance, member)
#define LINK(member) offsetof(struct conf_link, member)
#define CERTIFICATE(member) offsetof(struct conf_certificate, member)

#define PRESENCE_HELP \
	"none: no presence passes; online: only available or not; show: also away, busy and the like;\nfull: with its text."
#define WORDS_HELP "A message that holds one of these is refused. Case and width of letters do not matter."

const struct conf_key conf_keys[] = {
	{"guard", "name", set_name, CONF(name), 1, 31, false, "sallyport",
		"Name of this guard on this machine: of its control socket, @NAME."},
	{"guard", "ports", set_ports, CONF(ports), 1, 65535, false, "5269, 5270",
		"TCP ports on which XMPP between servers is guarded. Streams use STARTTLS or direct TLS."},
	{"guard", "workers", set_number, CONF(workers), 1, PROC_LANES_MAX, false, "1",
		"Lanes that share the load (1 to 16): a thread of the dataplane and its own tls, keyd and control each. All\n"
		"frames between two IP addresses go through one lane."},
	{"guard", "elsewhere", set_elsewhere, CONF(elsewhere), 0, 0, false, "guard",
		"XMPP between servers on any other TCP port, which its first bytes give away (a stream header, or a ClientHello\n"
		"with ALPN xmpp-server): guard it as if the port stood above, block it, or forward it unseen."},
	{"guard", "websocket", set_answer, CONF(websocket), 0, 0, false, "alert",
		"A request for XMPP over WebSocket, seen where it is not encrypted: forward, alert (and forward), or block."},
	{"guard", "quic", set_answer, CONF(quic), 0, 0, false, "forward",
		"QUIC could carry XMPP unseen, on UDP port 443 or any other: forward, alert (and forward), or block every new\n"
		"connection of QUIC; browsers then fall back to TCP."},
	{"guard", "audit", set_path, CONF(audit), 0, 0, false, "/var/log/sallyport/audit.jsonl",
		"File that audit lines (JSON) are appended to."},
	{"guard", "record", set_optional_path, CONF(record), 0, 0, false, "",
		"File that every stanza is recorded in, with its verdict, to try another policy on: sallyport policy replay. It\n"
		"holds what people write; tell them, and remove it afterwards. Empty: nothing is recorded."},
	{"guard", "record-mib", set_number, CONF(record_mib), 1, 65536, false, "64",
		"MiB after which recording ends (1 to 65536)."},
	{"guard", "features", set_features, CONF(features), 0, 0, false, "starttls, mechanisms, dialback, bidi, limits, sm",
		"Stream features that servers may offer each other; any other is taken out of the offer. sm: acknowledgements of\n"
		"stanzas, with counts that are right for both servers whatever was refused; nothing is resumed."},
	{"guard", "max-stanza-bytes", set_number, CONF(stanza_bytes), 10000, CONF_STANZA_BYTES_MAX, false, "524288",
		"Bytes that one stanza may have (10000 to 524288). Servers that announce how much they take (XEP-0478) are made\n"
		"to announce no more than this; who sends more loses the stream."},
	{"guard", "negotiation-seconds", set_number, CONF(negotiation_seconds), 5, 3600, false, "60",
		"Seconds from the first byte of a connection until its servers have authenticated each other (5 to 3600)."},
	{"guard", "idle-seconds", set_number, CONF(idle_seconds), 60, 2592000, false, "86400",
		"Seconds that a connection may last without a byte of either server (60 to 2592000). Servers that announce how\n"
		"long (XEP-0478) are made to announce no more than this."},
	{"guard", "own-streams", set_yes_no, CONF(own_streams), 0, 0, false, "yes",
		"yes: where nothing else carries a refusal to its sender, the guard dials the sender's server itself, in the name\n"
		"of the one that was written to. no: then the refusal waits a minute for a stream, and is given up."},
	{"guard", "scanner", set_scanner, CONF(scanner), 0, 0, false, "",
		"What looks for malware in binaries (outbound-binaries = scan): unix:/run/clamav/clamd.ctl, clamd's socket, or\n"
		"icap://127.0.0.1:1344/avscan, a service of an ICAP server. Empty: there is none."},
	{"guard", "scan-seconds", set_number, CONF(scan_seconds), 1, 300, false, "15",
		"Seconds that it has for all binaries of a stanza (1 to 300); the stanza is refused when it is late. What comes\n"
		"after it on the same connection waits."},
	{"guard", "max-scans", set_number, CONF(max_scans), 1, CONF_SCANS_MAX, false, "16",
		"Stanzas of a lane that may be with the scanner at once (1 to 64); those beyond are refused."},
	{"guard", "policy-tests", set_paths, CONF(policy_tests), 0, 0, false, "",
		"Files of cases that a policy has to pass before it is taken, at start and at a change: stanzas, each with what\n"
		"has to become of it (see control/trial/README.md). sallyport policy test FILE tries them. Empty: none."},
	{"guard", "on-failure", set_on_failure, CONF(on_failure), 0, 0, false, "bridge",
		"What becomes of traffic that is not guarded while nobody is there to judge (at start, and when a process has\n"
		"died): bridge: it goes on; block: nothing at all passes. Guarded connections are reset in either case."},
	{"guard", "pass-link-state", set_yes_no, CONF(passes_link_state), 0, 0, false, "yes",
		"yes: when the link on one side is lost, the port on the other side is taken down until it is back, so that what\n"
		"is connected there sees it, as it would on a wire. no: it is only shown."},

	{"users", "dataplane", set_user, CONF(uid[PROC_DATAPLANE]), 0, 0, false, "sallyport-dp", "Bridges."},
	{"users", "tls", set_user, CONF(uid[PROC_TLS]), 0, 0, false, "sallyport-tls", "Ends TLS."},
	{"users", "keyd", set_user, CONF(uid[PROC_KEYD]), 0, 0, false, "sallyport-key", "Holds the keys."},
	{"users", "control", set_user, CONF(uid[PROC_CONTROL]), 0, 0, false, "sallyport-ctl", "Judges."},

	{"dataplane", "cpus", set_cpus, CONF(cpus), 0, 0, false, "",
		"CPUs that it may run on, as a Linux list such as 2 or 0-3,6. Empty: any."},
	{"dataplane", "memory-mib", set_number, CONF(memory_mib), 64, 65536, false, "256",
		"Memory for frames and connections, in MiB (64 to 65536)."},

	{"inside", "device", set_device, CONF(wire[WIRE_INSIDE].device), 0, 0, true, "eth1",
		"A kernel interface (eth1), the same by XDP sockets (xdp:eth1), a PCI address (0000:03:00.0), or \"vdev:...\" for\n"
		"any DPDK virtual device."},
	{"inside", "domains", set_domains, CONF(domains), 0, 0, true, "a.example",
		"Our own domains, as A-labels (xn--... where they are not ASCII); *.a.example for all below a.example, such as\n"
		"conference.a.example. Guard certificates are made for these outside, and for no others."},
	{"inside", "trust", set_path, CONF(wire[WIRE_INSIDE].trust), 0, 0, true, "inside-trust.pem",
		"PEM file: the CAs that sign the certificates of servers on this side."},
	{"inside", "crls", set_optional_path, CONF(wire[WIRE_INSIDE].crls), 0, 0, false, "",
		"Lists of revoked certificates (CRLs) of those CAs and of the ones below them: a file, PEM or DER, or a folder\n"
		"of such files. They are read again when they change; those that are broken are refused, and the old ones stay."},
	{"inside", "crl-check", set_crl_check, CONF(wire[WIRE_INSIDE].crl_check), 0, 0, false, "if-present",
		"none: they are not looked at. if-present: what a CRL at hand says holds, even if it should have been replaced\n"
		"by now; a CA without one is believed. required: every certificate of a chain needs a current one of its CA."},
	{"inside", "ca-certificate", set_path, CONF(wire[WIRE_INSIDE].ca_certificate), 0, 0, true, "inside-ca.pem",
		"PEM file: the guard CA that servers on this side trust."},
	{"inside", "ca-key", set_key_place, CONF(wire[WIRE_INSIDE].ca_key), 0, 0, true, "inside-ca.key",
		"PEM file: its private key, which belongs to root; nobody else may read it. Or one in a PKCS#11 token (RFC 7512):\n"
		"\"pkcs11:token=guard;object=inside?pin-source=file:/etc/sallyport/pin&module-path=/usr/lib/.../module.so\""},
	{"inside", "leaf-key", set_leaf_key, CONF(wire[WIRE_INSIDE].leaf_key), 0, 0, false, "auto",
		"Key of guard certificates shown on this side. auto: ECDSA, or RSA for a server that takes no other; ecdsa; rsa."},
	{"inside", "xmpp-addr", set_yes_no, CONF(wire[WIRE_INSIDE].xmpp_addr), 0, 0, false, "no",
		"yes: guard certificates name the domain also as xmppAddr (RFC 6120 13.7.1.4), beside DNS-ID and SRV-ID, for\n"
		"servers that look for nothing else. ejabberd 23.01 ends the connection when it meets such a name."},
	{"inside", "certificate-hours", set_number, CONF(wire[WIRE_INSIDE].life_hours), 2, 9528, false, "720",
		"How long guard certificates last, in hours (2 to 9528); each is made anew when a third of it is left."},
	{"inside", "tls", set_tls, CONF(wire[WIRE_INSIDE].tls), 0, 0, false, "intermediate",
		"TLS profile on this side: intermediate, modern, high, or the name of a [tls NAME]."},

	{"outside", "device", set_device, CONF(wire[WIRE_OUTSIDE].device), 0, 0, true, "eth2", "As for [inside]."},
	{"outside", "trust", set_path, CONF(wire[WIRE_OUTSIDE].trust), 0, 0, true, "outside-trust.pem",
		"As for [inside]."},
	{"outside", "crls", set_optional_path, CONF(wire[WIRE_OUTSIDE].crls), 0, 0, false, "", "As for [inside]."},
	{"outside", "crl-check", set_crl_check, CONF(wire[WIRE_OUTSIDE].crl_check), 0, 0, false, "if-present",
		"As for [inside]."},
	{"outside", "ca-certificate", set_path, CONF(wire[WIRE_OUTSIDE].ca_certificate), 0, 0, true, "outside-ca.pem",
		"As for [inside]."},
	{"outside", "ca-key", set_key_place, CONF(wire[WIRE_OUTSIDE].ca_key), 0, 0, true, "outside-ca.key",
		"As for [inside]."},
	{"outside", "leaf-key", set_leaf_key, CONF(wire[WIRE_OUTSIDE].leaf_key), 0, 0, false, "auto",
		"As for [inside]."},
	{"outside", "xmpp-addr", set_yes_no, CONF(wire[WIRE_OUTSIDE].xmpp_addr), 0, 0, false, "no",
		"As for [inside]."},
	{"outside", "certificate-hours", set_number, CONF(wire[WIRE_OUTSIDE].life_hours), 2, 9528, false, "720",
		"As for [inside]."},
	{"outside", "tls", set_tls, CONF(wire[WIRE_OUTSIDE].tls), 0, 0, false, "intermediate", "As for [inside]."},

	{"tls", "versions", set_tls_versions, TLS(versions), 0, 0, false, "1.2, 1.3", "Of 1.2 and 1.3."},
	{"tls", "groups", set_tls_groups, TLS(groups), 0, 0, false, "X25519, P-256, P-384",
		"For the key exchange: of X25519, X448, P-256, P-384 and P-521."},
	{"tls", "ciphers", set_tls_ciphers, TLS(ciphers), 0, 0, false,
		"ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, ECDHE-ECDSA-CHACHA20-POLY1305, "
		"ECDHE-RSA-CHACHA20-POLY1305, ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256",
		"Of version 1.2; there are no others."},
	{"tls", "ciphersuites", set_tls_ciphersuites, TLS(ciphersuites), 0, 0, false,
		"TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256",
		"Of version 1.3; there are no others."},
	{"tls", "signatures", set_tls_signatures, TLS(signatures), 0, 0, false,
		"ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512, ed25519, rsa_pss_rsae_sha256, "
		"rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512",
		"Of handshakes, and of certificates of servers; also ed448, rsa_pss_pss_sha256, ..._sha384 and ..._sha512."},
	{"tls", "resumption", set_yes_no, TLS(resumption), 0, 0, false, "yes",
		"yes: between servers that both prove themselves by certificate (authentication = strong), a connection may\n"
		"resume the TLS session of one before it for an hour; their certificates are checked again each time."},

	{"group", "members", set_users, GROUP(members), 0, 0, true, "alice@a.example, @board.txt",
		"Users (user@domain), domains, or *.domain for all below it."},

	{"labels", "policies", set_documents, CONF(labels.policies), 0, 0, false, "",
		"Security policies, each a file of Open XML SPIF 1.0 to 2.1."},
	{"labels", "obsolete", set_obsolete, CONF(labels.refuses_obsolete), 0, 0, false, "accept",
		"Labels that come with what their policy calls obsolete: accept or refuse. Those made here never have it."},
	{"labels", "ambiguous", set_ambiguous, CONF(labels.refuses_ambiguous), 0, 0, false, "highest",
		"When several classifications have one equivalent: highest: the way back is to the highest of them; refuse."},
	{"labels", "encoding", set_label_encoding, CONF(labels.takes_ber), 0, 0, false, "der",
		"Encoding of ESS labels: der, or ber, in which one label can be written in many ways."},
	{"labels", "language", set_label_text, CONF(labels.language), 0, 0, false, "",
		"Language of display markings, such as fr, where the policy has phrases in several."},

	{"clearance", "file", set_document, CLEARANCE(file), 0, 0, true, "staff-clearance.xml",
		"The clearance, as XML (STANAG 4774, spiffy) or base64 (X.501)."},
	{"clearance", "users", set_users, CLEARANCE(users), 0, 0, true, "alice@a.example, group:staff",
		"Users (user@domain), domains, *.domain for all below it, group:NAME."},

	{"profile", "inside-users", set_users, PROFILE(users[WIRE_INSIDE]), 0, 0, false, "",
		"Of ours, who may speak with these peers and be spoken to: user@domain, in the form in which servers send it\n"
		"(small letters), a domain for itself and all of its users, *.domain, group:NAME. Empty: all."},
	{"profile", "outside-users", set_users, PROFILE(users[WIRE_OUTSIDE]), 0, 0, false, "",
		"The same of theirs."},
	{"profile", "outbound-hours", set_hours, PROFILE(hours[OUTBOUND]), 0, 0, false, "",
		"When these peers may be written to, in the local time of this machine: \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\",\n"
		"or 22:00-06:00 of every day, which ends on the next one. At other times senders are told to wait, and only\n"
		"answers pass (results, errors, subscribed) and who goes away. Empty: always."},
	{"profile", "inbound-hours", set_hours, PROFILE(hours[INBOUND]), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-features", set_list, PROFILE(features[OUTBOUND].names), 0, 0, false, "basic",
		"What may cross, by the names that policy/README.md lists: basic (chat and rooms), all, and single features; with\n"
		"'-' before it one is taken away: \"basic, file-transfer, -muc\". What a stanza means the same without (a\n"
		"receipt, say) is taken out of it; one that needs what is not allowed is refused."},
	{"profile", "inbound-features", set_list, PROFILE(features[INBOUND].names), 0, 0, false, "basic",
		"As for outbound."},
	{"profile", "outbound-unknown", set_unknown, PROFILE(features[OUTBOUND].unknown), 0, 0, false, "refuse",
		"Elements that are of no feature. refuse: the stanza; strip: they are taken out; pass."},
	{"profile", "inbound-unknown", set_unknown, PROFILE(features[INBOUND].unknown), 0, 0, false, "refuse",
		"As for outbound."},
	{"profile", "outbound-require-encryption", set_yes_no, PROFILE(features[OUTBOUND].requires_encryption), 0, 0, false,
		"no", "yes: a message with a text has to be encrypted from end to end, by a way that is among the features.\n"
		"Nothing here can then look into it."},
	{"profile", "inbound-require-encryption", set_yes_no, PROFILE(features[INBOUND].requires_encryption), 0, 0, false,
		"no", "As for outbound."},
	{"profile", "outbound-pep-nodes", set_list, PROFILE(features[OUTBOUND].pep_nodes), 0, 0, false, "",
		"What accounts publish (PEP): nodes that may be asked for, or told of, by name, with '*' at the end for any rest:\n"
		"\"urn:xmpp:avatar:*\". Empty: all that the features let pass."},
	{"profile", "inbound-pep-nodes", set_list, PROFILE(features[INBOUND].pep_nodes), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-presence", set_presence, PROFILE(presence[OUTBOUND]), 0, 0, false, "none", PRESENCE_HELP},
	{"profile", "inbound-presence", set_presence, PROFILE(presence[INBOUND]), 0, 0, false, "none",
		"As for outbound."},
	{"profile", "outbound-message-types", set_message_types, PROFILE(messages[OUTBOUND].fates), 0, 0, false, "",
		"What becomes of messages by their type: \"headline=refuse, normal=chat\". normal, chat and headline can be\n"
		"refused or become another of these; groupchat can be refused. Empty: all stay what they are."},
	{"profile", "inbound-message-types", set_message_types, PROFILE(messages[INBOUND].fates), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-strip", set_list, PROFILE(messages[OUTBOUND].strip), 0, 0, false, "",
		"Elements that are taken out of messages and presence, also of forwarded ones: {urn:xmpp:hints}store, or\n"
		"{urn:xmpp:hints} for all of that namespace. A message of which nothing is left is dropped."},
	{"profile", "inbound-strip", set_list, PROFILE(messages[INBOUND].strip), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-labels", set_labels, PROFILE(labels[OUTBOUND].labels), 0, 0, false, "ignored",
		"Security labels (XEP-0258) of messages. ignored: they are not looked at; default: a message without one gets\n"
		"outbound-default-label; required: it is refused. What is looked at needs outbound-clearance."},
	{"profile", "inbound-labels", set_labels, PROFILE(labels[INBOUND].labels), 0, 0, false, "ignored",
		"As for outbound."},
	{"profile", "outbound-clearance", set_document, PROFILE(labels[OUTBOUND].clearance), 0, 0, false, "",
		"File: which labels may cross, as XML (STANAG 4774, spiffy) or base64 (X.501). Its policy is the one that labels\n"
		"are judged by; those of another one are mapped to it first."},
	{"profile", "inbound-clearance", set_document, PROFILE(labels[INBOUND].clearance), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-default-label", set_document, PROFILE(labels[OUTBOUND].default_label), 0, 0, false, "",
		"File: the label of messages that have none, as XML (STANAG 4774, spiffy) or base64 (ESS)."},
	{"profile", "inbound-default-label", set_document, PROFILE(labels[INBOUND].default_label), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-map-to", set_label_text, PROFILE(labels[OUTBOUND].map_to), 0, 0, false, "",
		"Name of the policy that labels are mapped to, by the equivalents that [labels] policies state. Empty: they stay."},
	{"profile", "inbound-map-to", set_label_text, PROFILE(labels[INBOUND].map_to), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-original-label", set_original_label, PROFILE(labels[OUTBOUND].original), 0, 0, false, "keep",
		"What becomes of a label that was mapped. keep: it stays the label, and the other is its equivalent; swap: the\n"
		"other way round; drop: the other one alone goes on."},
	{"profile", "inbound-original-label", set_original_label, PROFILE(labels[INBOUND].original), 0, 0, false, "keep",
		"As for outbound."},
	{"profile", "outbound-on-marking", set_on_marking, PROFILE(labels[OUTBOUND].refuses_marking), 0, 0, false, "repair",
		"A display marking is always made from the label. One that says something else: repair it, or refuse the message."},
	{"profile", "inbound-on-marking", set_on_marking, PROFILE(labels[INBOUND].refuses_marking), 0, 0, false, "repair",
		"As for outbound."},
	{"profile", "outbound-first-line-marking", set_yes_no, PROFILE(labels[OUTBOUND].marks_first_line), 0, 0, false, "no",
		"yes: the marking becomes the first line of each body too, for those who see no labels; XHTML is taken out."},
	{"profile", "inbound-first-line-marking", set_yes_no, PROFILE(labels[INBOUND].marks_first_line), 0, 0, false, "no",
		"As for outbound."},
	{"profile", "outbound-label-catalogs", set_label_catalogs, PROFILE(labels[OUTBOUND].filters_catalogs), 0, 0, false,
		"refuse",
		"Catalogues of labels (XEP-0258 6): refuse them, or filter: take out what the clearance does not have."},
	{"profile", "inbound-label-catalogs", set_label_catalogs, PROFILE(labels[INBOUND].filters_catalogs), 0, 0, false,
		"refuse",
		"As for outbound."},
	{"profile", "outbound-forbidden-words", set_list, PROFILE(forbidden[OUTBOUND]), 0, 0, false, "", WORDS_HELP},
	{"profile", "inbound-forbidden-words", set_list, PROFILE(forbidden[INBOUND]), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-forbidden-patterns", set_list, PROFILE(content[OUTBOUND].patterns), 0, 0, false, "",
		"The same of what matches one of these: regular expressions of PCRE2. They may hold commas in a file (@FILE), one\n"
		"a line. Case does not matter; ^ and $ are the ends of a line; what takes too many steps to match is refused."},
	{"profile", "inbound-forbidden-patterns", set_list, PROFILE(content[INBOUND].patterns), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-on-match", set_on_match, PROFILE(content[OUTBOUND].redacts), 0, 0, false, "refuse",
		"refuse: text that holds such a word or pattern does not pass; redact: it is taken out, *** standing in its\n"
		"place, and what it cannot be taken out of is refused."},
	{"profile", "inbound-on-match", set_on_match, PROFILE(content[INBOUND].redacts), 0, 0, false, "refuse",
		"As for outbound."},
	{"profile", "outbound-max-body", set_number, PROFILE(content[OUTBOUND].max_body), 0, 1000000, false, "0",
		"Characters that a body may have (0 to 1000000). 0: any."},
	{"profile", "inbound-max-body", set_number, PROFILE(content[INBOUND].max_body), 0, 1000000, false, "0",
		"As for outbound."},
	{"profile", "outbound-url-schemes", set_list, PROFILE(content[OUTBOUND].url_schemes), 0, 0, false, "",
		"Schemes of links that may stand in text: https, xmpp, mailto. Empty: any."},
	{"profile", "inbound-url-schemes", set_list, PROFILE(content[INBOUND].url_schemes), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-url-hosts", set_list, PROFILE(content[OUTBOUND].url_hosts), 0, 0, false, "",
		"Hosts that links may lead to: www.b.example, *.b.example for all below it. Empty: any."},
	{"profile", "inbound-url-hosts", set_list, PROFILE(content[INBOUND].url_hosts), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-forbidden-url-hosts", set_list, PROFILE(content[OUTBOUND].forbidden_hosts), 0, 0, false,
		"",
		"Hosts that they may not lead to."},
	{"profile", "inbound-forbidden-url-hosts", set_list, PROFILE(content[INBOUND].forbidden_hosts), 0, 0, false,
		"",
		"As for outbound."},
	{"profile", "outbound-scripts", set_list, PROFILE(content[OUTBOUND].scripts), 0, 0, false, "",
		"Scripts that bodies, subjects and statuses may be written in, as Unicode names them: Latin, Greek. Empty: any."},
	{"profile", "inbound-scripts", set_list, PROFILE(content[INBOUND].scripts), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-languages", set_list, PROFILE(content[OUTBOUND].languages), 0, 0, false, "",
		"Languages that text may be declared as (xml:lang): en, de-CH. What declares none passes. Empty: any."},
	{"profile", "inbound-languages", set_list, PROFILE(content[INBOUND].languages), 0, 0, false, "",
		"As for outbound."},
	{"profile", "outbound-binaries", set_binaries, PROFILE(binaries[OUTBOUND].action), 0, 0, false, "refuse",
		"Binaries in stanzas: in-band transfers, bits of binary, avatars, photos in vCards, data: URIs.\n"
		"refuse: none passes; scan: those pass in which [guard] scanner finds nothing; pass: they are not scanned."},
	{"profile", "inbound-binaries", set_binaries, PROFILE(binaries[INBOUND].action), 0, 0, false, "refuse",
		"As for outbound."},
	{"profile", "outbound-max-binary", set_number, PROFILE(binaries[OUTBOUND].max_bytes), 1, CONF_BINARY_BYTES_MAX, false,
		"1048576", "Bytes of the largest binary that may pass, decoded; of a transfer in all (1 to 16777216)."},
	{"profile", "inbound-max-binary", set_number, PROFILE(binaries[INBOUND].max_bytes), 1, CONF_BINARY_BYTES_MAX, false,
		"1048576", "As for outbound."},
	{"profile", "outbound-binary-types", set_list, PROFILE(binaries[OUTBOUND].types), 0, 0, false, "",
		"Media types of binaries that may pass, by how they begin and by what they are declared as: image/png, image/*.\n"
		"Empty: all. What is not what it is declared as never passes."},
	{"profile", "inbound-binary-types", set_list, PROFILE(binaries[INBOUND].types), 0, 0, false, "", "As for outbound."},
	{"profile", "outbound-monitor", set_list, PROFILE(monitored[OUTBOUND]), 0, 0, false, "",
		"Stages of the policy that are only tried: what they find is told in the audit (event monitor), and the stanza\n"
		"goes on as if they had found nothing. Of features, presence, content and binary, or all."},
	{"profile", "inbound-monitor", set_list, PROFILE(monitored[INBOUND]), 0, 0, false, "", "As for outbound."},
	{"profile", "outbound-user-rate", set_rate, PROFILE(rates[OUTBOUND].stanzas[RATE_USER]), 1, 1000000, false, "",
		"Stanzas that a user (an address without its resource) may send: 10/s burst 50 is 10 a second on average\n"
		"(/m, /h: a minute, an hour), and 50 at once when there was quiet before. Empty: no limit."},
	{"profile", "inbound-user-rate", set_rate, PROFILE(rates[INBOUND].stanzas[RATE_USER]), 1, 1000000, false, "",
		"As for outbound."},
	{"profile", "outbound-user-bytes", set_byte_rate, PROFILE(rates[OUTBOUND].bytes[RATE_USER]), 1, UINT32_MAX, false, "",
		"Bytes of these stanzas, such as 64K/s burst 512K."},
	{"profile", "inbound-user-bytes", set_byte_rate, PROFILE(rates[INBOUND].bytes[RATE_USER]), 1, UINT32_MAX, false, "",
		"As for outbound."},
	{"profile", "outbound-peer-rate", set_rate, PROFILE(rates[OUTBOUND].stanzas[RATE_PEER]), 1, 1000000, false, "",
		"Stanzas to a domain outside, of everybody together."},
	{"profile", "inbound-peer-rate", set_rate, PROFILE(rates[INBOUND].stanzas[RATE_PEER]), 1, 1000000, false, "",
		"As for outbound, of a domain outside."},
	{"profile", "outbound-peer-bytes", set_byte_rate, PROFILE(rates[OUTBOUND].bytes[RATE_PEER]), 1, UINT32_MAX, false, "",
		"Their bytes."},
	{"profile", "inbound-peer-bytes", set_byte_rate, PROFILE(rates[INBOUND].bytes[RATE_PEER]), 1, UINT32_MAX, false, "",
		"As for outbound."},
	{"profile", "outbound-room-rate", set_rate, PROFILE(rates[OUTBOUND].stanzas[RATE_ROOM]), 1, 1000000, false, "",
		"Messages into a room, of everybody together, or out of it."},
	{"profile", "inbound-room-rate", set_rate, PROFILE(rates[INBOUND].stanzas[RATE_ROOM]), 1, 1000000, false, "",
		"As for outbound."},
	{"profile", "outbound-room-bytes", set_byte_rate, PROFILE(rates[OUTBOUND].bytes[RATE_ROOM]), 1, UINT32_MAX, false, "",
		"Their bytes."},
	{"profile", "inbound-room-bytes", set_byte_rate, PROFILE(rates[INBOUND].bytes[RATE_ROOM]), 1, UINT32_MAX, false, "",
		"As for outbound."},
	{"profile", "outbound-over-rate", set_over_rate, PROFILE(rates[OUTBOUND].over), 0, 0, false, "refuse",
		"What comes above one of these: refuse: its sender is told; drop: nobody is told; wait: it passes, and its stream\n"
		"is not read until it was due, so that its server has to wait with everything."},
	{"profile", "inbound-over-rate", set_over_rate, PROFILE(rates[INBOUND].over), 0, 0, false, "refuse",
		"As for outbound."},

	{"peer", "profile", set_profile, PEER(profile), 0, 0, true, "default", "Name of the profile that governs it."},
	{"peer", "shadow", set_shadow, PEER(shadow), 0, 0, false, "",
		"Name of a profile that is tried on all that comes, beside the one that governs: \"show shadow\" tells where\n"
		"it would have judged otherwise. Empty: none."},
	{"peer", "directions", set_way, PEER(way), 0, 0, false, "both",
		"Who may begin to speak. both; outbound: only ours, and what answers them passes (results and errors, and\n"
		"subscribed); inbound: only theirs; none: nobody, so that [peer *] may let in all but some."},
	{"peer", "inside", set_our_domains, PEER(inside), 0, 0, false, "",
		"Those of our domains that it is a peer of, as they stand in [inside]. Empty: all."},
	{"peer", "authentication", set_authentication, PEER(authentication), 0, 0, false, "strong",
		"strong: its servers come with a verified certificate (SASL EXTERNAL).\n"
		"tls-dialback: they may come without one, or with one that cannot be verified, and prove themselves by dialback.\n"
		"Our own servers are then not made to believe in it: they have to allow dialback, too.\n"
		"none: not even TLS is asked for. Whoever is on the way may read, change and say what it likes.\n"
		"sallyportd warns of it."},
	{"peer", "pin", set_pins, 0, 0, 0, false, "",
		"What its certificate must be besides verified: certificate:SHA256 or key:SHA256, of which one is enough, up to 8\n"
		"separated by commas. `sallyport show certificates` tells them. A peer with pins never comes without one."},

	{"certificate", "chain", set_path, CERTIFICATE(chain), 0, 0, true, "a.example.pem",
		"PEM file: the domain's own certificate, then the CAs above it, one after the other. All of it is shown."},
	{"certificate", "key", set_key_place, CERTIFICATE(key), 0, 0, true, "a.example.key",
		"Its private key, RSA (2048 to 4096 bits) or EC (P-256, P-384, P-521), in a file or a token as for ca-key."},

	{"link", "inside-address", set_address, LINK(side[WIRE_INSIDE].address), 0, 0, true, "192.0.2.1",
		"IP address of our server."},
	{"link", "outside-address", set_address, LINK(side[WIRE_OUTSIDE].address), 0, 0, true, "198.51.100.1",
		"IP address of the other one."},
	{"link", "port", set_number, LINK(port), 1, 65535, false, "5269",
		"TCP port of whichever of them is dialled; it must be one of [guard] ports."},
	{"link", "inside-domains", set_link_domains, LINK(side[WIRE_INSIDE]), 0, 0, true, "a.example",
		"Who speaks for our side: up to 8 domains, the first being the one of its certificate."},
	{"link", "outside-domains", set_link_domains, LINK(side[WIRE_OUTSIDE]), 0, 0, true, "b.example",
		"Who speaks for the other: up to 8 domains, all of them peers."},
	{"link", "tls", set_yes_no, LINK(tls), 0, 0, false, "yes",
		"yes: the connection begins with TLS, in which both prove their first domain. no: in the clear; then the address\n"
		"is all that proves a server, and the peers must have authentication = none."},
	{NULL, NULL, NULL, 0, 0, 0, false, NULL, NULL},
};
