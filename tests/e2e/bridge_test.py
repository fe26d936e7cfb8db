#!/usr/bin/python3
"""What is not guarded is bridged byte for byte: ARP, IPv6 ND, ping of every size, fragments, UDP, VLANs, LLDP, anything."""
import os

from lib import ADDRESS, Echo, Port, World, check, datagrams, frame, run

VLAN, QINQ = 0x8100, 0x88A8
LLDP_NEAREST = bytes.fromhex("0180c200000e")
SPANNING_TREE = bytes.fromhex("0180c2000000")

with World(servers=False) as world:
    world.insert_guard()
    for family in (4, 6):               # ARP, neighbour discovery
        world.wire.on("inside", "ip", "neigh", "flush", "all")
        check(world.ping(family), f"IPv{family}: a ping after the neighbour was forgotten")
        known = world.wire.on("inside", "ip", "neigh", "show", ADDRESS["outside"][family]).stdout
        check(world.wire.mac("outside") in known, f"IPv{family}: the neighbour is the other server itself", known)
    for family, largest in ((4, 1472), (6, 1452)):
        echo = Echo(world.wire, family)
        lost = [size for size in range(largest + 1) if not echo.ping(size)]
        check(not lost, f"IPv{family}: echo of every size from 0 to {largest}", lost)
        lost = [size for size in (largest + 1, 3000, 8192, 20000, 60000) if not echo.ping(size)]
        check(not lost, f"IPv{family}: echo in fragments up to 60000 bytes", lost)
        lost = datagrams(world.wire, [*range(0, largest, 13), 4000, 30000], family)
        check(not lost, f"IPv{family}: UDP of every size", lost)

    inside, outside = Port(world.wire.ns["inside"]), Port(world.wire.ns["outside"])
    cases = {
        "one VLAN tag": (outside.mac, 0x0800, [(VLAN, 5)]),
        "a VLAN tag with priority": (outside.mac, 0x88B5, [(VLAN, 0xE005)]),
        "priority tag of VLAN 0": (outside.mac, 0x88B5, [(VLAN, 0x6000)]),
        "two VLAN tags": (outside.mac, 0x88B5, [(VLAN, 7), (VLAN, 5)]),
        "LLDP": (LLDP_NEAREST, 0x88CC, []),
        "spanning tree": (SPANNING_TREE, 38, []),
        "an unknown ethertype": (outside.mac, 0x88B5, []),
        "multicast": (bytes.fromhex("01005e000042"), 0x88B5, []),
        "broadcast": (b"\xff" * 6, 0x88B5, []),
        "a malformed IPv4 header": (outside.mac, 0x0800, []),
        "a malformed IPv6 header": (outside.mac, 0x86DD, []),
    }
    for what, (destination, ethertype, tags) in cases.items():
        for size in (46, 333, 1500 - 4 * max(len(tags) - 1, 0)):
            sent = frame(destination, inside.mac, ethertype, os.urandom(size), tags)
            inside.send(sent)
            check(outside.await_frame(sent), f"{what}, {size} bytes of payload: byte for byte")
            back = frame(destination if destination[0] & 1 else inside.mac, outside.mac, ethertype, os.urandom(size), tags)
            outside.send(back)
            check(inside.await_frame(back), f"{what}, {size} bytes back: byte for byte")
    numbered = [frame(outside.mac, inside.mac, 0x88B5, i.to_bytes(4, "big") + os.urandom(60)) for i in range(500)]
    for one in numbered:
        inside.send(one)
    arrived = []
    while (got := outside.receive(0.5)) is not None:
        arrived += [got] if got[12:14] == b"\x88\xb5" else []
    check(arrived == numbered, "500 frames at once arrive in order", len(arrived))
