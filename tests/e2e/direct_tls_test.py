#!/usr/bin/python3
"""Direct TLS (XEP-0368) through the guard, both ways, with secure authentication required; and what does not come through."""
import ssl
import subprocess

from lib import SIDES, Stream, World, check
from lib.ca import Ca

DIRECT, ELSEWHERE = 5270, 7443
LISTENS = f"s2s_ports = {{ }}\ns2s_direct_tls_ports = {{ {DIRECT}, {ELSEWHERE} }}"


def dial(world, side, certificate=None, port=DIRECT, **how):
    """A stream over direct TLS, or the alert that it got instead."""
    stream = Stream(world, side, certificate, port=port)
    try:
        return stream.direct(**how)
    except ssl.SSLError as error:
        stream.close()
        return str(error)


def audited(world, *texts):
    return world.guard.wait_audit(lambda line: all(text in str(line) for text in texts))


def seen(world, side, host):
    return [c for c in world.server[side].certificates_seen() if c["host"] == host]


def federate(world):
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    alice.message(bob.jid, "over the wall")
    check(bob.wait_message("over the wall"), "a message from inside arrives outside")
    bob.message(alice.jid, "and back")
    check(alice.wait_message("and back"), "a message from outside arrives inside")
    sessions = world.guard.show("sessions")
    check(sessions.count("TLSv1.3 direct, external") == 2, "by direct TLS and SASL EXTERNAL, both ways", sessions)
    for side in SIDES:
        issuers = [c["issuer"] for c in seen(world, side, world.domains[SIDES[1 - SIDES.index(side)]][0])]
        check(issuers and all(f"{side}-guard-ca" in issuer for issuer in issuers),
              f"the server {side} saw certificates of its guard CA alone", issuers)


def refuse_hellos(world):
    cases = (("no SNI", {"name": ""}, "unrecognized name", "without a server name"),
             ("SNI of nobody", {"name": "evil.example"}, "unrecognized name", "may not be spoken to"),
             ("ALPN of another protocol", {"alpn": ("h2",)}, "no application protocol", "ALPN"))
    for what, how, alert, reason in cases:
        for side in SIDES:
            got = dial(world, side, **how)
            check(alert in str(got), f"{what}, from {side}: the alert says so", got)
            check(audited(world, "peering-refused", "direct", reason), f"{what}: the audit, too")
    before = world.guard.counters()["tls-failed-handshake"]
    stream = Stream(world, "outside", port=DIRECT)
    stream.send(b"\x16\x03\x01\x00\x05hello")
    check(stream.ending() is not None, "what only begins like TLS is ended")
    check(world.guard.counters()["tls-failed-handshake"] == before + 1, "and counted")
    stream.close()


def refuse_clients(world):
    certificate = world.ca["outside"].issue(["other.example"], "other")
    shown = len(seen(world, "inside", "b.example"))
    for what, chain in (("a certificate for another name", certificate), ("no certificate", None)):
        stream = dial(world, "outside", chain)
        stream.send("<?xml version='1.0'?><stream:stream xmlns='jabber:server' from='b.example' to='a.example' "
                    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
        text = stream.ending()
        check(text and "<not-authorized" in text, f"a client with {what} is told so by a stream error", text)
        stream.close()
    check(audited(world, "tls-failed", "the certificate is for other.example"), "the audit says what it showed")
    check(audited(world, "the client showed no certificate"), "or that it showed none")
    check(len(seen(world, "inside", "b.example")) == shown, "the server saw no certificate for either")


def carry_elsewhere(world):
    """On a port that nobody configured it is found by its ALPN."""
    stream = dial(world, "outside", world.ca["outside"].issue(["b.example"], "b-elsewhere"), ELSEWHERE)
    check(stream.socket.selected_alpn_protocol() in (None, "xmpp-server"), "another port: TLS is there")
    features = stream.header()
    check(features and "EXTERNAL" in features and "starttls" not in features,
          "another port, found by ALPN: the stream is answered, without STARTTLS", features)
    stream.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    text = stream.ending()
    check(text and "<policy-violation" in text, "STARTTLS inside of direct TLS is a violation", text)
    stream.close()
    check(audited(world, "xmpp-elsewhere", str(ELSEWHERE)), "it is reported")


def refuse_server(world):
    """One that shows a certificate of a CA that nobody knows."""
    stranger = Ca(world.folder / "ca", "unknown-ca").issue(world.domains["outside"], "bad")
    world.server["outside"].stop()
    world.configure("outside", stranger, extra=LISTENS, disabled=("s2s_bidi",))
    world.server["outside"].start()
    alice = world.client("inside", "anna")
    alice.presence()
    sent = alice.message("bob@b.example", "to a stranger")
    check(alice.wait_error(sent), "a message to a server that cannot be verified comes back")
    text = world.wire.on("inside", "timeout", "10", "openssl", "s_client", "-connect", f"10.61.0.2:{DIRECT}", "-servername",
                         "b.example", "-alpn", "xmpp-server", check=False, stdin=subprocess.DEVNULL).stdout
    check("no peer certificate available" in text and "BEGIN CERTIFICATE" not in text,
          "openssl s_client is shown no certificate", text)
    check(audited(world, "tls-failed", "TLS with server failed, certificate"), "the audit says why")


with World(families=(4,), ports=(DIRECT, DIRECT), service="xmpps-server") as world:
    for side in SIDES:
        world.configure(side, extra=LISTENS, disabled=("s2s_bidi",))      # so that each dials
    world.start_servers()
    world.insert_guard()
    federate(world)
    refuse_hellos(world)
    refuse_clients(world)
    carry_elsewhere(world)
    refuse_server(world)
