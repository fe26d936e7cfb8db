#!/usr/bin/python3
"""Each server is shown a certificate by the guard CA of its own side: by its own log, and as openssl sees it."""
from lib import SIDES, World, check, deliver

with World() as world:
    world.start_servers()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    alice.message(bob.jid, "direct")
    check(bob.wait_message("direct"), "the servers federate directly")
    for side in SIDES:
        other = SIDES[1 - SIDES.index(side)]
        text = world.witness(side)
        check(f"CN = {other}-organisation-ca" in text, f"without a guard, {side} sees the other organisation's CA", text)
    before = {side: len(world.server[side].certificates_seen()) for side in SIDES}

    world.insert_guard()
    check(deliver(alice, bob, "guarded", 10), "the connections from before are ended, and a message passes again")
    check(deliver(bob, alice, "guarded too", 10), "and one back")
    for side in SIDES:
        issuers = {c["issuer"] for c in world.server[side].certificates_seen()[before[side]:]}
        check(issuers == {f"{side}-guard-ca"}, f"{side}: its log has the guard CA of its side only", issuers)
        for family in (4, 6):
            text = world.witness(side, family)
            check(f"CN = {side}-guard-ca" in text and "organisation" not in text,
                  f"{side}, IPv{family}: openssl s_client sees the same", text)
            check("Verify return code: 0 (ok)" in text or "Verification: OK" in text,
                  f"{side}, IPv{family}: and verifies it", text)
    shown = world.guard.show("certificates")
    check("a.example" in shown and "b.example" in shown, "show certificates lists both", shown)
