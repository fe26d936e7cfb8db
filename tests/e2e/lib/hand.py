"""
One end of a TCP connection made of single frames, written with scapy; the other end is a kernel socket, or another hand.
Bytes that must never get through have EVIL in them.
"""
import itertools
import socket
import time

from scapy.layers.inet import IP, TCP, Ether
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from .frames import Port
from .traffic import FAMILY
from .wire import ADDRESS, SIDES, netns

GUARDED, EVIL = 5269, b"EVIL"
HAND = {4: "10.61.0.50", 6: "fd61::50"}        # an address that no kernel answers for
SECONDS = 3
NUMBERS = itertools.count(20000)                # of ports: each only once


def wrapped(number):
    return number & 0xFFFFFFFF


class Way:
    """From a hand on `side` to whatever is on the other: addresses, and a place to watch what leaves the guard there."""

    def __init__(self, wire, side, family):
        self.wire, self.side, self.other, self.family = wire, side, SIDES[1 - SIDES.index(side)], family
        self.port, self.watch = Port(wire.ns[side]), Port(wire.ns[self.other])
        self.source, self.address = HAND[family], ADDRESS[self.other][family]
        self.ether = Ether(src=wire.mac(side), dst=wire.mac(self.other))
        wire.on(self.other, "ip", "neigh", "replace", self.source, "lladdr", wire.mac(side), "dev", "wire")

    def forget(self):
        """Whatever has come in so far."""
        self.port.flush()
        self.watch.flush()

    def close(self):
        for port in (self.port, self.watch):
            port.socket.close()


class Segments:
    """What both kinds of hand are: where they are in the sequence numbers, and how they write and read segments."""

    def __init__(self, way, isn, own_port, other_port):
        self.way, self.port, self.family = way, way.port, way.family
        self.own_port, self.other_port = own_port, other_port
        self.isn, self.next, self.ack = isn, isn, 0

    def ip(self, **fields):
        source, address = self.way.source, self.way.address
        return (IP if self.family == 4 else IPv6)(src=source, dst=address, **fields)

    def tcp(self, data=b"", flags="A", at=None, ack=None, window=65535, **fields):
        return TCP(sport=self.own_port, dport=self.other_port, flags=flags, seq=wrapped(self.next if at is None else at),
                   ack=wrapped(self.ack if ack is None else ack), window=window, **fields) / Raw(data)

    def frame(self, packet):
        """A packet of the network layer, on the wire."""
        self.port.send(bytes(self.way.ether / packet))

    def send(self, data=b"", ip=None, **fields):
        self.frame((ip or self.ip()) / self.tcp(data, **fields))

    def say(self, data, **fields):
        """In order and well-formed: taken by anybody."""
        self.send(data, flags="PA", **fields)
        self.next = wrapped(self.next + len(data))

    def receive(self, wanted, seconds=SECONDS):
        """The next segment to this hand for which wanted(segment) holds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            seen = self.port.receive(left)
            packet = Ether(seen) if seen else None
            if packet and TCP in packet and packet[TCP].dport == self.own_port and packet[TCP].sport == self.other_port \
                    and wanted(packet[TCP]):
                return packet[TCP]
        return None

    def hear(self, flags, seconds=SECONDS):
        found = self.receive(lambda segment: set(flags) <= set(str(segment.flags)), seconds)
        if found is None:
            raise ConnectionError(f"no {flags} came")
        return found

    def hear_data(self, data):
        """The other end says this, in one segment or more, and is answered."""
        return self.hear_until(data) == data

    def hear_until(self, *markers):
        """What the other end says in order, answered, up to where one of the markers has come; or nothing more did."""
        got = b""
        while not any(marker in got for marker in markers):
            segment = self.receive(lambda s: s.seq == self.ack and (payload(s) or set("RF") & set(str(s.flags))))
            if segment is None or not payload(segment):
                break
            got += payload(segment)
            self.ack = wrapped(segment.seq + len(payload(segment)))
            self.send()
        return got


class Hand(Segments):
    """Dials, or is dialled by, a kernel socket at the other end of the way."""

    def __init__(self, way, role="client", isn=1000, syn=b"", options=(("MSS", 1400),)):
        number = next(NUMBERS)
        ports = (number, GUARDED) if role == "client" else (GUARDED, number)
        super().__init__(way, isn, *ports)
        self.role, self.socket = role, None
        way.forget()
        (self.dial if role == "client" else self.be_dialled)(syn, list(options))

    def kernel_socket(self):
        with netns(self.way.wire.ns[self.way.other]):
            made = socket.socket(FAMILY[self.family], socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(SECONDS)
        return made

    def dial(self, syn, options):
        with self.kernel_socket() as listener:
            listener.bind((self.way.address, GUARDED))
            listener.listen()
            self.send(syn, flags="S", options=options, ack=0)
            self.next = wrapped(self.isn + 1)
            self.ack = wrapped(self.hear("SA").seq + 1)
            self.send()
            self.socket, _ = listener.accept()

    def be_dialled(self, data, options):
        self.socket = self.kernel_socket()
        self.socket.bind((self.way.address, self.other_port))
        self.socket.setblocking(False)
        self.socket.connect_ex((self.way.source, GUARDED))
        self.ack = wrapped(self.hear("S").seq + 1)
        self.send(data, flags="SA", options=options)
        self.next = wrapped(self.isn + 1)
        self.hear("A")
        self.socket.settimeout(SECONDS)

    def heard(self, n, quiet=1.0):
        """What the kernel's end has got: up to n bytes, or until nothing more comes. None: it was reset."""
        self.socket.settimeout(quiet)
        got = b""
        try:
            while len(got) < n and (more := self.socket.recv(n - len(got))):
                got += more
        except TimeoutError:
            pass
        except ConnectionResetError:
            return None
        return got

    def crossed(self):
        """Frames on the far wire with EVIL in them, whether the kernel took them or not."""
        return [seen for seen in self.frames_passed() if EVIL in seen]

    def frames_passed(self):
        """What has left the guard on the far wire so far."""
        found = []
        while seen := self.way.watch.receive(0.005):
            found.append(seen)
        return found

    def fault(self, expected):
        """None, or what is wrong: the kernel must have heard exactly this, and both ends must still hear each other."""
        self.say(b"alive")
        expected += b"alive"
        got = self.heard(len(expected), SECONDS)
        if got != expected:
            return f"heard {got!r}, not {expected!r}"
        self.socket.sendall(b"too")
        if not self.hear_data(b"too"):
            return "the hand hears nothing any more"
        crossed = self.crossed()
        return f"crossed: {crossed}" if crossed else None

    def ending(self):
        """How the kernel's end finds the connection, and what it heard before: ("open"|"closed"|"reset", bytes)"""
        self.socket.settimeout(0.5)
        got = b""
        try:
            while more := self.socket.recv(1000):
                got += more
            return "closed", got
        except TimeoutError:
            return "open", got
        except ConnectionResetError:
            return "reset", got

    def close(self):
        self.send(flags="RA")
        if self.socket:
            self.socket.close()


class TwoHands:
    """Both ends by hand: what the guard itself writes on the wire can be read."""

    def __init__(self, way, isn=1000, answer_isn=5000, options=(("MSS", 1400),)):
        back = Way.__new__(Way)
        vars(back).update(vars(way))
        back.source, back.address, back.side, back.other = HAND[way.family][:-1] + "1", way.source, way.other, way.side
        back.port, back.ether = way.watch, Ether(src=way.ether.dst, dst=way.ether.src)
        forth = Way.__new__(Way)
        vars(forth).update(vars(way))
        forth.address = back.source
        number = next(NUMBERS)
        way.forget()
        self.client, self.server = Segments(forth, isn, number, GUARDED), Segments(back, answer_isn, GUARDED, number)
        client, server = self.client, self.server
        client.send(flags="S", options=list(options), ack=0)
        client.next = wrapped(isn + 1)
        self.syn = server.hear("S")
        server.ack = wrapped(self.syn.seq + 1)
        server.send(flags="SA", options=list(options))
        server.next = wrapped(answer_isn + 1)
        self.syn_ack = client.hear("SA")
        client.ack = wrapped(self.syn_ack.seq + 1)
        client.send()
        server.hear("A")                    # before that no server speaks

    def close(self):
        self.client.send(flags="RA")
        self.server.send(flags="RA")


def payload(segment):
    """Without what Ethernet adds to make a frame long enough."""
    data = bytes(segment.payload)
    under = segment.underlayer
    if isinstance(under, IP):
        data = data[:under.len - under.ihl * 4 - segment.dataofs * 4]
    elif isinstance(under, IPv6):
        data = data[:under.plen - segment.dataofs * 4]
    return data
