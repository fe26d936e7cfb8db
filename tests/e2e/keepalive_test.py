#!/usr/bin/python3
"""
Keepalives ask the other server, not the guard: as long as it lives an idle connection stays, and when it has gone, silently or
by forgetting everything, the one that asks finds out as it would without a guard. Over both families, whoever asks.
"""
import socket
import time

from lib import ADDRESS, SIDES, World, check, netns
from lib.traffic import FAMILY

PORT, IDLE, INTERVAL, COUNT = 5269, 1, 1, 3          # seconds, and probes
NOTICED = IDLE + INTERVAL * COUNT + 3
TCP_REPAIR = 19


class Pair:
    """An idle guarded connection: `asks` has keepalives, `other` has not."""

    def __init__(self, wire, side, family, dials):
        far = SIDES[1 - SIDES.index(side)]
        listens, address = (far, ADDRESS[far][family]) if dials else (side, ADDRESS[side][family])
        with netns(wire.ns[listens]), socket.create_server((address, PORT), family=FAMILY[family]) as listener:
            with netns(wire.ns[far if listens == side else side]):
                client = socket.create_connection((address, PORT), 5)
            listener.settimeout(5)
            server, _ = listener.accept()
        self.asks, self.other = (client, server) if dials else (server, client)
        self.name = f"IPv{family}, asked from {side}, which {'dialled' if dials else 'was dialled'}"
        self.far, self.family = far, family
        for option, value in ((socket.TCP_KEEPIDLE, IDLE), (socket.TCP_KEEPINTVL, INTERVAL), (socket.TCP_KEEPCNT, COUNT)):
            self.asks.setsockopt(socket.IPPROTO_TCP, option, value)
        self.asks.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def ending(self, deadline):
        """"open", "reset", "timeout", "closed" """
        self.asks.settimeout(max(deadline - time.monotonic(), 0.01))
        try:
            return "closed" if not self.asks.recv(1) else "data"
        except ConnectionResetError:
            return "reset"
        except TimeoutError as fault:
            return "timeout" if fault.errno else "open"

    def fall_silent(self, wire):
        """The far host is there no more: what comes for this connection is not heard."""
        ports = f"tcp dport {self.other.getsockname()[1]} tcp sport {self.asks.getsockname()[1]}"
        wire.on(self.far, "nft", f"add rule inet silent c meta nfproto ipv{self.family} {ports} drop")

    def forget(self):
        """The far host has been started anew and knows of nothing: it answers with RST."""
        self.other.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.other.close()


def every(wire):
    return [Pair(wire, side, family, dials) for side in SIDES for family in (4, 6) for dials in (True, False)]


with World(servers=False) as world:
    world.insert_guard()
    for side in SIDES:
        world.wire.on(side, "nft", "add table inet silent; add chain inet silent c { type filter hook input priority 0; }")
    alive, silent, forgetful = every(world.wire), every(world.wire), every(world.wire)
    for pair in silent:
        pair.fall_silent(world.wire)
    for pair in forgetful:
        pair.forget()
    deadline = time.monotonic() + NOTICED
    for pairs, wanted, what in ((forgetful, "reset", "the other end knows of nothing: reset"),
                                (silent, "timeout", "the other end is silent: given up"),
                                (alive, "open", "the other end lives: the connection stays")):
        found = [(pair.name, seen) for pair in pairs if (seen := pair.ending(deadline)) != wanted]
        check(not found, f"{what} ({len(pairs)} ways)", found)
    for pair in alive:
        pair.asks.close()
        pair.other.close()
