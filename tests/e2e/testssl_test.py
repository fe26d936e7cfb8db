#!/usr/bin/python3
"""
testssl.sh against each face of the guard: what it finds is kept in build/testssl/FACE.json, and is what
tests/e2e/testssl.golden says. Nothing above LOW but what stands in EXCEPTIONS.
"""
import concurrent.futures
import json
import os
import re
import subprocess

from lib import ADDRESS, BUILD, ROOT, Gate, World, check, note

AT_MOST_SECONDS = 300             # 45 s of two processors, most of it bash: longer where they are shared

# What the versions and ciphers do not tell anyway, as they do of POODLE, BEAST, LUCKY13, FREAK, LOGJAM, DROWN and RC4. Of
# the other faces, which are the same contexts in another place, what could differ there.
ALL = "-p -s -S -P -H -I -R -C -Z -W -BB".split()
SOME = "-p -S -R -C".split()
DIRECT = "-p -S -C".split()           # -R comes without SNI, which is refused there (XEP-0368 3)

# Findings above LOW that are meant to be there, and why.
EXCEPTIONS = {
    "cert_expirationStatus": "guard certificates live for days; they are renewed before they expire",
    "cert_notAfter": "the same",
    "cert_revocation": "a private CA without CRL or OCSP: a guard certificate is not revoked, it expires",
    "engine_problem": "testssl.sh on the openssl of this machine, which has no GOST",
}
# What is another one in each run.
CHANGING = re.compile(r"cert_(serialNumber|fingerprint\w+|notBefore|notAfter|expirationStatus|validityPeriod)|cert|scanTime|"
                      r"engine_problem|service")
ABOVE_LOW = {"MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL"}


def kind(finding):
    """Of several certificates (ECDSA, RSA) each has a number behind its id."""
    return finding["id"].split(" <")[0]


def scan(world, face):
    """Runs testssl.sh; its findings, as a list of dicts with id, severity, finding."""
    name, side, address, port, options = face
    report = BUILD / "testssl" / f"{name}.json"
    report.unlink(missing_ok=True)
    other = "b.example" if side == "inside" else "a.example"
    done = world.wire.on(side, "testssl", "--warnings", "off", "--color", "0", "--quiet", "--ip", address,
                         "--nodns", "none", "--add-ca", world.guard_ca[side].file, "--jsonfile", report, *options,
                         f"{other}:{port}", check=False, stdin=subprocess.DEVNULL, env=os.environ | {"TERM": "dumb"})
    check(report.exists(), f"{name}: testssl.sh has written its report", done.stdout + done.stderr)
    return json.loads(report.read_text())


def lasting(name, findings):
    return [f"{name} {f['id']} {f['severity']} {f['finding']}" for f in findings if not CHANGING.fullmatch(kind(f))]


with World(families=(4,)) as world:
    for side in world.server:
        world.configure(side, extra="s2s_direct_tls_ports = { 5270 }")
    for domain in world.domains["outside"]:         # testssl.sh shows no certificate, and is answered all the same
        world.guard.set(f"peer {domain}", "authentication", "tls-dialback")
    world.start_servers()
    world.insert_guard()
    gates = {side: Gate(world, side) for side in ("inside", "outside")}
    faces = [("starttls-outside", "outside", "127.0.0.1", gates["outside"].port, ALL),
             ("starttls-inside", "inside", "127.0.0.1", gates["inside"].port, SOME),
             ("direct-outside", "outside", ADDRESS["inside"][4], 5270, DIRECT),
             ("direct-inside", "inside", ADDRESS["outside"][4], 5270, DIRECT)]
    (BUILD / "testssl").mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        reports = dict(zip((face[0] for face in faces), pool.map(lambda face: scan(world, face), faces)))

    found = []
    for name, findings in reports.items():
        bad = [f for f in findings if f["severity"] in ABOVE_LOW and kind(f) not in EXCEPTIONS]
        check(not bad, f"{name}: no finding above LOW in {len(findings)}", bad)
        for finding in findings:
            if finding["severity"] in ABOVE_LOW:
                note(f"{name}: {finding['id']}, {finding['severity']}: {EXCEPTIONS[kind(finding)]}")
        found += lasting(name, findings)
    for side, gate in gates.items():
        check(gate.passed > 20, f"{side}: the guard was really asked, {gate.passed} times")
    golden = ROOT / "tests/e2e/testssl.golden"
    (BUILD / "testssl" / "golden").write_text("\n".join(found) + "\n")
    expected = golden.read_text().splitlines()
    difference = sorted(set(found) ^ set(expected))
    check(not difference, f"the {len(found)} findings that do not change are those in {golden.name}", difference)
