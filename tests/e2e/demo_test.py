#!/usr/bin/python3
"""The demo tells its story and cleans up; it fails, naming the step, without a guard and with an empty policy."""
import os
import secrets
import subprocess
import time
from pathlib import Path

from lib import ROOT, check, run


TAG = secrets.token_hex(2)        # in every name that the demos of this test make


def demo(*words):
    done = subprocess.run([ROOT / "tools/demo", *words], capture_output=True, text=True, timeout=100,
                          env=os.environ | {"WORLD_TAG": TAG})
    return done.returncode, done.stdout + done.stderr


def traces():
    names = run("ip", "netns").stdout.split() + [str(p) for p in Path("/tmp").glob("sallyport-*")]
    return [name for name in names if TAG in name]


start = time.monotonic()
status, output = demo()
check(status == 0, "the demo is as told", output)
check(time.monotonic() - start < 60, "in less than a minute")
check(not traces(), "and leaves nothing behind", traces())
for word in ("inside-guard-ca", "outside-guard-ca", "policy-violation", "refused", "rewritten", "<show>dnd</show>"):
    check(word in output, f"it told of {word}", output)

status, output = demo("--without-guard")
check(status != 0 and "NOT AS TOLD in step 3" in output, "without a guard it fails and names the step", output)
status, output = demo("--empty-policy")
check(status != 0 and "NOT AS TOLD in step 4" in output, "with an empty policy it fails and names the step", output)
check(not traces(), "failing leaves nothing behind either", traces())

status, output = demo("--keep")
check(status == 0 and "To end it" in output and traces(), "kept, it says how to look around and how to end it", output)
status, output = demo("say", "anna", "bella", "hello")
check(status == 0, "in a kept demo a message can be said", output)
status, output = demo("say", "anna", "bella", "a nightingale")
check(status != 0 and "policy-violation" in output, "or refused", output)
status, output = demo("end")
check(status == 0 and not traces(), "and then it is ended, leaving nothing", traces())
