#!/usr/bin/python3
"""
Servers that do not take SASL EXTERNAL authenticate each other with dialback over TLS, through the guard; but not where the level
is strong, although both have good certificates and would be content.
"""
from lib import World, check

with World() as world:
    for side in world.server:       # no certificate check of clients: so EXTERNAL is not offered, dialback is
        world.configure(side, secure=False, disabled=("s2s_auth_certs",))
    for domain in world.domains["outside"]:
        world.guard.set(f"peer {domain}", "authentication", "tls-dialback")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()

    alice.message(bob.jid, "who are you?")
    check(bob.wait_message("who are you?"), "a message from inside arrives outside")
    bob.message(alice.jid, "ask my server")
    check(alice.wait_message("ask my server"), "a message from outside arrives inside")
    for side, server in world.server.items():
        log = server.log()
        check("db:verify" in log or "dialback" in log.lower(), f"{side} used dialback")
        check("Accepting SASL EXTERNAL" not in log, f"{side} did not use SASL EXTERNAL")
        check("Stream encrypted" in log, f"{side} encrypted its streams")
    sessions = world.guard.show("sessions")
    check("dialback" in sessions, "show sessions says dialback", sessions)
    counted = world.guard.counters()
    check(counted["dialback-keys-seen"] + counted["dialback-keys-unseen"] >= 2, "both keys were looked at", counted)
    check(not counted["dialback-forged"], "and none was thought forged", counted)

with World(families=(4,)) as world:
    for side in world.server:
        world.configure(side, secure=False, disabled=("s2s_auth_certs",))
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.message(bob.jid, "by dialback")
    bob.message(alice.jid, "by dialback")
    alert = world.guard.wait_audit(lambda line: line.get("alert") == "pair-refused")
    check(alert is not None and "dialback is not enough" in alert["reason"], "strong: dialback is refused, and an alert", alert)
    check(not bob.wait_message("by dialback", timeout=2) and not alice.wait_message("by dialback", timeout=0.5),
          "strong: nothing arrives")
    check("dialback" not in world.guard.show("sessions"), "strong: no pair has come of it", world.guard.show("sessions"))
