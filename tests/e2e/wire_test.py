#!/usr/bin/python3
"""
With a policy that lets everything pass, nobody on either side can tell the guard from a wire: the same script of clients is
played over both, at the same time, by servers of every kind, and each client receives the same stanzas, from each sender in
the same order. `wire_test.py NAME` plays only pairings with NAME in their name; with a second word, wire or guard, only that,
and prints what clients received.
"""
import concurrent.futures
import json
import re
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

from lib import SIDES, World, check, note
from lib.canonical import differences
from lib.cast import Cast, Missed
from lib.ejabberd import Ejabberd
from lib.prosody import Prosody
from lib.scenes import ODD, RESERVED, SCENES, addresses, reserved

AT_MOST_SECONDS = 300                # for tests/run; with nothing else on two processors it takes a quarter
AT_ONCE = 3                          # pairings; half of the time goes by in waiting
Pairing = namedtuple("Pairing", "name kinds without")
PAIRINGS = (
    Pairing("Prosody and Prosody, EXTERNAL, bidi, stream management", (Prosody, Prosody), ()),
    Pairing("ejabberd and Prosody, dialback", (Ejabberd, Prosody), ("bidi", "sm", "external")),
    Pairing("Prosody and ejabberd, EXTERNAL, bidi with the guard", (Prosody, Ejabberd), ()),
    Pairing("ejabberd and ejabberd, EXTERNAL", (Ejabberd, Ejabberd), ()),
    Pairing("Prosody and Prosody, dialback", (Prosody, Prosody), ("bidi", "sm", "external")),
)
MODULES = {"bidi": "s2s_bidi", "sm": "smacks", "external": "s2s_auth_certs"}         # that Prosody does it with
PROSODY = {"modules": ("mam", "carbons", "offline", "lastactivity", "time", "private", "blocklist", "adhoc"),
           "rooms": ("muc_mam",),
           "extra": "muc_log_by_default = true\nmax_archive_query_results = 50\nnetwork_settings = { nagle = false }\n"}
EJABBERD = {"modules": ("mod_mam: {default: always, request_activates_archiving: false}", "mod_last: {}", "mod_time: {}",
                        "mod_carboncopy: {}", "mod_private: {}", "mod_blocking: {}", "mod_privacy: {}", "mod_adhoc: {}"),
            "room_options": ", default_room_options: {mam: true}", "loglevel": "warning"}
# What servers make of the text of a stream error, and what is left when the guard does not pass it.
STREAM_ERROR_TEXTS = ((r"host-unknown \(This host does not serve gone\.[ab]\.example\)", "host-unknown"),      # Prosody
                      (r"This host does not serve gone\.[ab]\.example \(host-unknown\)", "host-unknown"))      # ejabberd


# A world of its own for each way, in a process of its own.

def configure(world, without):
    secure = "external" not in without
    for side, server in world.server.items():
        if isinstance(server, Prosody):
            world.configure(side, secure=secure, disabled=[MODULES[word] for word in without], **PROSODY)
        else:                        # it offers EXTERNAL to whom it trusts
            certificate = world.ca[side].issue(world.domains[side], f"{side}-server")
            server.configure(certificate, world.trusted(side) if secure else [world.ca[side].file], secure=secure, **EJABBERD)
    for domain in world.domains["outside"]:
        world.guard.set(f"peer {domain}", "authentication", "strong" if secure else "tls-dialback")


def play(pairing, way):
    """The script from beginning to end: what was received, what was missed, how the servers spoke."""
    world = World(families=(4,), kinds=pairing.kinds)
    for side in SIDES:               # names without a server
        world.domains[side].append(f"gone.{world.domains[side][0]}")
    with world:
        configure(world, pairing.without)
        world.start_servers()
        if way == "guard":
            world.insert_guard()
        cast, missed = Cast(world), None
        try:
            for scene in SCENES:
                cast.perform(scene.__name__.replace("_", " "), scene)
        except Missed as fault:
            missed = str(fault)
        log = "".join(server.log() for server in world.server.values())
        return {"record": cast.record, "missed": missed, "bidi": "Requested bidirectional stream" in log,
                "bidi asked for": "Requesting bidirectional stream" in log,
                "sm": "Enabling stream management" in log} | (seen_by(world.guard) if way == "guard" else {})


def seen_by(guard):
    return {"sessions": [line for line in guard.show("sessions").splitlines() if " -> " in line and "bound," in line],
            "audit": [line for line in guard.audit_lines() if line["event"] in ("verdict", "alert", "refusal")]}


class Process:
    def __init__(self, pairing, way, folder):
        self.result = folder / f"{PAIRINGS.index(pairing)}-{way}.json"
        self.log, self.stopped = self.result.with_suffix(".log"), False
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([sys.executable, __file__, "--play", pairing.name, way, self.result],
                                            stdout=log, stderr=log)

    def stop(self):
        self.stopped = True
        self.process.terminate()

    def finish(self):
        """What play() returned, or None."""
        if self.process.wait() and not self.stopped:
            for line in self.log.read_text(errors="replace").splitlines():
                note(line)
        return json.loads(self.result.read_text()) if self.result.exists() else None


# What is compared.

def people():
    Person = namedtuple("Person", "jid bare domain")
    return [Person(f"{user}@{domain}/test", f"{user}@{domain}", domain)
            for user, domain in (("alice", "a.example"), ("bob", "b.example"))]


def told_of_odd(kinds):
    """Whom the guard tells about odd messages, in whose name. ejabberd itself refuses those of odd types; errors have none."""
    alice, bob = people()
    return sorted([one.jid, to] for one, other, kind in zip((alice, bob), (bob, alice), kinds)
                  for to in (*(addresses(other) if kind is Prosody else ()), other.jid, other.jid))


def is_odd(text):
    return f"id='{ODD}'" in text.split("\n")[0]


def without_specials(record):
    return [entry for entry in record if entry[0] != reserved.__name__ and not is_odd(entry[-1])]


def reserved_seen(record):
    """Who was told reserved characters."""
    return [receiver for scene, receiver, _, _, text in record if scene == reserved.__name__ and repr(RESERVED) in text]


def without_stream_error_texts(record):
    changed = []
    for *entry, text in record:
        for pattern, left in STREAM_ERROR_TEXTS:
            text = re.sub(pattern, left, text)
        changed.append((*entry, text))
    return changed


def compare(pairing, wire, guard):
    """
    Three things are other by design: what is no stanza of RFC 6120 and 6121 does not pass (policy/README.md); nor do
    characters that Unicode reserves, nor the text of a stream error (control/README.md).
    """
    name = pairing.name
    check(wire and guard, f"{name}: the script was played over both")
    check(not wire["missed"], f"{name}: over the wire it came to its end", wire["missed"])
    check(not guard["missed"], f"{name}: through the guard it came to its end", guard["missed"])
    expected = without_stream_error_texts(without_specials(wire["record"]))
    found = list(differences(expected, without_specials(guard["record"])))
    for difference in found[:20]:
        note(difference.replace("\n", "\n# "))
    check(not found, f"{name}: all {len(expected)} stanzas that clients received are the same", len(found))
    odd = [[receiver, sender] for _, receiver, sender, _, text in guard["record"]
           if is_odd(text) and "}bad-request" in text and "by policy: shape." in text]
    check(sorted(odd) == told_of_odd(pairing.kinds), f"{name}: messages of unknown shapes are refused, each once", odd)
    told = [reserved_seen(run["record"]) for run in (wire, guard)]
    only_by_wire = [[person.jid for person in people()[::-1]], []]
    check(told == only_by_wire, f"{name}: characters that Unicode reserves do not pass", told)
    others = [line for line in guard["audit"] if line.get("stanza_id") != ODD]
    check(not others, f"{name}: the guard refused, changed and warned of nothing else", others)
    compare_streams(pairing, wire, guard)


def compare_streams(pairing, wire, guard):
    """The servers spoke as they were configured to."""
    method = "dialback" if "external" in pairing.without else "external"
    check(guard["sessions"] and all(f", {method}" in line for line in guard["sessions"]),
          f"{pairing.name}: all streams are authenticated by {method}", guard["sessions"])
    bidi, sm = (pairing.kinds == (Prosody, Prosody) and word not in pairing.without for word in ("bidi", "sm"))
    check(wire["bidi"] == guard["bidi"] == bidi, f"{pairing.name}: bidi is {'on' if bidi else 'off'}",
          (wire["bidi"], guard["bidi"]))
    if pairing.kinds == (Prosody, Ejabberd):             # which has no bidi: then the guard has, for its refusals
        check(guard["bidi asked for"] and not wire["bidi asked for"], f"{pairing.name}: Prosody uses it")
    check(wire["sm"] == guard["sm"] == any(", managed" in line for line in guard["sessions"]) == sm,
          f"{pairing.name}: stream management is {'on' if sm else 'off'}", (wire["sm"], guard["sm"], guard["sessions"]))


def main(words):
    pairings = [pairing for pairing in PAIRINGS if not words or words[0] in pairing.name]
    if len(words) == 2:
        played = play(pairings[0], words[1])
        for scene, receiver, *_, text in played["record"]:
            print(f"--- {scene}: {receiver}\n{text}")
        note(played["missed"] or "to its end")
        return
    processes = []

    def run(pairing, folder):
        both = [Process(pairing, way, folder) for way in ("wire", "guard")]
        processes.extend(both)
        return [process.finish() for process in both]
    with tempfile.TemporaryDirectory(prefix="sallyport-wire-") as folder, \
            concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for pairing, played in [(p, pool.submit(run, p, Path(folder))) for p in pairings]:
                compare(pairing, *played.result())
        finally:                                       # when one has failed, the others need not end
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.stop()


if sys.argv[1:2] == ["--play"]:
    wanted = next(pairing for pairing in PAIRINGS if pairing.name == sys.argv[2])
    Path(sys.argv[4]).write_text(json.dumps(play(wanted, sys.argv[3])))
else:
    main(sys.argv[1:])
