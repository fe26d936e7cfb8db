#!/usr/bin/python3
"""
CRLs are read again when they change: a server whose certificate is revoked is refused from then on. Broken ones change
nothing but raise an alert, and a tls that is started afresh gets the last good ones.
"""
import os
import signal
from lib import World, check
from lib.world import eventually


def shown(world):
    """Is somebody inside shown a guard certificate for the server outside?"""
    return "BEGIN CERTIFICATE" in world.witness("inside")


def audited(world, kind, count):
    return [line for line in world.guard.audit_lines() if line["event"] == kind and line.get("wire") == "outside"][count:]


with World(families=(4,)) as world:
    certificate, _ = world.ca["outside"].issue(world.domains["outside"], "b-server")
    world.configure("outside", (certificate, certificate.with_suffix(".key")))
    folder = world.folder / "crls"
    folder.mkdir()
    crl = folder / "outside.crl"
    world.ca["outside"].revoke([], crl)
    world.guard.set("outside", "crls", folder)
    world.guard.set("outside", "crl-check", "required")
    world.start_servers()
    world.insert_guard()
    check(shown(world), "a certificate that is not revoked is good")
    check(audited(world, "crls", 0), "the audit says that CRLs are in force")

    world.ca["outside"].revoke([certificate], crl)
    check(eventually(lambda: audited(world, "crls", 1)), "a new CRL is taken up")
    check(not shown(world), "the certificate is revoked: nobody is shown a guard certificate for it")
    check(world.guard.wait_audit(lambda line: "was revoked by 'outside-organisation-ca' 20" in line.get("reason", "")),
          "the audit says by whom and when")

    (folder / "torn.crl").write_bytes(crl.read_bytes()[:100])
    check(eventually(lambda: audited(world, "alert", 0)), "a broken CRL is an alert")
    check("torn.crl" in audited(world, "alert", 0)[0]["reason"], "which names the file")
    check(not shown(world), "the old ones stay")

    world.guard.deaths_expected = True
    os.kill(world.guard.pids("tls")[0], signal.SIGKILL)
    check(eventually(lambda: "ready again" in world.guard.log()), "tls is started again")
    check(not shown(world), "with the last CRLs that were good")

    (folder / "torn.crl").unlink()
    world.ca["outside"].revoke([], crl)
    check(eventually(lambda: shown(world)), "revoked no longer: it is good again")
    counters = world.guard.counters()
    check(counters["tls-crls-taken"] >= 3 and counters["tls-crls-refused"] >= 1, "both are counted", counters)
