"""Many callers share a transaction; each gets its own result, and nobody suffers for another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from scheduler.services import group_commit
from scheduler.services.group_commit import GroupCommit, TooBusyError
from tests.support.waiting import wait_until


class Slow:
    """Commits when told to; notes each batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go = threading.Event()
        self.is_in = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.is_in.set()
        assert self.may_go.wait(10)
        self.batches.append(list(items))
        return [item * 10 for item in items]


def results(futures: list[Future[int]]) -> list[int]:
    return [future.result(10) for future in futures]


def test_what_arrives_during_a_commit_goes_together_in_the_next() -> None:
    slow = Slow()
    line = GroupCommit(slow, most=10, name="test")
    first = line.hand_in(1)
    assert slow.is_in.wait(10)
    others = [line.hand_in(number) for number in (2, 3, 4)]
    slow.may_go.set()
    assert results([first, *others]) == [10, 20, 30, 40]
    assert slow.batches == [[1], [2, 3, 4]]
    line.close()


def test_a_batch_has_no_more_than_the_most() -> None:
    slow = Slow()
    line = GroupCommit(slow, most=2, name="test")
    first = line.hand_in(0)
    assert slow.is_in.wait(10)
    others = [line.hand_in(number) for number in range(1, 6)]
    slow.may_go.set()
    results([first, *others])
    assert [len(batch) for batch in slow.batches] == [1, 2, 2, 1]
    line.close()


def test_one_that_fails_does_not_spoil_it_for_the_others() -> None:
    def commit(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ValueError("unlucky")
        return list(items)

    line = GroupCommit(commit, most=10, name="test", gathering=0.05)
    results([line.hand_in(0)])  # so that the next ones gather
    futures = [line.hand_in(number) for number in (12, 13, 14)]
    assert (futures[0].result(10), futures[2].result(10)) == (12, 14)
    with pytest.raises(ValueError, match="unlucky"):
        futures[1].result(10)
    line.close()


def test_one_by_itself_is_done_in_a_way_of_its_own() -> None:
    def together(items: Sequence[int]) -> list[str]:
        return [f"together {item}" for item in items]

    line = GroupCommit(together, alone=lambda item: f"alone {item}", most=4, name="test")
    assert line.hand_in(1).result(10) == "alone 1"
    line.close()


def test_what_waited_too_long_is_refused_unseen() -> None:
    slow, now = Slow(), [0.0]
    line = GroupCommit(slow, most=10, name="test", patience=2.0, steady=lambda: now[0])
    first = line.hand_in(1)
    assert slow.is_in.wait(10)
    late = line.hand_in(2)
    now[0] = 2.5
    in_time = line.hand_in(3)
    slow.may_go.set()
    with pytest.raises(TooBusyError):
        late.result(10)
    assert results([first, in_time]) == [10, 30]
    assert slow.batches == [[1], [3]]
    line.close()


def test_what_its_caller_gave_up_is_not_begun() -> None:
    slow = Slow()
    line = GroupCommit(slow, most=10, name="test")
    first = line.hand_in(1)
    assert slow.is_in.wait(10)
    given_up, kept = line.hand_in(2), line.hand_in(3)
    assert given_up.cancel()
    assert not first.cancel()  # it is under way
    slow.may_go.set()
    assert results([first, kept]) == [10, 30]
    assert slow.batches == [[1], [3]]
    line.close()


def test_one_that_waited_too_long_for_a_caller_who_has_gone_stops_nothing() -> None:
    slow, now = Slow(), [0.0]
    line = GroupCommit(slow, most=10, name="test", patience=1.0, steady=lambda: now[0])
    first = line.hand_in(1)
    assert slow.is_in.wait(10)
    given_up = line.hand_in(2)
    assert given_up.cancel()
    now[0] = 5.0
    slow.may_go.set()
    assert results([first, line.hand_in(3)]) == [10, 30]
    line.close()


def test_several_threads_go_on_while_one_is_held_up() -> None:
    held, free = threading.Event(), threading.Event()

    def commit(items: Sequence[str]) -> list[str]:
        if "held" in items:
            free.set()
            assert held.wait(10)
        return list(items)

    line = GroupCommit(commit, most=1, name="test", threads=2)
    stuck = line.hand_in("held")
    assert free.wait(10)
    assert line.hand_in("other").result(10) == "other"
    assert not stuck.done()
    held.set()
    assert stuck.result(10) == "held"
    line.close()


def test_closing_finishes_what_waits_and_takes_nothing_more() -> None:
    slow = Slow()
    line = GroupCommit(slow, most=1, name="test")
    futures = [line.hand_in(1), line.hand_in(2)]
    assert slow.is_in.wait(10)
    slow.may_go.set()
    line.close()
    assert [future.done() for future in futures] == [True, True]
    with pytest.raises(TooBusyError, match="ending"):
        line.hand_in(3)


def test_a_thread_without_work_ends_and_the_next_work_starts_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "IDLE", 0.01)
    line: GroupCommit[int, int] = GroupCommit(list, most=1, name="soon-idle")

    def is_running() -> bool:
        return any(thread.name == "soon-idle" for thread in threading.enumerate())

    assert line.hand_in(1).result(10) == 1
    wait_until(lambda: not is_running(), what="the thread to end")
    assert line.hand_in(2).result(10) == 2
    line.close()
