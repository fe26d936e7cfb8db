"""The listening half of a server written by hand: it sets up TLS for whoever dials, and hands out the streams that are ready."""
import hashlib
import hmac
import queue
import re
import socket
import ssl
import threading

from .s2s import HEADER, STREAMS, Stream
from .wire import ADDRESS, netns

STARTTLS = f"<stream:features xmlns:stream='{STREAMS}'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
DIALBACK = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
SECONDS = 10


def dialback_key(secret, receiving, originating, stream_id):
    """XEP-0185: the key of the HMAC is the hash of the secret in hexadecimal."""
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    return hmac.new(hashed.encode(), f"{receiving} {originating} {stream_id}".encode(), "sha256").hexdigest()


def attribute(tag, name):
    found = re.search(f" {name}=['\"]([^'\"]*)['\"]", tag or "")
    return found and found.group(1)


class Guest(Stream):
    """A stream that was dialled to us. Headers are answered with the ids, one for each restart."""

    def __init__(self, sock, context, ids, features):
        self.socket, self.tls, self.seen = sock, context, b""
        self.ids, self.features = iter(ids), features
        self.domain = self.peer = None

    def answer(self, features):
        """Takes a header and answers it: the header."""
        self.until("<stream:stream")
        header = self.until(">")
        self.domain, self.peer = attribute(header, "to"), attribute(header, "from")
        self.id = next(self.ids)
        self.send(HEADER.format(self.domain, self.peer).replace(" version='1.0'>", f" id='{self.id}' version='1.0'>") + features)
        return header

    def set_up(self):
        self.answer(STARTTLS)
        if self.until("<starttls") is None or self.until("/>") is None:
            raise ConnectionError("no STARTTLS")
        self.send(PROCEED)
        self.socket = self.tls.wrap_socket(self.socket, server_side=True)
        self.answer(f"<stream:features>{self.features}</stream:features>")


class Host:
    """Listens on a side with that certificate."""

    def __init__(self, world, side, certificate, port=5269):
        self.ids, self.features, self.ready = ["before-tls", "after-tls"], DIALBACK, queue.Queue()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_verify_locations(world.guard_ca[side].file)
        self.tls.verify_mode = ssl.CERT_OPTIONAL
        self.tls.load_cert_chain(*certificate)
        with netns(world.wire.ns[side]):
            self.listener = socket.create_server((ADDRESS[side][4], port), backlog=16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(SECONDS)
            guest = Guest(sock, self.tls, self.ids, self.features)
            threading.Thread(target=self.welcome, args=(guest,), daemon=True).start()

    def welcome(self, guest):
        try:
            guest.set_up()
            self.ready.put(guest)
        except (OSError, ConnectionError, StopIteration):
            guest.close()

    def guest(self):
        """The next stream that is ready."""
        return self.ready.get(timeout=SECONDS)
