#!/usr/bin/python3
"""
Every kind of device: what is said when it does not work, with a hint, and that it works where it should. A start that
fails ends sallyportd with an exit status, one line that tells why, and nothing left behind.
"""
import os
import time
from pathlib import Path

from lib import BUILD, SIDES, Echo, Port, Transfer, World, check, eventually, frame, note

NOT_STARTED = "dataplane did not start: giving up"


def start(world, **devices):
    """sallyportd with these devices; what the log says until it is ready or has ended."""
    guard, wire = world.guard, world.wire
    for side in SIDES:
        guard.set(side, "device", devices.get(side, side))
    guard.write()
    guard.log_file.unlink(missing_ok=True)
    guard.process = world.start(wire.ns["guard"], "sallyportd", BUILD / "sallyportd", "-c", guard.conf)
    eventually(lambda: "info: ready" in guard.log() or guard.process.poll() is not None, 20, 0.02)
    return guard.log()


def stop(world):
    world.guard.process.terminate()
    return world.guard.process.wait(10)


def fails(world, what, device, *said):
    log = start(world, inside=device)
    line = next((line for line in log.splitlines() if "fatal" in line), "")
    check(world.guard.process.wait(10) == 1, f"{what}: exits with 1", log)
    check(all(text in log for text in said), f"{what}: says why", log)
    check("hint" in line, f"{what}: gives a hint", line)
    check("was killed" not in log and NOT_STARTED in log and not world.guard.pids(), f"{what}: ends in order", log)


def starts(world, what, *said, **devices):
    log = start(world, **devices)
    check("info: ready" in log, f"{what}: starts", log)
    check(all(text in log for text in said), f"{what}: says so", log)
    return log


def refusals(world):
    wire = world.wire
    fails(world, "a bridge port", "inside", "interface belongs to a bridge or bond", "interface=inside master=direct",
          "ip link set inside nomaster")
    wire.cut()
    fails(world, "no such interface", "eth77", "interface not found interface=eth77", "there are ", "inside", "outside")
    fails(world, "a name that no interface can have", "a" * 40, "interface not found")
    fails(world, "no Ethernet", "lo", "interface is not Ethernet interface=lo")
    fails(world, "no such PCI device", "0000:ff:1f.7", "no such PCI device device=0000:ff:1f.7")
    fails(world, "no such PCI device, short", "ff:1f.7", "no such PCI device device=0000:ff:1f.7")
    owned = next((d for d in Path("/sys/bus/pci/devices").glob("*")
                  if (d / "driver").exists() and not os.readlink(d / "driver").endswith(("vfio-pci", "uio_pci_generic"))), None)
    if owned:
        fails(world, "a PCI device of the kernel", owned.name, f"PCI device is still the kernel's device={owned.name} driver=",
              f"dpdk-devbind.py --bind=vfio-pci {owned.name}")
    else:
        note("no PCI device here that the kernel has a driver for")
    fails(world, "no such driver", "vdev:net_nonsense0", "DPDK does not start")
    fails(world, "a virtual device with a wrong argument", "vdev:net_af_packet7,iface=eth77",
          "device not found device=vdev:net_af_packet7", "see the log above")
    fails(world, "XDP without an interface", "xdp:eth77", "interface not found interface=eth77")
    wire.on("guard", "ip", "link", "set", "inside", "mtu", "9000")
    fails(world, "XDP and a large MTU", "xdp:inside", "MTU too large for XDP sockets interface=inside mtu=9000")
    wire.on("guard", "ip", "link", "set", "inside", "mtu", "1500")
    seen = world.guard
    seen.set("inside", "device", "outside")
    log = start(world, inside="outside")
    check(world.guard.process.wait(10) == 1 and "device: that of [inside]" in log and "hint" in log,
          "the same device on both sides: says so", log)
    log = start(world, inside="xdp:outside")
    check(world.guard.process.wait(10) == 1 and "device: that of [inside]" in log, "and where it is written otherwise", log)


def advice(world):
    wire = world.wire
    wire.on("guard", "ip", "link", "set", "inside", "down")
    wire.on("guard", "ip", "link", "set", "outside", "mtu", "1400")
    wire.on("guard", "ethtool", "-K", "inside", "tx", "on", "sg", "on", "tso", "on", "gro", "on", "txvlan", "on")
    wire.on("guard", "ip", "addr", "add", "192.0.2.1/24", "dev", "inside")
    wire.on("guard", "sysctl", "-qw", "net.ipv6.conf.outside.disable_ipv6=0")
    starts(world, "much that is not as it should be", "interface brought up interface=inside",
           "offload turned off interface=inside offload=tcp-segmentation", "interface=inside offload=transmit-checksum",
           "interface=inside offload=vlan", "interface has an address interface=inside family=IPv4",
           "ip addr flush dev inside", "interface speaks IPv6 by itself interface=outside",
           "ports differ in MTU inside=1500 outside=1400", "ready")
    check(eventually(lambda: world.ping(timeout=1), 10), "and it bridges all the same")
    check(stop(world) == 0, "and ends with 0")
    huge = sum(int(f.read_text()) for f in Path("/sys/kernel/mm/hugepages").glob("*/free_hugepages"))
    check(huge > 0 or "no hugepages: using 4 KiB pages memory-mib=256" in world.guard.log(), "without hugepages: says so")
    wire.on("guard", "sysctl", "-qw", "net.ipv6.conf.outside.disable_ipv6=1")
    wire.on("guard", "ip", "addr", "flush", "dev", "inside")
    wire.on("guard", "ip", "link", "set", "outside", "mtu", "1500")


def bridges(world, what):
    wire = world.wire
    check(eventually(lambda: world.ping(timeout=1), 10), f"{what}: ping passes", world.guard.log())
    echo = Echo(wire)
    lost = [n for n in (0, 56, 1400, 1472, 4000) if not echo.ping(n)]
    check(not lost, f"{what}: echoes of all sizes", lost)
    inside, outside = Port(wire.ns["inside"]), Port(wire.ns["outside"])
    sent = frame(bytes.fromhex("02fefefefefe"), inside.mac, 0x88B5, os.urandom(1400), [(0x8100, 7), (0x8100, 5)])
    inside.send(sent)
    check(outside.await_frame(sent), f"{what}: a tagged frame to somebody else, byte for byte")
    transfer = Transfer(wire, 30 << 20)
    transfer.run()
    check(transfer.whole(), f"{what}: 30 MB", transfer.fault)
    note(f"{what}: {transfer.size / transfer.seconds / 1e6:.0f} MB/s")


def program_on(wire, device):
    return "prog/xdp" in wire.on("guard", "ip", "-d", "link", "show", device).stdout


def xdp(world):
    wire = world.wire
    for what, devices in (("XDP on both sides", {"inside": "xdp:inside", "outside": "xdp:outside"}),
                          ("XDP beside a packet socket", {"inside": "xdp:inside"})):
        starts(world, what, "device=xdp:inside driver=net_af_xdp0", **devices)
        bridges(world, what)
        wire.on("outside", "ip", "link", "set", "wire", "down")
        check(eventually(lambda: "LOWER_UP" not in wire.on("inside", "ip", "link", "show", "wire").stdout, 3),
              f"{what}: a dead cable is passed on")
        wire.on("outside", "ip", "link", "set", "wire", "up")
        check(eventually(lambda: world.ping(timeout=1), 10), f"{what}: and back")
        check(stop(world) == 0, f"{what}: ends with 0")
        check(not program_on(wire, "inside") and not program_on(wire, "outside"), f"{what}: takes its program off")


def virtual(world):
    wire = world.wire
    starts(world, "null devices", inside="vdev:net_null0,no-rx=1", outside="vdev:net_null1,no-rx=1")
    time.sleep(0.5)
    check(world.guard.process.poll() is None and "lost" not in world.guard.log(), "null devices: stay", world.guard.log())
    check(stop(world) == 0, "null devices: end with 0")
    starts(world, "pcap on interfaces", inside="vdev:net_pcap0,iface=inside", outside="vdev:net_pcap1,iface=outside")
    check(stop(world) == 0, "pcap on interfaces: ends with 0")
    starts(world, "a packet socket as a vdev", inside="vdev:net_af_packet7,iface=inside,framesz=2048,framecnt=512,blocksz=4096")
    check(eventually(lambda: world.ping(timeout=1), 10), "a packet socket as a vdev: ping passes", world.guard.log())
    check(stop(world) == 0, "a packet socket as a vdev: ends with 0")
    starts(world, "an interface beside a tap", outside="vdev:net_tap0,iface=tapped")
    wire.on("guard", "ip", "link", "set", "tapped", "up")
    wire.on("inside", "ip", "link", "set", "wire", "down")
    check(eventually(lambda: "link is lost side=inside" in world.guard.log(), 3), "an interface beside a tap: a dead cable is seen")
    check(eventually(lambda: "port cannot be taken down" in world.guard.log() or
                     " UP" not in wire.on("guard", "ip", "link", "show", "tapped").stdout, 3),
          "an interface beside a tap: passed on, or it is said that it cannot be", world.guard.log())
    wire.on("inside", "ip", "link", "set", "wire", "up")
    check(eventually(lambda: "link is up side=inside" in world.guard.log(), 3), "an interface beside a tap: back")
    check(stop(world) == 0, "an interface beside a tap: ends with 0", world.guard.log())


with World(families=(4,), servers=False) as world:
    world.guard.deaths_expected = True
    refusals(world)
    advice(world)
    xdp(world)
    virtual(world)
