#!/usr/bin/python3
"""The trees of a stream, as libxml2 reads them; see README.md."""
import sys

from lxml import etree


def escaped(text):
    return "".join(chr(byte) if 0x20 < byte <= 0x7e and chr(byte) not in '\\"{}' else f"\\x{byte:02x}" for byte in text.encode())


def name(tag):
    """lxml writes {namespace}name."""
    qualified = etree.QName(tag)
    return f"{{{escaped(qualified.namespace or '')}}}{escaped(qualified.localname)}"


def put_text(text):
    if text:
        print('"' + escaped(text))


def put(element):
    attributes = sorted(f'{name(key)}="{escaped(value)}"' for key, value in element.attrib.items())
    print("<" + " ".join([name(element.tag), *attributes]))
    put_text(element.text)
    for child in element:
        put(child)
        put_text(child.tail)
    print(">")


try:
    stream = etree.fromstring(sys.stdin.buffer.read(), etree.XMLParser(resolve_entities=False, no_network=True))
except etree.XMLSyntaxError as fault:
    sys.exit(str(fault))
for stanza in stream:
    put(stanza)
