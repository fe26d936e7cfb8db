"""
Tricks with packets, for evasion_test: each is played by a hand (hand.py) on a fresh connection and returns what the other end
may hear of it: those bytes, and no others. What is in disguise is said again plainly, so that it may be taken or refused, but
never twice and never changed.
"""
import itertools
import random

from scapy.layers.inet import TCP, IPOption_NOP, IPOption_Router_Alert, IPOption_RR, in4_chksum
from scapy.layers.inet6 import (HBHOptUnknown, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                                PadN, in6_chksum)
from scapy.packet import Raw

from .hand import EVIL, payload, wrapped

TEXT = bytes(range(33, 97))                    # 64 different bytes
KNOWN_OPTIONS = {"MSS", "WScale", "SAckOK", "NOP", "EOL"}
FAR = 100_000_000
FRAGMENTED = itertools.count(100)        # packets that were sent in pieces
BOTH, V4, V6 = (4, 6), (4,), (6,)


def took(hand, data):
    hand.next = wrapped(hand.next + len(data))
    return data


def said_plainly(hand, data):
    """Taken now, if it was not taken before."""
    hand.say(data)
    return data


def next_is_tcp(hand):
    return {"proto" if hand.family == 4 else "nh": 6}


def sealed(hand, segment):
    """The segment's bytes with a right checksum, whatever they are."""
    segment = bytearray(segment)
    segment[16:18] = b"\0\0"
    checksum = (in4_chksum if hand.family == 4 else in6_chksum)(6, hand.ip(), bytes(segment))
    segment[16:18] = checksum.to_bytes(2, "big")
    return bytes(segment)


# --- segments ---

def overlap_behind_a_hole(hand):
    n = hand.next
    hand.send(b"BBBB", at=n + 4)
    hand.send(EVIL, at=n + 4)
    hand.send(b"AAAA", at=n)
    return took(hand, b"AAAABBBB")


def overlap_of_a_part(hand):
    n = hand.next
    hand.send(b"BBBBBB", at=n + 4)
    hand.send(b"ccEVIL", at=n + 2)
    hand.send(b"aa", at=n)
    return took(hand, b"aaccBBBBBB")


def overlap_around(hand):
    n = hand.next
    hand.send(b"BB", at=n + 4)
    hand.send(b"0123xx6789", at=n)
    return took(hand, b"0123BB6789")


def overlap_with_what_was_taken(hand):
    n = hand.next
    hand.say(b"GOOD")
    hand.send(b"EVILmore", at=n)
    return b"GOOD" + took(hand, b"more")


def repeated_with_other_content(hand):
    n = hand.next
    hand.say(b"GOODGOOD")
    for data, at in ((EVIL * 2, n), (EVIL, n + 4), (EVIL, n + 2), (b"E", n + 7)):
        hand.send(data, at=at)
    return b"GOODGOOD"


def one_byte_each_reversed(hand):
    for i in reversed(range(64)):
        hand.send(TEXT[i:i + 1], at=hand.next + i)
    return took(hand, TEXT)


def one_byte_each(hand):
    for i in range(64):
        hand.send(TEXT[i:i + 1], at=hand.next + i)
    return took(hand, TEXT)


def shuffled_and_doubled(hand):
    pieces = [(i, n) for i in range(0, 60, 4) for n in (4, 8)] * 2
    random.Random(7).shuffle(pieces)
    for i, n in pieces:
        hand.send(TEXT[i:i + n], at=hand.next + i)
    return took(hand, TEXT)


def probe_with_a_byte(hand):
    hand.send(b"E", at=hand.next - 1)
    hand.send(EVIL, at=hand.next - 4)
    return b""


def out_of_the_window(hand):
    for at in (hand.next - 100_000, hand.next + FAR, hand.next + 0x80000000, hand.next - 0x7FFFFFFF):
        hand.send(EVIL, at=at)
    return b""


# --- headers of TCP ---

def wrong_checksum(hand):
    for wrong in (0x1234, 0, 0xFFFF):
        hand.send(EVIL, chksum=wrong)
    return b""


def offset_too_small(hand):
    for offset in (0, 1, 4):
        hand.send(EVIL, dataofs=offset)
    return b""


def offset_too_large(hand):
    hand.send(EVIL, dataofs=15)
    return b""


def cut_short(hand):
    segment = bytes(hand.tcp(EVIL))
    for n in (0, 1, 3, 4, 8, 13, 19):
        hand.frame(hand.ip(**next_is_tcp(hand)) / Raw(segment[:n]))
    return b""


def odd_flags(hand):
    for flags in ("", "P", "F", "U", "FPU", "SF", "SFPU", "SFA"):
        hand.send(EVIL, flags=flags)
    for flags in ("SR", "SRFA", "SRPU"):             # where a RST would count, it counts whatever else there is
        hand.send(EVIL, flags=flags, at=hand.next + 5)
    return b""


def of_data_never_sent(hand):
    hand.send(EVIL, ack=hand.ack + 100_000)
    hand.send(EVIL, ack=hand.ack + 0x7FFFFFFF)
    return b""


def of_data_long_ago(hand):
    hand.send(EVIL, ack=hand.ack - 0x40000000)
    return b""


def options_of_any_kind(hand):
    for options in ([("NOP", None)] * 40, [(253, b"x" * 6)], [("EOL", None)] * 4, [(30, b"\x81")], [(69, b"\1\2")]):
        hand.send(TEXT, options=options)
    return said_plainly(hand, TEXT)


def malformed_options(hand):
    for raw in (b"\x02\x00\x01\x01", b"\x05\x01\x01\x01", b"\x08\x28\x01\x01", b"\x01\x01\x01\x03", b"\x05\x0b" + b"\0" * 10):
        segment = bytearray(bytes(hand.tcp(TEXT, options=[("NOP", None)] * len(raw))))
        segment[20:20 + len(raw)] = raw
        hand.frame(hand.ip(**next_is_tcp(hand)) / Raw(sealed(hand, segment)))
    return said_plainly(hand, TEXT)


def urgent(hand):
    hand.send(b"abcde", flags="PAU", urgptr=3)
    took(hand, b"abcde")
    hand.send(b"fg", flags="PAU", urgptr=60000)
    return b"abcde" + took(hand, b"fg")


def urgent_and_repeated(hand):
    """What one reader takes out of line and another in line would be two streams."""
    n = hand.next
    hand.send(b"abcde", flags="PAU", urgptr=1)
    hand.send(b"EVIL!", flags="PA", at=n)
    return took(hand, b"abcde")


def window_of_nothing(hand):
    hand.send(window=0)
    hand.send(b"from behind a closed window", window=0)
    took(hand, b"from behind a closed window")
    hand.send()
    return b"from behind a closed window"


# --- ends of connections that are not ---

def reset_out_of_the_window(hand):
    for at in (hand.next + FAR, hand.next - 1, hand.next - 100_000):
        hand.send(flags="R", at=at)
        hand.send(EVIL, flags="RA", at=at)
    return b""


def reset_inside_the_window(hand):
    hand.send(flags="R", at=hand.next + 10)
    hand.send(EVIL, flags="RA", at=hand.next + 1)
    return b""


def reset_with_a_wrong_checksum(hand):
    hand.send(flags="R", chksum=0x1234)
    return b""


def fin_out_of_the_window(hand):
    hand.send(flags="FA", at=hand.next + FAR)
    hand.send(EVIL, flags="FA", at=hand.next - 5)
    return b""


def syn_in_the_middle(hand):
    for at in (hand.next, hand.next + 10, hand.next - 1, hand.isn, hand.next + FAR):
        hand.send(EVIL, flags="S", at=at)
        hand.send(EVIL, flags="SA", at=at)
    return b""


def spoken_from_the_wrong_wire(hand):
    """As if by the other end, but from this side."""
    frame = hand.way.ether / hand.ip() / hand.tcp()
    frame[1].src, frame[1].dst = hand.way.address, hand.way.source
    for flags, data in (("PA", EVIL), ("R", b""), ("FA", b""), ("SA", EVIL)):
        frame[TCP].sport, frame[TCP].dport = hand.other_port, hand.own_port
        frame[TCP].seq, frame[TCP].ack, frame[TCP].flags = hand.ack, hand.next, flags
        frame[TCP].payload = Raw(data)
        hand.port.send(bytes(frame))
    return b""


# --- the network layer ---

def hop_limit_of_one(hand):
    n, field = hand.next, "ttl" if hand.family == 4 else "hlim"
    hand.send(b"GOOD", ip=hand.ip(**{field: 1}))
    hand.send(EVIL, at=n)
    hand.send(EVIL, at=n, ip=hand.ip(**{field: 1}))
    return took(hand, b"GOOD")


def more_than_the_packet(hand):
    """What Ethernet carries behind the end of the packet is not of it."""
    hand.port.send(bytes(hand.way.ether / hand.ip() / hand.tcp(TEXT)) + EVIL * 4)
    return said_plainly(hand, TEXT)


def less_than_the_packet(hand):
    hand.port.send(bytes(hand.way.ether / hand.ip() / hand.tcp(EVIL + TEXT))[:-32])
    return b""


def wrong_ip_checksum(hand):
    hand.send(EVIL, ip=hand.ip(chksum=0x1234))
    return b""


def ipv4_options(hand):
    for options in ([IPOption_NOP()] * 4, [IPOption_Router_Alert()], [IPOption_RR(length=39, routers=["0.0.0.0"] * 9)]):
        hand.send(TEXT, ip=hand.ip(options=options))
    return said_plainly(hand, TEXT)


def fragments(hand, data, size):
    """Packets that together are the next segment, in pieces of `size` bytes."""
    segment, name = sealed(hand, bytes(hand.tcp(data))), next(FRAGMENTED)
    for start in range(0, len(segment), size):
        piece, more = Raw(segment[start:start + size]), int(start + size < len(segment))
        yield piece_of(hand, name, start // 8, more) / piece


def piece_of(hand, name, offset, more):
    if hand.family == 4:
        return hand.ip(id=name, proto=6, frag=offset, flags=more)
    return hand.ip(nh=44) / IPv6ExtHdrFragment(nh=6, m=more, offset=offset, id=name)


def in_fragments(hand):
    for size in (8, 16, 24, 40):
        for piece in fragments(hand, TEXT, size):
            hand.frame(piece)
    return said_plainly(hand, TEXT)


def in_fragments_reversed(hand):
    for piece in reversed(list(fragments(hand, TEXT, 16))):
        hand.frame(piece)
    return said_plainly(hand, TEXT)


def fragments_that_overlap(hand):
    """Of a packet with pieces that say different things nothing may arrive."""
    good, evil = (sealed(hand, bytes(hand.tcp(data))) for data in (TEXT, EVIL * 16))
    last = (good[40:], evil[8:], evil[40:], evil[24:])
    for pieces in ([(0, good[:40]), (2, evil[16:56]), (5, good[40:])], [(0, good[:24]), (1, evil[8:])],
                   [(5, evil[40:]), (3, good[24:48]), (0, good[:24])], [(0, good[:24]), (0, evil[:24]), (3, evil[24:])]):
        name = next(FRAGMENTED)
        for offset, data in pieces:
            hand.frame(piece_of(hand, name, offset, int(data not in last)) / Raw(data))
    return b""


def ipv4_fragments_to_two_ports(hand):
    """The first piece belongs to a port that nobody guards, and is then overlaid (RFC 1858)."""
    guarded = sealed(hand, bytes(hand.tcp(EVIL * 4)))
    segment = hand.tcp(b"GOOD" + EVIL * 3)
    segment.dport, segment.sport = 8080, 8081
    other = sealed(hand, bytes(segment))
    for i, pieces in enumerate(([other[:24], guarded[:24]], [guarded[:24], other[:24]])):
        for piece in pieces:
            hand.frame(hand.ip(id=60 + i, proto=6, flags=1) / Raw(piece))
        hand.frame(hand.ip(id=60 + i, proto=6, frag=3) / Raw(guarded[24:]))
    return b""


def ipv4_tiny_fragments(hand):
    """TCP's flags begin in the second piece, or the first is empty (RFC 3128)."""
    segment = sealed(hand, bytes(hand.tcp(EVIL * 4)))
    for i, cuts in enumerate(([0, 8], [0, 8, 16], [8])):
        for start, end in zip(cuts, cuts[1:] + [len(segment)]):
            hand.frame(hand.ip(id=50 + i, proto=6, frag=start // 8, flags=1) / Raw(segment[start:end]))
    return b""


def ipv6_chain(hand, *headers):
    packet = hand.ip()
    for header in headers:
        packet = packet / header
    return packet


def ipv6_options_before(hand):
    for headers in ([IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])], [IPv6ExtHdrDestOpt()],
                    [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrDestOpt()]):
        hand.send(TEXT, ip=ipv6_chain(hand, *headers))
    return said_plainly(hand, TEXT)


def ipv6_long_chains(hand):
    for n in (4, 8, 16, 40, 100):
        hand.send(TEXT, ip=ipv6_chain(hand, *[IPv6ExtHdrDestOpt() for _ in range(n)]))
    return said_plainly(hand, TEXT)


def ipv6_long_chains_of_evil(hand):
    for n in (2, 8, 16, 40, 100):
        hand.send(EVIL * 4, ip=ipv6_chain(hand, *[IPv6ExtHdrDestOpt() for _ in range(n)]), at=hand.next + FAR)
    return b""


def ipv6_routing(hand):
    hand.send(TEXT, ip=ipv6_chain(hand, IPv6ExtHdrRouting(segleft=0, addresses=[])))
    return said_plainly(hand, TEXT)


def ipv6_unknown_option(hand):
    """Who does not know it must throw the packet away (RFC 8200 4.2): the endpoint would."""
    evil = IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x9E, optdata=b"\0" * 4)])
    hand.send(TEXT, ip=ipv6_chain(hand, evil))
    return said_plainly(hand, TEXT)


def ipv6_atomic_fragment(hand):
    """Which is the whole (RFC 6946)."""
    for piece in fragments(hand, TEXT, 1000):
        hand.frame(piece)
    return said_plainly(hand, TEXT)


def ipv6_chain_cut_in_two(hand):
    """TCP's header is only in the second piece (RFC 7112)."""
    inner = bytes(IPv6ExtHdrDestOpt(nh=6, options=[PadN(optdata=b"\0" * 12)])) + sealed(hand, bytes(hand.tcp(EVIL * 4)))
    for start, end, more in ((0, 16, 1), (16, len(inner), 0)):
        hand.frame(hand.ip(nh=44) / IPv6ExtHdrFragment(nh=60, m=more, offset=start // 8, id=40) / Raw(inner[start:end]))
    return b""


SURVIVED = (
    ("overlaps behind a hole: the first bytes win", BOTH, overlap_behind_a_hole),
    ("overlaps of a part: what is new is taken, nothing is changed", BOTH, overlap_of_a_part),
    ("an overlap around what was there already", BOTH, overlap_around),
    ("an overlap with what was taken, and more", BOTH, overlap_with_what_was_taken),
    ("a repetition with other content", BOTH, repeated_with_other_content),
    ("one-byte segments", BOTH, one_byte_each),
    ("one-byte segments, the last first", BOTH, one_byte_each_reversed),
    ("segments in any order, doubled and overlapping", BOTH, shuffled_and_doubled),
    ("probes with bytes that were taken already", BOTH, probe_with_a_byte),
    ("data out of the window", BOTH, out_of_the_window),
    ("wrong TCP checksums", BOTH, wrong_checksum),
    ("a data offset within the header", BOTH, offset_too_small),
    ("a data offset behind the segment", BOTH, offset_too_large),
    ("segments cut short", BOTH, cut_short),
    ("flags that mean nothing", BOTH, odd_flags),
    ("data that acknowledges what was never sent", BOTH, of_data_never_sent),
    ("data that acknowledges what is long past", BOTH, of_data_long_ago),
    ("options that nobody knows", BOTH, options_of_any_kind),
    ("options that are none", BOTH, malformed_options),
    ("urgent data stays in line", BOTH, urgent),
    ("urgent data, repeated as plain with other content", BOTH, urgent_and_repeated),
    ("data from behind a closed window", BOTH, window_of_nothing),
    ("RST out of the window", BOTH, reset_out_of_the_window),
    ("RST in the window, not at its left edge (RFC 5961 3.2)", BOTH, reset_inside_the_window),
    ("RST with a wrong checksum", BOTH, reset_with_a_wrong_checksum),
    ("FIN out of the window", BOTH, fin_out_of_the_window),
    ("SYN and SYN-ACK in the middle (RFC 5961 4.2)", BOTH, syn_in_the_middle),
    ("the other end's segments from the wrong wire", BOTH, spoken_from_the_wrong_wire),
    ("a hop limit of one, then the same with other content", BOTH, hop_limit_of_one),
    ("bytes behind the end of the packet", BOTH, more_than_the_packet),
    ("a packet that ends before its end", BOTH, less_than_the_packet),
    ("a wrong IPv4 checksum", V4, wrong_ip_checksum),
    ("IPv4 options", V4, ipv4_options),
    ("fragments, the TCP header split", BOTH, in_fragments),
    ("fragments, the last first", BOTH, in_fragments_reversed),
    ("fragments that overlap", BOTH, fragments_that_overlap),
    ("IPv4 fragments that say two ports", V4, ipv4_fragments_to_two_ports),
    ("IPv4 fragments too small for TCP, that never end", V4, ipv4_tiny_fragments),
    ("IPv6 hop-by-hop and destination options", V6, ipv6_options_before),
    ("IPv6 chains of 4 to 100 headers", V6, ipv6_long_chains),
    ("data out of the window behind such chains", V6, ipv6_long_chains_of_evil),
    ("an IPv6 routing header", V6, ipv6_routing),
    ("an IPv6 option that must not be ignored", V6, ipv6_unknown_option),
    ("an IPv6 fragment that is the whole", V6, ipv6_atomic_fragment),
    ("an IPv6 chain of headers cut in two (RFC 7112)", V6, ipv6_chain_cut_in_two),
)


# --- handshakes ---

def nothing(_hand):
    return b""


def said_again(hand):
    """What the SYN carried was not acknowledged, so a real endpoint says it again."""
    return said_plainly(hand, TEXT)


MSS = [("MSS", 1400)]
OPENINGS = (
    ("data in the SYN or SYN-ACK", MSS, said_again),
    ("data in the SYN, with a Fast Open cookie", MSS + [(34, b"cookie!!")], said_again),
    ("a request for a Fast Open cookie", MSS + [(34, b"")], nothing),
    ("options of a SYN that the guard does not know: they do not cross", MSS + [(30, b"\x01\x81" + b"k" * 8), (253, b"abcd")], nothing),
    ("timestamps, SACK and a window scale of 14", MSS + [("SAckOK", b""), ("WScale", 14), ("Timestamp", (7, 0))], nothing),
    ("no options at all", [], nothing),
)


# --- ends ---

def exact_reset(hand):
    hand.send(flags="R")


def exact_fin(hand):
    hand.send(flags="FA")
    hand.send(EVIL, flags="PA", at=hand.next + 1)
    hand.send(EVIL, flags="PA")


def fin_behind_a_hole(hand):
    n = hand.next
    hand.send(b"tail", flags="FA", at=n + 4)
    hand.send(EVIL, flags="PA", at=n + 8)
    hand.send(b"head", flags="PA", at=n)
    hand.send(EVIL, flags="PA", at=n + 9)


def two_fins(hand):
    n = hand.next
    hand.send(b"12345678", flags="FA", at=n + 2)
    hand.send(b"12", flags="FA", at=n + 2)
    hand.send(b"ab", flags="PA", at=n)


ENDINGS = (
    ("a RST at the left edge resets", exact_reset, ("reset", b"")),
    ("after a FIN nothing is heard any more", exact_fin, ("closed", b"")),
    ("a FIN behind a hole waits for what is before it", fin_behind_a_hole, ("closed", b"headtail")),
    ("of two FINs at different places the first counts", two_fins, ("closed", b"ab12345678")),
)


# --- between two hands ---

def repetitions_stay_the_same(hands):
    """The server does not acknowledge: what is sent to it again is what was sent first, whatever the client says since."""
    client, server = hands.client, hands.server
    n = client.next
    client.say(b"GOOD")
    seen = [payload(server.receive(payload))]
    client.send(EVIL, at=n)
    for _ in range(2):
        again = server.receive(payload, 5)
        seen.append(again and payload(again))
    return None if set(seen) == {b"GOOD"} else seen


def acknowledged_in_parts(hands):
    client, server = hands.client, hands.server
    client.say(b"GOOD")
    first = server.receive(payload)
    server.send(ack=first.seq + 2)
    again = server.receive(lambda s: payload(s) and s.seq == wrapped(first.seq + 2), 5)
    return None if again and payload(again) == b"OD" else f"{first!r} {again!r}"


def acknowledged_before_it_was_sent(hands):
    client, server = hands.client, hands.server
    server.send(ack=server.ack + 1000)
    client.say(b"GOOD")
    segment = server.receive(payload)
    return None if segment and payload(segment) == b"GOOD" else repr(segment)


def plain_on_the_other_side(hands):
    """Whatever a segment looked like, what the guard writes is plain: no urgent pointer, no odd options, right checksums."""
    client, server = hands.client, hands.server
    client.send(b"abcd", flags="PAU", urgptr=2, options=[(253, b"zz")], reserved=7)
    segment = server.receive(payload)
    if not segment or payload(segment) != b"abcd":
        return repr(segment)
    checksum = segment.chksum
    del segment.chksum
    network = segment.underlayer
    rebuilt = network.__class__(bytes(network))[TCP].chksum
    odd = "U" in segment.flags or segment.urgptr or segment.reserved or set(dict(segment.options)) - {"NOP", "Timestamp", "SAck"}
    return f"{segment!r} {rebuilt:x}" if odd or rebuilt != checksum else None


def answers_to_both(hands):
    """Two servers' worth of answers: the client hears the first, and the second changes nothing."""
    client, server = hands.client, hands.server
    n = server.next
    server.say(b"GOOD")
    server.send(EVIL, at=n)
    segment = client.receive(payload)
    more = client.receive(lambda s: EVIL in payload(s), 0.3)
    return None if segment and payload(segment) == b"GOOD" and not more else f"{segment!r} {more!r}"


def window_taken_back(hands):
    """A window that shrinks under what was sent: probed, and what comes when it opens is whole."""
    client, server = hands.client, hands.server
    server.send(window=4)
    client.say(b"12345678")
    got = b""
    while len(got) < 8:
        segment = server.receive(lambda s: payload(s) and wrapped(s.seq - server.ack) <= 0, 5)
        if segment is None:
            return f"only {got!r}"
        got += payload(segment)
        server.ack = wrapped(segment.seq + len(payload(segment)))
        server.send(window=2)
    return None if got == b"12345678" else got


BETWEEN_HANDS = (
    ("what is sent again is what was sent first, although its sender has since said otherwise", repetitions_stay_the_same),
    ("acknowledged in parts, the rest follows", acknowledged_in_parts),
    ("acknowledged before it was sent", acknowledged_before_it_was_sent),
    ("what leaves the guard is plain", plain_on_the_other_side),
    ("a server that says two things in one place", answers_to_both),
    ("a window that is taken back", window_taken_back),
)
