#!/usr/bin/python3
"""An operator asks the guard: show sessions, verdicts, counters, certificates; wrong words get a hint, not silence."""
from lib import World, check, deliver

with World(families=(4,)) as world:
    world.guard.set("profile default", "outbound-forbidden-words", "nightingale")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check("a.example" not in world.guard.show("sessions"), "no session before the first message")
    check(deliver(alice, bob, "hello", 10), "a message passes")
    refused = alice.message(bob.jid, "nightingale")
    check(alice.wait_error(refused), "another is refused")

    sessions = world.guard.show("sessions")
    check("a.example" in sessions and "b.example" in sessions, "show sessions names both domains", sessions)
    verdicts = world.guard.show("verdicts")
    check("refused" in verdicts and "alice@a.example" in verdicts, "show verdicts tells who was refused", verdicts)
    counters = world.guard.counters()
    check(len(counters) > 20 and sum(counters.values()) > 0, "show counters has counters of every process", counters)
    certificates = world.guard.show("certificates")
    check("b.example" in certificates and "inside-guard-ca" in certificates,
          "show certificates tells what was shown, and by which CA", certificates)
    for what in ("sessions", "verdicts", "counters", "certificates"):
        widest = max(world.guard.show(what).splitlines(), key=len)
        check(len(widest) <= 80, f"show {what} fits 80 columns", widest)
    for words in (("show", "nothing"), ("frobnicate",), ("show",), ("show", "sessions", "extra")):
        wrong = world.guard.cli(*words, check=False)
        check(wrong.returncode != 0 and wrong.stderr.strip(), f"sallyport {' '.join(words)}: exits non-zero and says why")
    world.guard.stop()
    gone = world.guard.cli("show", "sessions", check=False)
    check(gone.returncode != 0 and gone.stderr.strip(), "without a running guard it says so", gone.stderr)
