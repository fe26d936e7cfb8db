#!/usr/bin/python3
"""
One stream that carries 1 000 000 stanzas of all kinds in both directions, every hundredth of them refused: each arrives as
it was sent, in its order, and who was refused is told; and the guard needs no more memory for the last than for the first.
"""
import time
from pathlib import Path

from lib import ROLES, World, check, eventually, note
from lib.carry import Carry

AT_MOST_SECONDS = 300                # for tests/run
COUNT, FIRST = 1_000_000, 100_000    # of both directions together
KIB_MORE = 1536                      # two bytes lost with each stanza would be more; buffers in use at once are not


def memory(guard):
    """Role -> (resident, of it anonymous) in KiB. The proportional set would change with other guards on the machine."""
    found = {}
    for role in ROLES:
        text = Path(f"/proc/{guard.pids(role)[0]}/smaps_rollup").read_text()
        found[role] = tuple(sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{kind}:"))
                            for kind in ("Rss", "Anonymous"))
    return found


def expect_flat(before, after):
    for role in ROLES:
        for kind, then, now in zip(("resident", "anonymous"), before[role], after[role]):
            note(f"{role:<10} {kind:<10} {then:7} KiB after {FIRST}, {now:7} KiB after {COUNT} stanzas")
            check(now - then <= KIB_MORE, f"{role}: no more than {KIB_MORE} KiB more ({kind})", (then, now))


def expect_all(ends):
    for name, end in ends.items():
        check(end[:1] == ["mixed"], f"the {name} end tells what it saw", end)
        sent, taken, refused, told, _ = map(int, end[1:])
        check(sent == taken == COUNT // 2, f"{name}: all that the other sent and was not refused came, in order", end)
        check(refused == told > COUNT // 300, f"{name}: an error came for each that was refused, in order", end)


with World(families=(4,), servers=False) as world:
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-forbidden-words", "nightingale, top secret")
    carry = Carry(world, sink=("mixed-answer", COUNT // 2))
    world.insert_guard()
    check(eventually(lambda: world.ping() and carry.listens()), "the wire is there")
    start = time.monotonic()
    dialling = carry.begin("mixed-dial", COUNT // 2, FIRST // 2)
    line = dialling.stdout.readline().split()
    check(line[:1] == ["at"] and int(line[1]) >= FIRST, f"{FIRST} stanzas were carried", line)
    time.sleep(1)                    # what is on its way arrives
    before, pids = memory(world.guard), world.guard.pids()
    dialling.stdin.write("go on\n")
    dialling.stdin.flush()
    dialled = dialling.stdout.readline().split()
    note(f"{COUNT} stanzas in {time.monotonic() - start:.1f} s")
    check(eventually(lambda: carry.said("mixed", "broken")), "the dialled end saw the end of the stream, too")
    expect_all({"dialling": dialled, "dialled": carry.said("mixed", "broken")[0]})
    expect_flat(before, memory(world.guard))
    check(world.guard.pids() == pids, "no process of the guard ended")
    counters = world.guard.counters()
    check(sum(counters[name] for name in counters if name.endswith("-refused")) == sum(
        int(end[3]) for end in (dialled, carry.said("mixed", "broken")[0])), "the guard has counted the refused", counters)
