"""Both ends of s2s_carry: numbered stanzas from inside to outside, and what of them arrived."""
import os
import subprocess

from .guard import BUILD
from .wire import ADDRESS, SIDES

PROGRAM = BUILD / "tests/e2e/s2s_carry"
PORT = 5269


class Carry:
    """Certificates of its ends hold with and without the guard. The sink is outside, or elsewhere: (place, address). It takes,
    or does what else s2s_carry says with these words."""

    def __init__(self, world, family=4, elsewhere=None, sink=("sink",)):
        self.world, self.family = world, family
        self.place, self.address = elsewhere or ("outside", ADDRESS["outside"][family])
        self.files, self.name = {}, f"carry{family}-{sink[0]}"
        for side in SIDES:
            bundle = world.folder / f"{self.name}-{side}-trusted.pem"
            bundle.write_text("".join(ca.read_text() for ca in world.trusted(side)))
            self.files[side] = [*world.ca[side].issue(world.domains[side], f"{self.name}-{side}"), bundle]
        self.sink_log = world.folder / f"{self.name}.log"
        self.sink = world.start(world.wire.ns[self.place], self.name, *self.arguments("outside", sink[0]), *sink[1:])

    def arguments(self, side, mode):
        domains = [self.world.domains[side][0], self.world.domains[SIDES[1 - SIDES.index(side)]][0]]
        return [PROGRAM, mode, self.address, PORT, *domains, *self.files[side]]

    def listens(self):
        """Whether the sink is ready: its port as the kernel shows it. It ends if another one has the port."""
        listening = self.world.wire.on(self.place, "ss", "-Hltn", f"-{self.family}", f"sport = :{PORT}").stdout
        return self.sink.poll() is None and self.address in listening

    def begin(self, mode, *numbers):
        """The dialling end, whose lines can be read from its stdout."""
        log = open(self.world.folder / f"{self.name}-{mode}.log", "ab")
        process = subprocess.Popen(["ip", "netns", "exec", self.world.wire.ns["inside"],
                                    *map(str, self.arguments("inside", mode)), *map(str, numbers)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                   env=os.environ, start_new_session=True)
        process.name = f"{self.name}-{mode}"
        self.world.processes.append(process)
        return process

    def said(self, *words):
        """The sink's lines that begin with one of these words, each split."""
        lines = self.sink_log.read_text(errors="replace").splitlines() if self.sink_log.exists() else []
        return [line.split() for line in lines if line.startswith(words)]

    def taken(self):
        """What the sink said of each stream that is over: ("took", first, count, bytes, digest) or ("broken", why...)."""
        return [tuple(line) for line in self.said("took", "broken")]
