"""Ordinary traffic that the guard only bridges: a bulk transfer, echo requests, datagrams, one open connection."""
import hashlib
import os
import socket
import struct
import threading
import time

from .wire import ADDRESS, netns

FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Transfer(threading.Thread):
    """Sends `size` bytes of noise from inside to port 8080 outside; the digests of both ends are compared."""

    def __init__(self, wire, size, family=4, port=8080):
        super().__init__(daemon=True)
        self.size, self.sent, self.received, self.fault = size, hashlib.sha256(), hashlib.sha256(), None
        self.received_bytes = 0
        with netns(wire.ns["outside"]):
            self.listener = socket.create_server((ADDRESS["outside"][family], port), family=FAMILY[family])
        with netns(wire.ns["inside"]):
            self.sender = socket.create_connection((ADDRESS["outside"][family], port), 10)
        self.receiver, _ = self.listener.accept()
        self.reading = threading.Thread(target=self.read, daemon=True)

    def read(self):
        while data := self.receiver.recv(1 << 18):
            self.received.update(data)
            self.received_bytes += len(data)

    def run(self):
        start = time.monotonic()
        self.reading.start()
        block = os.urandom(1 << 20)
        left = self.size
        try:
            while left:
                piece = struct.pack("!Q", left) + block[:min(len(block), left) - 8] if left >= 8 else block[:left]
                self.sender.sendall(piece)
                self.sent.update(piece)
                left -= len(piece)
            self.sender.shutdown(socket.SHUT_WR)
            self.reading.join(60)
        except OSError as fault:
            self.fault = fault
        self.seconds = time.monotonic() - start
        for s in (self.listener, self.sender, self.receiver):
            s.close()

    def whole(self):
        return self.fault is None and self.received_bytes == self.size and \
            self.sent.hexdigest() == self.received.hexdigest()


class Echo:
    """ICMP echo with payloads of our own, compared byte for byte with what comes back."""

    def __init__(self, wire, family=4, side="inside"):
        self.family = family
        other = {"inside": "outside", "outside": "inside"}[side]
        protocol = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}[family]
        with netns(wire.ns[side]):
            self.socket = socket.socket(FAMILY[family], socket.SOCK_RAW, protocol)
        self.socket.connect((ADDRESS[other][family], 0))
        self.socket.settimeout(1)
        self.sequence = 0

    def ping(self, size):
        """Whether an echo of `size` bytes came back unchanged within a second."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        payload = os.urandom(size)
        request, reply = {4: (8, 0), 6: (128, 129)}[self.family]
        message = struct.pack("!BBHHH", request, 0, 0, 0x5A11, self.sequence) + payload
        if self.family == 4:
            message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        self.socket.send(message)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            try:
                answer = self.socket.recv(65536)
            except TimeoutError:
                return False
            answer = answer[(answer[0] & 15) * 4:] if self.family == 4 else answer
            if answer[0] == reply and answer[4:8] == message[4:8]:
                return answer[8:] == payload
        return False


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagrams(wire, sizes, family=4, port=8081):
    """Sends a datagram of each size from inside to outside; the sizes of those that did not arrive whole."""
    with netns(wire.ns["outside"]):
        receiver = socket.socket(FAMILY[family], socket.SOCK_DGRAM)
    receiver.bind((ADDRESS["outside"][family], port))
    receiver.settimeout(1)
    with netns(wire.ns["inside"]):
        sender = socket.socket(FAMILY[family], socket.SOCK_DGRAM)
    lost = []
    for size in sizes:
        payload = os.urandom(size)
        sender.sendto(payload, (ADDRESS["outside"][family], port))
        try:
            if receiver.recv(65536) != payload:
                lost.append(size)
        except TimeoutError:
            lost.append(size)
    sender.close()
    receiver.close()
    return lost


class GuardedConnection:
    """A bare TCP connection to the other side's XMPP port, kept open to see how it ends."""

    def __init__(self, wire, domain_from, domain_to, family=4):
        with netns(wire.ns["inside"]):
            self.socket = socket.create_connection((ADDRESS["outside"][family], 5269), 5)
        self.socket.settimeout(5)
        self.socket.sendall(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' from='{domain_from}' "
                            f"to='{domain_to}' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>".encode())
        self.greeting = self.socket.recv(4096)

    def ending(self, timeout=5):
        """"reset", "closed", or "open" when nothing happened in time."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(4096):
                pass
            return "closed"
        except ConnectionResetError:
            return "reset"
        except TimeoutError:
            return "open"
        finally:
            self.socket.close()
