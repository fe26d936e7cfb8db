#!/usr/bin/python3
"""200 messages each way at the same time arrive all, once, and in order."""
from lib import World, body, check, local

COUNT = 200

with World() as world:
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for i in range(COUNT):
        alice.message(bob.jid, f"out {i}")
        bob.message(alice.jid, f"in {i}")
    for receiver, word in ((bob, "out"), (alice, "in")):
        check(receiver.wait(lambda e: body(e) == f"{word} {COUNT - 1}", 30), f"the last of {COUNT} {word} arrives")
        seen = [body(e) for e in receiver.inbox if local(e) == "message"]
        check(seen == [f"{word} {i}" for i in range(COUNT - 1)], f"those before it arrived in order, {word}", seen)
