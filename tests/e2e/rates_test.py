#!/usr/bin/python3
"""Rates: what a user says above them is refused and said again later, or held back on its way, and nothing of it is lost."""
import time

from lib import World, check, error_condition


def refused_above(world, alice, bob):
    """Ten at once: five pass, five come back with the time after which they may be said again."""
    names = {alice.message(bob.jid, f"word {i}"): i for i in range(10)}
    errors = {name: alice.wait_error(name, 5 if i >= 5 else 0.05) for name, i in names.items()}
    told = [i for name, i in names.items() if errors[name] is not None]
    check(told == list(range(5, 10)), "five are a burst; who says more is told", told)
    check(all(bob.wait_message(f"word {i}") is not None for i in range(5)), "the burst arrives")
    kind, condition, text = error_condition(errors[list(names)[9]])
    check((kind, condition) == ("wait", "resource-constraint"), "to wait", (kind, condition))
    check("rates.user" in text and "try again in" in text, "and for how long", text)
    line = world.guard.wait_audit(lambda line: line.get("rule") == "rates.user")
    check(line is not None and line["action"] == "refused" and line["from"] == alice.jid, "the audit names it", line)
    bob.message(alice.jid, "the other way")
    check(alice.wait_message("the other way") is not None, "the other direction is not limited")


def held_above(world, alice, bob):
    """30 at once, of which ten are a burst, and 20 a second may come after: the last is there a second later, and none is lost."""
    world.guard.set("profile default", "outbound-user-rate", "20/s burst 10")
    world.guard.set("profile default", "outbound-over-rate", "wait")
    check(world.guard.change_policy(), "another policy")
    begun = time.monotonic()
    for i in range(30):
        alice.message(bob.jid, f"slow {i}")
    check(bob.wait_message("slow 9", 5) is not None, "the burst")
    arrived = [time.monotonic() - begun if bob.wait_message(f"slow {i}", 5) is not None else None for i in range(10, 30)]
    check(None not in arrived, "all arrive", arrived)
    check(0.8 < arrived[-1] < 4, "at their rate", arrived)
    check(world.guard.counters()["rates-held"] > 5, "the stream was held", world.guard.counters()["rates-held"])


with World(families=(4,)) as world:
    world.guard.set("profile default", "outbound-user-rate", "5/m burst 5")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    bob.presence()
    alice.presence()
    refused_above(world, alice, bob)
    held_above(world, alice, bob)
