#!/usr/bin/python3
"""
10 000 guarded streams open at once, each of which exchanges stanzas before and after, and 100 000 SYNs that nobody asked
for: none of the streams is lost, memory is bounded (printed for each connection and process), and other traffic loses and
waits little more than over a kernel bridge.
"""
from pathlib import Path

from lib import ADDRESS, ROLES, World, check, eventually, note
from lib.carry import Carry
from lib.flood import Flood
from lib.probe import Probe

AT_MOST_SECONDS = 300                # for tests/run
ALONE = True                         # for tests/run: it measures memory, and round trips
STREAMS, AT_A_TIME = 10_000, 16
SYNS, SYNS_PER_SECOND = 100_000, 25_000
KIB_A_STREAM, KIB_A_FLOOD = 160, 64 << 10
LOST_MORE = 1.0                      # percent


def memory(guard):
    """Role -> proportional set size in KiB."""
    found = {}
    for role in ROLES:
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in guard.pids(role)]
        found[role] = sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("Pss:"))
    return found


def tell(what, result):
    for kind, values in result.items():
        note(f"{what:<34}{kind:<5}" + "".join(f"{name} {value:.1f}{' %' if name == 'lost' else ' us'}   "
                                              for name, value in values.items()))


def beside(world, what, flood=None):
    """What datagrams and echo requests lose and wait, alone or beside a flood."""
    probe = Probe(world, ADDRESS["outside"][4], SYNS / SYNS_PER_SECOND + 0.5)
    if flood:
        seconds = flood.send(SYNS, SYNS_PER_SECOND)
        note(f"{what}: {SYNS} SYNs in {seconds:.1f} s")
    result = probe.result()
    tell(what, result)
    return result


def no_more_lost(what, seen, bridge):
    for kind, values in seen.items():
        check(values["lost"] <= bridge[kind]["lost"] + LOST_MORE, f"{what}: {kind} loses no more than over a bridge",
              (values, bridge[kind]))


def open_streams(world, carry):
    before = memory(world.guard)
    holding = carry.begin("hold", STREAMS, AT_A_TIME)
    opened = holding.stdout.readline().split()
    check(opened[:2] == ["open", str(STREAMS)], f"{STREAMS} streams are open at once, each of which has exchanged a stanza in both directions", opened)
    note(f"opened in {opened[2]} s, {STREAMS / float(opened[2]):.0f}/s")
    held = world.guard.counters()["connections-open"]
    check(held == STREAMS, "as many guarded connections are held by the dataplane", held)
    after = memory(world.guard)
    each = {role: (after[role] - before[role]) / STREAMS for role in ROLES}
    for role in ROLES:
        note(f"{role:<10} {before[role] / 1024:7.1f} MiB before, {after[role] / 1024:7.1f} MiB now: {each[role]:5.1f} KiB a stream")
    check(sum(each.values()) < KIB_A_STREAM, f"a stream costs less than {KIB_A_STREAM} KiB in all processes", each)
    note(f"all        {sum(each.values()):.1f} KiB a stream")
    return holding


def under_flood(world, flood, bridge):
    before, pids = memory(world.guard), world.guard.pids()
    seen = beside(world, "guard, flood", flood)
    no_more_lost("beside the flood", seen, bridge)
    counters = world.guard.counters()
    check(counters["half-open-evicted"] > 10_000, "the table of half-open connections was full: the oldest went",
          {name: value for name, value in counters.items() if value})
    grown = sum(memory(world.guard).values()) - sum(before.values())
    check(grown < KIB_A_FLOOD, f"the flood costs less than {KIB_A_FLOOD >> 10} MiB", grown)
    note(f"the flood cost {grown / 1024:.1f} MiB")
    check(counters["connections-open"] == STREAMS, "no guarded connection was lost", counters["connections-open"])
    check(sorted(world.guard.pids()) == sorted(pids), "no process of the guard ended")


def say_something(carry, holding):
    holding.stdin.write("go on\n")
    holding.stdin.flush()
    carried = holding.stdout.readline().split()
    check(carried == ["carried", str(STREAMS)], "each stream exchanges another afterwards", carried)
    check(eventually(lambda: len(carry.taken()) >= STREAMS, 20), "and is ended by both ends", len(carry.taken()))
    first, count = zip(*((int(t[1]), t[2]) for t in carry.taken() if t[0] == "took"))
    check(sorted(first) == list(range(0, 2 * STREAMS, 2)) and set(count) == {"2"},
          "all of which arrived on their own stream, once")


with World(families=(4,), servers=False) as world:
    Probe.serve(world, ADDRESS["outside"][4])
    flood = Flood(world.wire, "inside")
    carry = Carry(world, sink=("echo",))
    check(eventually(lambda: world.ping() and carry.listens()), "the wire is there")
    beside(world, "kernel bridge")
    bridge = beside(world, "kernel bridge, flood", flood)
    world.insert_guard()
    beside(world, "guard")
    holding = open_streams(world, carry)
    no_more_lost("beside the streams", beside(world, f"guard, {STREAMS} streams"), bridge)
    under_flood(world, flood, bridge)
    flood.close()
    say_something(carry, holding)
    check(eventually(lambda: world.guard.counters()["connections-open"] == 0, 20), "all are over in the end")
