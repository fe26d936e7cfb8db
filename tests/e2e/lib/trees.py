"""Random trees of stanzas, written as XML in random ways; and their normal form, as the readers in parsers/ print it."""
SERVER, XML = "jabber:server", "http://www.w3.org/XML/1998/namespace"
NAMESPACES = ("urn:x", "urn:y", "http://jabber.org/protocol/muc", "jabber:client", "jabber:server:dialback", "", "urn:it's?a;b=%20",
              "jabber:x:data")
NAMES = ("x", "y", "item", "body", "xmlns", "xmlish", "a-b.c_d", "\u00e9l\u00e9ment", "\u4e2d\u6587", "stream", "error", "result")
ATTRIBUTES = ("id", "type", "to", "from", "lang", "xmlns-like", "\u00e9", "ns1")
PREFIXES = ("p", "q", "ns1", "ns2", "stream", "db", "\u00e9")
LETTERS = ("a", "b", " ", "\n", "\t", "\r", "<", ">", "&", "'", '"', "]", "]]>", "{", "}", "\\", "\u0085", "\u2028", "\u00e9", "\u4e2d",
           "\U0001f600", "\ufeff", "\ud7ff", "\ue000", "\ufffd", "\x7f", "text ", "&amp;", "<!--", "<![CDATA[")
NAMED = {"<": "lt", ">": "gt", "&": "amp", "'": "apos", '"': "quot"}


def escaped(text):
    return "".join(chr(byte) if 0x20 < byte <= 0x7e and chr(byte) not in '\\"{}' else f"\\x{byte:02x}" for byte in text.encode())


class Element:
    def __init__(self, ns, name):
        self.ns, self.name = ns, name
        self.attributes, self.children = {}, []            # (namespace, name) -> value; elements and strings

    def normal(self):
        attributes = sorted(f'{{{escaped(ns)}}}{escaped(name)}="{escaped(value)}"' for (ns, name), value in self.attributes.items())
        lines = ["<" + " ".join([f"{{{escaped(self.ns)}}}{escaped(self.name)}", *attributes])]
        lines += ['"' + escaped(child) + "\n" if isinstance(child, str) else child.normal() for child in self.children]
        return lines[0] + "\n" + "".join(lines[1:]) + ">\n"


class Tree:
    def __init__(self, chance, sender, receiver):
        self.chance = chance
        self.root = Element(SERVER, "message")
        self.root.attributes = {("", "from"): sender, ("", "to"): receiver, ("", "type"): "chat"}
        for _ in range(chance.randrange(1, 4)):
            self.root.children.append(self.grown(chance.choice(NAMESPACES[:3]), 1))     # others have no place there

    def text(self, most=12):
        return "".join(self.chance.choice(LETTERS) for _ in range(self.chance.randrange(most)))

    def grown(self, ns, depth):
        chance, element = self.chance, None
        element = Element(ns, chance.choice(NAMES))
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            key = chance.choice(("", "", "", XML, *NAMESPACES[:4])), chance.choice(ATTRIBUTES)
            if key != (XML, "id"):                         # libxml2 wants a name there; the corpus has some
                element.attributes[key] = self.text()
        for _ in range(chance.randrange(4) if depth < 6 else 0):
            ns_inside = ns if chance.random() < 0.4 else chance.choice((*NAMESPACES, SERVER))
            element.children.append(self.grown(ns_inside, depth + 1))
            text = self.text()
            element.children += [text] if text else []
        text = self.text() if not element.children else ""
        element.children += [text] if text else []
        return element

    def normal(self):
        return self.root.normal()

    def written(self):
        return self.element(self.root, {"": SERVER, "stream": "http://etherx.jabber.org/streams", "db": "jabber:server:dialback"}).encode()

    # --- many ways to say the same ---

    def space(self):
        return self.chance.choice((" ", "  ", "\n", " \t", "\r\n"))

    def reference(self, letter):
        if letter in NAMED and self.chance.random() < 0.5:
            return f"&{NAMED[letter]};"
        return self.chance.choice((f"&#{ord(letter)};", f"&#x{ord(letter):x};", f"&#x00{ord(letter):X};"))

    def value(self, text):
        quote = self.chance.choice("'\"")
        must = "<&\r\n\t" + quote
        return quote + "".join(self.reference(c) if c in must or self.chance.random() < 0.05 else c for c in text) + quote

    def content(self, text):
        if "]]>" not in text and "\r" not in text and self.chance.random() < 0.2:
            return f"<![CDATA[{text}]]>"
        return "".join(self.reference(c) if c in "<&\r>" or self.chance.random() < 0.05 else c for c in text)

    def prefix_for(self, ns, bound, declared, wanted):
        """A prefix that means the namespace here, declared now if none does; "" only where it may be the default."""
        known = [p for p, meant in bound.items() if meant == ns and (p or wanted)]
        if known and self.chance.random() < 0.7:
            return self.chance.choice(known)
        free = [p for p in ((*PREFIXES, "") if wanted else PREFIXES) if p not in declared]
        prefix = self.chance.choice(free) if ns else ""
        bound[prefix] = declared[prefix] = ns
        return prefix

    def element(self, element, outer):
        bound, declared, parts = dict(outer), {}, []
        prefix = self.prefix_for(element.ns, bound, declared, True)
        declared.setdefault(prefix, bound[prefix])             # what the name means must not change any more
        for (ns, name), value in element.attributes.items():
            p = "xml" if ns == XML else self.prefix_for(ns, bound, declared, False) if ns else ""
            if p and p != "xml":
                declared.setdefault(p, bound[p])
            parts.append((p + ":" if p else "") + name + "=" + self.value(value))
        parts += [("xmlns:" + p if p else "xmlns") + "=" + self.value(ns) for p, ns in declared.items()]
        self.chance.shuffle(parts)
        name = (prefix + ":" if prefix else "") + element.name
        tag = "<" + name + "".join(self.space() + part for part in parts) + self.chance.choice(("", self.space()))
        inside = "".join(self.content(c) if isinstance(c, str) else self.element(c, bound) for c in element.children)
        if not inside and self.chance.random() < 0.5:
            return tag + "/>"
        return f"{tag}>{inside}</{name}{self.chance.choice(('', self.space()))}>"
