#!/usr/bin/python3
"""From a security policy to a refused message, by the page of the README alone."""
import subprocess

from lib import BUILD, ROOT, World, check, error_condition

PAGE = (ROOT / "README.md").read_text().split("## Security labels\n")[1].split("\n## ")[0]


def part(begin, end):
    return PAGE[PAGE.index(begin):PAGE.index(end, PAGE.index(begin)) + len(end)]


def example():
    """{section: {key: value}}"""
    sections = {}
    for line in (line.strip() for line in part("    [labels]", "\n\n").splitlines() if line.strip()):
        if line.startswith("["):
            keys = sections.setdefault(line.strip("[]"), {})
        else:
            name, value = line.split(" = ", 1)
            keys[name] = value
    return sections


with World(families=(4,)) as world:
    guard, folder = world.guard, world.guard.folder
    (folder / "demo.spif.xml").write_bytes((ROOT / "tests/labels/demo.spif.xml").read_bytes())
    (folder / "partner.xml").write_text(part("    <clearance", "</clearance>"))
    cases = part("    <cases", "</cases>")
    (folder / "cases.xml").write_text(cases.replace("our.example", "a.example").replace("partner.example", "b.example"))
    for section, keys in example().items():
        for key, value in keys.items():
            guard.set(section.replace("profile partner", "profile default"), key, value)
    guard.set("guard", "policy-tests", "cases.xml")
    guard.write()
    tried = subprocess.run([BUILD / "sallyport", "policy", "test", guard.conf], capture_output=True, text=True)
    check(tried.stdout.endswith("1 cases, 0 failed\n") and tried.returncode == 0, "it passes its case", tried)
    world.start_servers()
    world.insert_guard()
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    label = part("          <securitylabel", "</securitylabel>").strip()
    error = alice.wait_error(alice.message(bob.jid, "for XAA", label))
    check(error is not None and "labels.permissive" in error_condition(error)[2], "the message is refused", error)
    alice.message(bob.jid, "for XBB", label.replace("lacv='8'", "lacv='36'"))
    check(bob.wait_message("for XBB") is not None, "one that they are cleared for passes")
    said = subprocess.run([BUILD / "sallyport", "label", "policy", folder / "demo.spif.xml"], capture_output=True, text=True)
    check(said.returncode == 0 and "policy: DEMO" in said.stdout, "the tool tells of the policy", said)
