#!/usr/bin/python3
"""Who may speak is told by lists of users, in files and groups, and by the direction that a peer has."""
from lib import World, check, deliver, error_condition


def expect_refused(sender, receiver, rule, what):
    name = sender.message(receiver.jid, "may this cross?")
    refused = sender.wait_error(name)
    check(refused is not None, f"{what}: the sender is told")
    _, condition, reason = error_condition(refused)
    check(condition == "not-allowed" and rule in reason, f"{what}: by the rule {rule}", (condition, reason))
    check(not receiver.wait_message("may this cross?", timeout=0.3), f"{what}: nothing arrives")


with World(families=(4,)) as world:
    (world.guard.folder / "board.txt").write_text("# the board\n\nalice@a.example\n")
    world.guard.set("group board", "members", "@board.txt")
    world.guard.set("profile default", "inside-users", "group:board")
    world.guard.set("profile default", "outside-users", "bob@b.example")
    world.start_servers()
    world.insert_guard()
    alice, anna = world.client("inside"), world.client("inside", "anna")
    bob, bella = world.client("outside"), world.client("outside", "bella")
    for client in (alice, anna, bob, bella):
        client.presence()
    check(deliver(alice, bob, "from the board") and deliver(bob, alice, "to the board"), "who is listed speaks")
    expect_refused(anna, bob, "peering.sender", "one of ours who is not")
    expect_refused(bob, anna, "peering.receiver", "to one of ours who is not")
    expect_refused(bella, alice, "peering.sender", "one of theirs who is not")
    (world.guard.folder / "board.txt").write_text("anna@a.example\n")
    check(world.guard.change_policy(), "the file has another user", world.guard.log())
    check(deliver(anna, bob, "from the new board"), "who speaks now")
    expect_refused(alice, bob, "peering.sender", "who was there before")
    world.guard.set("peer b.example", "directions", "inbound")
    check(world.guard.change_policy(), "only theirs may begin")
    expect_refused(anna, bob, "peering.direction", "ours do not")
    check(deliver(bob, anna, "we may"), "theirs do")
    world.guard.set("peer b.example", "directions", "none")
    check(world.guard.change_policy(), "nobody may")
    name = anna.message(bob.jid, "still there?")
    check(anna.wait_error(name, 15) is not None and not bob.wait_message("still there?", timeout=0.3), "and nobody does")
