#!/usr/bin/python3
"""
Tricks with packets against the dataplane, from both sides, by who dials and by who is dialled: what the upper end did not
pass never arrives, and the connection survives what a real endpoint would survive. Above it echo_upper passes everything, so
what arrives is what the guard's endpoint took. See lib/hand.py; the tricks are in lib/tricks.py.
"""
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from lib import SIDES, Port, Wire, check, note
from lib import tricks
from lib.dataplane import Dataplane
from lib.flood import Flood
from lib.hand import EVIL, Hand, TwoHands, Way
from scapy.layers.inet import TCP, Ether

ISN = {"client": 1000, "server": 0xFFFFFFF0}       # of the hand; the second wraps at once
SYNS, SYNS_PER_SECOND, KIB_A_FLOOD = 100_000, 50_000, 64 << 10


def attempt(way, role, trick):
    """What was wrong, or None."""
    hand = None
    try:
        hand = Hand(way, role, ISN[role])
        return hand.fault(trick(hand))
    except (OSError, TimeoutError) as fault:
        return f"{type(fault).__name__}: {fault}"
    finally:
        if hand:
            hand.close()


def survived(ways, rows):
    """Each trick on a connection of its own, in every way of the families that it is for."""
    for what, families, trick in rows:
        found, tried = [], 0
        for way in ways:
            for role in ISN if way.family in families else ():
                tried += 1
                if fault := attempt(way, role, trick):
                    found.append(f"IPv{way.family}, {role} {way.side}: {fault}")
        check(not found, f"{what} ({tried} ways)", found)


def openings(ways):
    """Handshakes that carry more than they should."""
    for what, options, prepare in tricks.OPENINGS:
        found = []
        for way in ways:
            for role in ISN:
                hand = Hand(way, role, ISN[role], syn=EVIL * 5, options=options)
                syns = [Ether(f)[TCP] for f in hand.frames_passed() if TCP in Ether(f)]
                extra = [s.options for s in syns if "S" in s.flags and not set(dict(s.options)) <= tricks.KNOWN_OPTIONS]
                fault = hand.fault(prepare(hand))
                if fault or extra or not syns:
                    found.append(f"IPv{way.family}, {role} {way.side}: {fault} {extra} {syns}")
                hand.close()
        check(not found, what, found)


def endings(ways):
    for what, trick, wanted in tricks.ENDINGS:
        found = []
        for way in ways:
            for role in ISN:
                hand = Hand(way, role, ISN[role])
                trick(hand)
                seen, crossed = hand.ending(), hand.crossed()
                if seen != wanted or crossed:
                    found.append(f"IPv{way.family}, {role} {way.side}: {seen} {crossed}")
                hand.close()
        check(not found, what, found)


def two_hands(ways):
    for what, trick in tricks.BETWEEN_HANDS:
        found = []
        for way in ways:
            hands = TwoHands(way, 0xFFFFFFF0 if way.side == "outside" else 1000)
            if fault := trick(hands):
                found.append(f"IPv{way.family}, client {way.side}: {fault}")
            hands.close()
        check(not found, what, found)


def strays(way):
    """Without a handshake: the far wire is watched itself."""
    hand, marker = Hand(way), secrets.token_bytes(16)
    for flags in ("A", "PA", "FPA", "", "FPU", "S", "SA", "R"):
        packet = hand.tcp(marker, flags=flags)
        packet.sport = 1000
        hand.frame(hand.ip() / packet)
    deadline, crossed = time.monotonic() + 0.5, []
    while (left := deadline - time.monotonic()) > 0:
        seen = way.watch.receive(left)
        crossed += [seen] if seen and marker in seen else []
    hand.close()
    check(not crossed, f"IPv{way.family} from {way.side}: data without a handshake, or in SYN, SYN-ACK and RST, never crosses",
          crossed)


def flooded(wire, way, dataplane):
    """100 000 SYNs to a port that drops them leave an established connection alive and memory bounded."""
    hand, flood = Hand(way), Flood(wire, way.side)
    before = dataplane.resident_kib()
    seconds = flood.send(SYNS, SYNS_PER_SECOND)
    grown, seen = dataplane.resident_kib() - before, dataplane.counters()
    note(f"{SYNS} SYNs in {seconds:.1f} s, {grown} KiB more")
    note({name: value for name, value in seen.items() if value})
    way.forget()
    fault = hand.fault(b"")
    check(fault is None, "an established connection survives a flood of 100 000 SYNs", fault)
    check(seen["half-open-evicted"] > 1000, "whose table of half-open connections was full: the oldest went", seen)
    check(grown < KIB_A_FLOOD, f"which costs less than {KIB_A_FLOOD >> 10} MiB", grown)
    flood.close()
    hand.close()


def play(wire, dataplane):
    ways = [Way(wire, side, family) for family in (4, 6) for side in SIDES]
    survived(ways, tricks.SURVIVED)
    openings(ways)
    endings(ways)
    two_hands(ways)
    for way in ways:
        strays(way)
    flooded(wire, ways[0], dataplane)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    folder, dataplane = Path(tempfile.mkdtemp(prefix="sallyport-")), None
    wire = Wire(secrets.token_hex(3))
    try:
        wire.cut()
        dataplane = Dataplane(wire, folder)
        play(wire, dataplane)
        check(dataplane.quit() == 0, "the dataplane lives to the end")
    except BaseException:
        note(dataplane.said()[-3000:] if dataplane else "")
        raise
    finally:
        if dataplane:
            dataplane.kill()
        wire.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
