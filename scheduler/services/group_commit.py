"""Many callers, one transaction: what arrives while the last batch is being committed goes together in the next.

A commit waits for the disk, and a transaction costs more than what is in it: one for all that are there holds many
times what one for each would. Who comes alone is taken at once; while much comes in, a batch gathers for a moment.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

IDLE = 1.0  # seconds without work after which a thread ends; the next work starts another
GATHERING = 0.03  # seconds that a batch gathers, unless said otherwise
BUSY_FOR = 0.1  # seconds after a batch during which the next one gathers
PATIENCE = 3.0  # seconds that something may wait for its turn before it is refused unseen


class TooBusyError(Exception):
    """There is more to do than can be done in time; nothing of it has been begun."""


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    item: T
    since: float
    done: Future[R] = field(default_factory=Future)


class GroupCommit(Generic[T, R]):
    """Hands what many threads bring to one function, many at a time. Make one for a process, and close it."""

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Sequence[R]],
        *,
        most: int,
        name: str,
        alone: Callable[[T], R] | None = None,
        threads: int = 1,
        gathering: float = GATHERING,
        patience: float = PATIENCE,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`commit` takes up to `most` items and returns as many results, all committed; when it raises, nothing is.

        Then each item is tried by itself with `alone`, so that one of them does not spoil it for the others. As many
        as `threads` run side by side.
        """
        self._commit = commit
        self._alone = alone or (lambda item: commit([item])[0])
        self._most = most
        self._name = name
        self._threads = threads
        self._gathering = gathering
        self._patience = patience
        self._steady = steady
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._changed = threading.Condition()
        self._running = 0
        self._idle = 0
        self._is_closed = False
        self._busy_until = 0.0

    def hand_in(self, item: T) -> Future[R]:
        """The result once it is committed, or what `commit` raised, or `TooBusyError` when its turn never came."""
        one: _Waiting[T, R] = _Waiting(item, self._steady())
        with self._changed:
            if self._is_closed:
                raise TooBusyError("this process is ending")
            self._waiting.append(one)
            if self._idle:
                self._changed.notify()
            elif self._running < self._threads:
                self._running += 1
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return one.done

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def close(self) -> None:
        """Finish what waits, and take nothing more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running)

    def _run(self) -> None:
        while batch := self._next():
            fresh = [one for one in batch if not self._is_stale(one)]
            if fresh:
                self._finish(fresh)

    def _next(self) -> list[_Waiting[T, R]]:
        """What to do now; empty when the thread is to end."""
        with self._changed:
            if not self._waiting and not self._is_closed:
                self._idle += 1
                self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout=IDLE)
                self._idle -= 1
            self._gather()
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            if not batch:
                self._running -= 1
                self._changed.notify_all()
            return batch

    def _gather(self) -> None:
        """Wait for company while there is some to be expected."""
        now = self._steady()
        if self._waiting and now < self._busy_until and not self._is_closed:
            until = self._waiting[0].since + self._gathering
            if until > now:
                self._idle += 1  # no other thread is needed for what comes meanwhile
                self._changed.wait_for(lambda: len(self._waiting) >= self._most, timeout=until - now)
                self._idle -= 1
        self._busy_until = self._steady() + BUSY_FOR

    def _is_stale(self, one: _Waiting[T, R]) -> bool:
        if not one.done.set_running_or_notify_cancel():
            return True  # whoever handed it in has given up
        if self._steady() - one.since <= self._patience:
            return False
        one.done.set_exception(TooBusyError("it waited too long for its turn"))
        return True

    def _finish(self, batch: list[_Waiting[T, R]]) -> None:
        try:
            results = self._commit([one.item for one in batch]) if len(batch) > 1 else [self._alone(batch[0].item)]
        except Exception as error:  # noqa: BLE001 - whoever handed it in gets it
            if len(batch) == 1:
                batch[0].done.set_exception(error)
                return
            for one in batch:
                self._finish([one])
        else:
            for one, result in zip(batch, results, strict=True):
                one.done.set_result(result)
