#!/usr/bin/python3
"""sallyportd -n -c FILE: good is 0; anything unknown or wrong is non-zero, with file, line and hint."""
import subprocess

from lib import BUILD, World, check


LINK = ('\n[link x]\ninside-address = "192.0.2.1"\noutside-address = "192.0.2.2"\nport = "5269"\n'
        'inside-domains = "a.example"\noutside-domains = "b.example"\n')


def verify(path):
    return subprocess.run([BUILD / "sallyportd", "-n", "-c", path], capture_output=True, text=True, timeout=20)


with World(servers=False) as world:
    guard = world.guard
    guard.write()
    good = verify(guard.conf)
    check(good.returncode == 0, "the configuration of these tests is good", good.stdout + good.stderr)
    text = guard.conf.read_text()

    cases = {
        "unknown section": (text + "\n[moat]\ndepth = \"3\"\n", "[moat]"),
        "unknown key": (text.replace("[guard]", "[guard]\nprots = \"5269\""), "prots ="),
        "a port that is no number": (text.replace("5269, 5270", "5269, many"), "5269, many"),
        "a port out of range": (text.replace("5269, 5270", "5269, 70000"), "70000"),
        "a level that does not exist": (text.replace('"strong"', '"feeble"', 1), '"feeble"'),
        "a presence that does not exist": (text.replace('inbound-presence = "full"', 'inbound-presence = "some"'), '"some"'),
        "a profile that does not exist": (text.replace('profile = "default"', 'profile = "other"', 1), 'profile = "other"'),
        "a key given twice": (text.replace("[dataplane]", '[dataplane]\ncpus = "1"'), 'cpus = "0-1"'),
        "XDP sockets and several workers": (text.replace("[guard]", '[guard]\nworkers = "2"')
                                            .replace('device = "outside"', 'device = "xdp:outside"'), '"xdp:outside"'),
        "one interface on both sides": (text.replace('device = "outside"', 'device = "xdp:inside"'), '"xdp:inside"'),
        "a word for an answer": (text.replace("[guard]", '[guard]\npass-link-state = "maybe"'), '"maybe"'),
        "a failure that is not known": (text.replace("[guard]", '[guard]\non-failure = "panic"'), '"panic"'),
        "an old version of TLS": (text + '\n[tls old]\nversions = "1.0, 1.2"\n', '"1.0, 1.2"'),
        "a weak cipher": (text + '\n[tls old]\nciphers = "ECDHE-ECDSA-AES256-SHA384"\n', '-SHA384"'),
        "a TLS profile that does not exist": (text.replace("[inside]", '[inside]\ntls = "mordern"'), '"mordern"'),
        "a file that does not exist": (text.replace("inside-organisation-ca.pem", "nowhere.pem"), "nowhere.pem"),
        "CRLs that do not exist": (text.replace("[inside]", '[inside]\ncrls = "nowhere"'), '"nowhere"'),
        "CRLs that are required, and none": (text.replace("[inside]", '[inside]\ncrl-check = "required"'), '"required"'),
        "a link in the clear to a peer that has to be proved": (text + LINK + 'tls = "no"\n', "[link x]"),
        "a link on a port that is not guarded": (text + LINK.replace("5269", "5280"), "[link x]"),
        "a link for somebody else's domain": (text + LINK.replace("a.example", "c.example"), '"c.example"'),
        "a link of two kinds of addresses": (text + LINK.replace("192.0.2.2", "2001:db8::1"), "[link x]"),
        "a link without an address": (text + LINK.replace("192.0.2.2", "b.example"), 'outside-address = "b.example"'),
        "a stanza of no size": (text.replace("[guard]", '[guard]\nmax-stanza-bytes = "9999"'), '"9999"'),
        "no equals sign": (text.replace("[dataplane]", "[dataplane]\nnonsense"), "nonsense"),
    }
    for what, (faulty, marker) in cases.items():
        check(faulty != text, f"{what}: the case is what it says")
        path = guard.folder / "faulty.conf"
        path.write_text(faulty)
        line = next(i for i, row in enumerate(faulty.splitlines(), 1) if marker in row)
        seen = verify(path)
        output = seen.stdout + seen.stderr
        check(seen.returncode != 0, f"{what}: exits non-zero", output)
        check(f"{path}:{line}:" in output, f"{what}: names file and line {line}", output)
        check("hint" in output, f"{what}: gives a hint", output)
    missing = verify(guard.folder / "missing.conf")
    check(missing.returncode != 0 and "missing.conf" in missing.stderr, "no file: says which", missing.stderr)
    check(not guard.pids(), "-n started nothing")
