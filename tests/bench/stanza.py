"""What a stanza of 300 bytes costs the guard, in CPU and in time, beside a bare loop of TLS and expat, and a direct link."""
import os
import subprocess
from pathlib import Path

from lib import BUILD, ROLES
from loads import load_of

PER_RECORD = (40, 1)                   # what a busy server sends in one go; the dearest
SECONDS, BARE_COUNT = 1.5, 200_000


def cpu_us(guard):
    """Role -> of all its threads."""
    return {role: sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{guard.pids(role)[0]}").glob(
        "task/*/schedstat")) / 1000 for role in ROLES}


def cost_us(way, *load):
    """For each stanza: (of each process, of all)."""
    before = cpu_us(way.guard)
    count, _ = load_of(way, *load)
    after = cpu_us(way.guard)
    values = [(after[role] - before[role]) / count for role in ROLES]
    return (*values, sum(values))


def guard_us(way, streams, per_record):
    return cost_us(way, "message", streams, SECONDS, per_record)


def paced_us(way, streams, rate):
    return cost_us(way, "send", streams, SECONDS, rate)


def bare_us(way, per_record):
    """On every processor at once, as the guard and its ends keep the machine busy."""
    command = [BUILD / "tests/bench/bare_stanza", str(BARE_COUNT), str(per_record), *map(str, way.files["inside"][:2])]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count())]
    return sum(float(process.communicate()[0]) for process in processes) / len(processes)


def trip_us(way, connections, rate):
    """(median, 99th percentile) of a message and its answer, when so many a second are sent."""
    return tuple(load_of(way, "echo", connections, SECONDS, rate)[2:])
