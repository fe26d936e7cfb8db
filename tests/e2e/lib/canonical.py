"""
A stanza as text that is equal for equal stanzas: attributes in order, no prefixes; what a server makes up by itself (ids,
times) is only said to be there, ids that are the same as the same. And two runs of the same script compared by it.
"""
import base64
import difflib
import hashlib
import re
from collections import defaultdict

OURS = re.compile(r"[mq]\d+|my-.*|settle-.*|current")                      # ids that the script gave
MADE_UP = re.compile(r"\(id [A-Z2-7=]*\)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)|\d{8}T\d\d:\d\d:\d\d")
RSM = "{http://jabber.org/protocol/rsm}"
LAST = "{jabber:iq:last}query"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
ROSTER = "{jabber:iq:roster}query"
INVITE = "{http://jabber.org/protocol/muc#user}x/{http://jabber.org/protocol/muc#user}invite"
UNORDERED = {f"{RSM}set", ROSTER, *(f"{{http://jabber.org/protocol/disco#{what}}}query" for what in ("info", "items"))}
DATA = "{jabber:x:data}"
SETTLING = "settle-"
LONG = 300


def made_up(text):
    """An id of a server; numbered() says which."""
    return f"(id {base64.b32encode(text.encode()).decode()})"


def numbered(text, known):
    """Ids of servers as numbers in the order of their appearance; known: those so far, changed."""
    return MADE_UP.sub(lambda found: f"(id {known.setdefault(found[0], len(known) + 1)})", text)


def value(tag, name, text):
    if name in ("id", "subid") and not OURS.fullmatch(text):
        return made_up(text)
    if tag == LAST and name == "seconds":
        return "(seconds)"
    return TIME.sub("(a time)", text)


def content(tag, text):
    if tag in (f"{RSM}first", f"{RSM}last") and text:
        return made_up(text)
    if len(text) > LONG:
        return f"({len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()[:16]})"
    return repr(TIME.sub("(a time)", text)) if text else ""


def is_unordered(element):
    """A list that means the same in any order: Prosody's are in another after each start."""
    return element.tag in UNORDERED or element.find(INVITE) is not None or \
        (element.tag, element.get("type")) in ((f"{DATA}field", "list-multi"), (f"{DATA}x", "result"))


def lines(element, indent=""):
    tag = element.tag.removeprefix("{jabber:client}")
    words = [tag] + [f"{n}={value(tag, n, v)!r}" for n, v in sorted(element.items())]
    yield f"{indent}{' '.join(words)} {content(tag, element.text or '')}".rstrip()
    for child in sorted(element, key=without_ids) if is_unordered(element) else element:
        yield from lines(child, indent + "  ")
        if (child.tail or "").strip():
            yield f"{indent}  {content(tag, child.tail)}"


def canonical(element):
    return "\n".join(lines(element))


def without_ids(element):
    return MADE_UP.sub("(id)", canonical(element))


def source(element):
    """
    Who it is from, whose order is kept. A server tells the last event of each PEP node in any order; a ping may overtake
    what it is to wait for, when that is the answer to something else.
    """
    if (element.get("id") or "").startswith(SETTLING):
        return f"{element.get('from')} settling, {element.get('type')}"
    event = element.find(f"{EVENT}event/{EVENT}items")
    return f"{element.get('from')} {event.get('node')}" if event is not None else element.get("from")


def sequences(record):
    """(receiver, source, to) -> what came, in order. record: [(scene, receiver, source, to, text)]"""
    kept, ids = defaultdict(list), defaultdict(dict)
    for scene, *key, text in record:
        kept[tuple(key)].append((scene, numbered(text, ids[tuple(key)])))
    return kept


def differences(wire, guard):
    """Text of each difference between two records; none: nobody could tell."""
    wire, guard = sequences(wire), sequences(guard)
    for key in sorted(wire.keys() | guard.keys(), key=str):
        a, b = wire.get(key, []), guard.get(key, [])
        matcher = difflib.SequenceMatcher(None, [text for _, text in a], [text for _, text in b], autojunk=False)
        for kind, i, j, k, n in matcher.get_opcodes():
            if kind != "equal":
                yield f"to {key[0]}, from {key[1]}, addressed to {key[2]}:\n" + \
                    "".join(side(name, part) for name, part in (("wire", a[i:j]), ("guard", b[k:n])))


def side(name, stanzas):
    if not stanzas:
        return f"  by the {name}: nothing\n"
    return "".join(f"  by the {name}, in \"{scene}\":\n" + "".join(f"    {line}\n" for line in text.split("\n"))
                   for scene, text in stanzas)
