"""The corpus of tests/smuggling, and the two ends between which its inputs are sent."""
import itertools
import socket
import ssl
import sys
import threading
from dataclasses import dataclass, field

from .endpoints import context
from .guard import ROOT
from .s2s import HEADER
from .wire import ADDRESS, SIDES, netns

sys.path.insert(0, str(ROOT / "tests"))
from smuggling.corpus import entries  # noqa: E402,F401

TLS, SASL = "urn:ietf:params:xml:ns:xmpp-tls", "urn:ietf:params:xml:ns:xmpp-sasl"
OFFERED = {"clear": f"<stream:features><starttls xmlns='{TLS}'/></stream:features>",
           "secured": f"<stream:features><mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>",
           "authenticated": "<stream:features/>"}
TIMEOUT = 20
PATIENCE = 3                                   # seconds for what should not come anyway
ports = itertools.count(12000)                 # below those that the system gives; each only once


@dataclass
class Heard:
    """What the dialled end heard on one connection, up to authentication and after it."""
    header: bytes = b""                        # of the stream after authentication
    clear: bytes = b""
    secured: bytes = b""
    after: bytes = b""
    over: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, data, phase="after"):
        with self.changed:
            setattr(self, phase, getattr(self, phase) + data)
            self.changed.notify_all()

    def ended(self):
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def wait(self, condition, timeout=TIMEOUT):
        with self.changed:
            return self.changed.wait_for(lambda: condition(self), timeout)


class Far:
    """The server on a side, which takes whatever comes once a stream is authenticated. `tricks`: by the client's port, what it
    says right behind <proceed/> or <success/>, where nothing may stand."""

    def __init__(self, world, side):
        self.side, self.domain = side, world.domains[side][0]
        self.heard, self.tricks, self.lock = {}, {}, threading.Condition()
        cert, key = world.ca[side].issue([self.domain], f"{side}-far")
        self.tls = context(True, None, "1.3", world.guard_ca[side].file)
        self.tls.load_cert_chain(cert, key)
        with netns(world.wire.ns[side]):
            self.listener = socket.create_server((ADDRESS[side][4], 5269), backlog=512)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, peer = self.listener.accept()
            threading.Thread(target=self.serve, args=(sock, peer[1]), daemon=True).start()

    def heard_from(self, port):
        with self.lock:
            return self.heard.setdefault(port, Heard())

    def serve(self, sock, port):
        heard, trick = self.heard_from(port), self.tricks.get(port, {})
        sock.settimeout(TIMEOUT)
        try:
            self.negotiate(sock, heard, trick)
        except (OSError, ConnectionError, IndexError):
            pass
        heard.ended()
        sock.close()

    def read(self, sock, heard, phase, *markers):
        seen = b""
        while not any(marker in seen for marker in markers):
            data = sock.recv(65536)
            if not data:
                raise ConnectionError("closed")
            seen += data
            heard.add(data, phase)
        return seen

    def answer(self, sock, peer, phase):
        header = HEADER.format(self.domain, peer)
        sock.sendall((header[:-1] + f" id='{phase}'>" + OFFERED[phase]).encode())

    def negotiate(self, sock, heard, trick):
        seen = self.read(sock, heard, "clear", b"version='1.0'>").decode()
        peer = seen.split(" from='", 1)[1].split("'", 1)[0]
        self.answer(sock, peer, "clear")
        self.read(sock, heard, "clear", b"<starttls")
        sock.sendall(f"<proceed xmlns='{TLS}'/>".encode() + trick.get("proceed", b""))
        sock = self.tls.wrap_socket(sock, server_side=True)
        self.read(sock, heard, "secured", b"version='1.0'>")
        self.answer(sock, peer, "secured")
        self.read(sock, heard, "secured", b"</auth>")
        sock.sendall(f"<success xmlns='{SASL}'/>".encode() + trick.get("success", b""))
        self.read(sock, heard, "after", b"version='1.0'>")
        self.answer(sock, peer, "authenticated")
        while data := sock.recv(1 << 20):
            heard.add(data)


class Near:
    """Dials as the domain of a side."""

    def __init__(self, world, side, far, certificate):
        self.domain, self.peer = world.domains[side][0], far.domain
        self.port = next(ports)
        self.heard = far.heard_from(self.port)
        self.seen = b""                        # since the last header of ours
        with netns(world.wire.ns[side]):
            self.socket = socket.create_connection((ADDRESS[far.side][4], 5269), TIMEOUT, ("", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = context(False, None, "1.3", world.guard_ca[side].file)
        self.tls.load_cert_chain(*certificate)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def until(self, text):
        while not self.seen.endswith(text.encode()):
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError("closed")
            self.seen += data

    def header(self):
        self.seen = b""
        self.send(HEADER.format(self.domain, self.peer))

    def secure(self):
        self.header()
        self.until("</stream:features>")
        self.send(f"<starttls xmlns='{TLS}'/>")
        self.until(f"<proceed xmlns='{TLS}'/>")
        self.shake()

    def shake(self):
        self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.peer)
        self.header()
        self.until("</stream:features>")

    def authenticate(self):
        self.secure()
        self.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>")
        self.until(f"<success xmlns='{SASL}'/>")
        return self

    def open(self):
        self.authenticate()
        self.header()
        self.until("<stream:features/>")
        self.heard.wait(lambda heard: b"version='1.0'>" in heard.after)
        with self.heard.changed:
            self.heard.header, self.heard.after = self.heard.after, b""
        return self

    def ending(self, timeout=TIMEOUT):
        """What is said from now on, until the stream is over."""
        before = len(self.seen)
        self.socket.settimeout(timeout)
        try:
            while data := self.socket.recv(65536):
                self.seen += data
        except (OSError, ssl.SSLError):
            pass
        return self.seen[before:].decode(errors="replace")

    def close(self):
        self.socket.close()


def other(side):
    return SIDES[1 - SIDES.index(side)]
