"""
What other traffic on the wire loses and waits while something else happens: datagrams and echo requests, at a steady pace.
Run as a program it is one end of the datagrams: probe.py answer ADDRESS PORT, or probe.py ask ADDRESS PORT COUNT SECONDS.
"""
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

INTERVAL, LATE = 0.002, 1.0          # seconds
PORT = 8081


def answer(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, port))
        while True:
            data, sender = s.recvfrom(2048)
            s.sendto(data, sender)


def ask(address, port, count):
    """Sends `count` datagrams at the pace; {"lost": percent, "median": us, "p99": us, "longest": us}"""
    waits = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((address, port))
        start, sent = time.monotonic(), 0
        while sent < count or (len(waits) < count and time.monotonic() < start + count * INTERVAL + LATE):
            due = start + sent * INTERVAL if sent < count else start + count * INTERVAL + LATE
            if sent < count and time.monotonic() >= due:
                s.send(struct.pack("!Id", sent, time.monotonic()).ljust(100, b"\0"))
                sent += 1
                continue
            s.settimeout(max(due - time.monotonic(), 0.0001))
            try:
                number, at = struct.unpack_from("!Id", s.recv(2048))
            except TimeoutError:
                continue
            waits[number] = time.monotonic() - at
    ordered = sorted(waits.values()) or [LATE]
    return {"lost": 100 * (count - len(waits)) / count, "median": 1e6 * ordered[len(ordered) // 2],
            "p99": 1e6 * ordered[len(ordered) * 99 // 100], "longest": 1e6 * ordered[-1]}


class Probe:
    """From inside to outside, for `seconds`: both kinds at once. result() waits for its end."""

    def __init__(self, world, address, seconds):
        count = int(seconds / INTERVAL)
        self.asking = self.start(world, sys.executable, Path(__file__), "ask", address, PORT, count)
        self.pinging = self.start(world, "ping", "-q", "-c", count, "-i", INTERVAL, "-W", LATE, address)

    @staticmethod
    def start(world, *command):
        process = subprocess.Popen(["ip", "netns", "exec", world.wire.ns["inside"], *map(str, command)],
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        process.name = "probe"
        world.processes.append(process)
        return process

    @staticmethod
    def serve(world, address):
        world.start(world.wire.ns["outside"], "probe", sys.executable, Path(__file__), "answer", address, PORT)

    def result(self):
        """{"UDP": as ask(), "ping": the same without p99}"""
        datagrams = json.loads(self.asking.communicate(timeout=60)[0])
        text = self.pinging.communicate(timeout=60)[0]
        _, mean, longest, _ = text.split("rtt min/avg/max/mdev = ")[1].split(" ")[0].split("/")
        return {"UDP": datagrams, "ping": {"lost": float(text.split("% packet loss")[0].split()[-1]),
                                           "mean": float(mean) * 1000, "longest": float(longest) * 1000}}


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        answer(sys.argv[2], int(sys.argv[3]))
    print(json.dumps(ask(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
