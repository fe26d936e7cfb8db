#!/usr/bin/python3
"""
A policy is changed while traffic runs: under full load no stanza is lost and none is judged by half of a policy; who may
not speak any more is closed, who may now is let in; what cannot be changed so, or has faults, changes nothing.
"""
from lib import World, check, eventually, note
from lib.carry import Carry

COUNT, CHANGES = 150_000, 12          # stanzas in each direction


def change(guard, what):
    check(guard.change_policy(), what, guard.log().splitlines()[-5:])


def change_under_load(world):
    """Every hundredth message has to be refused, by the one policy as by the other, and no other may be."""
    guard = world.guard
    words = world.folder / "words.txt"
    words.write_text("# what else is secret\n" + "".join(f"secret-{i}\n" for i in range(2000)) + "nightingale\n")
    carry = Carry(world, sink=("mixed-answer", COUNT))
    check(eventually(carry.listens), "the server listens")
    dialling = carry.begin("mixed-dial", COUNT, 1000)
    check(dialling.stdout.readline().startswith("at "), "traffic runs")
    dialling.stdin.write("go on\n")
    dialling.stdin.flush()
    done = 0
    while dialling.poll() is None and done < CHANGES:
        for direction in ("outbound", "inbound"):
            guard.set("profile default", f"{direction}-forbidden-words", f"@{words}" if done % 2 == 0 else "the nightingale")
        done += guard.change_policy()
    note(f"{done} changes while the stream carried {2 * COUNT} stanzas")
    check(done >= CHANGES // 2, "the policy was changed under load", done)
    ends = {"dialling": dialling.stdout.readline().split(), "dialled": []}
    check(eventually(lambda: carry.said("mixed", "broken")), "the stream was carried to its end")
    ends["dialled"] = carry.said("mixed", "broken")[0]
    for name, end in ends.items():
        check(end[:1] == ["mixed"], f"{name}: nothing was lost, or came out of order", end)
        sent, taken, refused, told, _ = map(int, end[1:])
        check(sent == taken == COUNT, f"{name}: all stanzas were carried", end)
        check(refused == told > COUNT // 300, f"{name}: all that had to be refused was, and no other", end)
    carry.sink.terminate()
    carry.sink.wait(5)


def change_of_peers(world):
    guard, carry = world.guard, Carry(world, sink=("echo",))
    check(eventually(carry.listens), "another server listens")
    holding = carry.begin("hold", 2, 1)
    check(holding.stdout.readline().split()[:2] == ["open", "2"], "streams are open")
    peer = guard.sections.pop("peer b.example")
    change(guard, "the peer is taken away")
    check(eventually(lambda: "0 sessions" in guard.show("sessions") or "no sessions" in guard.show("sessions")),
          "its streams are closed", guard.show("sessions"))
    holding.stdin.write("go on\n")
    holding.stdin.flush()
    check(holding.stdout.readline().split() == ["carried", "0"], "and carry nothing more")
    guard.sections["peer b.example"] = peer
    change(guard, "the peer is back")
    again = carry.begin("hold", 2, 1)
    check(again.stdout.readline().split()[:2] == ["open", "2"], "and its streams are taken again")


def change_nothing(world):
    guard = world.guard
    before = guard.sections["profile default"].get("outbound-presence")
    changes = guard.counters()["policy-changes"]
    guard.set("profile default", "outbound-presence", "some")
    guard.ask_for_change()
    check(eventually(lambda: 'unknown value "some"' in guard.log() and "the configuration has faults" in guard.log()),
          "a policy with a fault is not taken", guard.log())
    guard.set("profile default", "outbound-presence", before)
    guard.set("guard", "idle-seconds", "1234")
    guard.ask_for_change()
    check(eventually(lambda: "that takes a restart" in guard.log()), "what is no policy takes a restart", guard.log())
    check(guard.counters()["policy-changes"] == changes, "neither has changed anything")


with World(families=(4,), servers=False) as world:
    for direction in ("outbound", "inbound"):
        world.guard.set("profile default", f"{direction}-forbidden-words", "the nightingale")
    world.insert_guard()
    pids = world.guard.pids()
    change_under_load(world)
    change_of_peers(world)
    change_nothing(world)
    check(world.guard.pids() == pids, "no process of the guard ended")
