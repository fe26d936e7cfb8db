#!/usr/bin/python3
"""
Old servers, which speak no TLS: they reach each other by dialback in the clear where their peer entry says none, and nowhere
else, although both servers would be content with it.
"""
from lib import World, check

NOT_DELIVERED = 8          # seconds
CLEAR = "s2s_require_encryption = false"


def both_ways(world):
    alice, bob = world.client("inside"), world.client("outside")
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.message(receiver.jid, f"in the clear from {sender.bare}")
        check(receiver.wait_message(f"in the clear from {sender.bare}"), f"none: a message of {sender.bare} arrives")
    seen = world.guard.show("sessions")
    check(seen.count("clear, dialback") == 2, "none: both connections are shown as what they are", seen)
    warning = "[peer b.example]: streams may be neither encrypted nor authenticated"
    check(warning in world.guard.log(), "none: sallyportd warns of such a peer", world.guard.log())


def refused(world, level):
    alice, bob = world.client("inside"), world.client("outside")
    alice.message(bob.jid, "to nobody")
    error = alice.wait(lambda e: e.get("type") == "error", NOT_DELIVERED)
    check(error is not None and not bob.wait_message("to nobody", timeout=0.5), f"{level}: a message is refused", error)
    bob.message(alice.jid, "to nobody")
    check(not alice.wait_message("to nobody", timeout=1), f"{level}: nothing comes in, either")
    alerts = [line for line in world.guard.audit_lines() if line.get("alert") == "downgrade"]
    check(alerts and all("STARTTLS" in line["reason"] for line in alerts), f"{level}: it is an alert", alerts)


for level in ("none", "tls-dialback", "strong"):
    with World(families=(4,)) as world:
        for side in world.server:
            world.configure(side, secure=False, disabled=("tls",), extra=CLEAR)
        world.guard.set("peer b.example", "authentication", level)
        world.start_servers()
        world.insert_guard()
        if level == "none":
            both_ways(world)
        else:
            refused(world, level)
