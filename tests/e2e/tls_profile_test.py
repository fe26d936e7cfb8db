#!/usr/bin/python3
"""Each side speaks TLS by its own profile: one made in the configuration inside, a built-in one outside."""
import ssl

from lib import Stream, World, check, deliver


def dial(world, side, version):
    """The version and cipher that a server on `side` gets if it speaks this one only; or the alert."""
    stream = Stream(world, side)
    stream.tls.minimum_version = stream.tls.maximum_version = version
    try:
        stream.starttls()
        return stream.socket.cipher()
    except ssl.SSLError as error:
        return str(error)
    finally:
        stream.close()


with World(families=(4,)) as world:
    world.guard.set("inside", "tls", "ours")
    world.guard.set("tls ours", "versions", "1.2")
    world.guard.set("tls ours", "ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305")
    world.guard.set("outside", "tls", "high")
    for domain in world.domains["outside"]:
        world.guard.set(f"peer {domain}", "authentication", "tls-dialback")
    world.start_servers()
    world.insert_guard()

    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    got = dial(world, "inside", v12)
    check(got[:2] == ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2"), "inside: the version and the cipher of its profile", got)
    for side, version in (("inside", v13), ("outside", v12)):
        got = dial(world, side, version)
        check("protocol version" in got, f"{side}: {version.name} is refused by its alert", got)
        check(world.guard.wait_audit(lambda line: "unsupported protocol" in str(line)), f"{side}: and the audit says why")
    got = dial(world, "outside", v13)
    check(got[:2] == ("TLS_AES_256_GCM_SHA384", "TLSv1.3"), "outside: the version and the cipher of its profile", got)

    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "outward", 10) and deliver(bob, alice, "inward", 10), "real servers federate by both")
    alerts = [a for a in world.guard.audit_lines() if a["event"] == "alert" and "unsupported protocol" not in str(a)]
    check(not alerts, "no alert but of the versions", alerts)
    sessions = world.guard.show("sessions")
    check("mixed" in sessions, "show sessions says that the sides differ", sessions)
