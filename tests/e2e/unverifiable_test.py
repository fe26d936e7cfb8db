#!/usr/bin/python3
"""
A peer whose certificate proves nothing, where its level is tls-dialback: servers that do without certificates reach each other by
dialback, one that demands them refuses it by itself. At the level strong the guard refuses it whatever the servers think.
"""
from lib import World, check
from lib.ca import Ca

NOT_DELIVERED = 8          # seconds


def both_ways(world, what):
    alice, bob = world.client("inside"), world.client("outside")
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.message(receiver.jid, f"by dialback from {sender.bare}")
        check(receiver.wait_message(f"by dialback from {sender.bare}"), f"{what}: a message of {sender.bare} arrives")


def refused(world, what):
    alice, bob = world.client("inside"), world.client("outside")
    alice.message(bob.jid, "to nobody")
    error = alice.wait(lambda e: e.get("type") == "error", NOT_DELIVERED)
    check(error is not None and not bob.wait_message("to nobody", timeout=0.5), f"{what}: the server inside refuses it", error)


for level, demanding in (("tls-dialback", False), ("tls-dialback", True), ("strong", False)):
    what = f"{level}, {'certificates demanded' if demanding else 'none demanded'}"
    with World(families=(4,)) as world:
        stranger = Ca(world.folder / "ca", "stranger")
        world.configure("outside", stranger.issue(world.domains["outside"], "stranger-server"), secure=False)
        world.configure("inside", secure=demanding)
        world.guard.set("peer b.example", "authentication", level)
        world.start_servers()
        world.insert_guard()
        if level == "tls-dialback" and not demanding:
            both_ways(world, what)
            seen = world.guard.show("sessions")
            check("external, server unverified" in seen and "dialback, client unverified" in seen, f"{what}: shown as such", seen)
        else:
            refused(world, what)
        issuers = {seen["issuer"] for seen in world.server["inside"].certificates_seen() if seen["host"] == "b.example"}
        check("inside-guard-ca" not in issuers, f"{what}: the server inside saw no guard certificate for it", issuers)
        if level == "strong":
            alert = world.guard.wait_audit(lambda line: "stranger" in str(line))
            check(alert is not None, f"{what}: the audit says why", world.guard.audit_lines())
