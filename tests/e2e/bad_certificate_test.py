#!/usr/bin/python3
"""
A server with an expired certificate, one for another name, or one from an unknown CA is not federated with, whichever
dials, and its peer is never shown a guard certificate for it.
"""
from lib import SIDES, World, check
from lib.ca import Ca


def certificate(world, side, fault):
    domains = world.domains[side]
    if fault == "expired":
        return world.ca[side].issue(domains, "bad", not_after="20240101000000Z")
    if fault == "for another name":
        return world.ca[side].issue(["other.example"], "bad")
    return Ca(world.folder / "ca", "unknown-ca").issue(domains, "bad")


for bad in SIDES:
    good = SIDES[1 - SIDES.index(bad)]
    for fault in ("expired", "for another name", "from an unknown CA"):
        case = f"{bad} has a certificate that is {fault}"
        with World(families=(4,)) as world:
            world.configure(bad, certificate(world, bad, fault))
            world.start_servers()
            world.insert_guard()
            honest, rogue = world.client(good), world.client(bad)
            honest.presence(), rogue.presence()

            to_bad, to_good = honest.message(rogue.jid, "to the bad"), rogue.message(honest.jid, "from the bad")
            check(honest.wait_error(to_bad), f"{case}: a message to it comes back as an error")
            check(rogue.wait_error(to_good), f"{case}: a message from it comes back as an error")
            check(not rogue.wait_message("to the bad", 0.2) and not honest.wait_message("from the bad", 0.2),
                  f"{case}: neither arrives")
            seen = [c for c in world.server[good].certificates_seen() if c["host"] == world.domains[bad][0]]
            check(not seen, f"{case}: its peer was never shown a certificate for it", seen)
            text = world.witness(good)
            check("no peer certificate available" in text and "BEGIN CERTIFICATE" not in text,
                  f"{case}: nor is openssl s_client", text)
            check(world.guard.wait_audit(lambda line: world.domains[bad][0] in str(line) and "certificate" in str(line)),
                  f"{case}: the audit says why")
