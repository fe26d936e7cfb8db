"""
Two organisations and the wire between them: a.example inside, b.example outside, each with its CA, a Prosody and its
name service. Each server trusts the CA of the other organisation and the guard CA of its own side from the beginning, so
that a guard can be inserted (insert_guard) and taken out again without touching either.
"""
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import dns
from .ca import Ca
from .guard import Guard
from .prosody import Prosody
from .tap import check, note
from .wire import ADDRESS, SIDES, Wire
from .xmpp import Client

IN_A_SANDBOX = {"ASAN_OPTIONS": "detect_leaks=0"}      # where there is no /proc, leaks cannot be looked for
USERS = {"inside": ("alice", "anna"), "outside": ("bob", "bella")}


class World:
    def __init__(self, families=(4, 6), mtu=1500, servers=True, ports=(5269, 5269), kinds=(Prosody, Prosody),
                 service="xmpp-server"):
        self.families, self.with_servers, self.mtu = families, servers, mtu
        self.ports, self.service = dict(zip(SIDES, ports)), service     # that SRV records name
        self.kinds = dict(zip(SIDES, kinds))                # of servers
        self.tag = os.environ.get("WORLD_TAG", "") + secrets.token_hex(3)
        self.processes, self.clients, self.kept, self.quiet = [], [], False, False
        self.domains = {"inside": ["a.example", "conference.a.example"],
                        "outside": ["b.example", "conference.b.example"]}

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))     # the runner's: remove what was made
        self.folder = Path(tempfile.mkdtemp(prefix=f"sallyport-{self.tag}-"))
        self.folder.chmod(0o755)
        try:
            self.wire = Wire(self.tag, self.mtu)
            self.make_authorities()
            self.guard = Guard(self)
            self.make_servers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None and self.guard.process:
                check(not self.guard.faults(), "the guard's own log has no fault", self.guard.faults())
                unexplained = self.guard.unexplained()
                if unexplained:
                    check(False, "each verdict in the audit can be explained", unexplained)
        except SystemExit as fault:
            kind, value = SystemExit, fault
            raise
        finally:
            try:
                if kind and not (kind is SystemExit and value.code in (0, None)) and not self.quiet:
                    self.tell_logs()
            finally:                     # whatever happened, even when nobody reads what is told
                if not self.kept:
                    self.close()

    def make_authorities(self):
        folder = self.folder / "ca"
        folder.mkdir()
        self.ca = {side: Ca(folder, f"{side}-organisation-ca") for side in SIDES}
        self.guard_ca = {side: Ca(folder, f"{side}-guard-ca") for side in SIDES}

    def make_servers(self):
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2\n")
        self.server = {}
        for side in SIDES if self.with_servers else ():
            domains = self.domains[side]
            self.server[side] = self.kinds[side](self.folder / domains[0], domains[0], self.wire.ns[side], self.start,
                                                 USERS[side])
            self.configure(side)

    def trusted(self, side):
        other = SIDES[1 - SIDES.index(side)]
        return [self.ca[other].file, self.guard_ca[side].file]

    def configure(self, side, certificate=None, **options):
        """A server's configuration, before it is started."""
        certificate = certificate or self.ca[side].issue(self.domains[side], f"{side}-server")
        self.server[side].configure(certificate, self.trusted(side), **options)

    def start_servers(self):
        conf = self.folder / "dnsmasq.conf"
        conf.write_text(dns.records(self.domains, self.families, self.ports, self.service))
        for side in SIDES:
            self.start(self.wire.ns[side], f"dnsmasq-{side}", "dnsmasq", "-C", conf)
        for side in SIDES:
            self.server[side].start(wait=False)
        for side in SIDES:
            self.server[side].wait_for_port()

    def start(self, namespace, name, *command):
        """A process of the test's own in a namespace; its output in the file `name`.log."""
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, command)],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                       env=os.environ | IN_A_SANDBOX)
        process.name = name
        self.processes.append(process)
        return process

    def insert_guard(self):
        """The wire is cut and the guard put between its ends. Nothing else changes."""
        self.wire.cut()
        self.guard.start()

    def remove_guard(self):
        self.guard.stop()
        self.wire.join()

    def client(self, side, user=None):
        client = Client(self.wire.ns[side], self.domains[side][0], user or USERS[side][0])
        self.clients.append(client)
        return client

    def ping(self, family=4, side="inside", size=56, timeout=2, count=1):
        other = SIDES[1 - SIDES.index(side)]
        return self.wire.on(side, "ping", "-q", "-c", count, "-i", "0.01", "-W", timeout, "-s", size,
                            ADDRESS[other][family], check=False).returncode == 0

    def witness(self, side, family=4, domain=None):
        """What `openssl s_client` is shown on this side by the other side's XMPP port: its output."""
        other = SIDES[1 - SIDES.index(side)]
        address = ADDRESS[other][family]
        return self.wire.on(side, "timeout", "10", "openssl", "s_client", "-connect",
                            f"[{address}]:5269" if family == 6 else f"{address}:5269", "-starttls", "xmpp-server",
                            "-xmpphost", domain or self.domains[other][0], "-CAfile", self.guard_ca[side].file,
                            check=False, stdin=subprocess.DEVNULL).stdout

    def tell_logs(self):
        logs = sorted(self.folder.glob("*.log")) + [s.folder / s.log_name for s in self.server.values()] \
            if hasattr(self, "server") else []
        for path in logs:
            if path.exists():
                note(f"--- end of {path.relative_to(self.folder)}")
                for line in path.read_text(errors="replace").splitlines()[-25:]:
                    note(line[:300])

    def close(self):
        for client in self.clients:
            client.close()
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if hasattr(self, "wire"):
            self.wire.close()
        if not os.environ.get("KEEP_LOGS"):
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"# logs: {self.folder}", file=sys.stderr)


def eventually(condition, timeout=10, step=0.1):
    """Whether condition() becomes true before the timeout."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True
