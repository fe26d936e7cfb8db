"""What is sent over a way: TCP, pings, small frames, stanzas."""
import contextlib
import json
import subprocess
import time

from lib import ADDRESS, BUILD, SIDES

PORT_OF = {"sink": "5269", "answer": "5270"}
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
    for mode in PORT_OF:
        way.start(way.wire.ns["outside"], mode, *s2s(way, "outside", mode, bind))


def s2s(way, side, mode, address, port=None):
    domains = [way.domains[side][0], way.domains[SIDES[1 - SIDES.index(side)]][0]]
    return [LOAD, mode, address, port or PORT_OF.get(mode, PORT_OF["sink"]), *domains, *way.files[side]]


def load_of(way, mode, *numbers):
    """The figures that s2s_load prints."""
    port = PORT_OF["answer" if mode == "echo" else "sink"] + ("/tls" if way.direct_tls else "")
    done = way.wire.on("inside", "timeout", "60", *s2s(way, "inside", mode, way.address, port), *numbers)
    return [float(word) for word in done.stdout.split()]


def stanzas(way, mode, *numbers):
    """(what s2s_load counted, seconds)"""
    return tuple(load_of(way, mode, *numbers))


def round_trips(way, connections, seconds):
    """(a second, median in us, 99th percentile in us), of messages of 300 bytes and their answers"""
    count, elapsed, median, late = load_of(way, "echo", connections, seconds)
    return count / elapsed, median, late


@contextlib.contextmanager
def held(way, connections):
    """So many idle connections at once, inside the `with`."""
    port = PORT_OF["sink"] + ("/tls" if way.direct_tls else "")
    command = ["ip", "netns", "exec", way.wire.ns["inside"], *s2s(way, "inside", "hold", way.address, port)]
    process = subprocess.Popen([*map(str, command), str(connections), "0"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    way.processes.append(process)
    opened = int(process.stdout.readline().split()[0])
    if opened != connections:
        raise RuntimeError(f"{way.name}: {opened} connections of {connections}")
    yield
    process.stdin.close()
    process.wait(20)


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
