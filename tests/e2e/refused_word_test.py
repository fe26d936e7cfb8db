#!/usr/bin/python3
"""A message with a forbidden word stays on its side; its sender gets a stanza error, the operator an audit line."""
import os
import tempfile

from lib import World, check, deliver, error_condition


def one_way(first):
    """Servers without XEP-0288, so that the error needs a stream of the other direction: there already, or not yet."""
    with World(families=(4,)) as world:
        world.guard.set("guard", "own-streams", "no")
        world.guard.set("profile default", "outbound-forbidden-words", "nightingale")
        for side in world.server:
            world.configure(side, disabled=("s2s_bidi",))
        world.start_servers()
        world.insert_guard()
        alice, bob = world.client("inside"), world.client("outside")
        alice.presence(), bob.presence()
        if first:
            check(deliver(bob, alice, "hello", 10), "a stream in the other direction is there")
        name = alice.message(bob.jid, "nightingale")
        if not first:
            check(not alice.wait_error(name, 1), "without a stream in the other direction the error waits")
            check(deliver(bob, alice, "hello", 10), "one is made")
        check(alice.wait_error(name), "the error comes over it")


one_way(first=True)
one_way(first=False)
with World() as world:
    world.guard.set("profile default", "outbound-forbidden-words", "nightingale, top secret")
    world.guard.set("profile default", "inbound-forbidden-words", "malware")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()

    for sender, receiver, text in ((alice, bob, "the NightinGale sings"), (alice, bob, "this is Top  Secret."),
                                   (bob, alice, "some malware")):
        name = sender.message(receiver.jid, text)
        refused = sender.wait_error(name)
        check(refused is not None, f"{sender.bare} is told that {text!r} was refused")
        kind, condition, reason = error_condition(refused)
        check(condition in ("policy-violation", "not-acceptable", "not-allowed"), "with a stanza error", condition)
        check(refused.get("from") == receiver.jid, "that comes from where the message was sent to")
        sender.message(receiver.jid, "nothing to see")
        check(receiver.wait_message("nothing to see"), "the message after it arrives")
        check(not receiver.wait_message(text, 0.2), "the refused one does not")

    bob.message(alice.jid, "the nightingale may come in")
    check(alice.wait_message("the nightingale may come in"), "each direction has words of its own")
    alice.message(bob.jid, "nightingales are another word")
    check(bob.wait_message("nightingales are another word"), "a longer word is another word")

    refusals = [line for line in world.guard.audit_lines() if line.get("action") == "refused"]
    check(len(refusals) == 3, "the audit has one line for each refusal", world.guard.audit_lines())
    check(all("nightingale" not in str(line) or "from" in line for line in refusals), "that names the sender")
    check("refused" in world.guard.show("verdicts"), "show verdicts tells of it", world.guard.show("verdicts"))

    alice.send(f"<message to='{bob.jid}' id='bad-shape'><body>not told</body><note>aside</note></message>")
    refused = alice.wait_error("bad-shape")
    check(refused is not None and error_condition(refused)[:2] == ("modify", "bad-request"),
          "an element that stanzas do not have is refused, and the sender told", refused)
    line = world.guard.wait_audit(lambda line: line.get("stanza_id") == "bad-shape")
    check(line is not None and line["rule"] == "shape.children" and "aside" not in str(line), "the audit names the rule", line)
    check(not bob.wait_message("not told", 0.2), "and it does not arrive")

    world.guard.set("peer b.example", "outbound-forbidden-words", "sparrow")
    check(world.guard.change_policy(), "the peer adds a word to those of its profile", world.guard.log())
    for text in ("a sparrow", "and a nightingale"):
        check(alice.wait_error(alice.message(bob.jid, text)) is not None, f"{text!r} is refused by either list")
    check(deliver(bob, alice, "the sparrow may come in"), "in the direction that it says")

    # Whoever asked is answered, if not with what may not cross.
    name = bob.request(alice.jid, "get", "<query xmlns='jabber:iq:version'/>")
    asked = alice.wait(lambda e: e.get("id") == name)
    alice.send(f"<iq type='result' id='{name}' to='{bob.jid}'><query xmlns='jabber:iq:version'><name>Nightingale</name>"
               "<version>1</version></query></iq>")
    answer = bob.wait(lambda e: e.get("id") == name)
    check(asked is not None and answer is not None and answer.get("type") == "error" and answer.get("from") == alice.jid,
          "the asker of a refused result gets an error in its place", answer)
    line = world.guard.wait_audit(lambda line: line.get("delivery") == "instead")
    check(line is not None and line["rule"] == "content.forbidden-words", "which the audit tells", line)

    with tempfile.NamedTemporaryFile("w", suffix=".patterns") as patterns:
        patterns.write("# one a line\nproject \\d{1,3}\n\\bDE\\d{2}( ?\\d{4}){4},? \\d{2}\\b\n")
        patterns.flush()
        os.chmod(patterns.name, 0o644)
        world.guard.set("profile default", "outbound-forbidden-patterns", f"@{patterns.name}")
        world.guard.set("profile default", "outbound-on-match", "redact")
        world.guard.set("profile default", "inbound-url-hosts", "*.b.example, b.example")
        check(world.guard.change_policy(), "words and patterns are taken out, and links lead to hosts of theirs", world.guard.log())
    alice.message(bob.jid, "the nightingale is in project 42 today")
    check(bob.wait_message("the *** is in *** today"), "what is redacted arrives without it")
    line = world.guard.wait_audit(lambda line: line.get("rule") == "content.redacted")
    check(line is not None and "project" not in str(line), "the audit tells of it, not what it was", line)
    refused = alice.wait_error(alice.message(bob.jid, "x", "<x xmlns='urn:example:x' title='project 42'/>"))
    check(refused is not None and "content.forbidden-patterns" in error_condition(refused)[2], "an attribute is refused", refused)
    refused = bob.wait_error(bob.message(alice.jid, "see https://evil.example/b.example"))
    check(refused is not None and "content.url-host" in error_condition(refused)[2], "a link to another host is refused", refused)
    check(deliver(bob, alice, "see https://www.b.example/"), "one to a host of the list arrives")
    world.guard.set("profile default", "outbound-forbidden-patterns", "a(b")
    check(not world.guard.change_policy(), "a pattern that is none is no policy")
    check("pattern 1" in world.guard.log() and "missing closing parenthesis" in world.guard.log(), "and the log says why")
