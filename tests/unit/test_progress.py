"""How far a batch may be handed over: never past what is on record, and seldom kept waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from scheduler.ids import new_id, new_ids
from scheduler.records import Batch
from scheduler.services.progress import Progress, first_step

SIZE = 500


class Disk(Executor):
    """Keeps what it is given until it is told to do it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: task(*given, **named)))
        return future

    @property
    def is_idle(self) -> bool:
        return not self._waiting

    def work(self) -> None:
        while self._waiting:
            future, task = self._waiting.pop(0)
            try:
                future.set_result(task())
            except OSError as error:
                future.set_exception(error)


class Record:
    """What has been committed, by a clock that the test moves."""

    def __init__(self, *, first: int, size: int = SIZE) -> None:
        self.at = 0.0
        self.handed = [first]
        self.fault: OSError | None = None
        self.is_ours = True
        self.disk = Disk()
        batch = Batch(id=new_id(), worker="w", message_ids=tuple(new_ids(size)), handed=first)
        self.progress = Progress(batch, self._commit, beside=self.disk, steady=lambda: self.at)

    def _commit(self, handed: int) -> bool:
        if self.fault is not None:
            raise self.fault
        if self.is_ours:
            self.handed.append(handed)
        return self.is_ours

    def covers(self, place: int, *, answered: int = 0) -> bool:
        covered = self.progress.covers(place, answered=answered, now=self.at)
        assert not covered or place < max(self.handed), "handed over before that is on record"
        return covered


def test_nothing_goes_before_it_is_on_record_that_it_may_have_gone() -> None:
    record = Record(first=4)
    assert [record.covers(place) for place in range(6)] == [True] * 4 + [False] * 2
    record.disk.work()
    assert record.covers(4)


def test_the_next_step_is_asked_for_while_the_last_is_handed_over_and_once() -> None:
    record = Record(first=16)
    asked = [(record.covers(place), record.disk.is_idle) for place in range(16)]
    assert asked == [(True, True)] * 8 + [(True, False)] * 8
    record.disk.work()
    assert len(record.handed) == 2


def handed_over_at(rate: float, *, commit_takes: float = 0.0) -> Record:
    """A whole batch, by a provider that answers `rate` messages a second."""
    record = Record(first=16 if rate > 100 else 1)
    for place in range(SIZE):
        record.at += 1 / rate
        while not record.covers(place, answered=place):
            record.at += max(commit_takes, 0.001)
            record.disk.work()
        if not record.disk.is_idle and not commit_takes:
            record.disk.work()
    return record


def test_before_the_first_answer_steps_are_small() -> None:
    record = Record(first=16)
    for place in range(64):  # all that a provider has under way at once
        if not record.covers(place):
            record.disk.work()
            assert record.covers(place)
    assert max(record.handed) < 64 + 16


@pytest.mark.parametrize(("rate", "most"), [(5.0, 1), (40.0, 3), (1_000.0, 51), (100_000.0, 250)])
def test_a_step_is_what_is_answered_in_a_twentieth_of_a_second(rate: float, most: int) -> None:
    record = handed_over_at(rate)
    steps = [after - before for before, after in zip(record.handed, record.handed[1:], strict=False)]
    assert max(steps[1:]) <= most
    assert record.handed[-1] == SIZE


def test_a_slow_disk_gets_larger_steps_and_does_not_set_the_pace() -> None:
    record = handed_over_at(1_000.0, commit_takes=0.3)
    assert len(record.handed) < 20
    assert record.handed[-1] == SIZE


def test_a_batch_that_others_have_taken_over_goes_no_further() -> None:
    record = Record(first=4)
    assert record.covers(3)
    record.is_ours = False
    record.disk.work()
    assert not record.covers(3)
    assert record.progress.is_lost
    assert record.disk.is_idle


def test_a_commit_that_fails_is_raised_where_the_next_message_would_go() -> None:
    record = Record(first=4)
    record.fault = OSError("the database is away")
    assert record.covers(3)
    record.disk.work()
    with pytest.raises(OSError, match="away"):
        record.covers(4)


def test_a_batch_that_is_said_to_be_lost_goes_no_further() -> None:
    record = Record(first=4)
    record.progress.lose()
    assert not record.covers(0)
    assert record.disk.is_idle


@pytest.mark.parametrize(("rate", "first"), [(None, 16), (3.0, 16), (1_000.0, 50), (1e6, 250)])
def test_what_is_on_record_from_the_beginning_follows_the_last_batch(rate: float | None, first: int) -> None:
    assert first_step(rate) == first
