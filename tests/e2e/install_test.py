#!/usr/bin/python3
"""`make install DESTDIR=`: everything is where it belongs, and the staged tree works where it stands."""
import os
import subprocess
import tempfile
from pathlib import Path

from lib import BUILD, ROOT, check

PREFIX = "usr/local"
PROGRAMS = {"sbin": ["sallyportd", "sallyport"],
            "lib/sallyport": ["sallyport-dataplane", "sallyport-tls", "sallyport-keyd", "sallyport-control"]}


def run(*command):
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)


def install(stage):
    sanitize = ["SANITIZE=1"] if "sanitize" in BUILD.name else []
    return run("make", "install", f"DESTDIR={stage}", f"PREFIX=/{PREFIX}", *sanitize)


with tempfile.TemporaryDirectory(prefix="install-test-") as folder:
    stage = Path(folder)
    done = install(stage)
    check(done.returncode == 0, "it installs", done.stdout + done.stderr)
    tree, etc = stage / PREFIX, stage / PREFIX / "etc/sallyport"
    for place, names in PROGRAMS.items():
        for name in names:
            path = tree / place / name
            check(path.is_file() and os.access(path, os.X_OK), f"{place}/{name} is there")
    check((tree / "share/man/man8/sallyportd.8").is_file(), "the manual page is there")
    unit = (tree / "lib/systemd/system/sallyport.service").read_text()
    check(f"ExecStart=/{PREFIX}/sbin/sallyportd\n" in unit and "@" not in unit, "the unit starts what was installed", unit)

    (stage / "etc").mkdir()
    users = run("systemd-sysusers", f"--root={stage}", str(tree / "lib/sysusers.d/sallyport.conf"))
    made = [line.split(":")[0] for line in (stage / "etc/passwd").read_text().splitlines()]
    check({"sallyport-dp", "sallyport-tls", "sallyport-key", "sallyport-ctl"} <= set(made), "four users are made",
          users.stdout + users.stderr)

    daemon, conf = tree / "sbin/sallyportd", etc / "sallyport.conf"
    text = conf.read_text()
    check(run(daemon, "-k").stdout == text, "the configuration is what sallyportd -k prints")
    check(f"/{PREFIX}/etc/sallyport/sallyport.conf" in daemon.read_bytes().decode("latin-1"),
          "sallyportd looks for it where it will be")

    conf.write_text("# mine\n" + text)
    again = install(stage)
    check(again.returncode == 0 and conf.read_text().startswith("# mine\n"), "a second time, the configuration is kept",
          again.stdout + again.stderr)
    check((etc / "sallyport.conf.new").read_text() == text, "and the new one is beside it")

    # It starts its programs from ../lib/sallyport, and says clearly what is wrong: there is no such device.
    key = etc / "key.pem"
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
               "/CN=install-test", "-keyout", key, "-out", etc / "ca.pem")
    check(made.returncode == 0, "a CA is made", made.stderr)
    for number, user in enumerate(("sallyport-dp", "sallyport-tls", "sallyport-key", "sallyport-ctl")):
        text = text.replace(f"= {user}\n", f"= {100000 + os.getpid() * 4 + number}\n")
    for side in ("inside", "outside"):
        text = text.replace(f"{side}-ca.key", "key.pem").replace(f"{side}-ca.pem", "ca.pem")
        text = text.replace(f"{side}-trust.pem", "ca.pem")
    text = text.replace("name = sallyport\n", f"name = install-test-{os.getpid()}\n")
    text = text.replace("/var/log/sallyport/audit.jsonl", "audit.jsonl")
    conf.write_text(text.replace("eth1", "absent1").replace("eth2", "absent2"))
    checked = run(daemon, "-n", "-c", conf)
    check(checked.returncode == 0, "the configuration is good once its files and users are there", checked.stderr)
    started = run(daemon, "-c", conf)
    check(started.returncode == 1, "without the devices it does not start", started.stderr)
    check("dataplane: fatal: " in started.stderr and "absent1" in started.stderr, "and says which is missing",
          started.stderr)
