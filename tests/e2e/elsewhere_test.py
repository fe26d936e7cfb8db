#!/usr/bin/python3
"""XMPP on ports that nobody configured is found by its first bytes; what else there is on those ports passes untouched."""
import socket
import ssl
import struct
import threading
import time
from collections import Counter

from lib import ADDRESS, SIDES, Stream, World, check, netns
from lib.frames import SO_RCVBUFFORCE
from lib.s2s import HEADER

PORTS = (443, 80, 12345)
ETH_P_ALL = 0x0003
HELLO_OF_TWO_SEGMENTS = [f"protocol-number-{i:03}" for i in range(120)]


class Sniffer(threading.Thread):
    """The TCP frames of one port inside at one end of the wire, in order: what came in and what went out."""

    def __init__(self, world, side, port):
        super().__init__(daemon=True)
        self.frames, self.over = {"in": [], "out": []}, False
        self.server = socket.inet_aton(ADDRESS["inside"][4]), struct.pack("!H", port)
        with netns(world.wire.ns[side]):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind(("wire", ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.settimeout(0.2)
        self.start()

    def run(self):
        while not self.over:
            try:
                frame, source = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            ends = (frame[26:30], frame[34:36]), (frame[30:34], frame[36:38])
            if frame[12:14] == b"\x08\0" and frame[23] == 6 and self.server in ends:
                self.frames["out" if source[2] == socket.PACKET_OUTGOING else "in"].append(frame)

    def stop(self):
        self.over = True
        self.join()
        self.socket.close()
        return self.frames


def difference(sent, arrived):
    """What is not as it was. In any order, since two taps need not see two processors' frames in the same one."""
    lost, made = Counter(sent) - Counter(arrived), Counter(arrived) - Counter(sent)
    return [frame.hex()[:200] for frame in (*lost, *made)]


def exchange_tls(world, port):
    """A server inside, a client outside whose ClientHello is longer than a segment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*world.ca["inside"].issue(["www.a.example"], f"www-{port}"))
    client = ssl.create_default_context(cafile=world.ca["inside"].file)
    client.set_alpn_protocols(HELLO_OF_TWO_SEGMENTS)

    def serve(accepted):
        with context.wrap_socket(accepted, server_side=True) as tls:
            while data := tls.recv(65536):
                tls.sendall(data)
    return exchange(world, port, serve, lambda s: client.wrap_socket(s, server_hostname="www.a.example"), b"G" * 100000)


def exchange_ssh(world, port):
    """Both ends begin with a line, the server first."""
    def serve(accepted):
        accepted.sendall(b"SSH-2.0-server\r\n")
        while data := accepted.recv(65536):
            accepted.sendall(data)
        accepted.close()

    def greet(dialled):
        got = dialled.recv(100)
        assert got == b"SSH-2.0-server\r\n", got
        return dialled
    return exchange(world, port, serve, greet, b"SSH-2.0-client\r\n" + bytes(range(256)) * 400)


def exchange(world, port, serve, greet, data):
    """What the client gets back of its data."""
    with netns(world.wire.ns["inside"]):
        listener = socket.create_server((ADDRESS["inside"][4], port))
    thread = threading.Thread(target=lambda: serve(listener.accept()[0]), daemon=True)
    thread.start()
    with netns(world.wire.ns["outside"]):
        dialled = socket.create_connection((ADDRESS["inside"][4], port), 10)
    got = b""
    with greet(dialled) as stream:
        stream.sendall(data)
        while len(got) < len(data) and (more := stream.recv(65536)):
            got += more
    thread.join(5)
    listener.close()
    return got == data


def check_untouched(world, port, how, name):
    sniffers = {side: Sniffer(world, side, port) for side in SIDES}
    whole = how(world, port)
    time.sleep(0.5)
    inside, outside = (sniffers[side].stop() for side in SIDES)
    check(whole and len(inside["in"]) > 10 and len(outside["in"]) > 10, f"port {port}: {name} passes", inside)
    differs = difference(inside["out"], outside["in"]), difference(outside["out"], inside["in"])
    check(differs == ([], []), f"port {port}: {name}: every frame arrives as it was sent", differs)


def one_by_one(stream, text):
    """Every byte in a segment of its own."""
    for byte in text.encode():
        stream.send(bytes([byte]))
        time.sleep(0.002)


def header_of(stream):
    return HEADER.format(stream.domain, stream.peer)


def try_stream(world, port, slowly):
    """What the server outside answers to a header, or None; and how the connection ended, if it did."""
    stream = Stream(world, port=port)
    try:
        if slowly:
            one_by_one(stream, header_of(stream))
        else:
            stream.send(header_of(stream))
        return stream.until("</stream:features>")
    except ConnectionError:
        return None
    finally:
        stream.close()


def counter(world, name):
    return world.guard.counters()[name]


with World(families=(4,), ports=(5269, 443)) as world:
    world.wire.on("outside", "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")
    world.configure("outside", extra=f"s2s_ports = {{ 5269, {', '.join(map(str, PORTS))} }}")
    world.start_servers()
    world.insert_guard()

    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    alice.message(bob.jid, "by way of 443")
    check(bob.wait_message("by way of 443", 20), "an SRV record that names port 443: a message arrives")
    bob.message(alice.jid, "and back")
    check(alice.wait_message("and back"), "and one comes back")
    alert = world.guard.wait_audit(lambda line: line.get("alert") == "xmpp-elsewhere")
    check(alert is not None and alert["to_address"].endswith(":443") and alert["action"] == "passed",
          "it is reported", world.guard.audit_lines())
    issuers = [seen["issuer"] for seen in world.server["inside"].certificates_seen() if seen["host"] == "b.example"]
    check(issuers and all("inside-guard-ca" in issuer for issuer in issuers),
          "and guarded: the server inside saw the guard's certificate", issuers)

    for port in PORTS:
        for slowly in (False, True):
            name = f"port {port}, {'byte by byte' if slowly else 'whole'}"
            before = counter(world, "found-by-content"), counter(world, "connections-adopted")
            answer = try_stream(world, port, slowly)
            check(answer and "starttls" in answer, f"{name}: the stream is answered through the guard", answer)
            after = counter(world, "found-by-content"), counter(world, "connections-adopted")
            check(after[0] == before[0] + 1 and after[1] == before[1] + 1, f"{name}: it was found and guarded",
                  (before, after))
    for port in PORTS:
        before = counter(world, "connections-relayed")
        check_untouched(world, port, exchange_tls, "TLS")
        check_untouched(world, port, exchange_ssh, "SSH")
        check(counter(world, "connections-relayed") == before, f"port {port}: nothing was held up")

    world.guard.stop()
    world.guard.set("guard", "elsewhere", "block")
    world.guard.set("guard", "quic", "block")
    world.guard.start()
    for port in PORTS:
        for slowly in (False, True):
            name = f"port {port}, {'byte by byte' if slowly else 'whole'}"
            before = counter(world, "connections-blocked")
            check(try_stream(world, port, slowly) is None, f"{name}: blocked, if so configured")
            check(counter(world, "connections-blocked") == before + 1, f"{name}: and counted")
        check_untouched(world, port, exchange_tls, "TLS, while XMPP is blocked,")

    with netns(world.wire.ns["outside"]):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind((ADDRESS["outside"][4], 443))
    with netns(world.wire.ns["inside"]):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.settimeout(2)
    sender.sendto(b"\xc3\0\0\0\1\x08".ljust(1200, b"q"), (ADDRESS["outside"][4], 443))
    sender.sendto(b"not QUIC", (ADDRESS["outside"][4], 443))
    check(receiver.recv(2000) == b"not QUIC", "QUIC is blocked, another datagram to the same port is not")
    alert = world.guard.wait_audit(lambda line: line.get("alert") == "quic")
    check(alert is not None and alert["action"] == "blocked", "and reported", world.guard.audit_lines())
