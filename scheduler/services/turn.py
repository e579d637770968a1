"""Whose turn it is in this process: the scheduler's parts work side by side; who moves the clock works alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Turn:
    """Use it as a context manager to work alone; it waits for those who work side by side."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._side_by_side = 0
        self._waiting = 0
        self._is_taken = False

    def __enter__(self) -> None:
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: not self._is_taken and not self._side_by_side)
                self._is_taken = True
            finally:
                self._waiting -= 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_taken = False
            self._changed.notify_all()

    @contextmanager
    def shared(self) -> Iterator[bool]:
        """Work beside others. False, at once, when somebody works alone or waits to: then leave it for later."""
        with self._changed:
            is_free = not self._is_taken and not self._waiting
            self._side_by_side += is_free
        try:
            yield is_free
        finally:
            with self._changed:
                self._side_by_side -= is_free
                self._changed.notify_all()
