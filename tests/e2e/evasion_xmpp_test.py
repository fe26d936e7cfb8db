#!/usr/bin/python3
"""
Hostile segmentations against the whole guard: a stream header, and its answer, in pieces that overlap, lie, come twice or in
any order. Either the stream is negotiated as if they had been sent plainly, or the connection is reset; of what was said
otherwise nothing arrives. One end is written with scapy, the other is a bare socket that keeps every byte.
"""
import random

from lib import SIDES, World, check, note
from lib.hand import EVIL, Hand, Way, wrapped
from lib.s2s import HEADER
from lib.tricks import fragments

END_OF_FEATURES = b"</stream:features>"
FEATURES = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
LIE = "EVILample"                    # as long as a domain of ours


# --- how `good` may be sent by somebody who would have `evil` of the same length understood by one of the two who listen ---

def plainly(hand, good, evil):
    hand.say(good)


def byte_by_byte(hand, good, evil):
    for i in range(len(good)):
        hand.say(good[i:i + 1])


def last_byte_first(hand, good, evil):
    for i in reversed(range(len(good))):
        hand.send(good[i:i + 1], at=hand.next + i)
    hand.next = wrapped(hand.next + len(good))


def in_any_order(hand, good, evil):
    pieces = [(i, n) for i in range(0, len(good), 7) for n in (7, 20)]
    random.Random(1).shuffle(pieces)
    for i, n in pieces:
        hand.send(good[i:i + n], at=hand.next + i)
    hand.next = wrapped(hand.next + len(good))


def overlapping(hand, good, evil):
    """The second half is there before the lie is told about it, and the first is told before the lie comes again."""
    n, half = hand.next, len(good) // 4
    hand.send(good[half:], at=n + half)
    hand.send(evil[half:], at=n + half)
    hand.say(good[:half])
    hand.send(evil, at=n)
    hand.next = wrapped(n + len(good))


def repeated_otherwise(hand, good, evil):
    n, cut = hand.next, len(good) - 10
    hand.say(good[:cut])
    hand.send(evil[:cut], at=n)
    hand.say(good[cut:])
    hand.send(evil, at=n)


def in_small_pieces_with_lies(hand, good, evil):
    for i in range(0, len(good), 6):
        at = hand.next
        hand.say(good[i:i + 6])
        hand.send(evil[i:i + 6], at=at)


def behind_wrong_checksums(hand, good, evil):
    hand.send(evil, flags="PA", chksum=0x1234)
    hand.say(good)


def behind_lies_out_of_the_window(hand, good, evil):
    hand.send(evil, at=hand.next + 100_000_000)
    hand.send(evil, at=hand.next - 100_000)
    hand.say(good)


def with_few_hops(hand, good, evil):
    n, field = hand.next, "ttl" if hand.family == 4 else "hlim"
    hand.send(good, ip=hand.ip(**{field: 1}))
    hand.send(evil, at=n)
    hand.next = wrapped(n + len(good))


def behind_guessed_resets(hand, good, evil):
    half = len(good) // 2
    hand.say(good[:half])
    for at in (hand.next + 1, hand.next - 1, hand.next + 100_000_000):
        hand.send(flags="R", at=at)
        hand.send(flags="FA", at=at + 200_000_000)
    hand.say(good[half:])


def urgently(hand, good, evil):
    for i in range(0, len(good), 10):
        hand.send(good[i:i + 10], at=hand.next + i, flags="PAU", urgptr=5)
    hand.next = wrapped(hand.next + len(good))


def in_fragments(hand, good, evil):
    """Which may be refused: then it is said again, as TCP would."""
    for size in (8, 64):
        for piece in fragments(hand, good, size):
            hand.frame(piece)
    hand.say(good)


NEGOTIATED = (byte_by_byte, last_byte_first, in_any_order, overlapping, repeated_otherwise, in_small_pieces_with_lies,
              behind_wrong_checksums, behind_lies_out_of_the_window, with_few_hops, behind_guessed_resets, urgently,
              in_fragments)


# --- what must be refused, however it is sent ---

def a_stanza_before_tls(hand, good, evil):
    byte_by_byte(hand, good + b"<message to='bob@b.example'><body>EVIL</body></message>", evil)


def a_stanza_overlapping_its_header(hand, good, evil):
    smuggled = b"<message><body>EVIL</body></message>"
    n = hand.next
    hand.send(smuggled, at=n + len(good))
    hand.send(good + b"x" * len(smuggled), at=n)
    hand.next = wrapped(n + len(good + smuggled))


def a_lie_that_came_first(hand, good, evil):
    """The first bytes win: what is then heard is no XML."""
    n, half = hand.next, len(good) // 2
    hand.send(b"EVIL<EVIL><" * 3, at=n + half)
    hand.say(good)


REFUSED = (a_stanza_before_tls, a_stanza_overlapping_its_header, a_lie_that_came_first)


# --- the two ends ---

def read_until(end, marker):
    """What a bare socket gets, up to the marker; what it has got when the connection ends before, or nothing more comes."""
    end.settimeout(3)
    got = b""
    try:
        while marker not in got and (more := end.recv(65536)):
            got += more
    except OSError:
        pass
    return got


class Speaker:
    """A hand and what it has to say: its header as a client, its answer as a server."""

    def __init__(self, world, way, role):
        self.hand = Hand(way, role)
        own, other = world.domains[way.side][0], world.domains[way.other][0]
        header, answer = HEADER.format(own, other), HEADER.format(own, other).replace(" to=", " id='x1' to=") + FEATURES
        plain = HEADER.format(other, own)
        if role == "client":
            self.good, self.evil, self.reply = header, header.replace(other, LIE), plain.replace(" to=", " id='x1' to=") + FEATURES
        else:
            self.good, self.evil, self.request = answer, answer.replace(own, LIE), plain
        self.good, self.evil, self.role = self.good.encode(), self.evil.encode(), role

    def exchange(self, play):
        """(what the bare socket heard of the hand, what the hand heard)"""
        bare = self.hand.socket
        if self.role == "server":
            bare.sendall(self.request.encode())
            heard = self.hand.hear_until(b"version='1.0'>", b'version="1.0">')
            play(self.hand, self.good, self.evil)
            return read_until(bare, END_OF_FEATURES), heard
        play(self.hand, self.good, self.evil)
        got = read_until(bare, b"version=")
        try:
            bare.sendall(self.reply.encode())
        except OSError:
            return got, b""
        heard = self.hand.hear_until(END_OF_FEATURES)
        return got + read_quickly(bare), heard


def read_quickly(bare):
    bare.settimeout(0.05)
    try:
        return bare.recv(65536)
    except OSError:
        return b""


def played(world, way, role, play):
    """(what the bare end heard, what the hand heard, frames with lies that crossed)"""
    speaker = Speaker(world, way, role)
    try:
        return *speaker.exchange(play), speaker.hand.crossed()
    finally:
        speaker.hand.close()


def negotiated(world, ways):
    plain = {(way, role): played(world, way, role, plainly) for way in ways for role in ("client", "server")}
    faults = [(way.family, role, way.side, seen) for (way, role), seen in plain.items()
              if b"<starttls" not in seen[0 if role == "server" else 1] or b"stream:stream" not in seen[0]]
    check(not faults, "sent plainly, a header and its answer are negotiated", faults)
    for play in NEGOTIATED:
        faults = []
        for (way, role), expected in plain.items():
            seen = played(world, way, role, play)
            if seen != expected or EVIL in seen[0]:
                faults.append((way.family, role, way.side, seen, expected))
        check(not faults, f"{play.__name__.replace('_', ' ')}: negotiated as if sent plainly ({len(plain)} ways)", faults)


def refused(world, ways):
    """The bare server answers what it hears of a header, if it does."""
    for play in REFUSED:
        faults = []
        for way in ways:
            speaker = Speaker(world, way, "client")
            got, _ = speaker.exchange(play)
            ending, more = speaker.hand.ending()
            got += more
            if EVIL in got or b"<message" in got or speaker.hand.crossed() or ending == "open":
                faults.append((way.family, way.side, ending, got))
            speaker.hand.close()
        check(not faults, f"{play.__name__.replace('_', ' ')}: the stream is ended, and nothing of it arrives", faults)


with World(servers=False) as world:
    world.insert_guard()
    ways = [Way(world.wire, side, family) for family in (4, 6) for side in SIDES]
    negotiated(world, ways)
    refused(world, ways)
    note({name: n for name, n in world.guard.counters().items() if n and ("overlap" in name or "drop" in name)})
