#!/usr/bin/python3
"""Two servers that federated directly do so through the guard, over IPv4 and over IPv6, with SASL EXTERNAL."""
from lib import ADDRESS, World, check, eventually

for family in (4, 6):
    with World(families=(family,)) as world:
        world.start_servers()
        world.insert_guard()
        alice, bob = world.client("inside"), world.client("outside")
        alice.presence(), bob.presence()

        alice.message(bob.jid, "over the wall")
        check(bob.wait_message("over the wall"), f"IPv{family}: a message from inside arrives outside")
        bob.message(alice.jid, "and back")
        check(alice.wait_message("and back"), f"IPv{family}: a message from outside arrives inside")

        for side, server in world.server.items():
            check("Accepting SASL EXTERNAL identity" in server.log(), f"IPv{family}: {side} accepted SASL EXTERNAL")
        sessions = world.guard.show("sessions")
        check("a.example" in sessions and "b.example" in sessions, f"IPv{family}: show sessions names both", sessions)
        check(world.server["inside"].log().count(ADDRESS["outside"][family]) > 0,
              f"IPv{family}: the server inside speaks with the real address of the other")
        check(eventually(lambda: world.guard.wait_audit(lambda line: "b.example" in str(line))),
              f"IPv{family}: the audit has the session")
