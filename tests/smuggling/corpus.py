"""Reads the corpus, as README.md says that it is written; and makes seeds for fuzz targets of it."""
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PLAIN = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", "{": b"{"}
STREAM = ("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
          "from='{0}' to='{1}' version='1.0'>")
SEED_BYTES_MAX = 4096


@dataclass
class Entry:
    name: str
    header: bool
    sent: bytes = b""
    arrives: bytes = b""
    condition: str = ""
    goes_on: bool = True


def plain(text):
    parts = re.split(r"\\(x[0-9a-f]{2}|.)", text)
    return b"".join(part.encode() if i % 2 == 0 else PLAIN[part] if len(part) == 1 else bytes([int(part[1:], 16)])
                    for i, part in enumerate(parts))


def repeated(inside):
    text, times = inside.rsplit("*", 1)
    if "#" not in text:
        return plain(text) * int(times)
    return b"".join(plain(text.replace("#", str(i))) for i in range(int(times)))


def expand(line, sender, receiver):
    words = {"a": sender, "b": receiver, "A": sender.split("@")[1], "B": receiver.split("@")[1], "/M": "</message>",
             "M": f"<message from='{sender}' to='{receiver}' type='chat'>"}
    words["H"] = STREAM.format(words["A"], words["B"])
    parts = re.split(r"(?<!\\)\{(.*?)\}", line)
    return b"".join(plain(part) if i % 2 == 0 else words[part].encode() if part in words else repeated(part)
                    for i, part in enumerate(parts))


def entries(sender, receiver):
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line.startswith("== "):
                found.append(Entry(f"{path.name}: {line[3:]}", path.name == "header.txt"))
            elif line.startswith("=> "):
                found[-1].arrives += expand(line[3:], sender, receiver)
            elif line.startswith("=! "):
                found[-1].condition, found[-1].goes_on = line[3:], False
            elif line in ("=.", "=-"):
                found[-1].goes_on &= line == "=-"
            elif line and line[0] != "#":
                found[-1].sent += expand(line, sender, receiver)
    return found


# --- seeds, in the forms that xml_fuzz and session_fuzz read ---

def xml_seed(number, entry):
    return bytes([(0 if entry.header else 0x80) | number % 128]) + entry.sent


def session_seed(_number, entry):
    if entry.header:
        return b""
    pieces = [entry.sent[i:i + 255] for i in range(0, len(entry.sent), 255)]
    return b"\x02" + b"".join(bytes([0, len(piece)]) + piece for piece in pieces)


SEEDS = {"xml": xml_seed, "session": session_seed}


def write_seeds(target, folder):
    """A file for each entry that is not too long, if the target has a use for them; whether it has."""
    if target not in SEEDS:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for number, entry in enumerate(entries("alice@a.example", "bob@b.example")):
        seed = SEEDS[target](number, entry)
        if 0 < len(seed) <= SEED_BYTES_MAX:
            (folder / f"{number:03}").write_bytes(seed)
    return True
