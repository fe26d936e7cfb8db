#!/usr/bin/python3
"""
A dead cable on one side is seen on the other, and when it is back so is everything: bridging, guarded connections that
were open all the time, federation. Who takes a port down or up by hand is not fought.
"""
import json
import os
import time
from pathlib import Path

from lib import SIDES, Port, World, check, deliver, eventually, note

SOON = 2.5      # the kernel may tell of a lost carrier as late as a second after


def seconds_until(condition, timeout=SOON):
    """How long it took to become true; None: it did not."""
    start = time.monotonic()
    return time.monotonic() - start if eventually(condition, timeout, 0.01) else None


def flags(wire, place, device):
    shown = wire.inn(wire.ns[place], "ip", "-d", "-j", "link", "show", device, check=False).stdout
    return json.loads(shown)[0] if shown else {"flags": []}


def has_carrier(wire, side):
    return "LOWER_UP" in flags(wire, side, "wire")["flags"]


def is_up(wire, port):
    return "UP" in flags(wire, "guard", port)["flags"]


def set_link(wire, place, device, state):
    wire.inn(wire.ns[place], "ip", "link", "set", device, state)


def dead_cable(world, side):
    """The far end of one side is pulled out and put back."""
    wire, guard, other = world.wire, world.guard, SIDES[1 - SIDES.index(side)]
    set_link(wire, side, "wire", "down")
    took = seconds_until(lambda: not has_carrier(wire, other))
    check(took is not None, f"{side} dead: no carrier {other}")
    note(f"seen after {took or 0:.3f} s")
    check(not is_up(wire, other) and is_up(wire, side), f"{side} dead: the port {other} is down, its own is not")
    counters = guard.counters()
    check(counters[f"link-{side}"] == 0 and counters[f"link-{other}-held"] == 1 and counters[f"link-{side}-held"] == 0,
          f"{side} dead: `show counters` says so", {k: v for k, v in counters.items() if "link" in k})
    time.sleep(0.5)
    check(not is_up(wire, other), f"{side} dead: and it stays so")
    set_link(wire, side, "wire", "up")
    took = seconds_until(lambda: has_carrier(wire, other) and has_carrier(wire, side))
    check(took is not None, f"{side} back: carrier on both sides")
    note(f"back after {took or 0:.3f} s")
    check(eventually(lambda: world.ping(timeout=1), 5), f"{side} back: ping passes")
    counters = guard.counters()
    check(counters["link-inside"] == counters["link-outside"] == 1 and
          counters["link-inside-held"] == counters["link-outside-held"] == 0, f"{side} back: `show counters` says so",
          {k: v for k, v in counters.items() if "link" in k})
    still_takes_in_all(wire, side)


def still_takes_in_all(wire, side):
    """Promiscuity and offloads are as they were: a frame to a foreign address, as large as can be, with a VLAN tag."""
    for port in SIDES:
        check(flags(wire, "guard", port).get("promiscuity", 0) > 0, f"{side} back: {port} takes in all")
        offloads = wire.on("guard", "ethtool", "-k", port).stdout
        on = [line for line in offloads.splitlines() if line.startswith(("tcp-seg", "generic-", "tx-checksumming",
              "rx-checksumming", "scatter-gather")) and " on" in line]
        check(not on, f"{side} back: offloads of {port} are off", on)
    sender, receiver = Port(wire.ns["inside"]), Port(wire.ns["outside"])
    frame = bytes.fromhex("02fefefefefe") + sender.mac + b"\x81\x00\x00\x07\x88\xb5" + os.urandom(1496)
    sender.send(frame)
    check(receiver.await_frame(frame), f"{side} back: a frame to somebody else passes byte for byte")


def survives(world, alice, bob):
    """Guarded connections outlive a cut of three seconds."""
    before = world.guard.counters()
    set_link(world.wire, "inside", "wire", "down")
    alice.message(bob.jid, "into the cut")
    time.sleep(3)
    set_link(world.wire, "inside", "wire", "up")
    check(bob.wait_message("into the cut", 20) is not None, "what was sent during a cut of 3 s arrives")
    check(deliver(alice, bob, "after the cut", 20) is not None, "a message passes after it")
    check(deliver(bob, alice, "and back", 20) is not None, "and in the other direction")
    after = world.guard.counters()
    opened = after["connections-adopted"] - before["connections-adopted"]
    check(opened == 0, "over the connections that were there before", opened)
    check(after["connections-reset"] == before["connections-reset"], "nothing was reset")
    check(after["port-errors"] > 0, "the packet socket of the port that was down is in use again")


def by_hand(world):
    wire = world.wire
    set_link(wire, "guard", "inside", "down")
    check(seconds_until(lambda: not has_carrier(wire, "outside")) is not None, "a port taken down by hand: as a dead cable")
    time.sleep(0.5)
    check(not is_up(wire, "inside"), "and it is not taken up behind the administrator's back")
    set_link(wire, "guard", "outside", "up")
    time.sleep(0.5)
    check(is_up(wire, "outside") and has_carrier(wire, "outside"), "taken up by hand while it is held: left alone")
    set_link(wire, "guard", "inside", "up")
    check(seconds_until(lambda: has_carrier(wire, "inside")) is not None and eventually(lambda: world.ping(timeout=1), 5),
          "taken up again: ping passes")
    dead_cable(world, "inside")


def both(world):
    wire = world.wire
    for side in SIDES:
        set_link(wire, side, "wire", "down")
    time.sleep(0.5)
    check([is_up(wire, side) for side in SIDES].count(False) == 1, "both dead at once: one is held, not both")
    for side in SIDES:
        set_link(wire, side, "wire", "up")
    check(seconds_until(lambda: all(has_carrier(wire, side) for side in SIDES), 10) is not None, "both back: carrier")
    check(eventually(lambda: world.ping(timeout=1), 5), "both back: ping passes")


def flapping(world):
    for _ in range(15):
        set_link(world.wire, "outside", "wire", "down")
        time.sleep(0.03)
        set_link(world.wire, "outside", "wire", "up")
        time.sleep(0.03)
    check(eventually(lambda: all(has_carrier(world.wire, side) for side in SIDES), 10) and
          eventually(lambda: world.ping(timeout=1), 5), "a cable that flaps: all is well when it stops")


def cpu_seconds(pids):
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(f[11]) + int(f[12]) for f in fields) / os.sysconf("SC_CLK_TCK")


def idles(world):
    """While a port is down nothing spins."""
    set_link(world.wire, "inside", "wire", "down")
    time.sleep(1)
    pids = [*world.guard.pids(), world.guard.process.pid]
    before = cpu_seconds(pids)
    time.sleep(3)
    share = 100 * (cpu_seconds(pids) - before) / 3
    check(share < 5, f"with a dead cable the guard took {share:.1f} % of a core")


with World(families=(4,)) as world:
    world.guard.deaths_expected = True
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "first", 10) is not None and deliver(bob, alice, "back", 10) is not None, "messages pass")
    check("link is lost" not in world.guard.log(), "no link is said to be lost")
    for side in SIDES:
        dead_cable(world, side)
    check(deliver(alice, bob, "again", 20) is not None, "federation goes on")
    survives(world, alice, bob)
    by_hand(world)
    both(world)
    flapping(world)

    # The dataplane dies while a port is held: all begins anew, and the dead cable is seen again.
    set_link(world.wire, "inside", "wire", "down")
    check(seconds_until(lambda: not has_carrier(world.wire, "outside")) is not None, "the inside is dead once more")
    os.kill(world.guard.pids("dataplane")[0], 9)
    check(seconds_until(lambda: has_carrier(world.wire, "outside"), 5) is not None, "the dataplane dies: all is released")
    check(seconds_until(lambda: not has_carrier(world.wire, "outside"), 15) is not None, "started again: held again")
    idles(world)

    # The end of the guard leaves nothing behind.
    world.guard.stop()
    check(is_up(world.wire, "inside") and is_up(world.wire, "outside"), "stopped: what was held is up again")
    set_link(world.wire, "inside", "wire", "up")

    world.guard.set("guard", "pass-link-state", "no")
    world.guard.start()
    set_link(world.wire, "inside", "wire", "down")
    check(eventually(lambda: world.guard.counters()["link-inside"] == 0, SOON), "pass-link-state = no: it is shown")
    time.sleep(0.5)
    check(is_up(world.wire, "outside") and has_carrier(world.wire, "outside"), "pass-link-state = no: and not passed on")
    set_link(world.wire, "inside", "wire", "up")
    check(eventually(lambda: world.ping(timeout=1), 5), "pass-link-state = no: ping passes again")
