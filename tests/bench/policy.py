"""What policy_check() alone costs for a message that passes, with lists that grow tenfold at a time; security labels."""
import subprocess

from lib import BUILD

LISTS = {"words": (10, 100, 1000, 10000), "patterns": (2, 20, 200, 2000), "peers": (10, 100, 1000, 10000)}
REPLAYED = 100_000
NAMED = (("words", 1000), ("patterns", 200), ("peers", 10000))


def cost_us(what, count=0):
    return float(subprocess.run([BUILD / "tests/bench/policy_cost", what, str(count)], check=True, capture_output=True,
                                text=True).stdout)


CATEGORIES = 10000


def label_us(what):
    return float(subprocess.run([BUILD / "tests/bench/label_cost", what, str(CATEGORIES)], check=True, capture_output=True,
                                text=True).stdout)
