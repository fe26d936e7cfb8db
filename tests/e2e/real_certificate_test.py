#!/usr/bin/python3
"""
The usual: the owner's real certificate outward, RSA, with its CA; the guard CA inward, with its key in a token. Servers outside
trust no CA of the guard's, and federate with certificates demanded on both sides. Then all keys are in the token.
"""
import os

from lib import World, check, deliver
from lib.token import Token


def chain(world, *files):
    path = world.folder / "ca" / "chain.pem"
    path.write_text("".join(f.read_text() for f in files))
    return path


with World(families=(4,)) as world:
    token = Token(world.folder)
    os.environ["SOFTHSM2_CONF"] = str(token.conf)
    real = world.ca["inside"].issue(["a.example", "conference.a.example"], "real", rsa_bits=3072)
    guard = world.guard
    world.trusted = lambda side: [world.ca["inside" if side == "outside" else "outside"].file] + (
        [world.guard_ca["inside"].file] if side == "inside" else [])
    world.configure("outside")                    # knows the real CA and nothing of ours
    guard.set("inside", "ca-key", token.take(world.guard_ca["inside"].key, "inside-ca"))
    guard.set("inside", "domains", "a.example, *.a.example")
    for name in ("a.example", "*.a.example"):
        guard.set(f"certificate {name}", "chain", chain(world, real[0], world.ca["inside"].file))
        guard.set(f"certificate {name}", "key", real[1])
    token.give(guard.uids["keyd"])
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    check(deliver(alice, bob, "outward", 10) and deliver(bob, alice, "inward", 10), "they federate")
    shown = world.witness("outside")
    check("CN = inside-organisation-ca" in shown and "3072 bit" in shown and "guard" not in shown,
          "outside, the real certificate is shown, RSA", shown)
    shown = world.witness("outside", domain="conference.a.example")
    check("CN = inside-organisation-ca" in shown, "for the rooms, too", shown)
    check("CN = inside-guard-ca" in world.witness("inside"), "inside, one of the guard CA in the token")
    counted = guard.counters()
    check(counted["keyd-certificates-real"] and counted["keyd-slow-requests"], "keyd counts both", counted)
    check(not counted["keyd-failed"] and not counted["keyd-refused-not-ours"], "and nothing else", counted)

    guard.stop()
    guard.set("certificate a.example", "key", token.take(real[1], "real"))
    guard.set("certificate *.a.example", "key", token.uri("real"))
    guard.set("outside", "ca-key", token.take(world.guard_ca["outside"].key, "outside-ca"))
    token.give(guard.uids["keyd"])
    guard.start()
    check(deliver(alice, bob, "by the token", 15), "all keys in the token: they federate")
    shown = world.witness("outside")
    check("CN = inside-organisation-ca" in shown and "3072 bit" in shown, "and the real certificate is shown", shown)
