#!/usr/bin/python3
"""
What passes at some hours only, by the zone of the machine, which is read before there are no files any more; messages of
which types become others, or elements are taken out.
"""
import os
import struct
import time

from lib import World, check, error_condition, local

HINTS, STATES = "urn:xmpp:hints", "http://jabber.org/protocol/chatstates"
PING = "<ping xmlns='urn:xmpp:ping'/>"
ZONE_SECONDS = 41400                  # 11:30 h ahead: what is now there is far from now in UTC, and everywhere else


def zone_file(path):
    """RFC 8536: no transition, one type of local time."""
    path.write_bytes(struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB4s", ZONE_SECONDS, 0, 0, b"XST"))
    return path


def span(begin_hours, end_hours):
    """From and to so many hours from now, on every day."""
    minutes = [int(time.time() + ZONE_SECONDS + 3600 * hours) // 60 % 1440 for hours in (begin_hours, end_hours)]
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in minutes)


def closed_and_open(world, alice, bob):
    error = alice.wait_error(alice.message(bob.jid, "too late"))
    kind, condition, text = error_condition(error) if error is not None else (None, None, "")
    check((kind, condition) == ("wait", "policy-violation") and "hours.closed" in text, "outside its hours nothing passes", text)
    bob.message(alice.jid, "in time")
    check(alice.wait_message("in time") is not None, "the other direction has hours of its own, which are now")
    answer = bob.iq("a.example", "get", PING)
    check(answer is not None and answer.get("type") == "result", "what is asked for is answered", answer)
    line = world.guard.wait_audit(lambda line: line.get("rule") == "hours.closed")
    check(line is not None and line["action"] == "refused", "the audit names the rule", line)


def folded(world, alice, bob):
    world.guard.set("profile default", "outbound-message-types", "headline=refuse, normal=chat")
    world.guard.set("profile default", "outbound-strip", f"{{{HINTS}}}store, {{{STATES}}}")
    check(world.guard.change_policy(), "messages are folded")
    alice.send(f"<message to='{bob.jid}' id='news' type='headline'><body>news</body></message>")
    error = alice.wait_error("news")
    check(error is not None and "message.type" in error_condition(error)[2], "a type is refused", error)
    alice.send(f"<message to='{bob.jid}' id='typing' type='chat'><composing xmlns='{STATES}'/></message>")
    alice.send(f"<message to='{bob.jid}' type='normal'><body>a letter</body><store xmlns='{HINTS}'/>"
               f"<no-store xmlns='{HINTS}'/><active xmlns='{STATES}'/></message>")
    letter = bob.wait_message("a letter")
    check(letter is not None and letter.get("type") == "chat", "another becomes chat", letter)
    check({local(child) for child in letter} == {"body", "no-store"}, "what is listed is taken out, and no more", letter)
    line = world.guard.wait_audit(lambda line: line.get("stanza_id") == "typing")
    check(line is not None and (line["action"], line["rule"]) == ("dropped", "message.empty"), "what is left empty is dropped", line)


def at_all_hours(world, alice, bob):
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-hours", "Mon-Sat 00:00-24:00, Sun 00:00-24:00")
    check(world.guard.change_policy(), "other hours")
    alice.message(bob.jid, "at last")
    check(bob.wait_message("at last") is not None, "then it passes")


with World(families=(4,)) as world:
    world.guard.set("profile default", "outbound-hours", span(1, -1))
    world.guard.set("profile default", "inbound-hours", span(-1, 1))
    world.start_servers()
    os.environ["TZ"] = f":{zone_file(world.folder / 'zone')}"
    world.insert_guard()
    del os.environ["TZ"]
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    closed_and_open(world, alice, bob)
    at_all_hours(world, alice, bob)
    folded(world, alice, bob)
