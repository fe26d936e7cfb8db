#!/usr/bin/python3
"""
kill -9 of control, tls or keyd under traffic: guarded connections are reset, nothing unchecked passes, what is only
bridged goes on, and federation works again within 5 seconds.
"""
import os
import signal
import threading
import time

from lib import Echo, GuardedConnection, Transfer, World, body, check, deliver, eventually, local

WORD = "nightingale"


class Chatter(threading.Thread):
    """Sends a message with a forbidden word every few milliseconds, whatever happens."""

    def __init__(self, sender, receiver):
        super().__init__(daemon=True)
        self.sender, self.receiver, self.stop, self.count = sender, receiver, False, 0

    def run(self):
        while not self.stop:
            self.sender.message(self.receiver.jid, f"the {WORD} sings {self.count}")
            self.count += 1
            time.sleep(0.005)


with World() as world:
    world.guard.deaths_expected = True
    world.guard.set("profile default", "outbound-forbidden-words", WORD)
    world.start_servers()
    world.insert_guard()
    alice, anna, bob = world.client("inside"), world.client("inside", "anna"), world.client("outside")
    for client in (alice, anna, bob):
        client.presence()
    check(deliver(alice, bob, "before", 10), "a message passes")
    for role in ("control", "tls", "keyd"):
        held = GuardedConnection(world.wire, "a.example", "b.example")
        check(b"<stream:features>" in held.greeting, f"{role}: a guarded connection is open", held.greeting)
        transfer, echo, chatter = Transfer(world.wire, 300 << 20), Echo(world.wire), Chatter(anna, bob)
        transfer.start(), chatter.start()
        victim = world.guard.pids(role)
        check(len(victim) == 1, f"{role}: is one process of its own user", victim)
        os.kill(victim[0], signal.SIGKILL)
        pings = [echo.ping(1000) for _ in range(20)]
        check(held.ending() == "reset", f"{role}: the guarded connection is reset")
        seconds = deliver(alice, bob, f"after {role}")
        check(seconds is not None and seconds < 5, f"{role}: federation works again within 5 s", seconds)
        check(deliver(bob, alice, f"back after {role}"), f"{role}: and in the other direction")
        check(all(pings), f"{role}: ping went on", pings)
        transfer.join(60)
        check(transfer.whole(), f"{role}: a transfer over port 8080 went on", transfer.fault)
        chatter.stop = True
        chatter.join()
        check(chatter.count > 5, f"{role}: forbidden messages were sent all the time", chatter.count)
        check(not bob.wait(lambda e: local(e) == "message" and WORD in (body(e) or ""), 0.5), f"{role}: none arrived")
        check(eventually(lambda: world.guard.pids(role) not in ([], victim)), f"{role}: was started again")
