#!/usr/bin/python3
"""What the default profile lets cross and what not, told by features; and a profile that names more of them."""
from lib import World, check, deliver, error_condition
from lib.xmpp import local

DISCO = "http://jabber.org/protocol/disco#info"
RECEIPTS, OOB = "urn:xmpp:receipts", "jabber:x:oob"


def expect_refused(refused, rule, what):
    check(refused is not None, f"{what}: the sender is told")
    check(rule in (error_condition(refused)[2] or ""), f"{what}: by the rule {rule}", error_condition(refused))


def offered(client, domain):
    result = client.iq(domain, "get", f"<query xmlns='{DISCO}'/>")
    return {element.get("var") for element in result.iter() if local(element) == "feature"}


with World(families=(4,)) as world:
    profile = world.guard.sections["profile default"]
    for direction in ("outbound", "inbound"):
        del profile[f"{direction}-features"], profile[f"{direction}-unknown"]
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "hello") and deliver(bob, alice, "hello"), "chat crosses")
    alice.message(bob.jid, "with a receipt", f"<request xmlns='{RECEIPTS}'/><nick xmlns='http://jabber.org/protocol/nick'>A</nick>")
    arrived = bob.wait_message("with a receipt")
    names = {local(child) for child in arrived}
    check("request" in names and "nick" not in names, "receipts do, a nick is taken out", names)
    for sender, receiver in ((alice, bob), (bob, alice)):
        what = f"from {sender.bare}"
        expect_refused(sender.wait_error(sender.message(receiver.jid, "a link", f"<x xmlns='{OOB}'><url>http://x</url></x>")),
                       "features.oob", f"a link {what}")
        expect_refused(sender.wait_error(sender.message(receiver.jid, "what is it", "<z xmlns='urn:example:unknown'/>")),
                       "features.unknown", f"what nobody knows {what}")
        expect_refused(sender.iq(receiver.jid, "get", "<query xmlns='jabber:iq:version'/>"), "features.version",
                       f"a question for the version {what}")
        expect_refused(sender.iq(receiver.jid, "set", "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='1'>"
                                 "<content creator='initiator' name='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1'/>"
                                 "</content></jingle>"), "features.voip", f"a call {what}")
    seen = offered(alice, "b.example")
    check(DISCO in seen and "urn:xmpp:ping" in seen and not {"vcard-temp", "jabber:iq:version", "urn:xmpp:time"} & seen,
          "nobody is offered what would be refused", seen)
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-features", "basic, oob, version, vcard")
    check(world.guard.change_policy(), "the profile names more")
    alice.message(bob.jid, "another link", f"<x xmlns='{OOB}'><url>http://x</url></x>")
    check(bob.wait_message("another link"), "which then crosses")
    seen = offered(alice, "b.example")
    check({"vcard-temp", "jabber:iq:version"} <= seen and "urn:xmpp:time" not in seen, "and is offered", seen)

    for key, value in (("features", "basic, encryption, -otr"), ("require-encryption", "yes")):
        world.guard.set("profile default", f"outbound-{key}", value)
    check(world.guard.change_policy(), "what goes out has to be encrypted, and not by otr")
    expect_refused(alice.wait_error(alice.message(bob.jid, "in the clear")), "features.not-encrypted", "text that is not")
    expect_refused(alice.wait_error(alice.message(bob.jid, "?OTRv23?")), "features.otr", "an offer of otr")
    alice.message(bob.jid, "beside", "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AAAA</payload></encrypted>")
    check(bob.wait(lambda e: local(e) == "message" and "encrypted" in {local(child) for child in e}
                   and "body" not in {local(child) for child in e}), "what is encrypted crosses, without the text beside it")

    world.guard.set("profile default", "outbound-features", "basic, personal-events, avatar")
    world.guard.set("profile default", "outbound-pep-nodes", "urn:xmpp:avatar:*")
    world.guard.set("peer b.example", "inbound-features", "basic")
    check(world.guard.change_policy(), "nodes of accounts are listed, and a peer has less than its profile")
    nodes = {}
    for node in ("urn:xmpp:avatar:metadata", "http://jabber.org/protocol/tune"):
        answer = alice.iq(bob.bare, "get", f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub>")
        check(answer is not None, f"somebody answers for {node}")
        nodes[node] = "features.pep-node" in str(error_condition(answer))
    check(nodes == {"urn:xmpp:avatar:metadata": False, "http://jabber.org/protocol/tune": True},
          "only what is listed may be asked for", nodes)
    expect_refused(bob.wait_error(bob.message(alice.jid, "a link", f"<x xmlns='{OOB}'><url>http://x</url></x>")),
                   "features.oob", "what the profile allows and the peer does not")
