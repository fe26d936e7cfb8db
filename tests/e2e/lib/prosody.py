"""A Prosody of our own: configuration and data in a folder of the test, run as user prosody in a namespace."""
import pwd
import shutil
import socket
import time
from pathlib import Path

from .wire import netns, run

MODULES = Path(__file__).resolve().parent.parent / "modules"
CONFIG = """
daemonize = false
pidfile = "{folder}/pid"
data_path = "{folder}/data"
plugin_paths = {{ "{folder}/modules" }}
log = {{ debug = "{folder}/log" }}
storage = "internal"
authentication = "internal_plain"
c2s_stanza_size_limit = 2000000
c2s_interfaces = {{ "127.0.0.1" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
s2s_interfaces = {{ "*", "::" }}
s2s_require_encryption = true
s2s_secure_auth = {secure}
use_ipv6 = true
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "presence", "message", "iq", "version",
	"vcard4", "vcard_legacy", "pep", "smacks", "s2s_bidi", "log_certificate" }}
modules_disabled = {{ {disabled} }}
ssl = {{ certificate = "{folder}/cert.pem", key = "{folder}/cert.key", cafile = "{folder}/trusted.pem" }}
{extra}
VirtualHost "{domain}"
Component "conference.{domain}" "muc"
"""


class Prosody:
    def __init__(self, folder, domain, namespace, start, users=("alice", "bob")):
        self.folder, self.domain, self.namespace, self.start_process = folder, domain, namespace, start
        self.users, self.process = users, None
        folder.mkdir()

    def configure(self, certificate, trusted, secure=True, disabled=(), extra=""):
        """certificate: (pem, key); trusted: CA files. secure: only EXTERNAL will do, else dialback may."""
        shutil.copy(certificate[0], self.folder / "cert.pem")
        shutil.copy(certificate[1], self.folder / "cert.key")
        # Prosody's user may not be able to look into the folder that the sources are in.
        shutil.copytree(MODULES, self.folder / "modules", dirs_exist_ok=True)
        (self.folder / "trusted.pem").write_text("".join(ca.read_text() for ca in trusted))
        (self.folder / "prosody.cfg.lua").write_text(CONFIG.format(
            folder=self.folder, domain=self.domain, secure="true" if secure else "false",
            disabled=", ".join(f'"{d}"' for d in disabled), extra=extra))
        accounts = self.folder / "data" / self.domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        for user in self.users:
            (accounts / f"{user}.dat").write_text('return { ["password"] = "secret" };\n')
        run("chown", "-R", "prosody:", self.folder)

    def start(self):
        user = pwd.getpwnam("prosody")
        self.process = self.start_process(
            self.namespace, f"prosody-{self.domain}", "unshare", "-m", "sh", "-c",
            f"mount --bind {self.folder.parent}/resolv.conf /etc/resolv.conf && "
            f"exec setpriv --reuid={user.pw_uid} --regid={user.pw_gid} --clear-groups "
            f"prosody -F --config {self.folder}/prosody.cfg.lua")
        self.wait_for_port()

    def wait_for_port(self):
        for _ in range(150):
            try:
                with netns(self.namespace):
                    socket.create_connection(("127.0.0.1", 5222), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"prosody of {self.domain} does not start: {self.log()[-2000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def certificates_seen(self):
        """What mod_log_certificate wrote: [{"host": ..., "subject": ..., "issuer": ...}]"""
        lines = [line.split("peer certificate: ", 1)[1] for line in self.log().splitlines()
                 if "peer certificate: host=" in line]
        words = ("host", "subject", "issuer", "not_after")
        seen = []
        for line in lines:
            values = {}
            for this, following in zip(words, words[1:] + ("\n",)):
                values[this] = line.split(f"{this}=", 1)[1].split(f" {following}=", 1)[0]
            seen.append(values)
        return seen
