#!/usr/bin/python3
"""An idle guard sleeps: all its processes together take less than 5 % of one core with no traffic, and it wakes at once."""
import os
import time
from pathlib import Path

from lib import World, check, deliver

ALONE = True                         # for tests/run: it measures what CPU an idle machine takes
SECONDS = 5


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


with World(families=(4,)) as world:
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "wake up", 10), "a message passes, its connection stays open")
    time.sleep(1)
    pids = [*world.guard.pids(), world.guard.process.pid]
    before = cpu_seconds(pids)
    time.sleep(SECONDS)
    share = 100 * (cpu_seconds(pids) - before) / SECONDS
    check(share < 5, f"idle for {SECONDS} s the guard took {share:.1f} % of a core")
    start = time.monotonic()
    alice.message(bob.jid, "good morning")
    check(bob.wait_message("good morning"), f"it wakes: a message took {1000 * (time.monotonic() - start):.0f} ms")
