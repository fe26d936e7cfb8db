#!/usr/bin/python3
"""
[guard] on-failure: while nobody is there to judge, other traffic goes on (bridge) or nothing at all passes (block);
it comes back with control, and federation too.
"""
import os
import signal
import time

from lib import Echo, World, check, deliver, eventually

DEATHS = 6      # one after the other, until the next start is delayed for a second or more
GAP = 0.6       # of that delay, seconds to look at


def kill_often(world):
    """control dies again and again; after the last time it stays away for a while."""
    for _ in range(DEATHS):
        eventually(lambda: world.guard.pids("control"), 10, 0.005)
        victim = world.guard.pids("control")
        os.kill(victim[0], signal.SIGKILL)
        eventually(lambda: world.guard.pids("control") != victim, 5, 0.005)


def pings(echo, seconds):
    """How many echoes were asked for, how many came back."""
    echo.socket.settimeout(0.05)
    asked = answered = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        asked += 1
        answered += ping(echo)
    return asked, answered


def ping(echo):
    before = time.monotonic()
    came = echo.ping(56)
    time.sleep(max(0, before + 0.01 - time.monotonic()))
    return came


def gap(world, word):
    kill_often(world)
    echo = Echo(world.wire)
    asked, answered = pings(echo, GAP)
    check(not world.guard.pids("control"), f"{word}: control was away all the time")
    return asked, answered


def recovers(world, word, alice, bob):
    check(eventually(lambda: world.ping(timeout=1), 10), f"{word}: what is bridged passes")
    check(deliver(alice, bob, f"again with {word}", 20) is not None, f"{word}: federation works again")


with World(families=(4,)) as world:
    world.guard.deaths_expected = True
    world.start_servers()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for word in ("bridge", "block"):
        world.guard.set("guard", "on-failure", word)
        world.insert_guard()
        check(deliver(alice, bob, f"first with {word}", 20) is not None, f"{word}: a message passes")
        before = world.guard.counters()["drop-guard-not-ready"]
        asked, answered = gap(world, word)
        if word == "bridge":
            check(asked >= 10 and answered == asked, f"{word}: every ping went on", (asked, answered))
        else:
            check(asked >= 10 and answered == 0, f"{word}: no ping passes", (asked, answered))
        recovers(world, word, alice, bob)
        dropped = world.guard.counters()["drop-guard-not-ready"] - before
        if word == "bridge":
            check(dropped == 0, f"{word}: nothing was dropped for it", dropped)
        else:
            check(dropped >= asked, f"{word}: what was dropped is counted", (dropped, asked))
        world.remove_guard()
