#!/usr/bin/python3
"""
sallyport label, on files: the decisions and mappings of the demonstration policy, forms turned into one another, faults told
with file and line.
"""
import pathlib
import subprocess
import tempfile

from lib import BUILD, ROOT, check

FILES = ROOT / "tests" / "labels"
DEMO, PARTNER, CLEARANCE = FILES / "demo.spif.xml", FILES / "partner.spif.xml", FILES / "demo.clearance.xml"
GIVEN = FILES / "demo.label-restricted-alpha-xaa-xbb.xml"
XAA, XBB = (f"<tag type='enumeratedPermissive' id='2.25.1.1.2' lacv='{lacv}'/>" for lacv in (8, 36))
ALPHA, BRAVO = (f"<tag type='restrictive' id='2.25.1.1.1' lacv='{lacv}'/>" for lacv in (0, 1))
STAFF = "<tag type='informative' id='2.25.1.1.3' lacv='1'/>"
# classification, categories, valid, granted
DECISIONS = ((1, "", True, True), (2, XAA + XBB, True, True), (2, XAA, True, False), (2, "", False, True),
             (2, ALPHA + XBB, True, True), (2, BRAVO + XBB, True, False), (2, ALPHA + BRAVO + XBB, False, False),
             (1, ALPHA, False, True), (2, XBB + STAFF, True, True))
# policy, classification, categories, to, inbound, classification there (None: there is no mapping)
MAPPINGS = (("2.25.1.1", 1, "", "PARTNER", False, "10"), ("2.25.1.1", 2, XBB, "PARTNER", False, None),
            ("2.25.1.1", 1, STAFF, "PARTNER", False, "10"), ("2.25.1.2", 20, "", "DEMO", True, None),
            ("2.25.1.2", 10, "", "DEMO", True, "1"))


def tool(*words, policies=(DEMO,)):
    options = [word for policy in policies for word in ("-p", policy)]
    done = subprocess.run([BUILD / "sallyport", "label", *options, *words], capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode()


def text(*words, **options):
    status, out, err = tool(*words, **options)
    return status, out.decode() + err


def written(folder, number, tags, policy="2.25.1.1"):
    path = folder / "label.xml"
    path.write_text(f"<label xmlns='http://surevine.com/xmlns/spiffy'><policy id='{policy}'/><classification lacv='{number}'/>"
                    f"{tags}</label>")
    return path


def decisions(folder):
    for number, tags, valid, granted in DECISIONS:
        status, said = text("access", written(folder, number, tags), CLEARANCE)
        lines = said.splitlines()
        expected = [valid, granted, valid and granted]
        check([line.split(": ")[1] in ("yes", "pass") for line in lines] == expected and status == (0 if all(expected) else 1),
              f"classification {number} {tags.count('<tag')} categories: valid {valid}, granted {granted}", said)
        status, said = text("check", written(folder, number, tags))
        check(status == (0 if valid else 1) and ("labels." in said) != valid, "check says the same, and why not", said)


def mappings(folder):
    for policy, number, tags, to, inbound, there in MAPPINGS:
        words = ["-i"] * inbound + ["map", written(folder, number, tags, policy), to]
        for policies in ((DEMO,), (DEMO, PARTNER)):
            status, said = text(*words, policies=policies)
            check((status, f"({there})" in said) == ((0, True) if there else (1, False)), f"{policy} {number} to {to}: {there}", said)


def forms(folder):
    kept = folder / "kept"
    _, der, _ = tool("-f", "der", "show", GIVEN)
    source = GIVEN
    for form in ("ess", "4774", "spiffy", "der"):
        status, out, err = tool("-f", form, "show", source)
        check(status == 0, f"as {form}", err)
        kept.write_bytes(out)
        source = kept
        check(tool("-f", "der", "show", source)[1] == der, f"read again from {form} it is the same", out)
    for form in ("ess", "4774", "spiffy", "der"):
        status, out, err = tool("-f", form, "show", CLEARANCE)
        (folder / form).write_bytes(out)
        again, said = text("access", GIVEN, folder / form)
        check(status == 0 and again == 0, f"a clearance as {form}", err + said)


def faults(folder):
    bad = folder / "bad.xml"
    bad.write_text(DEMO.read_text().replace('lacv="036"', 'lacv="008"'))
    status, said = text("policy", bad, policies=())
    check(status == 1 and "categories XAA and XBB of tag set Releasable To have one lacv" in said, "a policy is looked at", said)
    status, said = text("policy", DEMO, policies=())
    check(status == 0 and "categories: 5" in said, "and told of", said)
    bad.write_bytes(b"\x31\x03\x02\x01")
    check(text("show", bad)[0] == 1, "what is no label is none")
    check("not known (hint: -p FILE" in text("check", written(folder, 1, ""), policies=())[1], "without its policy a label cannot be checked")
    check(text("show", folder / "nothing")[0] == 1 and text("surprise")[0] == 2, "no such file, no such command")
    status, said = text("show", GIVEN)
    check("marking: DEMO RESTRICTED ALPHA REL TO XAA, XBB" in said and "valid: yes" in said, "show tells the marking", said)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    folder.chmod(0o755)
    decisions(folder)
    mappings(folder)
    forms(folder)
    faults(folder)
