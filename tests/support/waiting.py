"""Waiting for something to come true, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Look every few milliseconds until `holds`; fails, naming `what`, after `seconds`."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.01)
