#!/usr/bin/python3
"""
Prosody and ejabberd, each as the one that dials and the one that is dialled, federate through the guard while both demand
what is secure: TLS, with certificates that they verify. (Prosody with Prosody: federation_test.)
"""
from lib import World, check
from lib.ejabberd import Ejabberd
from lib.prosody import Prosody

AT_MOST_SECONDS = 180                # for tests/run
ROWS = ((Prosody, Ejabberd), (Ejabberd, Prosody), (Ejabberd, Ejabberd))


def federated(world, what):
    """Each dials the other once: neither offers a stream for both directions to one that does not."""
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.message(receiver.jid, f"from {sender.bare}")
        check(receiver.wait_message(f"from {sender.bare}"), f"{what}: a message of {sender.bare} arrives")


def secured(world, what):
    seen = world.guard.show("sessions").splitlines()
    for dialled_by, other in (("a.example", "b.example"), ("b.example", "a.example")):
        line = next((s for s in seen if f"{dialled_by} -> {other}" in s), "")
        check("TLSv1.3" in line and "external" in line, f"{what}: {dialled_by} proved itself by its certificate", seen)


for kinds in ROWS:
    what = " and ".join(kind.user for kind in kinds)
    with World(families=(4,), kinds=kinds) as world:
        world.start_servers()
        world.insert_guard()
        federated(world, what)
        secured(world, what)
