"""A Prosody of our own: configuration and data in a folder of the test, run as user prosody in a namespace."""
import shutil
from pathlib import Path

from .server import Server
from .wire import run

MODULES = Path(__file__).resolve().parent.parent / "modules"
CONFIG = """
daemonize = false
pidfile = "{folder}/pid"
data_path = "{folder}/data"
plugin_paths = {{ "{folder}/modules" }}
log = {{ {level} = "{folder}/log" }}
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
	"vcard4", "vcard_legacy", "pep", "smacks", "s2s_bidi", "log_certificate"{modules} }}
modules_disabled = {{ {disabled} }}
ssl = {{ certificate = "{folder}/cert.pem", key = "{folder}/cert.key", cafile = "{folder}/trusted.pem" }}
{extra}
VirtualHost "{domain}"
Component "conference.{domain}" "muc"
	modules_enabled = {{ {rooms} }}
"""


class Prosody(Server):
    user, log_name = "prosody", "log"

    def configure(self, certificate, trusted, secure=True, disabled=(), extra="", modules=(), rooms=(), level="debug"):
        """
        certificate: (pem, key); trusted: CA files. secure: only EXTERNAL will do, else dialback may. modules: besides
        the usual; rooms: those of the MUC component; level: of the log.
        """
        shutil.copy(certificate[0], self.folder / "cert.pem")
        shutil.copy(certificate[1], self.folder / "cert.key")
        # Prosody's user may not be able to look into the folder that the sources are in.
        shutil.copytree(MODULES, self.folder / "modules", dirs_exist_ok=True)
        (self.folder / "trusted.pem").write_text("".join(ca.read_text() for ca in trusted))
        (self.folder / "prosody.cfg.lua").write_text(CONFIG.format(
            folder=self.folder, domain=self.domain, secure="true" if secure else "false",
            disabled=", ".join(f'"{d}"' for d in disabled), modules="".join(f', "{m}"' for m in modules),
            rooms=", ".join(f'"{r}"' for r in rooms), extra=extra, level=level))
        accounts = self.folder / "data" / self.domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        for user in self.users:
            (accounts / f"{user}.dat").write_text('return { ["password"] = "secret" };\n')
        run("chown", "-R", "prosody:", self.folder)

    def command(self):
        return f"prosody -F --config {self.folder}/prosody.cfg.lua"

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
