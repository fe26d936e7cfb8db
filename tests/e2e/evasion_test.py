#!/usr/bin/python3
"""
Tricks with packets against the dataplane, from both sides: one endpoint is written by hand with scapy, the other is a kernel
socket. What the upper end did not pass never arrives, and the connection survives what a real endpoint would survive.
"""
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib import ADDRESS, BUILD, SIDES, Port, Wire, check, netns, note
from scapy.layers.inet import IP, TCP, Ether, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.packet import Raw

GUARDED = 5269
HAND = {4: "10.61.0.50", 6: "fd61::50"}        # an address that no kernel answers for


def start_dataplane(wire, folder):
    uid = 300000 + os.getpid() * 4
    conf = folder / "sallyport.conf"
    users = "\n".join(f"{role} = {uid + i}" for i, role in enumerate(("dataplane", "tls", "keyd", "control")))
    inside, outside = (f"[{side}]\ndevice = {side}\ntrust = t\nca-certificate = c\nca-key = k\n" for side in SIDES)
    conf.write_text(f"[users]\n{users}\n{inside}domains = a.example\n{outside}")
    process = subprocess.Popen(["ip", "netns", "exec", wire.ns["guard"], BUILD / "tests/e2e/echo_upper",
                                BUILD / "sallyport-dataplane", conf], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=open(folder / "log", "wb"), text=True)
    if process.stdout.readline() != "ready\n":
        raise RuntimeError((folder / "log").read_text())
    return process


def is_first(bytes_):
    packet = Ether(bytes_)
    offset = packet[IP].frag if IP in packet else packet[IPv6ExtHdrFragment].offset if IPv6ExtHdrFragment in packet else 0
    return offset == 0


class Hand:
    """A client on one side, made of single segments; its server is a kernel socket on the other side."""

    def __init__(self, wire, side, family, isn=1000):
        other = SIDES[1 - SIDES.index(side)]
        self.family, self.port, self.watch = family, Port(wire.ns[side]), Port(wire.ns[other])
        self.source, self.number = HAND[family], 20000 + secrets.randbelow(40000)
        self.address = ADDRESS[other][family]
        self.ether = Ether(src=wire.mac(side), dst=wire.mac(other))
        wire.on(other, "ip", "neigh", "replace", self.source, "lladdr", wire.mac(side), "dev", "wire")
        with netns(wire.ns[other]):
            kind = socket.AF_INET if family == 4 else socket.AF_INET6
            listener = socket.create_server((self.address, GUARDED), family=kind)
        listener.settimeout(3)
        self.next, self.ack = isn, 0
        self.send(flags="S", options=[("MSS", 1400)], at=isn, ack=0)
        self.next = (isn + 1) & 0xFFFFFFFF
        self.ack = (self.hear("SA").seq + 1) & 0xFFFFFFFF
        self.send()
        self.server, _ = listener.accept()
        self.server.settimeout(1)
        listener.close()

    def ip(self, **fields):
        return IP(src=self.source, dst=self.address, **fields) if self.family == 4 else \
            IPv6(src=self.source, dst=self.address, **fields)

    def tcp(self, data=b"", flags="A", at=None, ack=None, **fields):
        return TCP(sport=self.number, dport=GUARDED, flags=flags, seq=self.next if at is None else at & 0xFFFFFFFF,
                   ack=self.ack if ack is None else ack, window=65535, **fields) / Raw(data)

    def send(self, data=b"", ip=None, **fields):
        self.port.send(bytes(self.ether / (ip or self.ip()) / self.tcp(data, **fields)))

    def hear(self, flags, timeout=3):
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            seen = self.port.receive(left)
            packet = Ether(seen) if seen else None
            if packet and TCP in packet and packet[TCP].dport == self.number and set(flags) <= set(str(packet[TCP].flags)):
                return packet[TCP]
        raise RuntimeError(f"no {flags} came")

    def say(self, data):
        """In order and well-formed: taken by anybody."""
        self.send(data, flags="PA")
        self.next = (self.next + len(data)) & 0xFFFFFFFF

    def heard(self, n=1 << 16, quiet=0.3):
        """What the server has got: up to n bytes, or until nothing more comes."""
        self.server.settimeout(quiet)
        got = b""
        try:
            while len(got) < n and (more := self.server.recv(n - len(got))):
                got += more
        except TimeoutError:
            pass
        return got

    def crossed(self, marker):
        """The frames on the far wire that carry the marker, whether the server would take them or not."""
        found = []
        while seen := self.watch.receive(0.02):
            found += [seen] if marker in seen else []
        return found

    def alive(self, what, fragments=False):
        """Later fragments have no ports and are bridged; without the first, which is dropped, they are nothing."""
        self.say(b"alive")
        seen = self.heard(5, 2)
        crossed = [f for f in self.crossed(b"EVIL") if not fragments or is_first(f)]
        check(seen == b"alive" and not crossed, f"{what}: never {'heard' if fragments else 'crosses'}, and the connection "
              "survives", (seen, crossed))

    def close(self):
        self.send(flags="RA")
        self.server.close()


def segments(hand, name):
    n = hand.next
    hand.send(b"BBBB", at=n + 4)
    hand.send(b"XXXX", at=n + 4)
    hand.send(b"AAAA", at=n)
    check(hand.heard(8) == b"AAAABBBB", f"{name}: of overlaps with different content the first bytes win")
    hand.next = (n + 8) & 0xFFFFFFFF
    hand.send(b"EVILEVIL", at=n)
    hand.alive(f"{name}: a repetition with other content")
    text = bytes(range(64))
    for i in reversed(range(64)):
        hand.send(text[i:i + 1], at=hand.next + i)
    hand.next = (hand.next + 64) & 0xFFFFFFFF
    check(hand.heard(64, 2) == text, f"{name}: one-byte segments, the last first, arrive in order")


def refused(hand, name):
    hand.send(b"EVIL!", chksum=0x1234)
    hand.alive(f"{name}: a wrong TCP checksum")
    hand.send(b"EVIL!", at=hand.next - 100000)
    hand.send(b"EVIL!", at=hand.next + 100000000)
    hand.alive(f"{name}: data out of the window")
    for flags in ("R", "FA"):
        hand.send(flags=flags, at=hand.next + 100000000)
        hand.alive(f"{name}: {flags} out of the window")
    hand.send(flags="R", at=hand.next + 10)
    hand.alive(f"{name}: RST in the window, not at its left edge (RFC 5961 3.2)")
    hand.send(b"EVIL!", flags="S", at=hand.next + 10)
    hand.alive(f"{name}: SYN in the window (RFC 5961 4.2)")


def ipv4_only(hand, name):
    hand.send(b"EVIL!", ip=hand.ip(chksum=0x1234))
    hand.alive(f"{name}: a wrong IPv4 checksum")
    for size in (8, 16, 24):
        for piece in fragment(hand.ip() / hand.tcp(b"EVIL!" * 10), fragsize=size):
            hand.port.send(bytes(hand.ether / piece))
    hand.alive(f"{name}: fragments, the TCP header split", True)
    first = bytes(hand.tcp(b"EVIL!EVIL!EV"))
    for offset, data in ((0, first[:24]), (1, first[8:32])):
        hand.port.send(bytes(hand.ether / hand.ip(id=77, proto=6, frag=offset, flags=1 - offset) / Raw(data)))
    hand.alive(f"{name}: overlapping fragments", True)


def ipv6_only(hand, name):
    chain = hand.ip() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt()
    hand.send(b"EVIL!", ip=chain, at=hand.next + 100000000)
    hand.alive(f"{name}: data out of the window behind a chain of extension headers")
    for i in (0, 16):
        piece = IPv6ExtHdrFragment(nh=6, m=1 - i // 16, offset=i // 8, id=9) / bytes(hand.tcp(b"EVIL!"))[i:i + 16]
        hand.port.send(bytes(hand.ether / hand.ip(nh=44) / piece))
    hand.alive(f"{name}: fragments, the TCP header split", True)


def strays(wire, hand, other):
    """Without a handshake: the far wire is watched itself."""
    watch, marker = Port(wire.ns[other]), secrets.token_bytes(16)
    for flags in ("A", "PA", "FPA", "", "FPU", "S", "SA", "R"):
        packet = hand.tcp(marker, flags=flags)
        packet.sport = 1000
        hand.port.send(bytes(hand.ether / hand.ip() / packet))
    deadline, crossed = time.monotonic() + 0.7, []
    while (left := deadline - time.monotonic()) > 0:
        seen = watch.receive(left)
        crossed += [seen] if seen and marker in seen else []
    check(not crossed, f"IPv{hand.family}: data without a handshake, or in SYN, SYN-ACK and RST, never crosses", crossed)


def plus(checksum, change):
    """The Internet checksum of what grew by `change` (RFC 1624)."""
    total = (checksum ^ 0xFFFF) + change
    return (((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF).to_bytes(2, "big")


def flood(wire, process):
    """100 000 SYNs to a port that drops them leave an established connection alive and memory bounded."""
    hand = Hand(wire, "inside", 4)
    wire.on("outside", "nft", "add table inet t; add chain inet t c { type filter hook input priority 0; };"
            "add rule inet t c ip saddr 10.61.1.0/24 drop")
    before = memory(process)
    syn = bytearray(bytes(hand.ether / IP(src="10.61.1.9", dst=hand.address) / TCP(sport=1, dport=GUARDED, flags="S")))
    start, ip_sum, tcp_sum = time.monotonic(), int.from_bytes(syn[24:26], "big"), int.from_bytes(syn[50:52], "big")
    for i in range(100000):
        port, host = i % 60000 + 1, i // 60000         # each from another port or address
        syn[34:36], syn[29] = port.to_bytes(2, "big"), 9 + host
        syn[24:26], syn[50:52] = plus(ip_sum, host), plus(tcp_sum, port - 1 + host)
        hand.port.send(syn)
    grown = memory(process) - before
    note(f"100 000 SYNs in {time.monotonic() - start:.1f} s, {grown} KiB more")
    seen = counters(process)
    note({name: value for name, value in seen.items() if value})
    hand.watch.socket.close()
    hand.say(b"alive")
    check(hand.heard(5, 2) == b"alive", "an established connection survives a flood of 100 000 SYNs")
    check(seen["half-open-evicted"] > 10000, "whose table of half-open connections was full: the oldest went", seen)
    check(grown < 64 << 10, "which costs less than 64 MiB", grown)
    wire.on("outside", "nft", "delete table inet t")
    hand.close()


def memory(process):
    """Resident KiB of what runs under echo_upper: the dataplane."""
    for entry in Path("/proc").glob("[0-9]*/status"):
        try:
            words = entry.read_text().split()
        except OSError:
            continue
        if words[words.index("Uid:") + 1] == str(300000 + os.getpid() * 4):
            return int(words[words.index("VmRSS:") + 1])
    raise RuntimeError("no dataplane runs")


def counters(process):
    process.stdin.write("counters\n")
    process.stdin.flush()
    found = {}
    while (line := process.stdout.readline()) not in (".\n", ""):
        name, value = line.split()
        found[name] = int(value)
    return found


def run(wire):
    for family in (4, 6):
        for side in SIDES:
            name, other = f"IPv{family} from {side}", SIDES[1 - SIDES.index(side)]
            for isn, how in ((1000, ""), (0xFFFFFFF0, ", sequence numbers wrap")):
                hand = Hand(wire, side, family, isn)
                segments(hand, name + how)
                refused(hand, name + how)
                (ipv4_only if family == 4 else ipv6_only)(hand, name + how)
                hand.close()
            strays(wire, hand, other)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    folder, process = Path(tempfile.mkdtemp(prefix="sallyport-")), None
    wire = Wire(secrets.token_hex(3))
    try:
        wire.cut()
        process = start_dataplane(wire, folder)
        run(wire)
        flood(wire, process)
        process.stdin.close()
        check(process.wait(5) == 0, "the dataplane lives to the end")
    except BaseException:
        note((folder / "log").read_text()[-3000:] if (folder / "log").exists() else "")
        raise
    finally:
        if process and process.poll() is None:
            process.kill()
            process.wait()
        wire.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
