/*
 * The configuration: one INI file, read whole, checked whole, immutable after. Every key stands in one table (conf.c)
 * with its type, range, default and help; what is not in the table is an error with file, line and a hint.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "channel.h"
#include "conf_policy.h"
#include "proc.h"

enum conf_limits {
	CONF_PORTS_MAX = 16,
	CONF_DOMAINS_MAX = 64,
	CONF_CERTIFICATES_MAX = 64,
	CONF_LINKS_MAX = 64,
	CONF_LINK_DOMAINS_MAX = 8,     /* on each side: all pairs of them are within what one connection may have */
	CONF_STANZA_BYTES_MAX = 512 << 10,     /* what servers take */
	CONF_TLS_MAX = 16,             /* with those that are built in */
	CONF_TLS_LIST_BYTES = 512,
	CONF_SCANS_MAX = 64,
	CONF_POLICY_TESTS_MAX = 16,
	CONF_VALUE_BYTES = 1000,       /* iniparser 4.1 fails beyond 1021 */
};

struct conf_tls {                      /* [tls NAME], or built in */
	char name[64];
	int line;                      /* 0: built in */
	/* Names joined by ':', best first: what OpenSSL wants, but for the versions ("1.2:1.3"). */
	char versions[16], groups[64], ciphers[CONF_TLS_LIST_BYTES], ciphersuites[CONF_TLS_LIST_BYTES],
		signatures[CONF_TLS_LIST_BYTES];
	bool resumption;
};

/* What is asked of CRLs: nothing; what those at hand say; a current one for every certificate of a chain. */
enum conf_crl_check { CRL_CHECK_NONE, CRL_CHECK_IF_PRESENT, CRL_CHECK_REQUIRED };

/* The kind of key in guard certificates: ECDSA, but RSA for whoever takes no other; or one of them for everybody. */
enum conf_leaf { LEAF_AUTO, LEAF_ECDSA, LEAF_RSA };

struct conf_wire {                     /* [inside], [outside] */
	char device[256];              /* kernel interface, PCI address, or "vdev:..." for any DPDK virtual device */
	char trust[PATH_MAX];          /* PEM: the CAs that sign the servers on this side */
	char crls[PATH_MAX];           /* file or folder with lists of revoked certificates; "": none */
	enum conf_crl_check crl_check; /* crl-check = none | if-present | required */
	char ca_certificate[PATH_MAX]; /* PEM: the guard CA that servers on this side trust */
	char ca_key[PATH_MAX];         /* PEM: its key, or pkcs11:... ; read by keyd only */
	enum conf_leaf leaf_key;       /* leaf-key = auto | ecdsa | rsa: of guard certificates */
	bool xmpp_addr;                /* xmpp-addr = yes | no: guard certificates have that kind of name, too */
	unsigned life_hours;           /* certificate-hours: of guard certificates */
	struct conf_tls tls;           /* how TLS is spoken with servers on this side */
};

/* What is done about a way around the guard. */
enum conf_answer { ANSWER_FORWARD, ANSWER_ALERT, ANSWER_BLOCK };
enum conf_elsewhere { ELSEWHERE_FORWARD, ELSEWHERE_GUARD, ELSEWHERE_BLOCK };

/* What becomes of traffic that is not guarded while nobody is there to judge. */
enum conf_on_failure { ON_FAILURE_BRIDGE, ON_FAILURE_BLOCK };

struct conf_certificate {              /* [certificate DOMAIN]: DOMAIN or *.DOMAIN; a real one */
	char domain[CHANNEL_NAME_MAX];
	int line;
	char chain[PATH_MAX];          /* PEM: its own certificate, then the CAs above it */
	char key[PATH_MAX];            /* PEM, or pkcs11:...; read by keyd only */
};

struct conf_address {
	uint8_t family;                /* 4 or 6 */
	uint8_t bytes[16];             /* network byte order; IPv4 in the first four */
};

struct conf_link {                     /* [link NAME]: servers that do without a handshake (XEP-0361) */
	char name[64];
	int line;
	struct conf_link_side {
		struct conf_address address;   /* inside-address, outside-address */
		unsigned domain_count;
		char domain[CONF_LINK_DOMAINS_MAX][CHANNEL_NAME_MAX];  /* inside-domains, outside-domains; the first is
									* the one that its certificate is for */
	} side[WIRES];
	unsigned port;                 /* TCP port of whichever is dialled */
	bool tls;                      /* from the first byte */
};

struct conf_scanner {                  /* [guard] scanner */
	enum { SCANNER_NONE, SCANNER_CLAMD, SCANNER_ICAP } kind;
	char path[108];                /* of clamd's socket */
	struct conf_address address;   /* of an ICAP server */
	uint16_t port;
	char service[128];
};

struct conf {
	char name[32];                 /* [guard] name: of the admin socket, "@NAME" */
	unsigned port_count;
	uint16_t ports[CONF_PORTS_MAX];        /* [guard] ports */
	unsigned workers;              /* [guard] workers: lanes, 1 to PROC_LANES_MAX */
	enum conf_elsewhere elsewhere; /* [guard] elsewhere: XMPP between servers on any other port */
	enum conf_answer websocket, quic;      /* [guard] websocket, quic */
	char audit[PATH_MAX];          /* [guard] audit: the file that audit lines are appended to */
	char record[PATH_MAX];         /* [guard] record: the file that stanzas are recorded in; "": they are not */
	unsigned record_mib;           /* [guard] record-mib */
	unsigned feature_count;
	char features[CONF_DOMAINS_MAX][64];   /* [guard] features: stream features let through, by name */
	unsigned negotiation_seconds, idle_seconds;    /* [guard] of the same names: how long a stream may take, and rest */
	unsigned stanza_bytes;         /* [guard] max-stanza-bytes */
	bool own_streams;              /* [guard] own-streams = yes | no */
	struct conf_scanner scanner;   /* [guard] scanner */
	unsigned scan_seconds, max_scans;      /* [guard] of the same names */
	struct conf_list policy_tests; /* [guard] policy-tests: paths of files with cases */
	enum conf_on_failure on_failure;       /* [guard] on-failure = bridge | block */
	bool passes_link_state;        /* [guard] pass-link-state = yes | no */
	uid_t uid[PROC_ROLES];         /* [users] dataplane, tls, keyd, control: a name or a number */
	gid_t gid[PROC_ROLES];
	char cpus[64];                 /* [dataplane] cpus: where its worker may run, as a Linux CPU list; "": anywhere */
	unsigned memory_mib;           /* [dataplane] memory-mib */
	unsigned domain_count;
	char domains[CONF_DOMAINS_MAX][CHANNEL_NAME_MAX];      /* [inside] domains: ours, DOMAIN or *.DOMAIN;
									* lower case, A-labels */
	struct conf_wire wire[WIRES];
	unsigned tls_count, profile_count, peer_count, certificate_count, link_count, group_count;
	struct conf_tls *tls;
	struct conf_profile *profiles;
	struct conf_labels_section labels;     /* [labels] */
	unsigned clearance_count;
	struct conf_clearance *clearances;
	struct conf_group *groups;     /* after loading they are in the lists that name them */
	struct conf_peer *peers;       /* sorted by domain */
	struct conf_certificate *certificates;
	struct conf_link *links;
	uint64_t fixed;                /* of all that is no policy: where it differs, the guard has to be started anew */
	char *texts;                   /* of all lists */
	uint32_t texts_bytes;
};

/* The first item of a list that has one, and the one after it. */
static inline const char *conf_list_first(const struct conf *conf, const struct conf_list *list)
{
	return conf->texts + list->at;
}

static inline const char *conf_list_next(const char *item)
{
	while (*item++)
		;
	return item;
}

/*
 * Reads and checks. On any fault returns NULL after writing every fault found to `faults`, one line each:
 *     FILE:LINE: what is wrong (hint: what would be right)
 * `shown_name` is what faults call the file, and its folder is what relative paths start from. Files of lists are read,
 * too. Whether other files that it names exist is checked by conf_check_files(), which wants a conf of conf_load().
 */
#define CONF_NAME_VARIABLE "SALLYPORT_CONF"    /* the name of the file, where the processes find it */
struct conf *conf_load(const char *path, const char *shown_name, FILE *faults)
	__attribute__((warn_unused_result, nonnull));
int conf_check_files(const struct conf *conf, const char *path, FILE *faults)
	__attribute__((warn_unused_result, nonnull));
struct conf *conf_load_inherited(void) __attribute__((warn_unused_result)); /* PROC_FD_CONF; exits on a fault */

/*
 * What was checked, as it is handed to the processes: a sealed memfd, the caller's (negative errno: there is none), and
 * what is read from it, by a program of the same build (NULL with errno).
 */
int conf_seal(const struct conf *conf) __attribute__((warn_unused_result, nonnull));
struct conf *conf_unseal(int image) __attribute__((warn_unused_result));

/* Profiles, peers and lists of `fresh`, which is freed, in the place of those that `conf` had. The rest stays. */
void conf_take_policy(struct conf *conf, struct conf *fresh) __attribute__((nonnull));
void conf_free(struct conf *conf);

/* The TLS profile that is built in under this name. False: there is none. */
bool conf_tls_builtin(const char *name, struct conf_tls *tls) __attribute__((warn_unused_result, nonnull));
/* "1.2" or "1.3" */
bool conf_tls_speaks(const struct conf_tls *tls, const char *version) __attribute__((nonnull));

/* Every key with its default and help, as an annotated configuration file. */
void conf_print_keys(FILE *out) __attribute__((nonnull));

/* Is this one of our own domains; which peer entry governs this domain (longest match; NULL: none)? In lower case. */
bool conf_is_ours(const struct conf *conf, const char *domain) __attribute__((nonnull));
const struct conf_peer *conf_peer_find(const struct conf *conf, const char *domain) __attribute__((nonnull));

/* Which certificate section is for this domain (longest match; NULL: none)? In lower case. */
const struct conf_certificate *conf_certificate_find(const struct conf *conf, const char *domain)
	__attribute__((nonnull));

/* The link that a connection is of, by its addresses and port. NULL: of none. */
const struct conf_link *conf_link_find(const struct conf *conf, const struct msg_opened *opened) __attribute__((nonnull));

/* Is this the place of a key in a PKCS#11 token (RFC 7512) instead of a file? */
bool conf_is_token(const char *place) __attribute__((nonnull));

#endif
