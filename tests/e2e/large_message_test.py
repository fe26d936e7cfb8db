#!/usr/bin/python3
"""A message of 400 KB, many segments long, arrives whole in both directions, and small ones go on after it."""
import random

from lib import World, check

with World() as world:
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    letters = random.Random(5)
    for sender, receiver in ((alice, bob), (bob, alice)):
        text = "".join(letters.choices("abcdefghijklmnopqrstuvwxyz \u00e9<&", k=400_000))
        sender.message(receiver.jid, text)
        check(receiver.wait_message(text, 30), f"{len(text.encode())} bytes from {sender.bare} arrive as sent")
        sender.message(receiver.jid, "small again")
        check(receiver.wait_message("small again"), f"a small message from {sender.bare} follows")
