"""Cycles for a bridged frame on a port that costs nothing, beside testpmd, which looks at nothing."""
import re
import subprocess
import time

from lib import BUILD, run

BRIDGE = BUILD / "tests/bench/bridge_cycles"
EAL = ("--no-huge --no-shconf --no-pci --no-telemetry -m 256 --log-level=*:4 --lcores=0@(0-1),1@(0-1) --main-lcore=0 "
       "--vdev=net_null0,size=64 --vdev=net_null1,size=64").split()
TESTPMD = "-i --burst=64 --forward-mode=io --total-num-mbufs=4095 --no-lsc-interrupt".split()


def of_bridge(seconds):
    """Kind of frame -> cycles of the guard, and of a bare loop between the same ports in the same program"""
    rows = [line.split("\t") for line in run(BRIDGE, seconds).stdout.splitlines()]
    return {name: (float(bridged), float(forwarded)) for name, bridged, forwarded in rows}


def of_testpmd(seconds):
    """By its own count, a mean over bursts."""
    process = subprocess.Popen(["dpdk-testpmd", *EAL, "--", *TESTPMD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    process.stdin.write("set record-core-cycles on\nstart\n")
    process.stdin.flush()
    time.sleep(seconds + 0.5)
    text, _ = process.communicate("stop\nquit\n", timeout=30)
    return float(re.search(r"CPU cycles/packet=([\d.]+)", text)[1])
