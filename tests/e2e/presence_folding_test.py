#!/usr/bin/python3
"""Presence is folded to the level of the profile, each direction for itself; subscriptions work at every level."""
from lib import World, check, local

RICH = {"show": "dnd", "status": "in the vault", "extra": "<priority>5</priority>"
        "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='y='/>"}


def children(presence):
    return {local(child): child.text for child in presence}


def last_presence(sender, receiver):
    """What receiver sees of rich presence and then of its end, sent by sender."""
    sender.presence(kind="unavailable")       # or it might be what was shown last
    receiver.wait_presence(sender.jid, kind="unavailable")
    receiver.drain()
    sender.presence(**RICH)
    seen = receiver.wait_presence(sender.jid)
    return children(seen) if seen is not None else None


for outbound, wanted in (("full", {"show", "status"}), ("show", {"show"}), ("online", set())):
    with World(families=(4,)) as world:
        world.guard.set("profile default", "outbound-presence", outbound)
        world.guard.set("profile default", "inbound-presence", "full")
        world.start_servers()
        world.insert_guard()
        alice, bob = world.client("inside"), world.client("outside")
        alice.presence(), bob.presence()
        check(alice.befriend(bob), f"{outbound}: subscriptions pass")
        seen = last_presence(alice, bob)
        check(seen is not None and wanted <= seen.keys(), f"{outbound}: outside sees {sorted(wanted) or 'no more than'}", seen)
        check(not ({"show", "status"} - wanted) & seen.keys(), f"{outbound}: and nothing above it", seen)
        alice.presence(show="dnd", status="still there")
        again = bob.wait_presence(alice.jid, 1 if outbound != "full" else 15)
        check((again is None) == (outbound != "full"), f"{outbound}: what is folded to the same is not sent again", again)
        back = last_presence(bob, alice)
        check(back.get("status") == "in the vault" and back.get("show") == "dnd", "inside sees everything", back)
        alice.presence(kind="unavailable")
        check(bob.wait_presence(alice.jid, kind="unavailable") is not None, f"{outbound}: going offline is seen")
        if outbound != "full":
            changed = world.guard.wait_audit(lambda line: line.get("action") == "rewritten")
            check(changed is not None, f"{outbound}: the audit says that presence was rewritten")
