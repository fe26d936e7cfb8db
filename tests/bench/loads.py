"""What is sent over a way: TCP, pings, small frames, stanzas."""
import json
import time

from lib import ADDRESS, BUILD, SIDES

FLOOD, LOAD = BUILD / "tests/bench/flood", BUILD / "tests/bench/s2s_load"


def serve(way):
    """What answers on the outside."""
    bind = way.address if way.device == "patch" else ADDRESS["outside"][4]
    way.start(way.wire.ns["outside"], "iperf3", "iperf3", "-s", "-B", bind)
    way.files = {}
    for side in SIDES:
        bundle = way.folder / f"{side}-trusted.pem"
        bundle.write_text("".join(ca.read_text() for ca in way.trusted(side)))
        way.files[side] = [*way.ca[side].issue(way.domains[side], f"load-{side}"), bundle]
    way.start(way.wire.ns["outside"], "sink", *s2s(way, "outside", "sink", bind))


def s2s(way, side, mode, address):
    domains = [way.domains[side][0], way.domains[SIDES[1 - SIDES.index(side)]][0]]
    return [LOAD, mode, address, "5269", *domains, *way.files[side]]


def stanzas(way, mode, *numbers):
    """(what s2s_load counted, seconds)"""
    done = way.wire.on("inside", "timeout", "60", *s2s(way, "inside", mode, way.address), *numbers)
    count, seconds = done.stdout.split()
    return int(count), float(seconds)


def stanza_rate(way, mode, *numbers):
    count, seconds = stanzas(way, mode, *numbers)
    return count / seconds


def tcp_gbits(way, streams, seconds):
    done = way.wire.on("inside", "iperf3", "-J", "-c", way.address, "-t", seconds, "-O", "0.5", "-P", streams)
    return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9


def ping(way, count=2000, *options):
    """(lost in percent, mean round trip in us)"""
    text = way.wire.on("inside", "ping", "-q", "-c", count, *options, way.address, check=False).stdout
    lost = float(text.split("% packet loss")[0].split()[-1])
    return lost, float(text.split("rtt min/avg/max/mdev = ")[1].split("/")[1]) * 1000


def flood(way, seconds, *rate):
    """(frames that arrived in a second, lost in percent)"""
    before = way.received()
    done = way.wire.on("inside", FLOOD, way.device, way.far_mac(), seconds, *rate)
    time.sleep(0.1)
    sent, elapsed = done.stdout.split()
    arrived = way.received() - before
    return arrived / float(elapsed), max(0.0, 100 * (1 - arrived / int(sent)))


def ping_under_flood(way, rate, seconds=1.5):
    """Pings every 2 ms beside a flood of this many frames a second: (lost in percent, mean round trip in us)"""
    process = way.start(way.wire.ns["inside"], "flood", FLOOD, way.device, way.far_mac(), seconds + 0.3, rate)
    time.sleep(0.1)
    found = ping(way, int(seconds * 500), "-i", "0.002")
    process.wait(10)
    return found
