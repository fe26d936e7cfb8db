"""The guard under test: its configuration file, sallyportd, and what an operator asks it with `sallyport`."""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from .wire import SIDES

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
ROLES = ("dataplane", "tls", "keyd", "control")


class Guard:
    def __init__(self, world):
        self.world, self.process = world, None
        self.deaths_expected = False
        self.folder = world.folder / "guard"
        self.folder.mkdir()
        self.conf, self.audit = self.folder / "sallyport.conf", self.folder / "audit.jsonl"
        self.log_file = world.folder / "sallyportd.log"
        base = 100000 + os.getpid() * 4        # users that nobody else has
        self.uids = {role: base + i for i, role in enumerate(ROLES)}
        self.sections = {
            "guard": {"name": f"sallyport-{world.tag}", "ports": "5269, 5270", "audit": self.audit,
                      "workers": os.environ.get("WORKERS", "1")},
            "users": dict(self.uids),
            "dataplane": {"cpus": "0-1", "memory-mib": 256},
            "profile default": {f"{direction}-{key}": value for direction in ("outbound", "inbound") for key, value in (
                ("features", "all"), ("unknown", "pass"), ("presence", "full"), ("binaries", "pass"))},
        }
        for side in SIDES:
            self.sections[side] = {"device": side, "trust": world.ca[side].file,
                                   "ca-certificate": world.guard_ca[side].file, "ca-key": world.guard_ca[side].key}
        self.sections["inside"]["domains"] = ", ".join(world.domains["inside"])
        for domain in world.domains["outside"]:
            self.sections[f"peer {domain}"] = {"profile": "default", "authentication": "strong"}

    def set(self, section, key, value):
        self.sections.setdefault(section, {})[key] = value

    def write(self):
        lines = []
        for section, keys in self.sections.items():
            lines.append(f"[{section}]")
            lines += [f'{key} = "{value}"' for key, value in keys.items()] + [""]
        self.conf.write_text("\n".join(lines))
        self.conf.chmod(0o600)

    def start(self):
        self.write()
        self.process = self.world.start(self.world.wire.ns["guard"], "sallyportd", BUILD / "sallyportd", "-c", self.conf)
        self.wait_ready()

    def wait_ready(self, timeout=20):
        """Until the CLI answers and a ping crosses."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.cli("show", "counters", check=False).returncode == 0 and self.world.ping(timeout=1):
                return
            time.sleep(0.1)
        raise RuntimeError(f"the guard does not start:\n{self.log()}")

    def ask_for_change(self):
        self.write()
        self.process.send_signal(signal.SIGHUP)

    def change_policy(self):
        """What set() has changed takes effect, without a restart. Whether it did."""
        before = self.counters()["policy-changes"]
        self.ask_for_change()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.counters()["policy-changes"] > before:
                return True
            time.sleep(0.02)
        return False

    def stop(self, signal_name="terminate"):
        getattr(self.process, signal_name)()
        self.process.wait(10)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def faults(self):
        """Lines of its log that no test should see, unless it killed something itself."""
        words = ["runtime error", "Sanitizer", "by its sandbox", "broke its contract", "broken reason"]
        words += [] if self.deaths_expected else ["was killed", " ended pid=", "is not ready", "did not end"]
        return [line for line in self.log().splitlines() if any(word in line for word in words)]

    def cli(self, *words, check=True):
        done = subprocess.run(["ip", "netns", "exec", self.world.wire.ns["guard"], BUILD / "sallyport",
                               "-n", self.sections["guard"]["name"], *words], capture_output=True, text=True, timeout=20)
        if check and done.returncode:
            raise RuntimeError(f"sallyport {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    def show(self, what):
        return self.cli("show", what).stdout

    def counters(self):
        """Name -> value, over all processes."""
        values = {}
        for line in self.show("counters").splitlines():
            words = line.split()
            if len(words) >= 2 and words[-1].isdigit():
                values[words[-2]] = values.get(words[-2], 0) + int(words[-1])
        return values

    def audit_lines(self):
        return [json.loads(line) for line in self.audit.read_text().splitlines()] if self.audit.exists() else []

    def unexplained(self):
        """Verdicts in the audit that `sallyport policy explain` does not explain, if the configuration can be read."""
        lines = self.audit.read_text(errors="replace").splitlines() if self.audit.is_file() else []
        verdicts = [line for line in lines if '"event":"verdict"' in line or '"event":"monitor"' in line]
        if not verdicts:
            return []
        done = subprocess.run([BUILD / "sallyport", "policy", "explain", "all", self.conf], capture_output=True, text=True)
        if done.returncode and "(hint: " in done.stderr:
            return []                                   # a test's own fault
        told = done.stdout.split("\n\n")
        if len(told) != len(verdicts) + 1:
            return [f"{len(told) - 1} of {len(verdicts)} explained: {done.stderr}"]
        return [text for text in told[:-1] if "decided by: " not in text or "nothing that is configured" in text][:3]

    def wait_audit(self, wanted, timeout=5):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.audit_lines():
                if wanted(line):
                    return line
            time.sleep(0.05)
        return None

    def pids(self, role=None):
        """Processes of the guard's users, by their uid: what a user would find with `ps -u`."""
        uids = [self.uids[role]] if role else list(self.uids.values())
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and entry.stat().st_uid in uids:
                    found.append(int(entry.name))
            except OSError:
                pass
        return found
