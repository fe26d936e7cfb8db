#!/usr/bin/python3
"""
Private keys are in keyd and nowhere else: while the guard carries traffic, the memory of each of its processes is searched for the
keys of both guard CAs and of a domain's real certificate, in every form that a key has on its way from a file to a signature.
(Leaf keys are made in keyd; they are in no file that could be searched for.)
"""
import base64
import re
import textwrap
from pathlib import Path

from lib import ROLES, SIDES, World, check, deliver, run

PIECE = 24                       # bytes of a key that give it away


def hexadecimal(text, name):
    found = re.search(rf"^{name}:\n((?:[ \t]+[0-9a-f:]+\n)+)", text, re.M)
    return bytes.fromhex(re.sub(r"[\s:]", "", found[1])).lstrip(b"\0")


def forms(path):
    """What to search for: form -> bytes."""
    text = run("openssl", "pkey", "-in", path, "-noout", "-text").stdout
    secret = hexadecimal(text, "priv")
    body = "".join(line for line in path.read_text().splitlines() if not line.startswith("-"))
    der = base64.b64decode(body)
    at = der.find(secret) // 3 * 4 + 4                   # of the secret, in the text
    return {"as a number of the file": secret[:PIECE], "as a number of OpenSSL": secret[::-1][:PIECE],
            "as text": textwrap.wrap(body[at:], 32)[0].encode()}


def memory(pid):
    """All that can be read of a process, mapping by mapping."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, permissions, *_ = line.split()
            if "r" not in permissions or "[v" in line:
                continue
            start, end = (int(word, 16) for word in span.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, OverflowError, ValueError):
                pass                                     # hugepages that nobody has touched, devices


def found_in(pid, wanted):
    """Names of what is in the memory of the process, and how much of it could be read."""
    found, size = set(), 0
    for piece in memory(pid):
        size += len(piece)
        found |= {name for name, secret in wanted.items() if secret in piece}
    return found, size


def open_files(pid):
    return {str(p.readlink()) for p in Path(f"/proc/{pid}/fd").iterdir() if p.is_symlink()}


with World(families=(4,)) as world:
    real = world.ca["inside"].issue(world.domains["inside"], "real")
    world.guard.set("certificate a.example", "chain", real[0])
    world.guard.set("certificate a.example", "key", real[1])
    real[1].chmod(0o600)
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "a secret"), "traffic goes through the guard")
    keys = {side: world.guard_ca[side].key for side in SIDES} | {"real": real[1]}
    wanted = {f"{side}, {form}": secret for side, key in keys.items() for form, secret in forms(key).items()}
    processes = {"sallyportd": [world.guard.process.pid]} | {role: world.guard.pids(role) for role in ROLES}
    for role, pids in processes.items():
        for pid in pids:
            found, size = found_in(pid, wanted)
            opened = open_files(pid) & {str(key) for key in keys.values()}
            if role == "keyd":
                check({name.split(",")[0] for name in found} == set(keys), "the search finds every key in keyd", found)
                check(Path(f"/proc/{pid}/mem").stat().st_uid == 0, "keyd cannot be dumped, nor traced by its own user")
            else:
                check(not found and size > 1 << 20, f"{role}: no private key in {size >> 20} MiB of memory", (found, size))
            check(not opened, f"{role}: no key file is open", opened)
