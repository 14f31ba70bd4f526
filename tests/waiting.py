"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 30, what: str = "") -> None:
    """Return as soon as `condition()` is true; fail when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"not true within {seconds} s: {what or condition}"
            raise AssertionError(message)
        time.sleep(0.05)
