"""Checks of a test: one "ok" or "not ok" line each, as the runner (tests/run) counts them."""
import sys

count = 0


def check(condition, what, seen=None):
    """Says whether `what` holds; the first that does not ends the test, since later steps build on it."""
    global count
    count += 1
    print(f"{'ok' if condition else 'not ok'} {count} - {what}", flush=True)
    if not condition:
        if seen is not None:
            print(f"# seen: {str(seen)[:2000]}", flush=True)
        sys.exit(1)
    return condition


def note(text):
    print(f"# {text}", flush=True)
