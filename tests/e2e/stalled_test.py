#!/usr/bin/python3
"""
1 000 peers that stall while a stream is set up, silent or with one byte a second, on both sides and before and after
STARTTLS: none of them delays a healthy set-up by more than two times.
"""
import statistics

from lib import Stream, World, check, eventually, note
from lib.carry import Carry
from lib.stalled import PORT, Stalled, set_up_seconds

ALONE = True                         # for tests/run: it measures time
SET_UPS = 30
SLACK_S = 0.005                      # what a shared machine may disturb the median by
KINDS = {"ClientHello, then silence": 500, "slow ClientHello": 120, "slow header": 120,
         "server mute": 60, "server without features": 60, "server silent after ClientHello": 70, "server of slow answer": 70}


def median_ms(world, certificate):
    return 1000 * statistics.median(set_up_seconds(lambda: Stream(world, certificate=certificate).open(), SET_UPS))


with World(families=(4,), servers=False) as world:
    carry = Carry(world)
    world.guard.set("guard", "ports", f"5269, {PORT}")
    world.insert_guard()
    check(eventually(carry.listens), "a server listens")
    certificate = world.ca["inside"].issue(world.domains["inside"], "healthy")
    stalled = Stalled(world, world.ca["outside"].issue(world.domains["outside"], "stalled"))
    median_ms(world, certificate)        # whatever is only slow the first time
    before = median_ms(world, certificate)
    stalled.open(KINDS)
    during = median_ms(world, certificate)
    held = world.guard.counters()["connections-open"]
    check(held >= sum(KINDS.values()), "all that stall were held meanwhile", held)
    stalled.close()
    check(eventually(lambda: world.guard.counters()["connections-open"] == 0, 10), "and are over when their ends are")
    after = median_ms(world, certificate)
    note(f"median of {SET_UPS} set-ups: {before:.1f} ms before, {during:.1f} ms beside {held}, {after:.1f} ms after")
    check(during <= 2 * max(before, after) + 1000 * SLACK_S, "a healthy set-up takes at most twice as long",
          (before, during, after))
