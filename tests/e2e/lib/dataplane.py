"""sallyport-dataplane alone, under tests/e2e/echo_upper.c: what one side of a connection says reaches the other unjudged."""
import os
import subprocess
from pathlib import Path

from .guard import BUILD
from .wire import SIDES
from .world import IN_A_SANDBOX


class Dataplane:
    """sallyport-dataplane under echo_upper, in the middle of the wire."""

    def __init__(self, wire, folder):
        self.uid = 200000 + os.getpid() % 100000 * 4
        self.log = open(folder / "log", "w+b")
        conf = folder / "sallyport.conf"
        users = "\n".join(f"{role} = {self.uid + i}" for i, role in enumerate(("dataplane", "tls", "keyd", "control")))
        inside, outside = (f"[{side}]\ndevice = {side}\ntrust = t\nca-certificate = c\nca-key = k\n" for side in SIDES)
        conf.write_text(f"[users]\n{users}\n{inside}domains = a.example\n{outside}")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", wire.ns["guard"], BUILD / "tests/e2e/echo_upper", BUILD / "sallyport-dataplane", conf],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=os.environ | IN_A_SANDBOX)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the dataplane does not start: {self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read().decode()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while (got := self.process.stdout.readline()) not in (".\n", ""):
            answer.append(got.strip())
        return answer

    def counters(self):
        return {name: int(value) for name, value in (line.split() for line in self.ask("counters"))}

    def pid(self):
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if entry.stat().st_uid == self.uid:
                    return int(entry.name)
            except OSError:
                pass
        return None

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid()}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        words = Path(f"/proc/{self.pid()}/status").read_text().split()
        return int(words[words.index("VmRSS:") + 1])

    def quit(self):
        """Exit status, once its supervisor has gone."""
        self.process.stdin.close()
        return self.process.wait(5)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
