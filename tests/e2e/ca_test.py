#!/usr/bin/python3
"""`sallyport ca`: a guard's CAs made, shown, handed out and renewed; servers that import what it hands out federate through it."""
import subprocess

from lib import BUILD, SIDES, World, check, deliver


def ca(world, *words):
    """Exit status and output of `sallyport ca`, as somebody at the guard's console types it."""
    done = subprocess.run([BUILD / "sallyport", "ca", "-c", world.guard.conf, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=20)
    return done.returncode, done.stdout, done.stderr


def files(world):
    return {side: {end: world.guard.folder / f"{side}.{end}" for end in ("pem", "key")} for side in SIDES}


def contents(paths):
    return [path.read_bytes() for of_side in paths.values() for path in of_side.values()]


def federates(world, what):
    alice, bob = world.client("inside"), world.client("outside")
    alice.presence(), bob.presence()
    check(deliver(alice, bob, "out") and deliver(bob, alice, "in"), what)


with World(families=(4,)) as world:
    paths = files(world)
    for side in SIDES:
        world.guard.set(side, "ca-certificate", paths[side]["pem"])
        world.guard.set(side, "ca-key", paths[side]["key"])
    world.guard.write()

    status, out, err = ca(world, "show")
    check(status == 1 and str(paths["inside"]["pem"]) in err, "show without CAs names the file that is missing", out + err)
    status, out, err = ca(world, "init")
    check(status == 0 and all(p.exists() for of_side in paths.values() for p in of_side.values()), "init makes all four files", out + err)
    check(all(of_side["key"].stat().st_mode & 0o777 == 0o600 for of_side in paths.values()), "keys are for their owner only")
    before = contents(paths)
    status, out, err = ca(world, "init", "inside")
    check(status == 1 and "nothing was changed" in err and contents(paths) == before, "a second init changes nothing", err)
    status, out, err = ca(world, "show")
    check(status == 0 and out.count("fit for use") == 2 and "SHA-256" in out, "show finds both fit", out + err)

    for side in SIDES:
        world.guard_ca[side].file.write_text(ca(world, "export", side)[1])
        world.configure(side)
    world.start_servers()
    world.insert_guard()
    federates(world, "servers that import what export hands out federate")

    status, out, err = ca(world, "renew", "inside")
    check(status == 0 and paths["inside"]["pem"].read_bytes() != before[0], "renew makes another certificate", out + err)
    check(paths["inside"]["key"].read_bytes() == before[1] and paths["inside"]["pem"].with_suffix(".pem.previous").exists(),
          "with the same key, and keeps the one before")
    world.guard.stop()
    world.guard.start()
    federates(world, "servers that know the one before still federate")

    paths["outside"]["key"].chmod(0o644)
    status, out, err = ca(world, "show", "outside")
    check(status == 1 and "readable by others" in err, "a key that others can read is a fault", out + err)
    paths["outside"]["key"].chmod(0o600)
    status, out, err = ca(world, "renew", "outside", "--new-key")
    check(status == 0 and paths["outside"]["key"].read_bytes() != before[3], "renew --new-key makes another key", out + err)
    check(ca(world, "show", "outside")[0] == 0, "which fits its certificate")
    shown = world.wire.on("outside", "openssl", "verify", "-CAfile", world.guard_ca["outside"].file, paths["outside"]["pem"],
                          check=False)
    check(shown.returncode != 0, "and is not trusted by who knows only the one before", shown.stdout)
    for words in (("init", "sideways"), ("renew",), ("export",), ("show", "--new-key"), (), ("remove",)):
        status, out, err = ca(world, *words)
        check(status == 2 and "usage:" in err, f"`ca {' '.join(words)}` is told how it is used", out + err)
