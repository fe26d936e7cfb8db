"""Links that are not good ones (tests/e2e/link.c) between the servers' ends of the wire and the guard's."""
from .guard import BUILD
from .wire import SIDES, run

LOSS, DELAY_MS, REORDER, DUPLICATE, CORRUPT = 5, 40, 10, 2, 1        # in percent, each direction


def make_bad(world, seed, sides=SIDES, what=(LOSS, DELAY_MS, REORDER, DUPLICATE, CORRUPT)):
    """The wire is cut; on each of the sides a namespace of its own, with the emulator in it, is put into it."""
    wire = world.wire
    wire.cut()
    for i, side in enumerate(sides):
        name = f"link-{side}-{world.tag}"
        run("ip", "netns", "add", name)
        wire.ns[f"link-{side}"] = name
        wire.on("guard", "ip", "link", "set", side, "down")
        wire.on("guard", "ip", "link", "set", side, "netns", name)
        run("ip", "link", "add", "near", "netns", name, "type", "veth", "peer", "name", side, "netns", wire.ns["guard"])
        for namespace, device in ((name, side), (name, "near"), (wire.ns["guard"], side)):
            wire.bring_up(namespace, device)
        world.start(name, f"link-{side}", BUILD / "tests/e2e/link", side, "near", seed + i, *what)
