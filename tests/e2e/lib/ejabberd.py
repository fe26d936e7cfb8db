"""An ejabberd of our own: configuration and data in a folder of the test, run as user ejabberd in a namespace."""
import shutil
from pathlib import Path

from .prosody import MODULES
from .server import Server
from .wire import run

CONFIG = """
hosts: ["{domain}"]
loglevel: {loglevel}
certfiles: ["{folder}/cert.pem"]
ca_file: "{folder}/trusted.pem"
auth_method: external
extauth_program: "{folder}/modules/any_user"
auth_use_cache: false
listen:
  - {{port: 5222, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 2000000}}
  - {{port: 5269, ip: "::", module: ejabberd_s2s_in, max_stanza_size: 524288}}
  - {{port: 5270, ip: "::", module: ejabberd_s2s_in, tls: true, max_stanza_size: 524288}}
s2s_use_starttls: required
s2s_cafile: "{folder}/trusted.pem"
s2s_timeout: 20
acl: {{local: {{user_regexp: ""}}}}
access_rules: {{local: {{allow: local}}}}
shaper_rules: {{max_user_sessions: 10, max_user_offline_messages: {{100: all}}, c2s_shaper: none, s2s_shaper: none}}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_version: {{}}
  mod_offline: {{}}
  mod_vcard: {{}}
  mod_caps: {{}}
  mod_pubsub: {{plugins: [flat, pep]}}
  mod_muc: {{host: "conference.{domain}", access: all, access_create: all{room_options}}}
{modules}
"""
# A node without a name: it listens for no other nodes. What waits does so asleep.
COMMAND = """env HOME={folder} ERL_LIBS={libraries} EJABBERD_CONFIG_PATH={folder}/ejabberd.yml \
EJABBERD_LOG_PATH={folder}/{log} SPOOL_DIR={folder}/data erl +sbwt none +sbwtdcpu none +sbwtdio none \
-noinput -s ejabberd +P 20000 -mnesia dir '"{folder}/data"'"""


class Ejabberd(Server):
    user, log_name = "ejabberd", "log/ejabberd.log"

    def configure(self, certificate, trusted, secure=True, disabled=(), extra="", modules=(), room_options="",
                  loglevel="debug"):
        """
        certificate: (pem, key); trusted: CA files. secure: only EXTERNAL will do, else dialback may. modules: lines of
        YAML besides the usual.
        """
        more = [] if secure or "dialback" in disabled else ["mod_s2s_dialback: {}"]
        (self.folder / "cert.pem").write_text(certificate[0].read_text() + certificate[1].read_text())
        (self.folder / "trusted.pem").write_text("".join(ca.read_text() for ca in trusted))
        shutil.copytree(MODULES, self.folder / "modules", dirs_exist_ok=True)
        (self.folder / "ejabberd.yml").write_text(
            CONFIG.format(folder=self.folder, domain=self.domain, room_options=room_options, loglevel=loglevel,
                          modules="\n".join(f"  {m}" for m in (*modules, *more))) + extra)
        for name in ("data", "log"):
            (self.folder / name).mkdir(exist_ok=True)
        run("chown", "-R", f"{self.user}:", self.folder)

    def command(self):
        libraries = next(Path("/usr/lib").glob("*/ejabberd-*/ebin")).parent.parent
        return COMMAND.format(folder=self.folder, libraries=libraries, log=self.log_name)
