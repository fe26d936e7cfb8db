"""
What it costs to end TLS on both sides: the guard, which also speaks XMPP and judges it, beside proxies that pass the bytes
between (HAProxy, sslsplit), at the same place, with the same ends and certificates; and beside OpenSSL alone.
"""
import os
import subprocess
from pathlib import Path

from lib import BUILD, SIDES
from loads import held, load_of, round_trips

AT_A_TIME, CONNECT_SECONDS, SECONDS = 16, 1.2, 0.7
HELD_FIRST, HELD = 96, 800             # idle connections: multiples of 16
BARE_COUNT = 300                       # about as long as a round of connections


def processes(way):
    return [Path("/proc", str(pid)) for pid in way.pids()]


def cpu_us(way):
    """Of every thread of whatever stands in the middle."""
    return sum(int(file.read_text().split()[0]) for process in processes(way)
               for file in process.glob("task/*/schedstat")) / 1000


def pss_kib(way):
    return sum(int(line.split()[1]) for process in processes(way)
               for line in (process / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))


def connections(way):
    """(connections a second, CPU us of the middle for each)"""
    before = cpu_us(way)
    count, seconds = load_of(way, "connect", AT_A_TIME, CONNECT_SECONDS)
    return count / seconds, (cpu_us(way) - before) / count


def bulk_mbytes(way, streams):
    count, seconds = load_of(way, "bulk", streams, SECONDS)
    return count / seconds / 1e6


def trips(way, streams):
    return round_trips(way, streams, SECONDS)


def idle_kib(way):
    """For each idle connection; what the first ones cost is left out, since it is of the program."""
    with held(way, HELD_FIRST):
        before = pss_kib(way)
        with held(way, HELD):
            return (pss_kib(way) - before) / HELD


def bare_us(way):
    """
    OpenSSL alone, on every processor at once, as the machine is busy when connections come: (CPU us of the two halves of a
    middle, of both handshakes whole)
    """
    other = dict(zip(SIDES, reversed(SIDES)))
    files = [str(part) for side in SIDES for part in (*way.files[side][:2], way.ca[other[side]].file)]
    command = [BUILD / "tests/bench/handshakes", str(BARE_COUNT), *files]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count())]
    figures = [[float(word) for word in process.communicate()[0].split()] for process in processes]
    return tuple(sum(values) / len(values) for values in zip(*figures))
