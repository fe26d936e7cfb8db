#!/usr/bin/python3
"""
Hundreds of ways to smuggle something, through the running guard: the far side gets the canonical meaning or nothing, and
libxml2, Prosody and ejabberd all read it as the guard did.
"""
import random
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from lib import BUILD, ROOT, SIDES, World, check
from lib.smuggling import HEADER, PATIENCE, SASL, TIMEOUT, TLS, Far, Near, entries, other
from lib.trees import Tree

AT_ONCE = 16
CHAINS = 6                             # connections for what leaves them open
FROM_OUTSIDE = 3                       # one of so many comes from there, too
BYTEWISE_MAX = 400
TREES = 300
FOOTER = b"</stream:stream>"
USER = {"inside": "alice@a.example", "outside": "bob@b.example"}
PARSERS = ROOT / "tests/e2e/parsers"
READERS = {"libxml2": PARSERS / "libxml2_tree.py", "Prosody": PARSERS / "prosody_tree.lua",
           "ejabberd": PARSERS / "ejabberd_tree.escript"}


class Ground:
    """The guard between two ends of each kind."""

    def __init__(self, world):
        self.world = world
        self.far = {side: Far(world, side) for side in SIDES}
        self.certificates = {side: world.ca[side].issue([world.domains[side][0]], f"{side}-near") for side in SIDES}

    def dial(self, side):
        return Near(self.world, side, self.far[other(side)], self.certificates[side])


def shown(data):
    return data[:300] + (b"..." + data[-100:] if len(data) > 400 else data[300:])


def send(near, data, bytewise):
    """It may be ended before all of it is sent."""
    try:
        for piece in ([data[i:i + 1] for i in range(len(data))] if bytewise else [data]):
            near.send(piece)
    except OSError:
        pass


def end_fault(ground, side, entry, bytewise):
    """What is wrong with an input that leaves no stream open, on a connection of its own; None: nothing."""
    near = ground.dial(side)
    near.authenticate() if entry.header else near.open()
    send(near, entry.sent, bytewise)
    said = near.ending() if entry.condition else ""
    near.close()
    heard = near.heard
    if not heard.wait(lambda h: h.over):
        return f"the far side's stream goes on, it heard {shown(heard.after)}"
    expected = entry.arrives
    if entry.condition and (expected or not entry.header) and not expected.endswith(FOOTER):
        expected += FOOTER
    if heard.after != expected:
        return f"the far side heard {shown(heard.after)}"
    error = f"<stream:error><{entry.condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
    if entry.condition and not said.endswith(error):
        return f"the sender was told {said}"
    return None


def header_fault(ground, side, entry, bytewise):
    """A header that is taken arrives in its canonical form. What stands behind it is for the next test."""
    near = ground.dial(side).authenticate()
    send(near, entry.sent, bytewise)
    heard = near.heard
    heard.wait(lambda h: len(h.after) >= len(entry.arrives) or h.over)
    near.close()
    return None if heard.after[:len(entry.arrives)] == entry.arrives else f"the far side heard {shown(heard.after)}"


def chain_faults(ground, side, chain, bytewise):
    """Inputs that leave the stream open, one after the other on one connection."""
    near, expected, faults = ground.dial(side).open(), 0, []
    for entry in chain:
        send(near, entry.sent, bytewise and len(entry.sent) <= BYTEWISE_MAX)
        expected += len(entry.arrives)
        near.heard.wait(lambda h: len(h.after) >= expected or h.over)
        heard = near.heard.after[expected - len(entry.arrives):]
        if heard != entry.arrives:
            faults.append(f"{entry.name}, from {side}: heard {shown(heard)}")
            break
    near.send("</stream:stream>")
    near.heard.wait(lambda h: h.after.endswith(FOOTER), PATIENCE)
    if not faults and len(near.heard.after) != expected + len(FOOTER):
        faults.append(f"{chain[0].name} and others, from {side}: more came than should")
    near.close()
    return faults


def single_fault(ground, side, number, entry):
    bytewise = number % 4 == 0 and len(entry.sent) <= BYTEWISE_MAX
    try:
        fault = (header_fault if entry.goes_on else end_fault)(ground, side, entry, bytewise)
    except OSError as error:
        fault = f"{error!r}"
    return [f"{entry.name}, from {side}: {fault}"] if fault else []


def play_corpus(ground, pool):
    jobs, arrived = [], []
    for side in SIDES:
        known = entries(USER[side], USER[other(side)])
        if side == "outside":
            known = known[::FROM_OUTSIDE]
        else:
            check(len(known) >= 200, f"there are {len(known)} inputs")
        chained = [entry for entry in known if entry.goes_on and not entry.header]
        arrived += [entry.arrives for entry in chained] if side == "inside" else []
        jobs += [pool.submit(chain_faults, ground, side, chained[i::CHAINS], i % 2 == 0) for i in range(CHAINS)]
        jobs += [pool.submit(single_fault, ground, side, number, entry)
                 for number, entry in enumerate(e for e in known if e not in chained)]
    faults = [fault for job in jobs for fault in job.result()]
    check(not faults, "of each, the far side gets what it means or nothing, and the sender is told why", "\n# ".join(faults))
    return b"".join(arrived)


# --- restarts, and what waits at them ---

def stanza(text):
    return f"<message from='{USER['inside']}' to='{USER['outside']}'><body>{text}</body></message>".encode()


def after_restarts(ground):
    """What -> what the far side may have heard in the clear, under TLS and after authentication, when all is over."""
    def starttls(behind):
        near = ground.dial("inside")
        near.header()
        near.socket.recv(65536)
        near.send(f"<starttls xmlns='{TLS}'/>".encode() + behind)
        return near

    def proceed(behind):
        near = ground.dial("inside")
        ground.far["outside"].tricks[near.port] = {"proceed": behind}
        near.header()
        near.socket.recv(65536)
        near.send(f"<starttls xmlns='{TLS}'/>")
        return near

    def auth(behind):
        near = ground.dial("inside")
        near.secure()
        near.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>".encode() + behind)
        return near

    def success(behind):
        near = ground.dial("inside")
        ground.far["outside"].tricks[near.port] = {"success": behind}
        near.authenticate()
        near.header()
        return near

    return {
        "a stanza behind <starttls/>": (starttls, stanza("EVIL")),
        "half a stanza behind <starttls/>": (starttls, b"<message to='EVIL"),
        "a header behind <starttls/>": (starttls, HEADER.format("a.example", "EVIL.example").encode()),
        "a stanza behind <proceed/>": (proceed, stanza("EVIL")),
        "half a stanza behind <proceed/>": (proceed, b"<message to='EVIL"),
        "a stanza behind <auth/>": (auth, stanza("EVIL")),
        "half a stanza behind <auth/>": (auth, stanza("EVIL")[:-5]),
        "the other half of a tag behind <auth/>": (auth, b"EVIL'/>"),
        "a stanza behind <success/>": (success, stanza("EVIL")),
        "half a stanza behind <success/>": (success, stanza("EVIL")[:-5]),
    }


def restart_fault(what, make, behind):
    """Neither end hears any of it."""
    near = make(behind)
    near.ending(PATIENCE)
    near.close()
    near.heard.wait(lambda h: h.over, PATIENCE)
    heard = near.heard.clear + near.heard.secured + near.heard.after + near.seen
    return [f"{what}: {shown(heard)}"] if b"EVIL" in heard else []


def play_restarts(ground, pool):
    jobs = [pool.submit(restart_fault, what, *how) for what, how in after_restarts(ground).items()]
    faults = [fault for job in jobs for fault in job.result()]
    check(not faults, "what waits at a restart is read by nobody", "\n# ".join(faults))
    alerts = [line for line in ground.world.guard.audit_lines() if line.get("alert") == "starttls-injection"]
    check(len(alerts) >= 3, "and is an alert where it waits for TLS", alerts)
    near = ground.dial("inside")
    near.secure()
    near.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>".encode()
              + HEADER.format(near.domain, near.peer).encode() + stanza("in advance"))
    heard = near.heard.wait(lambda h: h.after.endswith(stanza("in advance")))
    check(heard, "who says all of that in advance, in order, is heard", near.heard.after)
    near.close()


# --- trees ---

def play_trees(ground):
    """Random trees, written in a random way."""
    chance = random.Random(5269)
    trees = [Tree(chance, USER["inside"], USER["outside"]) for _ in range(TREES)]
    near = ground.dial("inside").open()
    threading.Thread(target=send, args=(near, b"".join(tree.written() for tree in trees) + FOOTER, False), daemon=True).start()
    arrived = near.heard.wait(lambda h: h.after.endswith(FOOTER) or h.over)
    check(arrived and near.heard.after.endswith(FOOTER), f"{TREES} random trees, written in random ways, arrive",
          arrived or (near.ending(1), shown(near.heard.after)))
    near.close()
    return near.heard.header, near.heard.after, "".join(tree.normal() for tree in trees)


def read_by(reader, stream):
    done = subprocess.run([reader], input=stream, capture_output=True, timeout=TIMEOUT, check=False)
    return done.stdout.decode() if done.returncode == 0 else f"cannot be read: {done.stderr.decode(errors='replace')}"


def difference(ours, theirs):
    """The first line in which they differ, with its number."""
    for number, (a, b) in enumerate(zip(ours.splitlines() + [""], theirs.splitlines() + [""])):
        if a != b:
            return number, a[:300], b[:300]
    return len(ours), len(theirs)


def refused_stream(ground):
    """A whole stream as the guard says it to who is refused."""
    near = ground.dial("inside").open()
    near.send("<!-- -->")
    near.ending()
    near.close()
    return near.seen


def compare(what, stream, expected=None):
    """All read the same from what left the guard."""
    guard = read_by(BUILD / "tests/e2e/parsers/guard_tree", stream)
    check(guard.startswith("<") and (expected is None or guard == expected), f"{what}: the guard reads what it wrote",
          difference(expected or "", guard))
    with ThreadPoolExecutor(len(READERS)) as pool:
        for name, theirs in zip(READERS, pool.map(lambda reader: read_by(reader, stream), READERS.values())):
            check(theirs == guard, f"{what}: {name} reads the same trees", difference(guard, theirs))


with World(families=(4,), servers=False) as world:
    world.insert_guard()
    ground = Ground(world)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        corpus = play_corpus(ground, pool)
        play_restarts(ground, pool)
    header, trees, normal = play_trees(ground)
    compare("corpus", header + corpus + FOOTER)
    compare("random trees", header + trees, normal)
    compare("a stream that is refused", refused_stream(ground))
