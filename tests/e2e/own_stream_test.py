#!/usr/bin/python3
"""
Servers without XEP-0288, of which only one has dialled: what is refused is told to its sender on a stream of the guard's own, in
the name of the server that was written to, which hears nothing of it.
"""
from lib import World, check, deliver
from lib.world import eventually


with World() as world:
    world.guard.set("profile default", "outbound-forbidden-words", "nightingale")
    world.guard.set("profile default", "inbound-forbidden-words", "malware")
    for side in world.server:
        world.configure(side, disabled=("s2s_bidi",))
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    name = alice.message(bob.jid, "nightingale")
    error = alice.wait_error(name, 8)
    check(error is not None, "the sender inside gets its error, though nobody outside has dialled", world.guard.show("sessions"))
    check("guard's own" in world.guard.show("sessions"), "show sessions has the stream", world.guard.show("sessions"))
    name = alice.message(bob.jid, "nightingale")
    check(alice.wait_error(name), "the next one takes the same stream")
    line = world.guard.wait_audit(lambda line: line.get("delivery") == "own-stream")
    check(line is not None, "the audit says how it was delivered", line)
    check(deliver(alice, bob, "afterwards"), "what is allowed goes on")
    check(world.guard.counters()["own-streams-dialled"] == 1, "one was enough")

    name = bob.message(alice.jid, "malware")
    check(bob.wait_error(name, 8), "and the other way, to a sender outside")
    check(world.guard.counters()["own-streams-failed"] == 0, "none came to nothing")

with World(families=(4,)) as world:
    world.guard.set("profile default", "outbound-forbidden-words", "nightingale")
    world.configure("inside", secure=False, disabled=("s2s_bidi", "s2s_auth_certs"))
    world.configure("outside", disabled=("s2s_bidi",))
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    name = alice.message(bob.jid, "nightingale")
    check(eventually(lambda: world.guard.counters()["own-streams-failed"] == 1), "a server that takes no certificate cannot be told")
    check(not alice.wait_error(name, 1) and deliver(alice, bob, "afterwards"), "and nothing else suffers from it")
