#!/usr/bin/python3
"""
Both wires of the guard are bad ones (tests/e2e/link.c: 5 % loss, 40 ms, 10 % reordering, 2 % duplication, 1 % corruption):
two servers federate through the guard over them, and what they say arrives whole and in order.
"""
from lib import BUILD, SIDES, World, body, check, local, note, run

LOSS, DELAY, REORDER, DUPLICATE, CORRUPT = 5, 40, 10, 2, 1
FEW, BULK, SIZE = 20, 100, 10000


def make_bad(world, seed):
    """Between each server's end of the wire and the guard's: a namespace of its own with the emulator in it."""
    wire = world.wire
    for i, side in enumerate(SIDES):
        name = f"link-{side}-{world.tag}"
        run("ip", "netns", "add", name)
        wire.ns[f"link-{side}"] = name
        wire.on("guard", "ip", "link", "set", side, "down")
        wire.on("guard", "ip", "link", "set", side, "netns", name)
        run("ip", "link", "add", "near", "netns", name, "type", "veth", "peer", "name", side, "netns", wire.ns["guard"])
        for namespace, device in ((name, side), (name, "near"), (wire.ns["guard"], side)):
            wire.bring_up(namespace, device)
        world.start(name, f"link-{side}", BUILD / "tests/e2e/link", side, "near", seed + i,
                    LOSS, DELAY, REORDER, DUPLICATE, CORRUPT)


def in_order(receiver, word, count, seconds):
    check(receiver.wait(lambda e: (body(e) or "").startswith(f"{word} {count - 1} "), seconds), f"{word}: the last of {count} arrives")
    seen = [body(e) for e in receiver.inbox if local(e) == "message"]
    seen = [text for text in seen if text and text.startswith(word + " ")]
    check(seen == [text(word, i) for i in range(count - 1)], f"{word}: those before it arrived whole, once, in order",
          [s[:20] for s in seen])


def text(word, i):
    return f"{word} {i} " + (f"{i:04}-" * (SIZE // 5) if word.startswith("bulk") else "")


with World(families=(4,)) as world:
    world.start_servers()
    world.wire.cut()
    make_bad(world, 42)
    world.guard.start()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for words, count in ((("out", "in"), FEW), (("bulk-out", "bulk-in"), BULK)):
        for i in range(count):
            alice.message(bob.jid, text(words[0], i))
            bob.message(alice.jid, text(words[1], i))
        in_order(bob, words[0], count, 40)
        in_order(alice, words[1], count, 40)
    counters = world.guard.counters()
    note({name: n for name, n in counters.items() if n and ("checksum" in name or "retransmit" in name)})
    check(counters["drop-bad-checksum"] > 0, "corrupted segments came, and were not accepted")
