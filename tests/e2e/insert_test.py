#!/usr/bin/python3
"""
Connections that are older than the guard: it is inserted into the wire, and killed and started anew, while two servers hold
connections through it. Nobody touches a server: the guard resets what it does not know, and they federate through it.
"""
import time

from lib import ADDRESS, SIDES, World, check, deliver, eventually, note

WITHIN_SECONDS = 10


def connections(world, side):
    """{(own address and port, the other's)} of federation that this side's kernel holds open."""
    lines = world.wire.on(side, "ss", "-Htn", "state", "established", "( sport = :5269 or dport = :5269 )").stdout
    return {tuple(sorted(line.split()[2:4])) for line in lines.splitlines()}


def federate(world, alice, bob, what):
    """Both directions carry messages; seconds until each did."""
    start = time.monotonic()
    for one, other in ((alice, bob), (bob, alice)):
        seconds = deliver(one, other, f"{what}, says {one.bare}", WITHIN_SECONDS)
        check(seconds is not None, f"{what}: {one.bare} is heard within {WITHIN_SECONDS} s")
    return time.monotonic() - start


def older_than_the_guard(world, alice, bob, what, change):
    """Connections are held, `change` puts a guard in that does not know them: they go, and new ones come."""
    held = {side: connections(world, side) for side in SIDES}
    check(held["inside"] and held["inside"] == held["outside"], f"{what}: both servers hold the same connections", held)
    servers = {side: world.server[side].process.pid for side in SIDES}
    change()
    seconds = federate(world, alice, bob, what)
    note(f"{what}: messages pass both ways {seconds:.2f} s after the guard was ready")
    check(eventually(lambda: not any(connections(world, side) & held[side] for side in SIDES), 5),
          f"{what}: the connections from before are gone at both ends", held)
    check(world.guard.counters()["stray-resets-sent"] > 0, f"{what}: the guard reset them, and counted it",
          world.guard.counters()["stray-resets-sent"])
    check(all(world.server[side].process.pid == servers[side] and world.server[side].process.poll() is None
              for side in SIDES), f"{what}: no server was started anew")
    for side in SIDES:
        issuer = world.server[side].certificates_seen()[-1]["issuer"]
        check(issuer == f"{side}-guard-ca", f"{what}: {side} now sees the guard's certificate", issuer)


def start_anew(world):
    world.guard.stop("kill")
    check(eventually(lambda: not world.guard.pids(), 5), "killed, nothing of the guard runs", world.guard.pids())
    world.guard.start()


def silent_end(world, alice, bob):
    """Killed and started while the connection is idle, and one server only listens: whoever speaks first ends it for both."""
    held = connections(world, "outside")
    start_anew(world)
    bob.message(alice.jid, "into the dark")
    check(eventually(lambda: not connections(world, "outside") & held and not connections(world, "inside") & held, 10),
          "one word from one end, and the old connections are gone at both")
    check(deliver(bob, alice, "after the dark", WITHIN_SECONDS) is not None, "and it is heard again")


for family in (4, 6):
    with World(families=(family,)) as world:
        world.guard.deaths_expected = True
        world.start_servers()
        alice, bob = world.client("inside"), world.client("outside")
        alice.presence(), bob.presence()
        federate(world, alice, bob, f"IPv{family}, no guard")
        check(any(ADDRESS["outside"][family] in end for pair in connections(world, "inside") for end in pair),
              f"the connections are of IPv{family}")
        older_than_the_guard(world, alice, bob, f"IPv{family}, inserted", world.insert_guard)
        older_than_the_guard(world, alice, bob, f"IPv{family}, killed and started", lambda: start_anew(world))
        silent_end(world, alice, bob)
