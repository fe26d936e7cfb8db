"""
The two ends of a connection between servers, made by hand: they show any certificate, believe any, and record what they
were shown. Each server has an address of its own for each certificate that it may show, so that many connections can be
tried at once.
"""
import itertools
import socket
import ssl
import threading
import warnings

from OpenSSL import SSL

from .s2s import HEADER
from .wire import ADDRESS, netns, run

FEATURES = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
TIMEOUT = 20
PORTS = (5269, 5270)
CERTIFICATE_MESSAGE = 11
source_ports = itertools.count(10000)          # below those that the system gives


class Record:
    """What an end saw: whether it was shown a certificate, and how far it came."""

    def __init__(self):
        self.shown, self.opened, self.fault = False, False, None

    def __repr__(self):
        return f"<shown={self.shown} opened={self.opened} fault={self.fault}>"


def context(server_side, file, version, trust, alpn=False):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.minimum_version = made.maximum_version = VERSIONS[version]
    made.set_ciphers("ALL:@SECLEVEL=0")          # what the guard says to the weakest is what is tested
    made.load_verify_locations(trust)
    made.verify_mode = ssl.CERT_OPTIONAL if server_side else ssl.CERT_REQUIRED
    if file:
        made.load_cert_chain(file)
    if alpn:
        made.set_alpn_protocols(["xmpp-server"])
    return made


def shake(sock, made, record, **options):
    """TLS over the socket; the record is told of a certificate as soon as it is read, whatever becomes of it."""
    def on_message(_connection, direction, _version, content, kind, data):
        # An empty one has nothing but lengths.
        if direction == "read" and content == 22 and kind == CERTIFICATE_MESSAGE and len(data) > 16:
            record.shown = True
    made._msg_callback = on_message
    wrapped = made.wrap_socket(sock, do_handshake_on_connect=False, **options)
    wrapped.do_handshake()
    return wrapped


class Stapling:
    """The server's end with an OCSP staple, which Python's own ssl does not have."""

    def __init__(self, sock, file, version, staple, record):
        sock.settimeout(None)
        made = SSL.Context(SSL.TLS_SERVER_METHOD)
        made.set_min_proto_version(VERSIONS[version])
        made.set_max_proto_version(VERSIONS[version])
        made.use_certificate_chain_file(str(file))
        made.use_privatekey_file(str(file))
        made.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        made.set_ocsp_server_callback(lambda *_: staple)
        self.connection = SSL.Connection(made, sock)
        self.connection.set_accept_state()
        self.connection.do_handshake()
        record.shown = self.connection.get_peer_certificate() is not None

    def recv(self, size):
        return self.connection.recv(size)

    def sendall(self, data):
        self.connection.sendall(data)

    def close(self):
        self.connection.shutdown()


def read_until(sock, text):
    seen = b""
    while text.encode() not in seen:
        data = sock.recv(4096)
        if not data:
            raise ConnectionError("closed")
        seen += data
    return seen.decode(errors="replace")


def answer(own, peer, number):
    return HEADER.format(own, peer).replace(" version='1.0'>", f" id='{number}' version='1.0'>")


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


class Server:
    """Listens on a side. `add` makes an address and port at which a certificate is shown in a version of TLS."""

    def __init__(self, world, side, first_address=10):
        self.world, self.side, self.first_address = world, side, first_address
        self.at, self.records, self.lock = {}, {}, threading.Condition()
        with netns(world.wire.ns[side]):
            self.listeners = [socket.create_server(("0.0.0.0", port), backlog=512) for port in PORTS]

    def add(self, file, version, staple=None):
        number, port = divmod(len(self.at), len(PORTS))
        address = ADDRESS[self.side][4].rsplit(".", 1)[0] + f".{self.first_address + number}", PORTS[port]
        self.at[address] = file, version, staple
        return address

    def serve(self):
        commands = "".join(f"addr add {address}/24 dev wire\n" for address in {at[0] for at in self.at})
        run("ip", "-n", self.world.wire.ns[self.side], "-batch", "-", input=commands)
        for listener in self.listeners:
            threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(sock, peer), daemon=True).start()

    def handle(self, sock, peer):
        record, ends = Record(), (peer, sock.getsockname())
        sock.settimeout(TIMEOUT)
        try:
            self.speak(sock, record)
        except (OSError, ConnectionError, IndexError, SSL.Error) as fault:
            record.fault = fault
        sock.close()
        with self.lock:
            self.records[ends] = record
            self.lock.notify_all()

    def speak(self, sock, record):
        file, version, staple = self.at[sock.getsockname()]
        trust = self.world.guard_ca[self.side].file
        direct = sock.recv(1, socket.MSG_PEEK) == b"\x16"
        if not direct:
            header = read_until(sock, ">").split("<stream:stream", 1)[1]
            header += "" if ">" in header else read_until(sock, ">")
            client, own = between(header, " from='", "'"), between(header, " to='", "'")
            sock.sendall((answer(own, client, 1) + FEATURES).encode())
            read_until(sock, "/>")
            sock.sendall(PROCEED.encode())
        if staple:
            sock = Stapling(sock, file, version, staple, record)
        else:
            sock = shake(sock, context(True, file, version, trust, alpn=direct), record, server_side=True)
        header = read_until(sock, "version='1.0'>")
        client, own = between(header, " from='", "'"), between(header, " to='", "'")
        record.opened = True
        sock.sendall((answer(own, client, 2) + "<stream:features/>").encode())
        sock.recv(4096)

    def record_of(self, ends):
        with self.lock:
            self.lock.wait_for(lambda: ends in self.records, TIMEOUT)
            return self.records.get(ends)


def dial(world, side, address, own, peer, file, version, direct=False):
    """A connection from `side` as the domain `own`: the addresses of its ends, and its record."""
    record = Record()
    with netns(world.wire.ns[side]):
        # Never the same ends twice: it is by them that records and the audit are told apart.
        sock = socket.create_connection(address, TIMEOUT, ("", next(source_ports)))
    ends = sock.getsockname(), sock.getpeername()
    try:
        if not direct:
            sock.sendall(HEADER.format(own, peer).encode())
            read_until(sock, "</stream:features>")
            sock.sendall(STARTTLS.encode())
            read_until(sock, "proceed")
        sock = shake(sock, context(False, file, version, world.guard_ca[side].file, alpn=direct), record,
                     server_hostname=peer)
        sock.sendall(HEADER.format(own, peer).encode())
        read_until(sock, "stream:features")
        record.opened = True
    except (OSError, ConnectionError) as fault:
        record.fault = fault
    sock.close()
    return ends, record
