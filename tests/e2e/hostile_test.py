#!/usr/bin/python3
"""A server inside that does not keep to the rules: nothing of what it smuggles arrives, and honest traffic goes on."""
from lib import Stream, World, body, check, deliver, local

MESSAGE = "<message from='{0}' to='bob@b.example' type='chat'><body>{1}</body></message>"
FORGED = MESSAGE.format("eve@c.example", "forged")
ENDED = (
    ("a document type", "<!DOCTYPE x [<!ENTITY e 'smuggled'>]>" + MESSAGE.format("alice@a.example", "smuggled")),
    ("an entity", MESSAGE.format("alice@a.example", "smuggled &e;")),
    ("a comment", MESSAGE.format("alice@a.example", "smugg<!-- -->led")),
    ("a processing instruction", MESSAGE.format("alice@a.example", "smugg<?x y?>led")),
    ("a CDATA end in the open", MESSAGE.format("alice@a.example", "smuggled ]]>")),
    ("tags that do not match", "<message to='bob@b.example'><body>smuggled</message>"),
    ("a byte that is no UTF-8", MESSAGE.format("alice@a.example", "smuggled \xff").encode("latin-1")),
    ("two attributes of one name", "<message to='bob@b.example' to='bob@b.example'><body>smuggled</body></message>"),
    ("a stanza of 600 KB", MESSAGE.format("alice@a.example", "smuggled" + "x" * 600_000)),
    ("a stream in a stream", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>"),
)


def opened(world):
    return Stream(world, certificate=world.ca["inside"].issue(["a.example"], "raw")).open()


with World(families=(4,)) as world:
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()

    stream = opened(world)
    for byte in MESSAGE.format("alice@a.example", "byte by byte \u00e9").encode():
        stream.send(bytes([byte]))
    check(bob.wait_message("byte by byte \u00e9"), "a message sent one byte at a time arrives whole")
    stream.send(FORGED)
    stream.send(MESSAGE.format("alice@a.example", "in my own name"))
    check(stream.ending(2) is not None or bob.wait_message("in my own name"), "a forged sender ends the stream or is refused")
    stream.close()

    stream = Stream(world)
    stream.header()
    stream.send(MESSAGE.format("alice@a.example", "before TLS"))
    check(stream.ending() is not None, "a stanza before TLS ends the stream")
    stream = Stream(world, certificate=world.ca["inside"].issue(["a.example"], "raw"))
    stream.starttls()
    stream.header()
    stream.send(MESSAGE.format("alice@a.example", "before authentication"))
    check(stream.ending() is not None, "a stanza before authentication ends the stream")

    for what, data in ENDED:
        stream = opened(world)
        try:
            stream.send(data)
        except OSError:
            pass                         # it may be ended before all of it is sent
        ending = stream.ending()
        check(ending is not None, f"{what} ends the stream")
        stream.close()
    smuggled = bob.wait(lambda e: local(e) == "message" and any(word in (body(e) or "") for word in
                        ("forged", "smugg", "before")), 1)
    check(smuggled is None, "nothing of all that arrived", smuggled is not None and (smuggled.attrib, body(smuggled)))
    log = world.server["outside"].log()
    check("smugg" not in log and "forged" not in log and "before TLS" not in log and "before auth" not in log,
          "not even at the server")
    check(deliver(alice, bob, "honest"), "honest traffic goes on")
