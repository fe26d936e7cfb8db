#!/usr/bin/python3
"""
Both wires of the guard are bad ones (5 % loss, 40 ms, 10 % reordering, 2 % duplication, 1 % corruption): two servers
federate through the guard over them; presence crosses, and what they say arrives whole and in order.
"""
from lib import World, body, check, local, note
from lib.bad_link import make_bad

FEW, BULK, SIZE = 20, 40, 10000


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
    make_bad(world, 42)
    world.guard.start()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(alice.befriend(bob), "two people subscribe to each other's presence")
    for one, other in ((alice, bob), (bob, alice)):
        one.presence(show="dnd", status=f"{one.bare} is busy")
        check(other.wait(lambda e: local(e) == "presence" and e.findtext("{jabber:client}show") == "dnd"),
              f"a change of {one.bare} is seen by the other")
    for words, count in ((("out", "in"), FEW), (("bulk-out", "bulk-in"), BULK)):
        for i in range(count):
            alice.message(bob.jid, text(words[0], i))
            bob.message(alice.jid, text(words[1], i))
        in_order(bob, words[0], count, 40)
        in_order(alice, words[1], count, 40)
    counters = world.guard.counters()
    note({name: n for name, n in counters.items() if n and ("checksum" in name or "retransmit" in name)})
    check(counters["drop-bad-checksum"] > 0, "corrupted segments came, and were not accepted")
