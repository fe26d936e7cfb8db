#!/usr/bin/python3
"""Two servers that federated directly do so through the guard, over IPv4 and over IPv6, with SASL EXTERNAL."""
from lib import ADDRESS, World, check

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

        check("Accepting SASL EXTERNAL identity from a.example" in world.server["outside"].log(),
              f"IPv{family}: outside accepted SASL EXTERNAL")
        sessions = world.guard.show("sessions")
        check("a.example" in sessions and "b.example" in sessions, f"IPv{family}: show sessions names both", sessions)
        check(world.server["inside"].log().count(ADDRESS["outside"][family]) > 0,
              f"IPv{family}: the server inside speaks with the real address of the other")
        check("pass" in sessions and "TLSv1.3" in sessions and "external" in sessions, "and how it is secured", sessions)
        world.server["outside"].stop()
        ended = world.guard.wait_audit(lambda line: line["event"] == "session" and line["client_domain"] == "a.example")
        check(ended is not None, f"IPv{family}: when it ends, the audit has the session", world.guard.audit_lines())
        check(ended["stanzas"]["pass"] >= 1 and ended["client"]["identity"] == "a.example" and
              ended["server"]["identity"] == "b.example" and ended["pairs"][0]["method"] == "external",
              f"IPv{family}: with who it was, how it was proved and what passed", ended)
