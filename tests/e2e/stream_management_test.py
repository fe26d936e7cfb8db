#!/usr/bin/python3
"""
Stream management (XEP-0198) between two Prosodys while policy refuses every tenth of 10 000 messages: the counts of both
servers agree, every refusal arrives, nothing else is lost or bounced. When a server dies, the other bounces what was not
acknowledged, and nothing else.
"""
import os
import signal
import time

from lib import World, body, check, deliver, error_condition, eventually, local

MESSAGES = 2500        # of each of four senders
BATCH = 100
POLICY, LOST = "policy-violation", "recipient-unavailable"


class Talk:
    """Numbered messages of one user to one other; those that a policy refuses among them."""

    def __init__(self, sender, receiver, word):
        self.sender, self.receiver, self.word = sender, receiver, word
        self.good, self.bad = {}, {}           # id -> text

    def say(self, numbers):
        for i in numbers:
            refused = i % 10 == 3
            text = f"{self.sender.bare} {i}" + (f" {self.word}" if refused else "")
            (self.bad if refused else self.good)[self.sender.message(self.receiver.bare, text)] = text

    def arrived(self):
        return [body(e) for e in self.receiver.inbox
                if local(e) == "message" and e.get("type") != "error" and body(e).startswith(self.sender.bare + " ")]

    def errors(self, condition):
        return [e.get("id") for e in self.sender.inbox
                if e.get("type") == "error" and error_condition(e)[1] == condition]

    def is_done(self):
        return len(self.arrived()) >= len(self.good) and len(self.errors(POLICY)) >= len(self.bad)


def hear(clients, seconds=0.0):
    deadline = time.monotonic() + seconds
    while any([client.read(time.monotonic() + 0.005) for client in clients]) or time.monotonic() < deadline:
        pass


def counts(client):
    """What the client's server says of its managed streams: [{"direction", "sent", "unacknowledged", "handled"}]."""
    reply = client.iq(client.domain, "get", "<query xmlns='urn:example:counts'/>")
    return [{key: int(value) if value.isdigit() else value for key, value in stream.attrib.items()}
            for stream in reply.find("{urn:example:counts}query")]


def make(world, bidi):
    for side, word in (("outbound", "budget"), ("inbound", "malware")):
        world.guard.set("profile default", f"{side}-forbidden-words", word)
    for side in world.server:
        world.configure(side, disabled=() if bidi else ("s2s_bidi",), level="info",
                        modules=("tell_counts",))
    world.start_servers()
    world.insert_guard()
    clients = [world.client("inside"), world.client("inside", "anna"), world.client("outside"),
               world.client("outside", "bella")]
    for client in clients:
        client.presence()
    alice, anna, bob, bella = clients
    check(deliver(alice, bob, "hello", 10) and deliver(bob, alice, "hello", 10), "there is a way in both directions")
    connections = 1 if bidi else 2
    check(eventually(lambda: len(counts(alice)) == len(counts(bob)) == connections, 5),
          f"and stream management on {connections} connection(s)", (counts(alice), counts(bob)))
    return clients, [Talk(alice, bob, "budget"), Talk(anna, bella, "budget"), Talk(bob, alice, "malware"),
                     Talk(bella, anna, "malware")]


def agree(world, alice, bob):
    """One server has sent what the guard refused of it and what the other has handled, less what the guard added."""
    def settled():
        return all(stream["unacknowledged"] == 0 for client in (alice, bob) for stream in counts(client))
    check(eventually(settled, 5), "all that was sent is acknowledged", (counts(alice), counts(bob)))
    seen = counts(alice), counts(bob)
    sent, handled = [sum(s["sent"] for s in side) for side in seen], [sum(s["handled"] for s in side) for side in seen]
    refused = [sum(1 for line in world.guard.audit_lines() if line.get("action") == "refused" and
                   line["direction"] == direction) for direction in ("outbound", "inbound")]
    check(handled[1] == sent[0] - refused[0] + refused[1], "the count of the outside agrees with that of the inside",
          (seen, refused))
    check(handled[0] == sent[1] - refused[1] + refused[0], "and the other way round", (seen, refused))
    return seen


def many(bidi):
    with World(families=(4,)) as world:
        clients, talks = make(world, bidi)
        alice, _, bob, _ = clients
        for first in range(0, MESSAGES, BATCH):
            for talk in talks:
                talk.say(range(first, first + BATCH))
            hear(clients)
        check(eventually(lambda: hear(clients, 0.2) or all(talk.is_done() for talk in talks), 30, 0),
              "all that is to arrive arrives", [(len(t.arrived()), len(t.errors(POLICY))) for t in talks])
        hear(clients, 0.5)
        for talk in talks:
            check(talk.arrived() == list(talk.good.values()), f"once and in order: the {len(talk.good)} of {talk.sender.bare}")
            check(sorted(talk.errors(POLICY)) == sorted(talk.bad), f"and each of its {len(talk.bad)} refusals")
            check(not talk.errors(LOST), "and no other is bounced")
        seen = agree(world, alice, bob)
        check(len(seen[0]) == len(seen[1]) == (1 if bidi else 2), "on the same connections", seen)
        values = world.guard.counters()
        check(values["streams-managed"] == len(seen[0]) and values["acks-passed"] > 1, "the guard counts with them", values)
        check("managed" in world.guard.show("sessions"), "and says so", world.guard.show("sessions"))


def lost():
    """The server outside handles some, then nothing more, and dies."""
    with World(families=(4,)) as world:
        clients, talks = make(world, bidi=False)
        alice, talk, server = clients[0], talks[0], world.server["outside"].process
        talk.say(range(50))
        check(eventually(lambda: hear(clients, 0.1) or talk.is_done(), 10, 0), "some messages arrive")
        agree(world, alice, clients[2])
        before = set(talk.good) | set(talk.bad)
        os.kill(server.pid, signal.SIGSTOP)
        talk.say(range(50, 100))
        check(eventually(lambda: hear(clients[:2], 0.1) or sum(s["unacknowledged"] for s in counts(alice)) == 50, 5, 0),
              "others are sent and not acknowledged", counts(alice))
        os.kill(server.pid, signal.SIGKILL)
        check(eventually(lambda: hear(clients[:1], 0.1) or set(talk.good) - before <= set(talk.errors(LOST)), 15, 0),
              "they are bounced", talk.errors(LOST))
        hear(clients[:1], 0.5)
        names = talk.errors(LOST)
        check(len(names) == len(set(names)), "each once", sorted(names))
        check(not before & set(names), "and nothing that was acknowledged", before & set(names))


many(bidi=True)
many(bidi=False)
lost()
