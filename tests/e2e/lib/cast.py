"""
The clients of a script, on both sides. All are listened to whenever one of them is waited for; they answer what a server or a
contact asks a client, and everything that they receive is recorded.
"""
import base64
import hashlib
import select
import socket
import time

from .canonical import SETTLING, canonical, source
from .tap import note
from .xmpp import Client, local

PEP = ("http://jabber.org/protocol/nick", "http://jabber.org/protocol/tune", "http://jabber.org/protocol/mood",
       "urn:xmpp:avatar:metadata")
FEATURES = sorted(["http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info", "urn:xmpp:receipts",
                   "urn:xmpp:ping", *(f"{node}+notify" for node in PEP)])
ANSWERS = {
    "{urn:xmpp:ping}ping": "",
    "{jabber:iq:version}query": "<query xmlns='jabber:iq:version'><name>Wire</name><version>1</version></query>",
    "{urn:xmpp:time}time": "<time xmlns='urn:xmpp:time'><tzo>+01:00</tzo><utc>2002-09-10T23:08:25Z</utc></time>",
    "{jabber:iq:last}query": "<query xmlns='jabber:iq:last' seconds='7'/>",
}
PING = "<ping xmlns='urn:xmpp:ping'/>"
UNKNOWN = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"


class Missed(Exception):
    """What the script waits for did not come."""


class Actor(Client):
    def __init__(self, cast, *account, **options):
        self.cast, self.stage_name = cast, None
        self.client_name = f"Client of {account[2]}"
        version = hashlib.sha1(f"client/pc//{self.client_name}<{'<'.join(FEATURES)}<".encode()).digest()
        self.caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example:client' " \
                    f"ver='{base64.b64encode(version).decode()}'/>"
        super().__init__(*account, **options)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stage_name = self.jid
        cast.actors.append(self)

    def read(self, deadline):
        return self.cast.listen(deadline) if self in self.cast.actors else super().read(deadline)

    def arrived(self, element):
        super().arrived(element)
        if self.stage_name:
            self.cast.recorded(self, element)
            if local(element) == "iq" and element.get("type") in ("get", "set"):
                self.answer(element)

    def answer(self, iq):
        """As clients do by themselves; roster pushes of the own server too."""
        asked = iq[0].tag if len(iq) else ""
        to = f" to='{iq.get('from')}'" if iq.get("from") else ""
        kind, payload = "result", ANSWERS.get(asked, "")
        if asked == "{http://jabber.org/protocol/disco#info}query":
            node = f" node='{iq[0].get('node')}'" if iq[0].get("node") else ""
            payload = f"<query xmlns='http://jabber.org/protocol/disco#info'{node}>" \
                      f"<identity category='client' type='pc' name='{self.client_name}'/>" + \
                      "".join(f"<feature var='{f}'/>" for f in FEATURES) + "</query>"
        elif asked not in ANSWERS and asked != "{jabber:iq:roster}query":
            kind, payload = "error", UNKNOWN
        self.send(f"<iq type='{kind}' id='{iq.get('id')}'{to}>{payload}</iq>")

    # What the script waits for: it has to come.

    def expect(self, wanted, what):
        found = self.wait(wanted)
        if found is None:
            raise Missed(f"{self.jid} waits in \"{self.cast.scene}\" for {what}")
        return found

    def expect_message(self, text, **attributes):
        return self.expect(lambda e: local(e) == "message" and e.findtext("{jabber:client}body") == text and
                           all(e.get(name) == wanted for name, wanted in attributes.items()), f"the message {text[:100]!r}")

    def expect_presence(self, sender, kind=None):
        return self.expect(lambda e: local(e) == "presence" and e.get("type") == kind and e.get("from") == sender,
                           f"presence {kind} from {sender}")

    def expect_inside(self, tag, what=None):
        """A stanza that has an element {namespace}name anywhere."""
        return self.expect(lambda e: e.find(f".//{tag}") is not None, what or tag)

    def ask(self, to, kind, payload):
        self.ask_all((to,), kind, payload)

    def ask_all(self, addresses, kind, payload):
        """Each is asked; answers come when they come."""
        asked = [(self.request(to, kind, payload), to) for to in addresses]
        for name, to in asked:
            self.expect_answer(name, to)

    def expect_answer(self, name, to):
        self.expect(lambda e: local(e) == "iq" and e.get("id") == name and e.get("type") in ("result", "error"),
                    f"an answer of {to} to {name}")

    def leave(self):
        """The connection breaks off."""
        self.cast.actors.remove(self)
        self.send("</stream:stream>")
        self.close()


class Cast:
    def __init__(self, world):
        self.world, self.actors, self.record, self.scene, self.started = world, [], [], "entrance", time.monotonic()

    def enter(self, side, user, resource="test"):
        actor = Actor(self, self.world.wire.ns[side], self.world.domains[side][0], user, resource=resource)
        actor.side = side
        self.world.clients.append(actor)
        return actor

    def listen(self, deadline):
        """Takes in what has come to anybody, waiting until the deadline for it; False: nothing came."""
        ready, _, _ = select.select([a.socket for a in self.actors], [], [], max(deadline - time.monotonic(), 0))
        for actor in list(self.actors):
            if actor.socket in ready:
                actor.take(actor.socket.recv(1 << 20))
        return bool(ready)

    def recorded(self, actor, element):
        self.record.append((self.scene, actor.stage_name, source(element), element.get("to"), canonical(element)))

    def settle(self, quiet=0.1):
        """
        What anything so far has set off has arrived: stanzas overtake none between the same two, so each asks for an
        answer over every stream between the servers; then nothing more comes for a moment.
        """
        asked = []
        for actor in self.actors:
            others = [a for a in self.actors if a.side != actor.side]
            for to in sorted({a.jid for a in others} | {f"{host}{a.domain}" for a in others for host in ("", "conference.")}):
                asked.append((actor, actor.request(to, "get", PING, SETTLING), to))
        for actor, name, to in asked:
            actor.expect_answer(name, to)
        self.listen_out(quiet)

    def listen_out(self, quiet):
        """Until nothing has come for a moment; then it is forgotten, but for the record."""
        while self.listen(time.monotonic() + quiet):
            pass
        for actor in self.actors:
            actor.inbox.clear()

    def perform(self, name, scene):
        self.scene = name
        scene(self)
        self.settle()
        note(f"{time.monotonic() - self.started:5.1f} s: {name}")
