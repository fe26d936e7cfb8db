"""SYNs that nobody asked for, each from another port or address, to a server that does not answer them."""
import time

from scapy.layers.inet import IP, TCP, Ether

from .frames import Port
from .wire import ADDRESS, SIDES

PORTS, FIRST_HOST = 60000, 9           # of 10.61.1.0/24


def plus(checksum, change):
    """The Internet checksum of what grew by `change` (RFC 1624)."""
    total = (checksum ^ 0xFFFF) + change
    return (((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF).to_bytes(2, "big")


class Flood:
    """From `side` to the guarded port of the other. What answers is told to be silent until close()."""

    def __init__(self, wire, side, port=5269):
        self.wire, self.other = wire, SIDES[1 - SIDES.index(side)]
        wire.on(self.other, "nft", "add table inet flood; add chain inet flood c { type filter hook input priority 0; };"
                "add rule inet flood c ip saddr 10.61.1.0/24 drop")
        ether = Ether(src=wire.mac(side), dst=wire.mac(self.other))
        packet = ether / IP(src=f"10.61.1.{FIRST_HOST}", dst=ADDRESS[self.other][4]) / TCP(sport=1, dport=port, flags="S")
        self.template, self.port = bytes(packet), Port(wire.ns[side])

    def send(self, count, per_second=None):
        """Seconds that it took; without a pace as fast as it goes."""
        frame, start = bytearray(self.template), time.monotonic()
        ip_sum, tcp_sum = int.from_bytes(frame[24:26], "big"), int.from_bytes(frame[50:52], "big")
        for i in range(count):
            port, host = i % PORTS + 1, i // PORTS
            frame[34:36], frame[29] = port.to_bytes(2, "big"), FIRST_HOST + host
            frame[24:26], frame[50:52] = plus(ip_sum, host), plus(tcp_sum, port - 1 + host)
            self.port.send(frame)
            if per_second and i % 64 == 0:
                time.sleep(max(0, start + i / per_second - time.monotonic()))
        return time.monotonic() - start

    def close(self):
        self.wire.on(self.other, "nft", "delete table inet flood")
        self.port.socket.close()
