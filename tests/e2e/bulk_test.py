#!/usr/bin/python3
"""A file of 200 MB over port 8080 through the guard has the same sha256, over IPv4 and IPv6."""
from lib import Transfer, World, check

with World(servers=False) as world:
    world.insert_guard()
    for family in (4, 6):
        transfer = Transfer(world.wire, 200 << 20, family)
        transfer.start()
        transfer.join(90)
        check(transfer.whole(), f"IPv{family}: {transfer.received_bytes >> 20} MiB with the same sha256", transfer.fault)
