"""Ends of streams that stall: silent at some point of the set-up, or saying one byte a second."""
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .s2s import HEADER, STREAMS
from .wire import ADDRESS, netns

PORT = 5275                            # where the servers that stall listen
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
FEATURES = f"<stream:features xmlns:stream='{STREAMS}'>{STARTTLS}</stream:features>"
AT_A_TIME, BYTE_S = 16, 1.0


def until(conn, text):
    seen = b""
    while text not in seen:
        data = conn.recv(4096)
        if not data:
            raise ConnectionError(f"closed before {text}")
        seen += data


def first_flight(certificate=None, hello=b""):
    """What a TLS client says first, or (with a certificate) a server's answer to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if certificate else ssl.PROTOCOL_TLS_CLIENT)
    if certificate:
        context.load_cert_chain(*certificate)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello)
    tls = context.wrap_bio(incoming, outgoing, server_side=bool(certificate),
                           server_hostname=None if certificate else "b.example")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Stalled:
    """Many connections from inside to outside, each of which stalls; `kinds`: how many of which."""

    def __init__(self, world, certificate):
        self.world, self.certificate = world, certificate
        self.inside, self.outside = world.domains["inside"][0], world.domains["outside"][0]
        self.sockets, self.dripping, self.over = [], [], threading.Event()
        self.kind_of = {}              # source port -> kind: the guard keeps it, so a server knows what it is to be
        with netns(world.wire.ns["outside"]):
            self.listener = socket.create_server((ADDRESS["outside"][4], PORT), backlog=512)
        threading.Thread(target=self.serve, daemon=True).start()
        threading.Thread(target=self.drip, daemon=True).start()

    # --- clients ---

    def connect(self, kind):
        with netns(self.world.wire.ns["inside"]):
            conn = socket.socket()
        conn.bind((ADDRESS["inside"][4], 0))
        self.kind_of[conn.getsockname()[1]] = kind
        self.sockets.append(conn)
        conn.settimeout(10)
        conn.connect((ADDRESS["outside"][4], PORT if kind.startswith("server ") else 5269))
        return conn

    def stall(self, kind):
        conn = self.connect(kind)
        header = HEADER.format(self.inside, self.outside).encode()
        if kind == "slow header":
            self.dripping.append((conn, iter(header)))
            return
        conn.sendall(header)
        if kind in ("server mute", "server without features"):
            return
        until(conn, b"</stream:features>")
        conn.sendall(STARTTLS.encode())
        until(conn, b"<proceed")
        if kind == "slow ClientHello":
            self.dripping.append((conn, iter(first_flight())))
        else:
            conn.sendall(first_flight())

    def open(self, kinds):
        """`kinds`: kind -> how many. The client of a kind that begins with "server " is as quick as it can be."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(self.stall, [kind for kind, count in kinds.items() for _ in range(count)]))

    # --- servers ---

    def serve(self):
        with ThreadPoolExecutor(2 * AT_A_TIME) as pool:
            while not self.over.is_set():
                try:
                    conn, _ = self.listener.accept()
                except OSError:
                    return
                self.sockets.append(conn)
                pool.submit(self.serve_one, conn)

    def serve_one(self, conn):
        conn.settimeout(10)
        until(conn, b">")
        kind = self.kind_of[conn.getpeername()[1]]
        header = HEADER.format(self.outside, self.inside).replace(" from=", " id='s' from=")
        if kind == "server mute":
            return
        if kind == "server without features":
            conn.sendall(header.encode())
            return
        conn.sendall((header + FEATURES).encode())
        until(conn, b"<starttls")
        conn.sendall(PROCEED.encode())
        hello = conn.recv(4096)
        if kind == "server of slow answer":
            self.dripping.append((conn, iter(first_flight(self.certificate, hello))))

    # --- both ---

    def drip(self):
        while not self.over.wait(BYTE_S):
            for conn, data in list(self.dripping):
                try:
                    conn.send(bytes([next(data)]))
                except (OSError, StopIteration):
                    pass                     # the guard has ended it, or there is no more to say

    def close(self):
        self.over.set()
        for conn in [self.listener, *self.sockets]:
            conn.close()


def set_up_seconds(opened, count):
    """How long each of `count` streams took to be opened, one after the other."""
    found = []
    for _ in range(count):
        start = time.monotonic()
        stream = opened()
        found.append(time.monotonic() - start)
        stream.close()
    return found
