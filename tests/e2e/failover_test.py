#!/usr/bin/python3
"""
The router before the other organisation fails, and another takes over its address, with a MAC address of its own: streams that
were open go on through the guard, those at rest as well as one in the middle of a transfer, over both families.
"""
import time

from lib import SIDES, Port, World, check, eventually, note, run
from lib.carry import Carry
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

ROUTERS = ("first", "second")
NET = {"front": {4: "10.61.0", 6: "fd61:"}, "back": {4: "10.62.0", 6: "fd62:"}}
LENGTH = {4: 24, 6: 64}
OWN, SHARED = {"first": 11, "second": 12}, 14             # last parts of the routers' addresses
TAKES, ANSWERS = 2, 3                                     # of the servers
STREAMS, BYTES, WITHIN_SECONDS = 10, 30_000_000, 30


def address(net, family, number):
    return f"{NET[net][family]}.{number}" if family == 4 else f"{NET[net][family]}:{number}"


def add_address(wire, place, device, net, number):
    for family in (4, 6):
        wire.on(place, "ip", "addr", "add", f"{address(net, family, number)}/{LENGTH[family]}", "dev", device,
                *(["nodad"] if family == 6 else []))


def switch(wire, place, name):
    wire.on(place, "ip", "link", "add", name, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    wire.on(place, "ip", "link", "set", name, "up")


def connect(wire, place, device, other, switched):
    """A cable from a router's interface to a switch."""
    run("ip", "link", "add", device, "netns", wire.ns[place], "type", "veth", "peer", "name", place, "netns", wire.ns[other])
    wire.bring_up(wire.ns[place], device)
    wire.bring_up(wire.ns[other], place)
    wire.on(other, "ip", "link", "set", place, "master", switched)


def build(wire):
    """inside ═ guard ═ outside: switch ═ two routers ═ far: switch, the server"""
    for place in (*ROUTERS, "far"):
        wire.ns[place] = f"{place}-{wire.ns['guard'].split('-')[1]}"
        run("ip", "netns", "add", wire.ns[place])
    switch(wire, "outside", "front")
    switch(wire, "far", "back")
    wire.on("outside", "ip", "addr", "flush", "dev", "wire")
    wire.on("outside", "ip", "link", "set", "wire", "master", "front")
    add_address(wire, "outside", "front", "front", 2)
    for number in (TAKES, ANSWERS):
        add_address(wire, "far", "back", "back", number)
    for router in ROUTERS:
        wire.on(router, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        connect(wire, router, "front", "outside", "front")
        connect(wire, router, "back", "far", "back")
        for net in NET:
            add_address(wire, router, net, net, OWN[router])
    for place, near, far in (("inside", "front", "back"), ("far", "back", "front")):
        for family in (4, 6):
            wire.on(place, "ip", f"-{family}", "route", "add", f"{address(far, family, 0)}/{LENGTH[family]}",
                    "via", address(near, family, SHARED))


def announce(wire, router):
    """That the shared addresses are this router's, to all."""
    for net in NET:
        port = Port(wire.ns[router], net)
        shared4, shared6 = (address(net, family, SHARED) for family in (4, 6))
        for packet in (ARP(op=2, hwsrc=port.mac, psrc=shared4, hwdst="ff:ff:ff:ff:ff:ff", pdst=shared4),
                       IPv6(src=shared6, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=shared6, R=1, S=0, O=1) /
                       ICMPv6NDOptDstLLAddr(lladdr=port.mac)):
            destination = "ff:ff:ff:ff:ff:ff" if ARP in packet else "33:33:00:00:00:01"
            port.send(bytes(Ether(src=port.mac, dst=destination) / packet))
        port.socket.close()


def take_over(wire, router):
    """Said twice, as routers do: who has heard otherwise within the last second does not listen to the first."""
    for net in NET:
        add_address(wire, router, net, net, SHARED)
    announce(wire, router)
    time.sleep(1.5)
    announce(wire, router)


def fail(wire, router):
    for net in NET:
        wire.on(router, "ip", "link", "set", net, "down")


def neighbour(wire, family):
    """The MAC address by which the inside reaches the other organisation."""
    words = wire.on("inside", "ip", "neigh", "show", address("front", family, SHARED)).stdout.split()
    return words[words.index("lladdr") + 1] if "lladdr" in words else None


with World(servers=False) as world:
    wire = world.wire
    build(wire)
    take_over(wire, "first")
    world.insert_guard()
    carry = {family: Carry(world, family, ("far", address("back", family, TAKES))) for family in (4, 6)}
    answer = {family: Carry(world, family, ("far", address("back", family, ANSWERS)), ("echo",)) for family in (4, 6)}
    check(eventually(lambda: all(c.listens() for c in (*carry.values(), *answer.values()))), "the servers listen")
    held = {family: c.begin("hold", STREAMS, 2) for family, c in answer.items()}
    opened = {family: process.stdout.readline().split()[:2] for family, process in held.items()}
    check(all(o == ["open", str(STREAMS)] for o in opened.values()), "streams are open through the first router", opened)
    before = {family: neighbour(wire, family) for family in (4, 6)}
    sending = {family: c.begin("send", BYTES) for family, c in carry.items()}
    time.sleep(0.2)
    check(all(process.poll() is None for process in sending.values()), "and transfers are under way")
    start = time.monotonic()
    fail(wire, "first")
    take_over(wire, "second")
    for family, process in sending.items():
        sent = process.communicate(timeout=WITHIN_SECONDS)[0].split()
        note(f"IPv{family}: the transfer was through {time.monotonic() - start:.1f} s after the first router failed")
        check(eventually(lambda: ("took", *sent[1:]) in carry[family].taken(), 5),
              f"IPv{family}: what was in the middle of its way arrives whole and in order", (sent, carry[family].taken()))
    check(all(neighbour(wire, family) != before[family] for family in (4, 6)), "the other router has another MAC address")
    for family, process in held.items():
        process.stdin.write("go on\n")
        process.stdin.flush()
        carried = process.stdout.readline().split()
        check(carried == ["carried", str(STREAMS)], f"IPv{family}: streams that were at rest go on", carried)
