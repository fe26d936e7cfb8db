"""A server-to-server stream written by hand: what a hostile or odd server would send, byte by byte if need be."""
import socket
import ssl
import time

from .wire import ADDRESS, SIDES, netns

STREAMS = "http://etherx.jabber.org/streams"
HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
          "xmlns:stream='" + STREAMS + "' from='{0}' to='{1}' version='1.0'>")


class Stream:
    """Dials from `side` to the XMPP port of the other side, as that side's domain and with its certificate."""

    def __init__(self, world, side="inside", certificate=None, family=4, port=5269, source=None):
        other = SIDES[1 - SIDES.index(side)]
        self.domain, self.peer = world.domains[side][0], world.domains[other][0]
        with netns(world.wire.ns[side]):
            self.socket = socket.create_connection((ADDRESS[other][family], port), 10,
                                                   (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.load_verify_locations(world.guard_ca[side].file)
        self.tls.load_verify_locations(world.ca[other].file)
        if certificate:
            self.tls.load_cert_chain(*certificate)
        self.seen, self.session = b"", None

    def resume(self, earlier):
        """Its TLS session is to be that of an earlier stream, if the other end agrees."""
        self.tls, self.session = earlier.tls, earlier.socket.session
        return self

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def read(self, timeout=5):
        """More of what the other end says: False when nothing came, ConnectionError when it is over."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return False
        if not data:
            raise ConnectionError("closed")
        self.seen += data
        return True

    def until(self, text, timeout=5):
        """Reads up to and with the text and returns all of it; None if it does not come."""
        deadline = time.monotonic() + timeout
        while text.encode() not in self.seen:
            try:
                if time.monotonic() > deadline or not self.read(timeout):
                    return None
            except (ConnectionError, ssl.SSLError, OSError):
                return None
        head, self.seen = self.seen.split(text.encode(), 1)
        return head.decode(errors="replace") + text

    def header(self, features="</stream:features>"):
        self.send(HEADER.format(self.domain, self.peer))
        return self.until(features)

    def ask_for_tls(self):
        """From here on the socket is for a TLS handshake."""
        self.header()
        self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        if self.until("/>") is None:
            raise ConnectionError("STARTTLS was refused")

    def direct(self, alpn=("xmpp-server",), name=None):
        """Direct TLS (XEP-0368) from the first byte; name: another SNI than the peer's, or "" for none."""
        if alpn:
            self.tls.set_alpn_protocols(alpn)
        self.tls.check_hostname = name is None
        self.socket.settimeout(10)
        self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.peer if name is None else name or None)
        return self

    def starttls(self):
        self.ask_for_tls()
        self.socket.settimeout(10)
        self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.peer, session=self.session)

    def open(self):
        """A stream that is ready for stanzas, with SASL EXTERNAL."""
        self.starttls()
        self.header()
        self.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
        if self.until("<success") is None or self.until(">") is None:
            raise ConnectionError("SASL EXTERNAL was refused")
        self.send(HEADER.format(self.domain, self.peer))
        if self.until("stream:features") is None:
            raise ConnectionError("no features after authentication")
        return self

    def ending(self, timeout=5):
        """What was said until the other end closed the stream; None if it stays open."""
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                self.read(max(deadline - time.monotonic(), 0.01))
            return None
        except (ConnectionError, ssl.SSLError, OSError):
            return self.seen.decode(errors="replace")

    def close(self):
        self.socket.close()
