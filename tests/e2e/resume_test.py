#!/usr/bin/python3
"""A server that resumes its TLS session is let in as before; one whose peer is not "strong" has none to resume."""
import ssl

from lib import Stream, World, check

with World(families=(4,)) as world:
    own = world.ca["inside"].issue(world.domains["inside"], "resumer")
    world.start_servers()
    world.insert_guard()
    bob = world.client("outside")
    bob.presence()

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        name = version.name
        before = world.guard.counters()
        first = Stream(world, certificate=own)
        first.tls.maximum_version = version
        first.open()
        check(not first.socket.session_reused, f"{name}: the first handshake is a full one")
        first.send(f"<message from='alice@a.example' to='{bob.jid}' type='chat'><body>first {name}</body></message>")
        check(bob.wait_message(f"first {name}"), f"{name}: a message passes")
        first.send("</stream:stream>")
        check(first.ending() is not None, f"{name}: and the stream ends in order")

        second = Stream(world).resume(first)
        second.open()
        check(second.socket.session_reused, f"{name}: the second is resumed, and SASL EXTERNAL succeeds in it")
        second.send(f"<message from='alice@a.example' to='{bob.jid}' type='chat'><body>second {name}</body></message>")
        check(bob.wait_message(f"second {name}"), f"{name}: a message passes there, too")
        after = world.guard.counters()
        check(after["tls-resumed-by-client"] - before["tls-resumed-by-client"] == 1, f"{name}: it is counted")
        check(after["tls-resumed-with-server"] == 0, f"{name}: Prosody gives out nothing that could be resumed")
        first.close(), second.close()

    def is_told(line):
        return line["event"] == "session" and line.get("client", {}).get("identity") == "a.example"
    check(world.guard.wait_audit(lambda line: sum(map(is_told, world.guard.audit_lines())) >= 4),
          "the audit has all four sessions, with who it was")
    failed = [line for line in world.guard.audit_lines() if line["event"] == "alert"]
    check(not failed, "and no alert", failed)
