"""Raw Ethernet frames at the end of a wire, VLAN tags as they were on it."""
import socket
import struct
import time

from .wire import netns

SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE = 263, 8, 23, 33
ETH_P_ALL = 0x0003
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6


class Port:
    def __init__(self, namespace, device="wire"):
        with netns(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.mac = self.socket.getsockname()[4]

    def flush(self):
        """Forgets what has come in so far."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(65536)
        except BlockingIOError:
            pass

    def send(self, frame):
        self.socket.send(frame)

    def receive(self, timeout):
        """The next frame that came in over the wire, with the tag that the kernel took out of it put back; None: none."""
        self.socket.settimeout(max(timeout, 0.0001))
        try:
            frame, extra, _, _ = self.socket.recvmsg(65536, 256)
        except TimeoutError:
            return None
        for level, kind, data in extra:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                if status & TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                    frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        return frame

    def await_frame(self, wanted, timeout=2):
        """True when exactly this frame comes in, byte for byte."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if self.receive(left) == wanted:
                return True
        return False


def frame(destination, source, ethertype, payload, tags=()):
    """tags: (tpid, tci) from the outer to the inner. Padded to the shortest that Ethernet allows."""
    header = destination + source + b"".join(struct.pack("!HH", *tag) for tag in tags) + struct.pack("!H", ethertype)
    return (header + payload).ljust(60, b"\0")
