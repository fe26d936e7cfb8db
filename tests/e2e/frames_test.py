#!/usr/bin/python3
"""
Below TCP, between real endpoints: VLANs that differ by direction, two tags, a router with a smaller path behind it, a router
that is replaced while its neighbour is silent, two ends that open at once, jumbo frames, fragments.
"""
import os
import secrets
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

from lib import ADDRESS, SIDES, Port, Wire, check, eventually, netns, note, run
from lib.dataplane import Dataplane
from lib.hand import Segments, Way
from lib.traffic import FAMILY
from scapy.layers.inet import TCP, Ether
from scapy.layers.l2 import Dot1Q

GUARDED, MIB = 5269, 1 << 20
FAR = {4: "10.62.0.2", 6: "fd62::2"}           # behind the outside's router


class Pair:
    """A connection from inside to a port at an address in a namespace: both of its ends."""

    def __init__(self, wire, address, family, server_ns=None, ports=(0, GUARDED)):
        with netns(server_ns or wire.ns["outside"]):
            listener = socket.create_server((address, ports[1]), family=FAMILY[family])
        with netns(wire.ns["inside"]):
            self.client = socket.create_connection((address, ports[1]), 5, ("", ports[0]))
        listener.settimeout(5)
        self.server, _ = listener.accept()
        listener.close()
        self.client.settimeout(8)
        self.server.settimeout(8)

    def carries(self, size, back=False):
        """Noise of this size arrives at the other end as it was."""
        one, other = (self.server, self.client) if back else (self.client, self.server)
        sent = os.urandom(size)
        threading.Thread(target=one.sendall, args=(sent,), daemon=True).start()
        return receive(other, size) == sent

    def close(self):
        self.client.close()
        self.server.close()


def receive(s, size):
    got = b""
    try:
        while len(got) < size and (more := s.recv(size - len(got))):
            got += more
    except OSError:
        pass
    return got


class Recorder(Port):
    """Keeps the VLANs of all TCP that came in, each frame's as a tuple from the outer tag to the inner one."""

    def __init__(self, namespace):
        super().__init__(namespace)
        self.vlans = set()

    def receive(self, timeout):
        seen = super().receive(timeout)
        if seen and TCP in (packet := Ether(seen)):
            self.vlans.add(tuple(tag.vlan for tag in packet.iterpayloads() if isinstance(tag, Dot1Q)))
        return seen


def end_of(wire, side, family, vlans, source, address):
    """One end of a connection by hand, its frames tagged like this."""
    way = Way.__new__(Way)
    way.port, way.family, way.source, way.address = Recorder(wire.ns[side]), family, source, address
    way.ether = Ether(src=wire.mac(side), dst=wire.mac(SIDES[1 - SIDES.index(side)]))
    for vlan in vlans:
        way.ether = way.ether / Dot1Q(vlan=vlan)
    return way


def tagged_connection(wire, family, forth, back):
    """A whole connection; the VLANs that each end has seen, and whether both heard the other's bytes."""
    ours, theirs = ("10.61.0.50", "10.61.0.51") if family == 4 else ("fd61::50", "fd61::51")
    client = Segments(end_of(wire, "inside", family, forth, ours, theirs), 1000, 30000 + family, GUARDED)
    server = Segments(end_of(wire, "outside", family, back, theirs, ours), 5000, GUARDED, 30000 + family)
    client.send(flags="S", options=[("MSS", 1400)], ack=0)
    client.next, server.ack = 1001, server.hear("S").seq + 1
    server.send(flags="SA", options=[("MSS", 1400)])
    server.next, client.ack = 5001, client.hear("SA").seq + 1
    client.send()
    client.say(b"from the client")
    forward = server.hear_data(b"from the client")
    server.say(b"from the server")
    heard = forward and client.hear_data(b"from the server")
    client.send(flags="RA")
    for end in (client, server):
        end.port.socket.close()
    return heard, client.port.vlans, server.port.vlans


def on_vlans(wire, dataplane):
    for forth, back, what in (((10,), (10,), "a VLAN"), ((10,), (20,), "a VLAN for each direction"),
                              ((10,), (), "a VLAN in one direction"), ((100, 10), (100, 10), "two tags"),
                              ((100, 10), (101, 20), "two tags, others in each direction")):
        for family in (4, 6):
            heard, to_client, to_server = tagged_connection(wire, family, forth, back)
            check(heard and to_client == {back} and to_server == {forth}, f"IPv{family} in {what}: kept as they came",
                  (heard, to_client, to_server))


class NarrowPath:
    """A network behind outside, whose first link takes packets of 1300 bytes and says so of larger ones."""

    def __init__(self, wire):
        self.wire, self.ns = wire, wire.ns["outside"].replace("outside", "far")
        run("ip", "netns", "add", self.ns)
        run("ip", "link", "add", "far", "netns", wire.ns["outside"], "mtu", 1300, "type", "veth", "peer", "name", "wire",
            "netns", self.ns, "mtu", 1500)
        wire.on("outside", "ip", "link", "set", "far", "up")
        wire.inn(self.ns, "ip", "link", "set", "wire", "up")
        wire.on("outside", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for family, length, router, default in ((4, 24, "10.62.0.1", "default"), (6, 64, "fd62::1", "default")):
            extra = ["nodad"] if family == 6 else []
            wire.on("outside", "ip", "addr", "add", f"{router}/{length}", "dev", "far", *extra)
            wire.inn(self.ns, "ip", "addr", "add", f"{FAR[family]}/{length}", "dev", "wire", *extra)
            wire.inn(self.ns, "ip", f"-{family}", "route", "add", default, "via", router)
            wire.on("inside", "ip", f"-{family}", "route", "add", f"{FAR[family]}/{32 if family == 4 else 128}", "via",
                    ADDRESS["outside"][family])

    def close(self):
        run("ip", "netns", "del", self.ns, check=False)


def icmp_errors(wire):
    """How many messages about packets that were too big the endpoint inside has heard."""
    text = wire.on("inside", "nstat", "-asz").stdout
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.split()[0] in ("IcmpInDestUnreachs", "Icmp6InPktTooBigs"))


def narrow_path(wire, dataplane):
    path = NarrowPath(wire)
    try:
        for family in (4, 6):
            before, heard = dataplane.counters()["too-big-heeded"], icmp_errors(wire)
            pair = Pair(wire, FAR[family], family, path.ns)
            started = time.monotonic()
            check(pair.carries(2 * MIB), f"IPv{family}: 2 MB over a path that is narrower than both its ends")
            note(f"{time.monotonic() - started:.2f} s")
            check(dataplane.counters()["too-big-heeded"] > before, "the guard was told by the router, and heeded it",
                  dataplane.counters())
            check(icmp_errors(wire) == heard, "which the endpoint, that never sent such segments, did not hear")
            pair.close()
    finally:
        path.close()


def announce(wire, side, address, mac):
    """Gratuitous ARP, RFC 5227 3, or an unsolicited neighbour advertisement: what a router says that takes over."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    protocol = socket.inet_aton(address)
    arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + hardware + protocol + bytes(6) + protocol
    Port(wire.ns[side]).send((b"\xff" * 6 + hardware + b"\x08\x06" + arp).ljust(60, b"\0"))


def silent_client(wire, dataplane):
    """Bytes are with the guard when the server's MAC changes; the client has nothing more to say."""
    pair = Pair(wire, ADDRESS["outside"][4], 4)
    pair.carries(1000)
    wire.on("outside", "nft", "add table inet t; add chain inet t c { type filter hook input priority 0; };"
            "add rule inet t c tcp sport != 0 tcp dport 5269 drop")
    pair.client.sendall(b"on its way when the router changed")
    time.sleep(0.2)
    wire.on("outside", "ip", "link", "set", "wire", "address", "02:00:5e:00:00:77")
    announce(wire, "outside", ADDRESS["outside"][4], "02:00:5e:00:00:77")
    wire.on("outside", "nft", "delete table inet t")
    check(receive(pair.server, 34) == b"on its way when the router changed",
          "what was under way when a router was replaced arrives, though who sent it is silent", dataplane.counters())
    pair.close()


def at_once(wire, dataplane):
    """RFC 9293 3.5 figure 8: both call, and neither listens. The first SYN is lost behind the guard."""
    ends = {}
    for side, port in (("inside", 40123), ("outside", GUARDED)):
        with netns(wire.ns[side]):
            ends[side] = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        ends[side].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ends[side].bind((ADDRESS[side][4], port))
        ends[side].setblocking(False)
    wire.on("outside", "nft", "add table inet t; add chain inet t c { type filter hook input priority 0; };"
            "add rule inet t c tcp dport 5269 drop")
    ends["inside"].connect_ex((ADDRESS["outside"][4], GUARDED))
    time.sleep(0.2)
    ends["outside"].connect_ex((ADDRESS["inside"][4], 40123))
    time.sleep(0.2)
    wire.on("outside", "nft", "delete table inet t")
    crossed = dataplane.counters()["drop-simultaneous-open"]
    for s in ends.values():
        s.settimeout(8)
    try:
        ends["inside"].sendall(b"from inside") if opened(ends["inside"]) else None
        ends["outside"].sendall(b"from outside") if opened(ends["outside"]) else None
    except OSError as fault:
        note(fault)
    heard = receive(ends["outside"], 11), receive(ends["inside"], 12)
    check(crossed > 0 and heard == (b"from inside", b"from outside"), "two ends that open at once get a connection",
          (crossed, heard))
    for s in ends.values():
        s.close()


def opened(s):
    return eventually(lambda: s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1, 8, 0.05)


def from_a_guarded_port(wire, dataplane):
    """Somebody's ephemeral port is a guarded one; what they speak is nobody's business."""
    for family in (4, 6):
        before = dataplane.counters()["connections-relayed"]
        pair = Pair(wire, ADDRESS["outside"][family], family, ports=(5270 if family == 4 else 5269, 8080))
        check(pair.carries(1000, back=True) and pair.carries(MIB) and pair.carries(MIB, back=True),
              f"IPv{family}: a connection from a guarded port to another one is not disturbed", dataplane.counters())
        check(dataplane.counters()["connections-relayed"] == before + 1, "it is relayed")
        pair.close()


def jumbo(wire, dataplane):
    for family in (4, 6):
        watch = Port(wire.ns["outside"])
        pair = Pair(wire, ADDRESS["outside"][family], family)
        whole = pair.carries(4 * MIB)
        largest = max((len(seen) for seen in iter(lambda: watch.receive(0.05), None)), default=0)
        check(whole and largest == 9014, f"IPv{family}: segments as large as the ports' MTU of 9000", largest)
        check(pair.carries(4 * MIB, back=True), "and back")
        pair.close()
        watch.socket.close()


def in_the_wire(folder, mtu, parts):
    wire = Wire(secrets.token_hex(3), mtu)
    dataplane = None
    try:
        wire.cut()
        dataplane = Dataplane(wire, folder)
        for part in parts:
            part(wire, dataplane)
        check(dataplane.quit() == 0, f"with an MTU of {mtu} all went well to the end")
    except BaseException:
        if dataplane:
            note(dataplane.said()[-3000:])
        raise
    finally:
        if dataplane:
            dataplane.kill()
        wire.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    folder = Path(tempfile.mkdtemp(prefix="sallyport-"))
    try:
        in_the_wire(folder, 1500, (on_vlans, narrow_path, at_once, from_a_guarded_port, silent_client))
        in_the_wire(folder, 9000, (jumbo,))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
