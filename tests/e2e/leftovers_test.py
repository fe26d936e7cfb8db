#!/usr/bin/python3
"""When sallyportd is stopped or killed, nothing is left behind: processes, files, mounts, hugepages, promiscuous ports."""
import glob
from pathlib import Path

from lib import BUILD, SIDES, World, check, deliver, eventually

ALONE = True                         # for tests/run: it compares what is on the machine before and after


def traces(world):
    """What may only be different while the guard runs."""
    huge = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("HugePages")]
    return {
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if "netns" not in line],
        "hugepages": huge,
        "files": sorted(glob.glob("/dev/hugepages/*") + glob.glob("/run/*sallyport*") + glob.glob("/dev/shm/*") +
                        glob.glob("/run/dpdk*") + glob.glob("/run/dpdk/*") + glob.glob("/tmp/sallyport.*") +
                        glob.glob("/tmp/dpdk*") + glob.glob(f"{BUILD}/*.sock")),
        "ports": [world.wire.on("guard", "ip", "-d", "-o", "link", "show", side).stdout.split("promiscuity ")[1].split()[0]
                  for side in SIDES],
        "sockets": world.wire.on("guard", "cat", "/proc/net/packet", "/proc/net/unix").stdout.count("\n"),
    }


with World(families=(4,)) as world:
    world.start_servers()
    world.wire.cut()
    before = traces(world)
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    for how in ("terminate", "kill"):
        world.guard.start()
        check(deliver(alice, bob, f"before {how}", 10), f"{how}: a message passes")
        check(len(world.guard.pids()) >= 4, f"{how}: four processes run", world.guard.pids())
        world.guard.stop(how)
        check(eventually(lambda: not world.guard.pids(), 3), f"{how}: no process is left", world.guard.pids())
        after = traces(world)
        for what, value in before.items():
            check(eventually(lambda: traces(world)[what] == value, 2), f"{how}: {what} are as before", after[what])
        if how == "terminate":
            check(world.guard.process.returncode == 0, "terminate: exit status 0", world.guard.process.returncode)
        check(not world.ping(timeout=1), f"{how}: nothing crosses a guard that is not there")
