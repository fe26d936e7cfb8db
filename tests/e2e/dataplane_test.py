#!/usr/bin/python3
"""The dataplane alone, with an upper end that hands the bytes of each side to the other: bridging, adoption, splitting."""
import os
import secrets
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

from lib import ADDRESS, SIDES, Echo, Port, Transfer, Wire, check, eventually, frame, netns, note
from lib.dataplane import Dataplane
from lib.traffic import FAMILY

GUARDED, REFUSED_PORT = 5269, 5270


class Pair:
    """A connection from one side to a port of the other: both of its ends."""

    def __init__(self, wire, side="inside", family=4, port=GUARDED):
        other = SIDES[1 - SIDES.index(side)]
        address = ADDRESS[other][family]
        with netns(wire.ns[other]), socket.create_server((address, port), family=FAMILY[family]) as listener:
            with netns(wire.ns[side]):
                self.client = socket.create_connection((address, port), 5)
            listener.settimeout(5)
            self.server, _ = listener.accept()
        self.client.settimeout(5)
        self.server.settimeout(5)

    def exchange(self, n=1000):
        """Bytes of both ends arrive at the other."""
        for one, other in ((self.client, self.server), (self.server, self.client)):
            sent = os.urandom(n)
            one.sendall(sent)
            got = b""
            while len(got) < n:
                got += other.recv(n - len(got))
            if got != sent:
                return False
        return True

    def close(self):
        self.client.close()
        self.server.close()


def ending(s):
    """"reset", "closed" or "open" when nothing was heard for a while."""
    try:
        return "closed" if not s.recv(1) else "data"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "open"


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def connect_error(wire, address, port, timeout=3):
    with netns(wire.ns["inside"]):
        try:
            socket.create_connection((address, port), timeout).close()
            return None
        except OSError as fault:
            return type(fault).__name__


def bridging(wire, dataplane):
    for family in (4, 6):
        echo = Echo(wire, family)
        lost = [n for n in (0, 56, 1400, 4000, 20000) if not echo.ping(n)]
        check(not lost, f"IPv{family}: echoes pass, in fragments too", lost)
    transfer = Transfer(wire, 50 << 20)
    transfer.run()
    check(transfer.whole(), "50 MB over a port that is not guarded", transfer.fault)
    note(f"{transfer.size / transfer.seconds / 1e6:.0f} MB/s bridged")
    inside, outside = Port(wire.ns["inside"]), Port(wire.ns["outside"])
    for what, destination, ethertype, tags in (
            ("LLDP", bytes.fromhex("0180c200000e"), 0x88CC, []), ("a VLAN tag", outside.mac, 0x0800, [(0x8100, 0xE005)]),
            ("two tags", outside.mac, 0x88B5, [(0x8100, 7), (0x8100, 5)])):
        sent = frame(destination, inside.mac, ethertype, os.urandom(300), tags)
        inside.send(sent)
        check(outside.await_frame(sent), f"{what}: byte for byte")
    check(dataplane.counters()["connections-adopted"] == 0, "nothing was adopted")


class Bulk(threading.Thread):
    def __init__(self, sender, receiver, size):
        super().__init__(daemon=True)
        self.sender, self.receiver, self.size, self.whole = sender, receiver, size, False
        self.block = os.urandom(1 << 20)

    def send(self):
        for i in range(self.size >> 20):
            self.sender.sendall(i.to_bytes(8, "big") + self.block[8:])
        self.sender.shutdown(socket.SHUT_WR)

    def run(self):
        threading.Thread(target=self.send, daemon=True).start()
        got, i = bytearray(), 0
        self.receiver.settimeout(20)
        while data := self.receiver.recv(1 << 18):
            got += data
            while len(got) >= 1 << 20:
                if got[:1 << 20] != i.to_bytes(8, "big") + self.block[8:]:
                    return
                del got[:1 << 20]
                i += 1
        self.whole = i == self.size >> 20 and not got


def splitting(wire, dataplane):
    for family in (4, 6):
        for side in SIDES:
            pair = Pair(wire, side, family)
            check(all(pair.exchange(n) for n in (1, 1000, 100000)), f"IPv{family} from {side}: bytes pass both ways")
            pair.close()
    before = dataplane.counters()
    pair = Pair(wire)
    start = time.monotonic()
    both = [Bulk(pair.client, pair.server, 50 << 20), Bulk(pair.server, pair.client, 50 << 20)]
    for one in both:
        one.start()
    for one in both:
        one.join(40)
    check(all(one.whole for one in both), "50 MB both ways at once over a guarded port", dataplane.counters())
    note(f"{100 / (time.monotonic() - start):.0f} MB/s split, both ways together")
    pair.close()
    after = dataplane.counters()
    check(after["bytes-up"] - before["bytes-up"] == 100 << 20, "all of it went up the channel")
    check(after["bytes-down"] - before["bytes-down"] == 100 << 20, "and came down again")


def many(wire, dataplane):
    pairs = [Pair(wire, side) for side in SIDES for _ in range(50)]
    check(dataplane.counters()["connections-adopted"] >= 100, "100 connections at once")
    check(all(pair.exchange(5000) for pair in pairs), "each has its own bytes")
    for pair in pairs:
        pair.close()
    check(eventually(lambda: dataplane.counters()["connections-open"] == 0, 10), "all are over in the end",
          dataplane.counters())


def slow_reader(wire, dataplane):
    """Back-pressure: a reader that does not read stops its writer, and loses nothing."""
    pair = Pair(wire)
    pair.client.setblocking(False)
    sent, block = 0, bytes(range(256)) * 256
    while select.select([], [pair.client], [], 1)[1]:
        sent += pair.client.send(block[sent % 65536:])
    note(f"the writer was stopped after {sent >> 10} KiB")
    check(sent < 32 << 20, "a reader that does not read stops its writer", sent)
    got = b""
    while len(got) < sent:
        got += pair.server.recv(1 << 20)
    check(got == (block * (sent // 65536 + 1))[:sent], "and what it sent is all there")
    pair.close()


def endings(wire, dataplane):
    pair = Pair(wire)
    pair.client.shutdown(socket.SHUT_WR)
    check(ending(pair.server) == "closed", "the end of one direction is seen by the other end")
    pair.server.sendall(b"still open")
    check(pair.client.recv(100) == b"still open", "and the other direction goes on")
    pair.server.close()
    check(ending(pair.client) == "closed", "until it is ended too")
    for who, other in (("client", "server"), ("server", "client")):
        pair = Pair(wire)
        pair.exchange()
        reset(getattr(pair, who))
        check(ending(getattr(pair, other)) == "reset", f"a reset by the {who} is seen by the {other}")
    pair = Pair(wire)
    pair.client.setblocking(False)
    while select.select([], [pair.client], [], 0.2)[1]:
        pair.client.send(bytes(65536))
    reset(pair.server)
    pair.client.settimeout(5)
    check(ending(pair.client) == "reset", "a reset in the middle of a transfer is seen by who sends")
    pair = Pair(wire)
    pair.server.sendall(b"last words")
    pair.server.close()
    check(pair.client.recv(100) == b"last words" and ending(pair.client) == "closed", "what was sent before the end arrives")


def refusals(wire, dataplane):
    started = time.monotonic()
    check(connect_error(wire, ADDRESS["outside"][4], REFUSED_PORT) == "ConnectionRefusedError", "a closed port refuses")
    check(time.monotonic() - started < 1, "at once")
    check(connect_error(wire, ADDRESS["outside"][4], GUARDED + 1) == "ConnectionRefusedError", "a second one too")
    wire.on("outside", "nft", "add table inet t; add chain inet t c { type filter hook input priority 0; };"
            "add rule inet t c tcp dport 5269 drop")
    check(connect_error(wire, ADDRESS["outside"][4], GUARDED, 1.5) == "TimeoutError", "a filtered port stays silent")
    wire.on("outside", "nft", "delete table inet t")
    counters = dataplane.counters()
    check(counters["refused-guard-not-ready"] == 0 and counters["connections-open"] == 0, "the guard refused none itself")


def new_mac(wire, dataplane):
    pair = Pair(wire)
    pair.exchange()
    wire.on("outside", "ip", "link", "set", "wire", "address", "02:00:5e:00:00:77")
    wire.on("inside", "ip", "neigh", "flush", "all")
    pair.server.sendall(b"from my new address")
    check(pair.client.recv(100) == b"from my new address", "an endpoint's new MAC address is followed")
    check(pair.exchange(50000), "in both directions")
    pair.close()


def guards(wire):
    try:
        pair = Pair(wire)
        return pair.exchange()
    except OSError:
        return False


def upper_end_dies(wire, dataplane):
    pair, echo = Pair(wire), Echo(wire)
    pair.exchange()
    dataplane.ask("detach")
    check(ending(pair.client) == "reset" and ending(pair.server) == "reset",
          "without an upper end guarded connections are reset towards both")
    check(connect_error(wire, ADDRESS["outside"][4], GUARDED) == "ConnectionRefusedError", "new ones are refused")
    check(dataplane.counters()["refused-guard-not-ready"] > 0, "which is counted")
    check(echo.ping(1400), "bridging goes on")
    dataplane.ask("attach")
    check(eventually(lambda: guards(wire), 5), "a new upper end guards again")


def loss(wire, dataplane):
    """1 % loss at both ends, in both directions, made by nftables."""
    for side in SIDES:
        wire.on(side, "nft", "add table inet loss; add chain inet loss i { type filter hook input priority 0; };"
                "add rule inet loss i numgen random mod 100 == 0 counter drop")
    pair = Pair(wire)
    both = [Bulk(pair.client, pair.server, 5 << 20), Bulk(pair.server, pair.client, 5 << 20)]
    for one in both:
        one.start()
    for one in both:
        one.join(40)
    for side in SIDES:
        wire.on(side, "nft", "delete table inet loss")
    check(all(one.whole for one in both), "5 MB both ways over 1 % of loss", dataplane.counters())
    pair.close()


def older_connection(wire, folder):
    """Made while the wire ran straight; then the guard is inserted."""
    pair = Pair(wire)
    pair.exchange()
    wire.cut()
    dataplane = Dataplane(wire, folder)
    pair.client.sendall(b"secret that was not checked")
    check(ending(pair.client) == "reset", "a connection older than the guard is reset towards who speaks")
    check(ending(pair.server) == "reset", "and towards who would have heard it")
    check(dataplane.counters()["stray-resets-sent"] > 0, "which is counted")
    return dataplane


def idle(wire, dataplane):
    pair = Pair(wire)
    pair.exchange()
    time.sleep(0.5)
    before = dataplane.cpu_seconds()
    time.sleep(3)
    used = (dataplane.cpu_seconds() - before) / 3
    check(used < 0.05, "with an idle connection it uses less than 5 % of a core", used)
    pair.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    folder = Path(tempfile.mkdtemp(prefix="sallyport-"))
    wire = Wire(secrets.token_hex(3))
    dataplane = None
    try:
        dataplane = older_connection(wire, folder)
        for part in (bridging, splitting, many, slow_reader, endings, refusals, new_mac, upper_end_dies, loss, idle):
            part(wire, dataplane)
        check(dataplane.pid() is not None, "it runs as its own user to the end")
        status = Path(f"/proc/{dataplane.pid()}/status").read_text()
        check("Seccomp:\t2" in status and "NoNewPrivs:\t1" in status and "CapEff:\t0000000000000000" in status,
              "in its sandbox, without capabilities", status)
        check(dataplane.quit() == 0, "and ends with its supervisor")
    except BaseException:
        if dataplane:
            note(dataplane.said()[-3000:])
        raise
    finally:
        if dataplane:
            dataplane.kill()
        wire.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
