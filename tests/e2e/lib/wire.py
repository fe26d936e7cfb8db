"""
The wire between two organisations, made of network namespaces:

    inside: wire ═══ inside ┐  guard  ┌ outside ═══ wire :outside
                            └ direct ─┘
The two ends in the middle are joined by a kernel bridge ("direct") until a guard takes them over.
"""
import contextlib
import ctypes
import os
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
OFFLOADS = "rx tx sg tso gso gro rxvlan txvlan".split()
ADDRESS = {"inside": {4: "10.61.0.1", 6: "fd61::1"}, "outside": {4: "10.61.0.2", 6: "fd61::2"}}
SIDES = ("inside", "outside")


def run(*command, **options):
    options.setdefault("check", True)
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **(options | {"check": False}))
    if options["check"] and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done


@contextlib.contextmanager
def netns(name):
    """Sockets made inside the `with` belong to that namespace for life."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        yield
    finally:
        libc.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)


class Wire:
    """Three namespaces with names of their own, removed by close()."""

    def __init__(self, tag, mtu=1500):
        self.ns = {place: f"{place}-{tag}" for place in ("inside", "guard", "outside")}
        self.mtu = mtu
        self.joined = False
        for name in self.ns.values():
            run("ip", "netns", "add", name)
            self.inn(name, "ip", "link", "set", "lo", "up")
        middle = self.ns["guard"]
        self.inn(middle, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        for side in SIDES:
            run("ip", "link", "add", "wire", "netns", self.ns[side], "type", "veth",
                "peer", "name", side, "netns", middle)
            self.bring_up(middle, side)
            self.bring_up(self.ns[side], "wire")
            for family, length in ((4, 24), (6, 64)):
                self.inn(self.ns[side], "ip", "addr", "add", f"{ADDRESS[side][family]}/{length}", "dev", "wire",
                         *(["nodad"] if family == 6 else []))
        self.join()

    def inn(self, name, *command, **options):
        return run("ip", "netns", "exec", name, *command, **options)

    def on(self, side, *command, **options):
        return self.inn(self.ns[side], *command, **options)

    def bring_up(self, name, device):
        self.inn(name, "ethtool", "-K", device, *(word for o in OFFLOADS for word in (o, "off")))
        self.inn(name, "ip", "link", "set", device, "mtu", self.mtu, "up")

    def mac(self, side):
        return self.on(side, "cat", "/sys/class/net/wire/address").stdout.strip()

    def join(self):
        """The wire runs straight through the middle."""
        self.on("guard", "ip", "link", "add", "direct", "mtu", self.mtu, "type", "bridge", "forward_delay", "0")
        self.on("guard", "ip", "link", "set", "direct", "up")
        for side in SIDES:
            self.on("guard", "ip", "link", "set", side, "master", "direct")
        self.joined = True

    def cut(self):
        """Both ends lie open, ready for a guard."""
        if self.joined:
            self.on("guard", "ip", "link", "del", "direct")
        self.joined = False

    def close(self):
        for name in self.ns.values():
            run("ip", "netns", "del", name, check=False)
