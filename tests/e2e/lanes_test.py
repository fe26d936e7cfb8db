#!/usr/bin/python3
"""
Two lanes on a port that cannot spread by itself: connections of servers with several addresses get into both, each in
the lane of its two addresses; everything else is bridged whole and in order; a death in one lane is not felt in the other.
"""
import os
import signal
import socket
import time
from pathlib import Path

from lib import ADDRESS, Echo, Stream, Transfer, World, body, check, deliver, eventually, local, netns

LANES, EACH, DATAGRAMS = 2, 3, 3000
SO_RCVBUFFORCE = 33
PEER = ADDRESS["outside"][4]


def lane_of(one, other):
    """Receive-side scaling by the book: for each bit of the input that is set, 32 bits of the key from there on."""
    data = int.from_bytes(socket.inet_aton(one) + socket.inet_aton(other), "big")
    key = int("6d5a" * 10, 16)
    total = 0
    for i in range(64):
        if data >> (63 - i) & 1:
            total ^= key >> (160 - 32 - i) & 0xFFFFFFFF
    return total % 64 % LANES


def sources(lane):
    return [a for a in (f"10.61.0.{i}" for i in range(11, 60)) if lane_of(a, PEER) == lane][:EACH]


def process(world, role, lane):
    """The process of this lane: sallyportd tells it in its environment."""
    return [pid for pid in world.guard.pids(role)
            if f"SALLYPORT_LANE={lane}/{LANES}" in Path(f"/proc/{pid}/environ").read_text().split("\0")]


def says(stream, bob, text):
    stream.send(f"<message from='alice@a.example/x' to='{bob.jid}' type='chat'><body>{text}</body></message>")
    return bob.wait(lambda e: local(e) == "message" and body(e) == text, 5)


def sessions(world):
    """Sessions by lane, as shown."""
    found, lane = {}, None
    for line in world.guard.show("sessions").splitlines():
        if line.startswith("lane "):
            lane = int(line.split()[1])
        elif line.endswith((" sessions", " session")):
            found[lane] = int(line.split()[0])
    return found


def datagrams_in_order(world, source):
    """Numbered datagrams from this address, as they arrive."""
    with netns(world.wire.ns["outside"]):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    receiver.bind((PEER, 9000))
    receiver.settimeout(1)
    with netns(world.wire.ns["inside"]):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((source, 0))
    for i in range(DATAGRAMS):
        sender.sendto(i.to_bytes(4, "big") * 50, (PEER, 9000))
        if i % 100 == 0:
            time.sleep(0.001)
    arrived = []
    try:
        while len(arrived) < DATAGRAMS:
            arrived.append(int.from_bytes(receiver.recv(2048)[:4], "big"))
    except TimeoutError:
        pass
    sender.close()
    receiver.close()
    return arrived


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


with World(families=(4,)) as world:
    world.guard.deaths_expected = True
    world.guard.set("guard", "workers", LANES)
    world.start_servers()
    for lane in range(LANES):
        for address in sources(lane):
            world.wire.on("inside", "ip", "addr", "add", f"{address}/24", "dev", "wire")
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    for client in (alice, bob):
        client.presence()
    check(deliver(alice, bob, "there", 10), "Prosody federates through two lanes")
    check(deliver(bob, alice, "back", 10), "in both directions")
    check(len(world.guard.pids("dataplane")) == 1, "one dataplane")
    for role in ("tls", "keyd", "control"):
        check(len(world.guard.pids(role)) == LANES, f"a {role} for each lane")

    certificate = world.ca["inside"].issue(world.domains["inside"], "inside-lanes")
    before = sessions(world)
    streams = {lane: [Stream(world, certificate=certificate, source=a).open() for a in sources(lane)]
               for lane in range(LANES)}
    for lane in range(LANES):
        for i, stream in enumerate(streams[lane]):
            check(says(stream, bob, f"lane {lane} stream {i}"), f"lane {lane}: a message over stream {i} arrives")
    after = sessions(world)
    for lane in range(LANES):
        check(after[lane] == before[lane] + EACH, f"lane {lane}: has its {EACH} sessions and no others", (before, after))
    counters = world.guard.counters()
    check(counters["connections-open"] == sum(after.values()), "counters are those of all lanes", counters)
    ids = [line.split()[0] for line in world.guard.show("sessions").splitlines() if " -> " in line and line[0] != " "]
    check(len(ids) == len(set(ids)) == sum(after.values()), "no two sessions of the guard have one id", ids)

    echo = Echo(world.wire)
    check(all(echo.ping(size) for size in (0, 1000, 1472, 4000, 30000)), "ping of every size, in fragments too")
    for lane in range(LANES):
        arrived = datagrams_in_order(world, sources(lane)[0])
        check(arrived == list(range(DATAGRAMS)), f"lane {lane}: {DATAGRAMS} datagrams arrive in order", len(arrived))
    transfer = Transfer(world.wire, 100 << 20)
    transfer.start(), transfer.join(60)
    check(transfer.whole(), f"100 MiB over port 8080 arrive whole, in {transfer.seconds:.1f} s", transfer.fault)
    counters = world.guard.counters()
    check(counters["frames-handed-over"] > DATAGRAMS, "frames were handed over", counters["frames-handed-over"])
    check(counters["drop-lane-full"] == 0, "none for lack of room", counters["drop-lane-full"])

    victim = process(world, "control", 1)
    others = [process(world, role, 0) for role in ("tls", "keyd", "control")]
    check(len(victim) == 1, "the control of lane 1 is found", victim)
    os.kill(victim[0], signal.SIGKILL)
    check(all(echo.ping(1000) for _ in range(20)), "ping goes on")
    check(all(stream.ending(2) is not None for stream in streams[1]), "the connections of lane 1 are reset")
    for i, stream in enumerate(streams[0]):
        check(says(stream, bob, f"still stream {i}"), f"lane 0: stream {i} did not notice")
    check([process(world, role, 0) for role in ("tls", "keyd", "control")] == others, "nor did its processes")
    check(eventually(lambda: process(world, "control", 1) not in ([], victim)), "the lane is started again")
    check(eventually(lambda: "ready again lane=1" in world.guard.log()), "and ready")
    stream = Stream(world, certificate=certificate, source=sources(1)[0]).open()
    check(says(stream, bob, "again"), "lane 1: carries connections again")
    check(deliver(alice, bob, "after"), "and Prosody federates")

    time.sleep(1)
    pids = [*world.guard.pids(), world.guard.process.pid]
    start = cpu_seconds(pids)
    time.sleep(3)
    share = 100 * (cpu_seconds(pids) - start) / 3
    check(share < 5, f"idle, two lanes take {share:.1f} % of a core")
