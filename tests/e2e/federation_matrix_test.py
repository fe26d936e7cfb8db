#!/usr/bin/python3
"""
Prosody and ejabberd, each as the one that dials and the one that is dialled, by STARTTLS and by direct TLS, federate through
the guard while both demand what is secure: TLS, with certificates that they verify. (Prosody with Prosody: federation_test,
direct_tls_test.)
"""
from lib import SIDES, World, check
from lib.ejabberd import Ejabberd
from lib.prosody import Prosody

AT_MOST_SECONDS = 180                # for tests/run
ROWS = ((Prosody, Ejabberd), (Ejabberd, Prosody), (Ejabberd, Ejabberd))
WAYS = (("STARTTLS", "xmpp-server", 5269), ("direct TLS", "xmpps-server", 5270))
ONLY_DIRECT = "s2s_ports = { }\ns2s_direct_tls_ports = { 5270 }"


def federated(world, what):
    """Each dials the other once: neither offers a stream for both directions to one that does not."""
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.message(receiver.jid, f"from {sender.bare}")
        check(receiver.wait_message(f"from {sender.bare}"), f"{what}: a message of {sender.bare} arrives")


def secured(world, what, tls):
    seen = world.guard.show("sessions").splitlines()
    for dialled_by, other in (("a.example", "b.example"), ("b.example", "a.example")):
        line = next((s for s in seen if f"{dialled_by} -> {other}" in s), "")
        check(f"{tls}, external)" in line, f"{what}: {dialled_by} proved itself by its certificate", seen)


def audited(world, what):
    """Both ends of both connections were who they should be, and no end was in doubt."""
    for dialled_by, other in (("a.example", "b.example"), ("b.example", "a.example")):
        line = world.guard.wait_audit(lambda line: line["event"] == "session" and line["client_domain"] == dialled_by)
        good = line and line["client"]["identity"] == dialled_by and line["server"]["identity"] == other and \
            [pair["method"] for pair in line["pairs"]] == ["external"] and line["client"]["tls"] == line["server"]["tls"]
        check(good, f"{what}: the audit of {dialled_by} has certificates and EXTERNAL", line)


for kinds in ROWS:
    for way, service, port in WAYS:
        what = f"{' and '.join(kind.user for kind in kinds)}, {way}"
        with World(families=(4,), kinds=kinds, ports=(port, port), service=service) as world:
            for side, kind in zip(SIDES, kinds):
                if kind is Prosody and port == 5270:
                    world.configure(side, extra=ONLY_DIRECT)
            world.start_servers()
            world.insert_guard()
            federated(world, what)
            secured(world, what, "TLSv1.3 direct" if port == 5270 else "TLSv1.3")
            world.server["outside"].stop()
            audited(world, what)
