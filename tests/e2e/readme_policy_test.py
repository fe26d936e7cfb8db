#!/usr/bin/python3
"""The policy that the README shows does what it says of it."""
import subprocess

from lib import BUILD, World, check, deliver, error_condition
from lib.guard import ROOT
from lib.xmpp import local


PAGE = (ROOT / "README.md").read_text().split("## A policy\n")[1].split("\n## ")[0]


def example_cases():
    text = PAGE[PAGE.index("<cases"):PAGE.index("</cases>") + len("</cases>")]
    return text.replace("our.example", "a.example").replace("partner.example", "b.example")


def example():
    """{section: {key: value}} of the README's page, of the partner that the test has."""
    lines = [line.strip() for line in PAGE.split("\n- ")[0].splitlines() if line.startswith("    ")]
    check(0 < len(lines) < 20, "it is short", len(lines))
    sections = {}
    for line in lines:
        if line.startswith("["):
            keys = sections.setdefault(line.strip("[]").replace("partner.example", "b.example"), {})
        else:
            name, value = line.split(" = ", 1)
            keys[name] = value
    return sections


def expect_refused(sender, receiver, text, extra, rule):
    refused = sender.wait_error(sender.message(receiver.jid, text, extra))
    check(refused is not None and rule in error_condition(refused)[2], f"{text}: refused by {rule}", refused)


with World(families=(4,)) as world:
    sections = world.guard.sections
    for section in [name for name in sections if name.startswith(("profile ", "peer "))]:
        del sections[section]
    sections.update(example())
    world.guard.set("guard", "policy-tests", "cases.xml")
    (world.guard.folder / "cases.xml").write_text(example_cases())
    world.guard.write()
    tried = subprocess.run([BUILD / "sallyport", "policy", "test", world.guard.conf], capture_output=True, text=True)
    check(tried.stdout.endswith("\n1 cases, 0 failed\n") and tried.returncode == 0, "it passes its case", tried)
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(alice.befriend(bob), "subscriptions cross")
    check(deliver(alice, bob, "hello") and deliver(bob, alice, "hello"), "chat crosses")
    alice.drain(), bob.drain()
    alice.presence(show="dnd", status="in a meeting")
    alice.presence(kind="unavailable")
    seen = bob.wait(lambda e: local(e) == "presence" and e.get("from", "").startswith(alice.bare), 5)
    check(seen is not None and len(seen) == 0, "presence crosses without what it says", seen)
    expect_refused(bob, alice, "a file", "<x xmlns='jabber:x:oob'><url>http://x/file</url></x>", "features.oob")
    expect_refused(bob, alice, "a file in band", "<data xmlns='urn:xmpp:bob' cid='c' type='image/png'>AAAA</data>",
                   "features.bob")
    expect_refused(bob, alice, "what nobody knows", "<z xmlns='urn:example:unknown'/>", "features.unknown")
    expect_refused(alice, bob, "Project  Nightingale begins", "", "content.forbidden-words")
    check(deliver(alice, bob, "the projects of a nightingale"), "and only these words are refused")
