#!/usr/bin/python3
"""
Binaries are scanned by a real clamd, or a real c-icap before it: what it knows is refused, also in pieces; without it
nothing passes, loudly.
"""
import base64
import socket

from lib import World, check, error_condition
from lib.world import eventually
from lib.xmpp import local

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
HARMLESS = b"what nobody is afraid of, but long enough to be cut into twenty pieces like the other"
IBB = "http://jabber.org/protocol/ibb"


class Scanner:
    """clamd with one signature of our own."""
    def __init__(self, world):
        self.world, self.folder = world, world.folder / "clamd"
        self.folder.mkdir()
        (self.folder / "own.ndb").write_text(f"Own.Test.File:0:*:{EICAR.hex()}\n")
        self.socket, self.conf = self.folder / "clamd.ctl", self.folder / "clamd.conf"
        self.conf.write_text(f"DatabaseDirectory {self.folder}\nLocalSocket {self.socket}\nFixStaleSocket yes\n"
                             "Foreground yes\nSelfCheck 0\nMaxThreads 2\n")

    def start(self):
        self.process = self.world.start(self.world.wire.ns["guard"], "clamd", "clamd", "-c", self.conf)
        check(eventually(lambda: self.process.poll() is None and self.answers(), 30), "clamd is up", self.log())

    def answers(self):
        with socket.socket(socket.AF_UNIX) as asker:
            try:
                asker.connect(str(self.socket))
                asker.sendall(b"zPING\0")
                return asker.recv(5) == b"PONG\0"
            except OSError:
                return False

    def log(self):
        return (self.world.folder / "clamd.log").read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()


ICAP = """PidFile {folder}/c-icap.pid
CommandsSocket {folder}/c-icap.ctl
StartServers 1
MaxServers 1
ThreadsPerChild 4
MinSpareThreads 1
MaxSpareThreads 4
Port 127.0.0.1:1344
TmpDir {folder}
ServerLog {folder}/server.log
AccessLog {folder}/access.log
ModulesDir /usr/lib/x86_64-linux-gnu/c_icap
ServicesDir /usr/lib/x86_64-linux-gnu/c_icap
TemplateDir /usr/share/c_icap/templates/
LoadMagicFile /etc/c-icap/c-icap.magic
Service antivirus_module virus_scan.so
ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple
virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE
virus_scan.MaxObjectSize 5M
virus_scan.DefaultEngine clamd
Module common clamd_mod.so
clamd_mod.ClamdSocket {socket}
"""


def start_icap(world, scanner):
    conf = scanner.folder / "c-icap.conf"
    conf.write_text(ICAP.format(folder=scanner.folder, socket=scanner.socket))
    world.start(world.wire.ns["guard"], "c-icap", "c-icap", "-N", "-D", "-f", conf)


def bob_data(content):
    return f"<data xmlns='urn:xmpp:bob' cid='sha1+0@bob.xmpp.org'>{base64.b64encode(content).decode()}</data>"


def message(sender, receiver, content, text):
    """The error that comes back, or True: it arrived."""
    name = sender.message(receiver.jid, text, bob_data(content))
    sender.message(receiver.jid, f"after {text}")
    check(receiver.wait_message(f"after {text}"), "what comes after it arrives")
    if receiver.wait_message(text, 0.1) is not None:
        return True
    return error_condition(sender.wait_error(name))


def avatar(publisher, reader, content, name):
    """Published by PEP, asked for from the other side: does it come?"""
    item = f"<item id='{name}'><data xmlns='urn:xmpp:avatar:data'>{base64.b64encode(content).decode()}</data></item>"
    done = publisher.iq(None, "set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                                     f"<publish node='urn:xmpp:avatar:data'>{item}</publish></pubsub>")
    check(done.get("type") == "result", "an avatar is published")
    asked = reader.request(publisher.bare, "get", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                           f"<items node='urn:xmpp:avatar:data'><item id='{name}'/></items></pubsub>")
    answer = reader.wait(lambda e: local(e) == "iq" and e.get("id") == asked, 0.7)
    return answer is not None and base64.b64encode(content).decode() in "".join(answer.itertext())


def transfer(sender, receiver, content, sid):
    """In twenty stanzas, each acknowledged: how many arrived, and what came back for the one that did not."""
    cuts = [len(content) * i // 20 for i in range(21)]
    for seq in range(20):
        piece = base64.b64encode(content[cuts[seq]:cuts[seq + 1]]).decode()
        asked = sender.request(receiver.jid, "set", f"<data xmlns='{IBB}' sid='{sid}' seq='{seq}'>{piece}</data>")
        arrived = receiver.wait(lambda e: e.find(f"{{{IBB}}}data") is not None, 10 if seq < 19 else 0.5)
        if arrived is None:
            return seq, error_condition(sender.wait_error(asked))
        receiver.send(f"<iq type='result' id='{arrived.get('id')}' to='{arrived.get('from')}'/>")
        check(sender.wait(lambda e: e.get("id") == asked) is not None, f"chunk {seq} is acknowledged")
    return 20, None


with World(families=(4,)) as world:
    scanner = Scanner(world)
    world.guard.set("guard", "scanner", f"unix:{scanner.socket}")
    world.guard.set("profile default", "outbound-binaries", "scan")
    scanner.start()
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(alice.befriend(bob), "they know each other")

    check(message(alice, bob, HARMLESS, "harmless") is True, "a harmless file in a BoB passes")
    refused = message(alice, bob, b"before " + EICAR + b" after", "bad")
    check(refused and refused[1] == "policy-violation" and "scan.found" in refused[2], "a bad one is refused", refused)
    line = world.guard.wait_audit(lambda line: line.get("rule") == "scan.found")
    check(line and "Own.Test.File" in line["reason"], "the audit says what was found", line)
    check(world.guard.wait_audit(lambda line: line.get("alert") == "malware"), "it is an alert")

    check(avatar(alice, bob, HARMLESS, "a1"), "a harmless avatar passes")
    check(not avatar(alice, bob, EICAR, "a2"), "a bad one does not")
    check(eventually(lambda: world.guard.counters()["scans-found"] >= 2, 5), "since it was found", world.guard.counters())

    count, refused = transfer(alice, bob, EICAR, "my-sid")
    check(count == 19 and refused and "scan.found" in refused[2], "of a bad one the last of twenty stanzas is refused",
          (count, refused))

    check(message(bob, alice, EICAR, "let in") is True, "where binaries may pass unscanned, it passes")

    scanner.kill()
    refused = message(alice, bob, HARMLESS, "unscanned")
    check(refused and refused[1] == "resource-constraint" and "scan.unavailable" in refused[2],
          "without its scanner nothing passes", refused)
    check(world.guard.wait_audit(lambda line: line.get("alert") == "scanner-failed"), "and that is an alert")
    check("scanner cannot be reached" in world.guard.log(), "and in the log", world.guard.log())
    check(world.guard.counters()["scans-unavailable"] >= 1, "and counted")
    scanner.start()
    check(message(alice, bob, HARMLESS, "scanned again") is True, "with it it does again")

    world.guard.stop()
    start_icap(world, scanner)
    world.guard.set("guard", "scanner", "icap://127.0.0.1:1344/avscan")
    world.guard.start()
    check(message(alice, bob, HARMLESS, "by ICAP") is True, "by ICAP a harmless file passes")
    refused = message(alice, bob, EICAR, "bad by ICAP")
    check(refused and "scan.found" in refused[2], "and a bad one is refused", refused)
