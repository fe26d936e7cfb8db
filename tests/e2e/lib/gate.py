"""
A port on which a program that speaks nothing but TLS finds the guard as it is behind STARTTLS: for each connection to it,
one is made through the guard, STARTTLS is asked for there, and from then on bytes are carried both ways.
"""
import contextlib
import socket
import threading

from .s2s import Stream
from .wire import netns


def carry(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Gate:
    """Listens on 127.0.0.1 in the namespace of `side`, and dials to the other side."""

    def __init__(self, world, side):
        self.world, self.side, self.passed = world, side, 0
        with netns(world.wire.ns[side]):
            self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):               # it was closed
            while True:
                dialled, _ = self.socket.accept()
                threading.Thread(target=self.serve, args=(dialled,), daemon=True).start()

    def serve(self, dialled):
        with dialled, contextlib.suppress(OSError):
            stream = Stream(self.world, self.side)
            stream.ask_for_tls()
            self.passed += 1
            back = threading.Thread(target=carry, args=(dialled, stream.socket))
            back.start()
            carry(stream.socket, dialled)
            back.join()
            stream.close()

    def close(self):
        self.socket.close()
