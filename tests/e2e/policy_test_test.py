#!/usr/bin/python3
"""
A policy is tried before it is trusted: `sallyport policy check` and `policy test`, as root and as anybody; a guard whose
policy fails its own cases does not start, and one that runs keeps the policy that it has.
"""
import subprocess

from lib import BUILD, World, check, eventually

PLAIN = "<message xmlns='jabber:server' from='alice@a.example/x' to='bob@b.example'><body>{}</body></message>"


def case(name, expect, text, **more):
    attributes = {"name": name, "direction": "outbound", "expect": expect, **more}
    return "<case " + " ".join(f"{k}='{v}'" for k, v in attributes.items()) + ">\n" + PLAIN.format(text) + "\n</case>\n"


def cases(*them):
    return "<cases xmlns='urn:sallyport:cases:1'>\n" + "".join(them) + "</cases>\n"


def policy(*words, **more):
    done = subprocess.run([BUILD / "sallyport", "policy", *words], capture_output=True, text=True, timeout=20, **more)
    return done.returncode, done.stdout + done.stderr


GOOD = cases(case("a word", "refused", "the nightingale sings", rule="content.forbidden-words"),
             case("no word", "pass", "the bird sings"))

with World(families=(4,), servers=False) as world:
    guard = world.guard
    guard.set("profile default", "outbound-forbidden-words", "nightingale, top nightingale")
    file = guard.folder / "cases.xml"
    guard.set("guard", "policy-tests", "cases.xml")
    file.write_text(GOOD)
    guard.write()

    status, said = policy("check", guard.conf)
    check(status == 0 and '"top nightingale" has no effect' in said, "check tells what has no effect", said)
    check(f"{guard.conf}:" in said, "with its line", said)
    guard.set("profile other", "outbound-presence", "none")
    guard.write()
    status, said = policy("check", guard.conf)
    check(status == 1 and "[profile other] is used nowhere (hint: " in said, "check finds a profile that nobody uses", said)
    del guard.sections["profile other"]
    guard.set("profile default", "outbound-forbidden-words", "nightingale")
    guard.set("profile default", "inbound-forbidden-words", "cuckoo")
    guard.write()
    check(policy("check", guard.conf) == (0, ""), "check has nothing to say of the rest")

    status, said = policy("test", guard.conf)
    check(status == 0 and said.splitlines()[-1] == "2 cases, 0 failed", "its cases pass", said)
    check(said.count("no case is judged by it") == 1 and "inbound-forbidden-words of profile default" in said,
          "a rule that no case is judged by is told", said)
    check(policy("test", guard.conf, "/dev/null")[0] == 1, "a file without cases fails")
    more = guard.folder / "more.xml"
    more.write_text(cases(case("wrong", "pass", "NIGHTINGALE"), case("other rule", "refused", "nightingale", rule="x"),
                          case("\u009b31m", "dropped", "hello")))
    status, said = policy("test", guard.conf, more)
    lines = said.splitlines()
    check(status == 1 and lines[-1] == "5 cases, 3 failed", "cases that fail are counted", said)
    check(lines[0].startswith(f'{more}:2: case "wrong": expected pass, was refused (content.forbidden-words): '),
          "and told with line, name and rule", said)
    check(lines[1].startswith(f'{more}:5: case "other rule": expected refused (x), was refused (content.forb'), "the rule counts", said)
    check("\u009b" not in said and 'case "?31m": expected dropped, was pass' in said, "nothing reaches the terminal", said)

    broken = cases(case("wrong", "pass", "nightingale"))
    file.write_text(broken)
    guard.write()
    run = subprocess.run(["ip", "netns", "exec", world.wire.ns["guard"], BUILD / "sallyportd", "-c", guard.conf],
                         capture_output=True, text=True, timeout=20)
    check(run.returncode == 1 and 'case "wrong": expected pass, was refused' in run.stderr, "it does not start", run.stderr)
    check(not guard.pids(), "and has started nothing")

    file.write_text(GOOD)
    world.insert_guard()
    pids = guard.pids()
    check(guard.change_policy(), "a policy that passes is taken", guard.log())
    file.write_text(broken)
    changes = guard.counters()["policy-changes"]
    guard.ask_for_change()
    line = guard.wait_audit(lambda line: "policy refused" in line.get("what", ""))
    check(line and 'case "wrong": expected pass' in line["what"], "one that does not is not, and the audit tells why", line)
    check('it fails its tests: ' in guard.log() and f"{file}:2: case" in guard.log(), "and the log", guard.log())
    guard.set("profile default", "outbound-forbidden-words", "cuckoo")
    check(guard.change_policy(), "another that passes the same cases is taken", guard.log())
    check(guard.counters()["policy-changes"] == changes + 1 and guard.counters()["policy-refusals"] == 1, "both are counted",
          guard.counters())
    file.write_text("<cases xmlns='urn:sallyport:cases:1'>\n<case direction='outbound'><!-- -->")
    guard.ask_for_change()
    check(eventually(lambda: "policy refused" in guard.audit_lines()[-1].get("what", "") and
                     "cases.xml:2: restricted-xml" in guard.audit_lines()[-1]["what"]), "cases that are none refuse it",
          guard.audit_lines()[-1:])
    file.unlink()
    guard.ask_for_change()
    check(eventually(lambda: "cases.xml: No such file" in guard.log()), "as do those that are not there", guard.log())
    check(guard.pids() == pids, "no process ended")
