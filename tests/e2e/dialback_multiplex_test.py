#!/usr/bin/python3
"""
Dialback with servers made by hand: the published keys verify through the guard, since stream ids pass it unchanged; several
domains prove themselves on one connection, and each stanza needs its own pair; a key that was forged between the two
connections, and a `valid` that nobody asked for, come to nothing but an alert.
"""
from lib import Stream, World, check, eventually
from lib.host import DIALBACK, Host, attribute, dialback_key
from lib.s2s import HEADER

# XEP-0185 and XEP-0220: secret, receiving, originating, stream id, key
VECTORS = (
    ("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F",
     "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"),
    ("d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25",
     "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"),
)
SECRETS = {originating: secret for secret, _, originating, _, _ in VECTORS}
MESSAGE = "<message from='u@{0}' to='v@{1}' type='chat'><body>{2}</body></message>"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
EXTERNAL = f"<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>" + DIALBACK
BIDI, BIDI_OFFER = "<bidi xmlns='urn:xmpp:bidi'/>", "<bidi xmlns='urn:xmpp:features:bidi'/>"


class Organisation:
    """A server that has all domains of a side: it dials, and is dialled."""

    def __init__(self, world, side):
        self.world, self.side, self.domains = world, side, world.domains[side]
        self.certificate = world.ca[side].issue(self.domains, f"{side}-server")
        self.host = Host(world, side, self.certificate)

    def key(self, receiving, originating, stream_id):
        return dialback_key(SECRETS.get(originating, "another secret"), receiving, originating, stream_id)

    def dial(self, own, peer, other, ids=("before-tls", "after-tls"), features=DIALBACK):
        """Both ends of a stream under TLS: ours, with the stream id that it was told, and the other's."""
        other.host.ids, other.host.features = ids, features
        stream = Stream(self.world, self.side, self.certificate)
        stream.domain, stream.peer = own, peer
        stream.starttls()
        stream.id = attribute(stream.header("<stream:features>"), "id")
        stream.until("</stream:features>")
        return stream, other.host.guest()


def ask(stream, guest, own, peer, key):
    """db:result: what the other end hears of it."""
    stream.send(f"<db:result from='{own}' to='{peer}'>{key}</db:result>")
    return guest.until("</db:result>")


def verify(asker, owner, own, peer, stream_id, key, owner_organisation):
    """db:verify over a connection back, judged by the owner's secret: what the asker is told, and whether the owner was asked."""
    asker.send(f"<db:verify from='{own}' to='{peer}' id='{stream_id}'>{key}</db:verify>")
    heard = owner.until("</db:verify>", 1)
    if heard:
        receiving, originating, about = (attribute(heard, name) for name in ("from", "to", "id"))
        good = owner_organisation.key(receiving, originating, about) in heard
        owner.send(f"<db:verify from='{originating}' to='{receiving}' id='{about}' type='{'valid' if good else 'invalid'}'/>")
    asker.until("<db:verify")
    return attribute(asker.until(">"), "type"), heard is not None


def prove(stream, guest, own, peer):
    """The answer to a db:result: what its asker hears."""
    guest.send(f"<db:result from='{peer}' to='{own}' type='valid'/>")
    stream.until("<db:result")
    return attribute(stream.until(">"), "type")


def crosses(stream, guest, own, peer, text):
    stream.send(MESSAGE.format(own, peer, text))
    heard = guest.until("</message>", 3)
    return heard is not None and text in heard and attribute(heard, "from") == f"u@{own}"


def the_vectors(sides):
    for secret, receiving, originating, stream_id, key in VECTORS:
        check(dialback_key(secret, receiving, originating, stream_id) == key, f"{originating}: the key is the published one")
    for _, receiving, originating, stream_id, key in VECTORS:
        owner, other = sorted(sides.values(), key=lambda side: originating not in side.domains)
        stream, guest = owner.dial(originating, receiving, other, ("other-id", stream_id))
        check(stream.id == stream_id == guest.id, f"{originating}: the stream id passes, after TLS", (stream.id, guest.id))
        heard = ask(stream, guest, originating, receiving, owner.key(receiving, originating, stream.id))
        check(heard is not None and key in heard, f"{originating}: the key made of it arrives", heard)
        asker, asked = other.dial(receiving, originating, owner)
        told, was_asked = verify(asker, asked, receiving, originating, guest.id, key, owner)
        check(told == "valid" and was_asked, f"{originating}: and is valid to its server", told)
        check(prove(stream, guest, originating, receiving) == "valid", f"{originating}: which is told")
        check(crosses(stream, guest, originating, receiving, "proved"), f"{originating}: a message crosses")
        for end in (stream, guest, asker, asked):
            end.close()


def authenticate(stream, guest, answer):
    """Whether the other end was asked, and its answer came back."""
    stream.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
    asked = guest.until("</auth>") is not None
    guest.send(answer)
    return asked and stream.until(answer.split()[0]) is not None and stream.until(">") is not None


def ids_after_sasl(sides):
    stream, guest = sides["outside"].dial("example.org", "xmpp.example.com", sides["inside"], ("one", "two", "three"), EXTERNAL)
    check(stream.id == "two", "SASL: one id before it", stream.id)
    check(authenticate(stream, guest, f"<success xmlns='{SASL}'/>"), "SASL: EXTERNAL succeeds")
    stream.send(HEADER.format(stream.domain, stream.peer))
    guest.answer("<stream:features/>")
    header = stream.until("<stream:features/>")
    check(attribute(header, "id") == "three", "SASL: another one after it", header)
    stream.close(), guest.close()


def dialback_after_failure(sides):
    """No is no, but may be said to EXTERNAL only: then dialback, believed without dialling back, where that is enough."""
    failure = f"<failure xmlns='{SASL}'><not-authorized/></failure>"
    for own, peer, enough in (("montague.example", "example.org", True), ("montague.example", "strong.example", False)):
        stream, guest = sides["inside"].dial(own, peer, sides["outside"], features=EXTERNAL)
        check(authenticate(stream, guest, failure) and stream.until("</failure>") is not None, f"{peer}: EXTERNAL fails")
        stream.send(f"<db:result from='{own}' to='{peer}'>key</db:result>")
        if enough:
            check(guest.until("</db:result>") and prove(stream, guest, own, peer) == "valid" and crosses(stream, guest, own, peer, "x"),
                  f"{peer}: dialback on the same stream does")
        else:
            check("policy-violation" in (stream.until("</db:result>") or ""), f"{peer}: dialback is refused, with an error")
            check(guest.until("<db:result", 0.5) is None, f"{peer}: and does not arrive")
        stream.close(), guest.close()


def three_senders(sides):
    owner, other = sides["outside"], sides["inside"]
    stream, guest = owner.dial("example.org", "xmpp.example.com", other, ("x", "senders"))
    names = ("example.org", "rooms.example.org", "capulet.example")
    for name in names:
        key = owner.key("xmpp.example.com", name, stream.id)
        check(key in (ask(stream, guest, name, "xmpp.example.com", key) or ""), f"three senders: {name} asks")
    back = {name: other.dial("xmpp.example.com", name, owner) for name in ("example.org", "capulet.example")}
    for name in names:
        asker, asked = back.get(name, back["example.org"])     # rooms are where their server is
        told = verify(asker, asked, "xmpp.example.com", name, guest.id, owner.key("xmpp.example.com", name, guest.id), owner)
        check(told == ("valid", True), f"three senders: {name} is verified", told)
        check(prove(stream, guest, name, "xmpp.example.com") == "valid", f"three senders: {name} is told")
    for name in names:
        check(crosses(stream, guest, name, "xmpp.example.com", f"of {name}"), f"three senders: a message of {name} crosses")
    check(not crosses(stream, guest, "example.org", "montague.example", "to another"),
          "three senders: a stanza to a domain that was not asked for does not")
    check(stream.ending() is not None, "three senders: and ends the stream")


def three_targets(sides):
    owner, other = sides["inside"], sides["outside"]
    stream, guest = owner.dial("montague.example", "example.org", other, ("x", "targets"))
    names = ("example.org", "rooms.example.org", "files.example.org")
    for name in names:
        ask(stream, guest, "montague.example", name, owner.key(name, "montague.example", stream.id))
    for name in names[:2]:
        check(prove(stream, guest, "montague.example", name) == "valid", f"three targets: {name} takes stanzas")
    guest.send("<db:result from='files.example.org' to='montague.example' type='error'><error type='cancel'>"
               "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>")
    check("item-not-found" in (stream.until("</db:result>") or ""), "three targets: one takes none")
    for name in names[:2]:
        check(crosses(stream, guest, "montague.example", name, f"to {name}"), f"three targets: a message to {name} crosses")
    stream.send("<db:result from='montague.example' to='capulet.example'>key</db:result>")
    check("policy-violation" in (stream.until("</db:result>") or ""), "three targets: whom the server has not proved to be is refused")
    check(crosses(stream, guest, "montague.example", "example.org", "goes on"), "three targets: the stream goes on")
    check(not crosses(stream, guest, "montague.example", "files.example.org", "to none"),
          "three targets: nothing crosses to the one that takes none")
    check(stream.ending() is not None, "three targets: and the stream ends")


def both_ways(sides):
    owner, other = sides["inside"], sides["outside"]
    stream, guest = owner.dial("montague.example", "example.org", other, ("x", "bidi"), DIALBACK + BIDI_OFFER)
    stream.send(BIDI)
    check(guest.until(BIDI) is not None, "bidi: is passed on")
    ask(stream, guest, "montague.example", "example.org", owner.key("example.org", "montague.example", stream.id))
    check(prove(stream, guest, "montague.example", "example.org") == "valid", "bidi: the first pair")
    ask(guest, stream, "rooms.example.org", "montague.example", "rooms")
    check(prove(guest, stream, "rooms.example.org", "montague.example") == "valid", "bidi: the server asks for its rooms")
    for one, two, own, peer in ((stream, guest, "montague.example", "example.org"), (guest, stream, "example.org", "montague.example"),
                                (guest, stream, "rooms.example.org", "montague.example"),
                                (stream, guest, "montague.example", "rooms.example.org")):
        check(crosses(one, two, own, peer, f"{own} {peer}"), f"bidi: a message of {own} to {peer} crosses")
    check(not crosses(guest, stream, "files.example.org", "montague.example", "not proved"), "bidi: no message of another name does")
    stream.close(), guest.close()


def lies(world, sides):
    owner, other = sides["inside"], sides["outside"]
    stream, guest = owner.dial("montague.example", "capulet.example", other, ("x", "lied-about"))
    asker, asked = other.dial("capulet.example", "montague.example", owner)
    key = owner.key("capulet.example", "montague.example", stream.id)
    guest.send("<db:result from='capulet.example' to='montague.example' type='valid'/>")
    asked.send("<db:verify from='montague.example' to='capulet.example' id='lied-about' type='valid'/>")
    check(stream.until("<db:result", 1) is None and asker.until("<db:verify", 0.5) is None, "unsolicited: nothing arrives")
    for name in ("capulet.example", "montague.example"):
        alert = world.guard.wait_audit(lambda line, n=name: (line.get("alert"), line.get("from")) == ("dialback-unsolicited", n))
        check(alert is not None, f"unsolicited: an alert about {name}", world.guard.audit_lines())
    ask(stream, guest, "montague.example", "capulet.example", key)
    told, was_asked = verify(asker, asked, "capulet.example", "montague.example", "lied-about", key[::-1], owner)
    check(told == "invalid" and not was_asked, "forged: another key is refused by the guard itself", (told, was_asked))
    told, was_asked = verify(asker, asked, "capulet.example", "montague.example", "elsewhere", key, owner)
    check(told == "invalid" and not was_asked, "forged: so is the key at another stream id", (told, was_asked))
    alert = world.guard.wait_audit(lambda line: line.get("alert") == "dialback-forged")
    check(alert is not None and alert["to"] == "montague.example", "forged: an alert", alert)
    told = verify(asker, asked, "capulet.example", "montague.example", guest.id, key, owner)
    check(told == ("valid", True) and prove(stream, guest, "montague.example", "capulet.example") == "valid",
          "the streams live on: the true key is valid", told)
    check(crosses(stream, guest, "montague.example", "capulet.example", "after all"), "and a message crosses")


world = World(families=(4,), servers=False)
world.domains = {"inside": ["xmpp.example.com", "montague.example"],
                 "outside": ["example.org", "rooms.example.org", "files.example.org", "capulet.example", "strong.example"]}
with world:
    for domain in world.domains["outside"][:-1]:
        world.guard.set(f"peer {domain}", "authentication", "tls-dialback")
    world.guard.set("guard", "workers", "1")       # only what is in one lane is compared
    world.insert_guard()
    organisations = {side: Organisation(world, side) for side in world.domains}
    the_vectors(organisations)
    ids_after_sasl(organisations)
    dialback_after_failure(organisations)
    three_senders(organisations)
    three_targets(organisations)
    both_ways(organisations)
    lies(world, organisations)
    counters = world.guard.counters()
    check(counters["dialback-keys-seen"] == 6, "keys were compared between the connections", counters)
    check(counters["dialback-forged"] == 2 and counters["dialback-answers-dropped"] == 2, "what was not believed is counted")
    check(eventually(lambda: any(len(line.get("pairs", ())) == 3 for line in world.guard.audit_lines())),
          "the audit has a connection with three pairs")
