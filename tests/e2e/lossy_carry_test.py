#!/usr/bin/python3
"""
50 MB of numbered stanzas on one guarded connection over IPv4, and 20 MB on one over IPv6 at the same time, while both wires
of the guard are bad ones (5 % loss, 40 ms, 10 % reordering, 2 % duplication, 1 % corruption): all arrive, whole, in order.
Frames are jumbo ones: with so many of them lost, how fast TCP can be goes with the size of a segment.
"""
import time

from lib import World, check, eventually, note
from lib.bad_link import make_bad
from lib.carry import Carry

AT_MOST_SECONDS = 280                # for tests/run
BYTES = {4: 50_000_000, 6: 20_000_000}


def speak(process, seconds):
    """What the sending end says when it is through: [verb, first, count, bytes, digest]"""
    output, _ = process.communicate(timeout=seconds)
    return output.split()


with World(servers=False, mtu=9000) as world:
    make_bad(world, 7)
    world.guard.start()
    both = {family: Carry(world, family) for family in BYTES}
    check(eventually(lambda: all(carry.listens() for carry in both.values())), "both sinks listen")
    start = time.monotonic()
    sending = {family: both[family].begin("send", BYTES[family]) for family in BYTES}
    for family in (6, 4):
        sent = speak(sending[family], AT_MOST_SECONDS - 30)
        seconds = time.monotonic() - start
        check(sent and int(sent[3]) >= BYTES[family], f"IPv{family}: {BYTES[family] >> 20} MiB or more are sent", sent)
        note(f"IPv{family}: {sent[2]} stanzas, {int(sent[3]) / 1e6:.0f} MB in {seconds:.0f} s, "
             f"{int(sent[3]) / seconds / 1e6:.2f} MB/s")
        check(eventually(both[family].taken, 5), f"IPv{family}: the stream was ended, and heard to the end")
        took = both[family].taken()
        check(took == [("took", *sent[1:])], f"IPv{family}: every stanza arrived, whole and in order", (sent, took))
    counters = world.guard.counters()
    check(counters["drop-bad-checksum"] > 0, "corrupted segments came, and were not accepted")
    note({name: n for name, n in counters.items() if n and ("checksum" in name or "retrans" in name or "order" in name)})
