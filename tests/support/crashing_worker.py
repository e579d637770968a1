"""A worker that dies at a named point of delivery, by SIGKILL: nothing of it is tidied up.

`crash(...)` runs it as a process. The points are reached by wrapping the channel and the store of its `App`, so that
the service itself has no hooks for tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from unittest.mock import patch

from scheduler.bootstrap import App
from scheduler.domain.people import Channel
from scheduler.ports import Handed, OutboundSms, SendResult, SmsChannel
from scheduler.services import progress
from scheduler.services.plan import plan_all_due
from scheduler.settings import load_settings
from scheduler.store.unit import Store, Unit
from tests.support.cli import ROOT
from tests.support.worlds import SetClock

BATCH = 8  # messages that the worker claims at once
FIRST = 4  # of them, are on record from the beginning as what may be with the provider
ANSWERED, UNDER_WAY = 2, 2  # of them, when it dies in the middle
_LIFETIME = 60.0  # seconds: longer than any worker here lives


T = TypeVar("T")


class CrashPoint(StrEnum):
    """Where the worker dies."""

    BEFORE_CALL = "before_call"  # the attempts are committed; the provider has not been called
    AFTER_CALL = "after_call"  # all are with the provider, and its first answer has just come
    BEFORE_RECORD = "before_record"  # every answer is written down, and not yet committed
    MID_BATCH = "mid_batch"  # two are answered, two under way, the others have not begun, and the disk is slow


_ON_A_SLOW_DISK = frozenset({CrashPoint.BEFORE_CALL, CrashPoint.MID_BATCH})  # no further step comes on record


def crash(point: CrashPoint, *, at: datetime, settings: Mapping[str, str]) -> None:
    """Run a worker at `at` that plans what is due, begins one batch of texts and dies there. Fails when it lives."""
    orders = {"point": point.value, "at": at.isoformat(), "settings": dict(settings)}
    ran = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == -signal.SIGKILL, f"the worker ended with {ran.returncode}\n{ran.stderr}"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _DyingSms:
    """Texts over the real channel, up to the point."""

    def __init__(self, real: SmsChannel, point: CrashPoint) -> None:
        self._real = real
        self._point = point
        self._answered = 0

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        for result in self._real.send(self._until_death(batch)):
            if self._point is CrashPoint.AFTER_CALL:
                _die()
            self._answered += 1
            yield result

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        return self._real.find(to=to, since=since, until=until)

    def close(self) -> None:
        self._real.close()

    def _until_death(self, batch: Iterable[OutboundSms | None]) -> Iterator[OutboundSms | None]:
        for number, message in enumerate(batch):
            if self._point is CrashPoint.BEFORE_CALL:
                _die()
            if self._point is CrashPoint.MID_BATCH and number == ANSWERED + UNDER_WAY:
                while self._answered < ANSWERED:
                    yield None
                _die()
            yield message


class _DyingStore(Store):
    """Dies when all is written, before it is committed."""

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        with super().writing() as unit:
            yield unit
            _die()


class _SlowDisk(ThreadPoolExecutor):
    def submit(self, task: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        def late() -> T:
            time.sleep(_LIFETIME)
            return task(*given, **named)

        return super().submit(late)


def _work(point: CrashPoint, at: datetime, settings: Mapping[str, str]) -> None:
    app = App(load_settings(settings), is_worker=True)
    app.clock = SetClock(at)
    app.sms_channel = _DyingSms(app.sms_channel, point)
    plan_all_due(app.store, app.rules, at)
    if point is CrashPoint.BEFORE_RECORD:
        app.delivery._recording._store = _DyingStore(app.engine, app.vault)
    if point in _ON_A_SLOW_DISK:
        app.delivery._beside = _SlowDisk()
    with patch.object(progress, "FIRST", FIRST):
        app.delivery.deliver(Channel.SMS, limit=BATCH)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    _work(CrashPoint(given["point"]), datetime.fromisoformat(given["at"]), given["settings"])
