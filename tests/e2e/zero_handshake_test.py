#!/usr/bin/python3
"""
XEP-0361: two servers that have agreed beforehand begin with stanzas, in the clear or in TLS, as the configuration has it; and
nobody else does.
"""
import socket
import ssl
import threading

from lib import SIDES, World, check
from lib.wire import ADDRESS, netns

MESSAGE = "<message from='{0}' to='{1}' type='chat'><body>{2}</body></message>"


def passed(sender, receiver, who, whom, text):
    """Whether exactly this stanza comes through, and nothing else with it."""
    message = MESSAGE.format(who, whom, text)
    sender.sendall(message.encode())
    receiver.settimeout(5)
    seen = b""
    try:
        while b"</message>" not in seen:
            data = receiver.recv(4096)
            if not data:
                break
            seen += data
    except OSError:
        pass
    got = seen.decode()
    return text in got and got.startswith("<message") and got.endswith("</body></message>"), got


def over(sock):
    """All that comes until the other end closes; None if it does not."""
    sock.settimeout(2)
    seen = b""
    try:
        while data := sock.recv(4096):
            seen += data
    except TimeoutError:
        return None
    except OSError:
        pass
    return seen.decode()


def context(world, side, kind):
    made = ssl.SSLContext(kind)
    made.check_hostname = False
    made.load_verify_locations(world.guard_ca[side].file)
    made.load_cert_chain(*world.ca[side].issue([world.domains[side][0]], f"{side}-{kind}"))
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def configure(world, tls):
    link = "link test"
    for side in SIDES:
        world.guard.set(link, f"{side}-address", ADDRESS[side][4])
    world.guard.set(link, "port", 5269)
    world.guard.set(link, "inside-domains", "a.example, conference.a.example")
    world.guard.set(link, "outside-domains", "b.example")
    world.guard.set(link, "tls", tls)
    world.guard.set("profile default", "outbound-forbidden-words", "budget")
    for domain in world.domains["outside"] if tls == "no" else ():
        world.guard.set(f"peer {domain}", "authentication", "none")


with World(families=(4, 6), servers=False) as world:
    configure(world, "no")
    world.insert_guard()
    with netns(world.wire.ns["outside"]):
        listener = socket.create_server((ADDRESS["outside"][4], 5269))
    listener.settimeout(10)
    with netns(world.wire.ns["inside"]):
        inside = socket.create_connection((ADDRESS["outside"][4], 5269), 10)
    outside, _ = listener.accept()
    good, got = passed(outside, inside, "bob@b.example", "alice@a.example", "the dialled one begins")
    check(good, "in the clear: a stanza of the one that was dialled arrives, and no header", got)
    good, got = passed(inside, outside, "room@conference.a.example", "bob@b.example", "of a second domain")
    check(good, "in the clear: one of the other's second domain", got)
    check("(outbound, open, clear, link)" in world.guard.show("sessions"), "show sessions has it", world.guard.show("sessions"))
    inside.sendall(MESSAGE.format("alice@a.example", "bob@b.example", "the budget").encode())
    good, got = passed(inside, outside, "alice@a.example", "bob@b.example", "afterwards")
    check(good, "what policy refuses does not arrive; what follows does", got)
    inside.settimeout(5)
    answer = inside.recv(4096).decode()
    check("policy-violation" in answer and "type='error'" in answer, "its sender is told on the link", answer)
    inside.sendall(MESSAGE.format("eve@c.example", "bob@b.example", "forged").encode())
    ending, heard = over(inside), over(outside)
    check(ending is not None and "invalid-from" in ending and "forged" not in heard, "a domain that is not of it ends it", heard)
    with netns(world.wire.ns["outside"]):
        listener6 = socket.create_server((ADDRESS["outside"][6], 5269), family=socket.AF_INET6)
    listener6.settimeout(10)
    with netns(world.wire.ns["inside"]):
        inside = socket.create_connection((ADDRESS["outside"][6], 5269), 10)
    outside, _ = listener6.accept()
    inside.sendall(MESSAGE.format("alice@a.example", "bob@b.example", "from elsewhere").encode())
    check(over(inside) == "" and "from elsewhere" not in (over(outside) or ""), "between other addresses it is no link")

with World(families=(4,), servers=False) as world:
    configure(world, "yes")
    world.insert_guard()
    with netns(world.wire.ns["outside"]):
        listener = socket.create_server((ADDRESS["outside"][4], 5269))
    listener.settimeout(10)
    with netns(world.wire.ns["inside"]):
        inside = socket.create_connection((ADDRESS["outside"][4], 5269), 10)
    outside, _ = listener.accept()
    outside = context(world, "outside", ssl.PROTOCOL_TLS_SERVER).wrap_socket(outside, server_side=True,
                                                                            do_handshake_on_connect=False)
    inside = context(world, "inside", ssl.PROTOCOL_TLS_CLIENT).wrap_socket(inside, do_handshake_on_connect=False)
    shaking = threading.Thread(target=outside.do_handshake)
    shaking.start()
    inside.do_handshake()
    shaking.join(10)
    names = [value for kind, value in inside.getpeercert()["subjectAltName"] if kind == "DNS"]
    check("b.example" in names, "in TLS: the client is shown the guard's certificate of the other end", names)
    good, got = passed(inside, outside, "alice@a.example", "bob@b.example", "one")
    check(good, "in TLS: a stanza arrives, and no header", got)
    good, got = passed(outside, inside, "bob@b.example", "alice@a.example", "two")
    check(good, "in TLS: and the other way", got)
    check("TLSv1.3 direct, link)" in world.guard.show("sessions"), "show sessions has it", world.guard.show("sessions"))
    inside.close()
    with netns(world.wire.ns["inside"]):
        inside = socket.create_connection((ADDRESS["outside"][4], 5269), 10)
    outside, _ = listener.accept()
    inside.sendall(MESSAGE.format("alice@a.example", "bob@b.example", "in the clear").encode())
    check(over(inside) is not None and "clear" not in (over(outside) or ""), "what has to begin with TLS does")
