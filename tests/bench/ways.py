"""
The ways between two namespaces that are measured side by side. Each has namespaces of its own, and all are there at the same
time, so that a measurement can go round them: what disturbs the machine then disturbs all of them alike.

The kernel's TCP runs CUBIC everywhere, which is its default, whatever this machine prefers, and what the guard's engine runs.
"""
from lib import ADDRESS, BUILD, SIDES, World, eventually, run
from lib.bad_link import make_bad

SEED = 42
PROXY_PORT = 5269
HAPROXY_SIDE = {"inside": "10.63.0", "outside": "10.61.0"}      # its own address on each side ends in 254


class Way(World):
    """
    `address`: where the outside is reached from the inside; `device`: through which interface of either; `link`: loss in
    percent and delay in ms, each direction, of the wire between the middle and the outside.
    """
    device = "wire"
    name = None
    direct_tls = False                 # what s2s_load speaks: this, or STARTTLS

    def __init__(self, link=None, control="cubic"):
        super().__init__(servers=False)
        self.link, self.control = link, control
        self.address = ADDRESS["outside"][4]

    def __enter__(self):
        super().__enter__()
        try:
            if self.link:
                loss, delay_ms = self.link
                make_bad(self, SEED, ("outside",), (loss, delay_ms, 0, 0, 0))
            self.build()
            for place in self.wire.ns:
                self.set_congestion_control(place)
            if not eventually(self.reaches, 20):
                raise RuntimeError(f"{self.name}: no way to the other side")
        except BaseException:
            self.close()
            raise
        return self

    def set_congestion_control(self, place):
        for route in self.wire.on(place, "ip", "-4", "route").stdout.splitlines():
            self.wire.on(place, "ip", "route", "replace", *route.split(), "congctl", self.control)

    def reaches(self):
        return self.wire.on("inside", "ping", "-q", "-c", "1", "-W", "1", self.address, check=False).returncode == 0

    def received(self):
        """Frames that the outside's interface has taken in."""
        return int(self.wire.on("outside", "cat", f"/sys/class/net/{self.device}/statistics/rx_packets").stdout)

    def pids(self):
        """Of whatever stands in the middle."""
        return run("ip", "netns", "pids", self.wire.ns["guard"]).stdout.split()

    def far_mac(self):
        return self.wire.on("outside", "cat", f"/sys/class/net/{self.device}/address").stdout.strip()


class Direct(Way):
    name, device = "direct", "patch"

    def build(self):
        wire = self.wire
        self.address = "10.62.0.2"
        run("ip", "link", "add", "patch", "netns", wire.ns["inside"], "type", "veth", "peer", "name", "patch",
            "netns", wire.ns["outside"])
        for i, side in enumerate(SIDES):
            wire.bring_up(wire.ns[side], "patch")
            wire.on(side, "ip", "addr", "add", f"10.62.0.{i + 1}/24", "dev", "patch")


class Bridge(Way):
    name = "Linux bridge"

    def build(self):
        pass                           # the wire is joined from the beginning


class Forwarder(Way):
    name = "forwarder"

    def build(self):
        self.wire.cut()
        self.start(self.wire.ns["guard"], "forward", BUILD / "tests/bench/forward", *SIDES)


class Sallyport(Way):
    name = "Sallyport"
    direct_tls = True

    def build(self):
        self.insert_guard()

    def pids(self):
        return [*self.guard.pids(), self.guard.process.pid]    # its processes left the namespace


class HaProxy(Way):
    """In TCP mode: TLS passes through. It has an address on either side."""
    name = "HAProxy"

    def build(self):
        wire = self.wire
        wire.cut()
        for side, net in HAPROXY_SIDE.items():
            wire.on("guard", "ip", "addr", "add", f"{net}.254/24", "dev", side)
        wire.on("inside", "ip", "addr", "add", f"{HAPROXY_SIDE['inside']}.1/24", "dev", "wire")
        self.address = f"{HAPROXY_SIDE['inside']}.254"
        conf = self.folder / "haproxy.cfg"
        conf.write_text("global\n\tmaxconn 1000\n"
                        "defaults\n\tmode tcp\n\ttimeout connect 5s\n\ttimeout client 60s\n\ttimeout server 60s\n"
                        f"listen xmpp\n\tbind {self.address}:5269\n\tserver outside {ADDRESS['outside'][4]}:5269\n")
        self.start(wire.ns["guard"], "haproxy", "haproxy", "-db", "-f", conf)


class Transparent(Way):
    """
    A proxy of the kernel's TCP in the same place as the guard, with TPROXY: both ends keep their addresses and routes. It
    ends TLS on both sides, with certificates of the guard CAs, and passes the bytes between.
    """
    direct_tls = True

    def build(self):
        wire = self.wire
        wire.cut()
        wire.on("guard", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
                *(f"net.ipv4.conf.{side}.{key}" for side in SIDES for key in ("proxy_arp=1", "rp_filter=0")))
        for side, own in zip(SIDES, ("10.61.0.253", "10.61.0.254")):
            wire.on("guard", "ip", "addr", "add", f"{own}/32", "dev", side)
            wire.on("guard", "ip", "route", "add", ADDRESS[side][4], "dev", side, "src", own)
        wire.on("guard", "ip", "rule", "add", "fwmark", "1", "lookup", "100")
        wire.on("guard", "ip", "route", "add", "local", "default", "dev", "lo", "table", "100")
        wire.on("guard", "nft", "-f", "-", input="table ip bench {\nchain p {\ntype filter hook prerouting priority mangle\n"
                "meta l4proto tcp socket transparent 1 meta mark set 1 accept\n"
                f"tcp dport {{ 5269, 5270 }} tproxy to :{PROXY_PORT} meta mark set 1 accept\n}}\n}}\n")
        self.shown = {side: self.guard_ca[side].issue(self.domains[SIDES[1 - SIDES.index(side)]], f"shown-{side}")
                      for side in SIDES}
        self.run_proxy()

    def run_proxy(self):
        raise NotImplementedError

    def joined(self, side):
        """Certificate and key that the proxy shows on this side, in one file."""
        path = self.folder / f"shown-{side}.pem"
        path.write_text("".join(part.read_text() for part in self.shown[side]))
        return path


class HaProxyTls(Transparent):
    name = "HAProxy"

    def run_proxy(self):
        ours, theirs = (self.domains[side][0] for side in SIDES)
        conf = self.folder / "haproxy.cfg"
        conf.write_text(
            "global\n\tmaxconn 8000\n\ttune.ssl.default-dh-param 2048\n"
            "defaults\n\tmode tcp\n\ttimeout connect 5s\n\ttimeout client 60s\n\ttimeout server 60s\n"
            f"listen xmpp\n\tbind 0.0.0.0:{PROXY_PORT} transparent ssl crt {self.joined('inside')} alpn xmpp-server "
            f"ca-file {self.ca['inside'].file} verify required\n"
            f"\tserver outside 0.0.0.0 ssl crt {self.joined('outside')} alpn xmpp-server ca-file {self.ca['outside'].file} "
            f"verify required verifyhost {theirs} sni str({theirs}) source 0.0.0.0 usesrc clientip\n")
        self.start(self.wire.ns["guard"], "haproxy", "haproxy", "-db", "-f", conf)


class SslSplit(Transparent):
    """It asks no client for a certificate, verifies no server, and speaks TLS 1.2 at most."""
    name = "sslsplit"

    def run_proxy(self):
        self.start(self.wire.ns["guard"], "sslsplit", "sslsplit", "-e", "tproxy", "-u", "root",
                   "-k", self.guard_ca["inside"].key, "-c", self.guard_ca["inside"].file, "-K", self.shown["inside"][1],
                   "-a", self.shown["outside"][0], "-b", self.shown["outside"][1], "ssl", "0.0.0.0", PROXY_PORT)
