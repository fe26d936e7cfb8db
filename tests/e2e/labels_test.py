#!/usr/bin/python3
"""
Security labels between two organisations: labelled chat both ways, refused by clearance, put on, mapped to the policy of
the other side, marked as the policy says; what is forged is caught, and so is what hides inside.
"""
from lib import ROOT, World, check, eventually

LABEL, CLIENT = "urn:xmpp:sec-label:0", "jabber:client"
ESS = "urn:xmpp:sec-label:ess:0"
FILES = ROOT / "tests" / "labels"
XAA, XBB = (f"<tag type='enumeratedPermissive' id='2.25.1.1.2' lacv='{lacv}'/>" for lacv in (8, 36))
ALPHA, BRAVO = (f"<tag type='restrictive' id='2.25.1.1.1' lacv='{lacv}'/>" for lacv in (0, 1))
STAFF = "<tag type='informative' id='2.25.1.1.3' lacv='1'/>"
OPEN, RESTRICTED = 1, 2
OPEN_ESS, WHITE_ESS = "MQgCAQEGA2kBAQ==", "MQgCAQoGA2kBAg=="
# Of the policy's own table: what has to become of it, by the clearance of its files.
DECISIONS = ((OPEN, "", True), (RESTRICTED, XAA + XBB, True), (RESTRICTED, XAA, False), (RESTRICTED, "", False),
             (RESTRICTED, ALPHA + XBB, True), (RESTRICTED, BRAVO + XBB, False), (RESTRICTED, ALPHA + BRAVO + XBB, False),
             (OPEN, ALPHA, False), (RESTRICTED, XBB + STAFF, True))


def label(number, tags=""):
    return (f"<label xmlns='http://surevine.com/xmlns/spiffy'><policy id='2.25.1.1'/><classification lacv='{number}'/>"
            f"{tags}</label>")


def ess(text):
    return f"<esssecuritylabel xmlns='{ESS}'>{text}</esssecuritylabel>"


def labelled(inner, marking=""):
    return f"<securitylabel xmlns='{LABEL}'>{marking}<label>{inner}</label></securitylabel>"


def say(sender, receiver, text, extra, inside=""):
    """The id of what was said."""
    say.count = getattr(say, "count", 0) + 1
    sender.send(f"<message to='{receiver.jid}' id='l{say.count}' type='chat'><body>{text}</body>{extra}{inside}</message>")
    return f"l{say.count}"


def received(message):
    """Marking, label, equivalents: as texts, of ESS."""
    envelope = message.find(f"{{{LABEL}}}securitylabel")
    if envelope is None:
        return None
    forms = ["".join(child.itertext()).strip() for child in envelope]
    return [child.tag.split("}")[1] for child in envelope], forms


def decisions(alice, bob):
    for i, (number, tags, passes) in enumerate(DECISIONS):
        name = say(alice, bob, f"row {i}", labelled(label(number, tags)))
        if passes:
            check(bob.wait_message(f"row {i}") is not None, f"row {i} passes")
            continue
        error = alice.wait_error(name)
        text = error.xpath("string()") if hasattr(error, "xpath") else "".join(error.itertext())
        inside = [child.tag for child in error.iter()] if error is not None else []
        check(error is not None and not any(LABEL in tag or tag.endswith("}body") for tag in inside),
              f"row {i} is refused, without label or content", inside)
        check("RESTRICTED" not in text and "labels." in text, f"row {i}: it does not say which label", text)


def by_name(alice, bob):
    """STANAG 4774: values stand by name, and none of its attributes are needed that published labels lack."""
    nato = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
    say(alice, bob, "by name", labelled(
        f"<originatorConfidentialityLabel xmlns='{nato}'><ConfidentialityInformation><PolicyIdentifier>DEMO</PolicyIdentifier>"
        "<Classification>RESTRICTED</Classification><Category Type='PERMISSIVE' TagName='Releasable To'><GenericValue>XBB"
        "</GenericValue></Category></ConfidentialityInformation></originatorConfidentialityLabel>"))
    message = bob.wait_message("by name")
    check(message is not None and received(message)[1][0] == "DEMO RESTRICTED REL TO XBB", "a label of STANAG 4774 passes",
          message is not None and received(message))


def both_ways(world, alice, bob):
    say(bob, alice, "from outside", labelled(label(RESTRICTED, XBB)))
    message = alice.wait_message("from outside")
    check(message is not None and received(message)[1][0] == "DEMO RESTRICTED REL TO XBB", "the marking is made of the label",
          message is not None and received(message))
    name = say(bob, alice, "not for here", labelled(label(RESTRICTED, XAA)))
    check(bob.wait_error(name) is not None, "what they may not send is refused")
    name = say(alice, bob, "nothing on it", "")
    check(alice.wait_error(name) is not None, "no label: refused")
    line = world.guard.wait_audit(lambda line: line.get("rule") == "labels.missing")
    check(line is not None and line["action"] == "refused", "the audit names the rule", line)


def forged(alice, bob):
    say(alice, bob, "wolf", labelled(label(RESTRICTED, XBB), "<displaymarking bgcolor='green'>DEMO OPEN</displaymarking>"))
    message = bob.wait_message("wolf")
    check(message is not None and received(message)[1][0] == "DEMO RESTRICTED REL TO XBB", "a forged marking is repaired",
          message is not None and received(message))


def inside(alice, bob):
    forwarded = ("<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='x@a.example' type='chat'>"
                 "<body>within</body>" + labelled(label(RESTRICTED, XBB)) + "</message></forwarded>")
    name = say(alice, bob, "look inside", labelled(label(OPEN)), forwarded)
    check(alice.wait_error(name) is not None, "a forwarded message with a higher label inside is caught")
    say(alice, bob, "it may see it", labelled(label(RESTRICTED, XBB)), forwarded)
    check(bob.wait_message("it may see it") is not None, "below the label outside it passes")


def put_on(world, alice, bob):
    world.guard.set("profile default", "outbound-labels", "default")
    world.guard.set("profile default", "outbound-default-label", world.folder / "open.txt")
    world.guard.set("profile default", "outbound-first-line-marking", "yes")
    check(world.guard.change_policy(), "a default label")
    alice.message(bob.jid, "plain")
    message = bob.wait_message("DEMO OPEN\nplain")
    check(message is not None and received(message) == (["displaymarking", "label"], ["DEMO OPEN", OPEN_ESS]),
          "the default label is put on, with its marking, also as the first line", message is not None and received(message))
    world.guard.set("profile default", "outbound-first-line-marking", "no")


def mapped(world, alice, bob):
    expected = {"keep": (["displaymarking", "label", "equivalentlabel"], ["DEMO OPEN", OPEN_ESS, WHITE_ESS]),
                "swap": (["displaymarking", "label", "equivalentlabel"], ["PARTNER WHITE", WHITE_ESS, OPEN_ESS]),
                "drop": (["displaymarking", "label"], ["PARTNER WHITE", WHITE_ESS])}
    world.guard.set("profile default", "outbound-map-to", "PARTNER")
    world.guard.set("profile default", "inbound-map-to", "DEMO")
    world.guard.set("profile default", "inbound-original-label", "drop")
    for original, parts in expected.items():
        world.guard.set("profile default", "outbound-original-label", original)
        check(world.guard.change_policy(), f"labels are mapped: {original}")
        say(alice, bob, f"mapped, {original}", labelled(ess(OPEN_ESS)))
        message = bob.wait_message(f"mapped, {original}")
        check(message is not None and received(message) == parts, f"{original}: the label and its equivalent",
              message is not None and received(message))
    name = say(alice, bob, "no equivalent", labelled(label(RESTRICTED, XBB)))
    check(alice.wait_error(name) is not None, "what has no equivalent is refused")
    say(bob, alice, "back", labelled(ess(WHITE_ESS)))
    message = alice.wait_message("back")
    check(message is not None and received(message) == (["displaymarking", "label"], ["DEMO OPEN", OPEN_ESS]),
          "theirs is mapped to ours", message is not None and received(message))
    name = say(bob, alice, "black", labelled(ess("MQgCARQGA2kBAg==")))
    check(bob.wait_error(name) is not None, "theirs that has no way back is refused")


def users(world, alice, bob):
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-map-to", "")
    world.guard.set("clearance low", "file", world.folder / "low.xml")
    world.guard.set("clearance low", "users", alice.bare)
    check(world.guard.change_policy(), "a clearance of a user")
    name = say(alice, bob, "above me", labelled(label(RESTRICTED, XBB)))
    check(alice.wait_error(name) is not None, "what its sender is not cleared for is refused")
    say(alice, bob, "within", labelled(label(OPEN)))
    check(bob.wait_message("within") is not None, "what it is cleared for passes")


def bad_policy(world):
    bad = world.folder / "bad.spif.xml"
    bad.write_text((FILES / "demo.spif.xml").read_text().replace('tagSetRef="Caveat"', 'tagSetRef="Nothing"'))
    world.guard.set("labels", "policies", bad)
    world.guard.ask_for_change()
    check(eventually(lambda: f"{bad}:28: <excludedCategory/>: there is no tag set" in world.guard.log()),
          "a policy that is broken is not taken: file and line", world.guard.log()[-2000:])


with World(families=(4,)) as world:
    (world.folder / "open.txt").write_text(OPEN_ESS)
    (world.folder / "low.xml").write_text("<clearance xmlns='http://surevine.com/xmlns/spiffy'><policy id='2.25.1.1'/>"
                                          "<classification lacv='1'/></clearance>")
    world.guard.set("labels", "policies", f"{FILES / 'demo.spif.xml'}, {FILES / 'partner.spif.xml'}")
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-labels", "required")
        world.guard.set("profile default", f"{direction}-clearance", FILES / "demo.clearance.xml")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    decisions(alice, bob)
    by_name(alice, bob)
    both_ways(world, alice, bob)
    forged(alice, bob)
    inside(alice, bob)
    put_on(world, alice, bob)
    mapped(world, alice, bob)
    users(world, alice, bob)
    bad_policy(world)
