#!/usr/bin/python3
"""
What a policy would do is known before it does it: stages that are only monitored, a second profile beside the first, a
recording that another policy is tried on; and of each verdict it can be told why.
"""
import re
import subprocess

from lib import BUILD, World, check, deliver, eventually

NICK = "<nick xmlns='http://jabber.org/protocol/nick'>Al</nick>"


def policy(*words):
    done = subprocess.run([BUILD / "sallyport", "policy", *map(str, words)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


with World(families=(4,)) as world:
    guard = world.guard
    recording = guard.audit.parent / "recording.xml"
    guard.set("guard", "record", recording)
    guard.set("profile default", "outbound-forbidden-words", "nightingale")
    guard.set("profile default", "outbound-monitor", "content")
    guard.set("profile strict", "outbound-forbidden-words", "nightingale, thrush")
    guard.set("profile strict", "outbound-features", "all, -nick")
    for direction in ("outbound", "inbound"):
        for key in ("unknown", "presence", "binaries"):
            guard.set("profile strict", f"{direction}-{key}", guard.sections["profile default"][f"{direction}-{key}"])
    guard.set("profile strict", "inbound-features", "all")
    guard.set("peer b.example", "shadow", "strict")
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()

    check(deliver(alice, bob, "a nightingale"), "what a monitored stage finds passes")
    line = guard.wait_audit(lambda line: line["event"] == "monitor")
    check(line and (line["would"], line["rule"]) == ("refused", "content.forbidden-words"), "and is told in the audit", line)
    status, said = policy("explain", line["id"], guard.conf)
    check(status == 0 and "would have been refused by content.forbidden-words" in said and
          "decided by: outbound-forbidden-words of [profile default]" in said, "explain tells why", said)
    check(guard.counters()["monitored"] == 1, "it is counted")
    check(deliver(alice, bob, "a thrush"), "what only the second profile forbids passes")
    alice.message(bob.jid, "with a nick", NICK)
    check(bob.wait_message("with a nick"), "and what it would change")
    shown = guard.show("shadow")
    check(re.search(r"\n2  \[peer b.example\], last .*\n    pass -> refused by content.forbidden-words\n", shown) and
          "    pass -> rewritten by features.nick\n" in shown, "show shadow tells what it would have done", shown)

    guard.set("profile default", "outbound-monitor", "")
    guard.set("peer b.example", "shadow", "")
    del guard.sections["profile strict"]
    check(guard.change_policy(), "now the words count", guard.log())
    refused = alice.wait_error(alice.message(bob.jid, "a nightingale again"))
    check(refused is not None, "they are refused")
    line = guard.wait_audit(lambda line: line["event"] == "verdict" and line["action"] == "refused")
    status, said = policy("explain", line["id"], guard.conf)
    check(status == 0 and "refused by content.forbidden-words" in said and "features   found nothing" in said and
          "the sender was told: " in said, "explain tells it stage by stage", said)
    check(policy("explain", 4711, guard.conf)[0] == 1, "there is nothing to tell of a number that no verdict has")

    for i in range(200):
        alice.message(bob.jid, f"bird {i}, a {'thrush' if i % 10 == 0 else 'sparrow'}")
    check(bob.wait_message("bird 199, a sparrow"), "birds arrive")
    check(eventually(lambda: guard.counters()["recorded"] >= 204), "all is recorded", guard.counters()["recorded"])
    check(recording.stat().st_mode & 0o777 == 0o600, "for nobody else to read", oct(recording.stat().st_mode))
    status, said = policy("replay", recording, guard.conf)
    recorded = int(said.splitlines()[-1].split()[0])
    check(said.splitlines()[-1] == f"{recorded} stanzas, 1 would be judged otherwise" and
          " 1  pass -> refused by content.forbidden-words  with b.example" in said,
          "the policy that runs says the same of it, but of the message that was only monitored", said)
    guard.set("profile default", "outbound-forbidden-words", "thrush")
    guard.write()
    status, said = policy("replay", recording, guard.conf)
    check(status == 1 and re.search(r"^ +21  pass -> refused by content.forbidden-words  with b.example, first in line \d+$", said,
                                    re.M) and
          re.search(r"^ +1  refused by content.forbidden-words -> pass  with b.example, first in line \d+$", said, re.M) and
          said.splitlines()[-1].endswith(", 22 would be judged otherwise"), "another one differs exactly where it was changed", said)
