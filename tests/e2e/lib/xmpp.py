"""A small XMPP client: one user, logged in with SASL PLAIN on the loopback of its server's namespace."""
import base64
import itertools
import socket
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from .wire import netns

STREAM = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def local(element):
    return element.tag.split("}")[-1]


def body(stanza):
    return stanza.findtext(f"{{{CLIENT}}}body")


def error_condition(stanza):
    """("cancel", "policy-violation", text) of a stanza of type error, else None."""
    error = stanza.find(f"{{{CLIENT}}}error")
    if error is None:
        return None
    names = [local(child) for child in error if child.tag.startswith(f"{{{ERRORS}}}") and local(child) != "text"]
    return error.get("type"), names[0] if names else None, error.findtext(f"{{{ERRORS}}}text")


class Client:
    def __init__(self, namespace, domain, user, password="secret", resource="test"):
        with netns(namespace):
            self.socket = socket.create_connection(("127.0.0.1", 5222), 10)
        self.domain, self.bare = domain, f"{user}@{domain}"
        self.inbox, self.ids = [], itertools.count(1)
        self.open_stream()
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
        if local(self.wait(lambda e: local(e) in ("success", "failure"))) != "success":
            raise RuntimeError(f"{self.bare} cannot log in")
        self.open_stream()
        bound = self.iq(None, "set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                                     f"<resource>{resource}</resource></bind>")
        self.jid = bound.find(".//{urn:ietf:params:xml:ns:xmpp-bind}jid").text
        self.iq(None, "get", "<query xmlns='jabber:iq:roster'/>")     # asks to be told of subscriptions

    def open_stream(self):
        self.parser, self.depth = ET.XMLPullParser(("start", "end")), 0
        self.send(f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' to='{self.domain}' version='1.0'>")
        self.wait(lambda e: local(e) == "features")

    def send(self, text):
        self.socket.sendall(text.encode())

    def read(self, deadline):
        """Takes in what has come, waiting until the deadline for it; False: nothing came."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, BlockingIOError):
            return False
        self.take(data)
        return True

    def take(self, data):
        if not data:
            raise ConnectionError(f"the server of {self.bare} closed the connection")
        self.parser.feed(data)
        for event, element in self.parser.read_events():
            self.depth += 1 if event == "start" else -1
            if event == "end" and self.depth == 1:
                self.arrived(element)

    def arrived(self, element):
        self.inbox.append(element)

    def wait(self, wanted, timeout=15):
        """The first stanza not yet taken for which wanted(stanza) holds, or None after the timeout."""
        deadline = time.monotonic() + timeout
        looked_at = 0
        while True:
            for i in range(looked_at, len(self.inbox)):
                if wanted(self.inbox[i]):
                    return self.inbox.pop(i)
            looked_at = len(self.inbox)
            if time.monotonic() >= deadline or (not self.read(deadline) and time.monotonic() >= deadline):
                return None

    # Stanzas

    def message(self, to, text, extra="", kind="chat"):
        name = f"m{next(self.ids)}"
        self.send(f"<message to={quoteattr(to)} type={quoteattr(kind)} id='{name}'><body>{escape(text)}</body>"
                  f"{extra}</message>")
        return name

    def presence(self, to=None, kind=None, show=None, status=None, extra=""):
        inner = (f"<show>{show}</show>" if show else "") + (f"<status>{escape(status)}</status>" if status else "")
        self.send("<presence" + (f" to={quoteattr(to)}" if to else "") + (f" type={quoteattr(kind)}" if kind else "") +
                  f">{inner}{extra}</presence>")

    def request(self, to, kind, payload, prefix="q"):
        """An iq; its id."""
        name = f"{prefix}{next(self.ids)}"
        self.send(f"<iq type='{kind}' id='{name}'" + (f" to={quoteattr(to)}" if to else "") + f">{payload}</iq>")
        return name

    def iq(self, to, kind, payload, timeout=15):
        """Sends and awaits the reply (result or error), None if none came."""
        name = self.request(to, kind, payload)
        return self.wait(lambda e: local(e) == "iq" and e.get("id") == name, timeout)

    # Awaiting

    def wait_message(self, text, timeout=15):
        return self.wait(lambda e: local(e) == "message" and e.get("type") != "error" and body(e) == text, timeout)

    def wait_error(self, name, timeout=15):
        return self.wait(lambda e: e.get("id") == name and e.get("type") == "error", timeout)

    def wait_presence(self, sender, timeout=15, kind=None):
        return self.wait(lambda e: local(e) == "presence" and e.get("type") == kind and
                         (e.get("from") or "").startswith(sender), timeout)

    def drain(self, quiet=0.5):
        """Forgets everything that has come, until nothing more does for `quiet` seconds."""
        while self.read(time.monotonic() + quiet):
            pass
        self.inbox.clear()

    def befriend(self, other):
        """Both see each other's presence from here on."""
        for a, b in ((self, other), (other, self)):
            a.presence(b.bare, "subscribe")
            if b.wait_presence(a.bare, kind="subscribe") is None:
                return False
            b.presence(a.bare, "subscribed")
            if a.wait_presence(b.bare, kind="subscribed") is None:
                return False
        return True

    def close(self):
        self.socket.close()


def deliver(sender, receiver, text, timeout=5):
    """Seconds until a message passes, trying anew twice a second as a person would; None: it did not in time."""
    start = time.monotonic()
    attempt = 0
    while time.monotonic() - start < timeout:
        attempt += 1
        sender.message(receiver.jid, f"{text} ({attempt})")
        arrived = receiver.wait(lambda e: local(e) == "message" and e.get("type") != "error" and
                                (body(e) or "").startswith(text), 0.5)
        if arrived is not None:
            return time.monotonic() - start
    return None
