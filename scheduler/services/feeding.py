"""What a channel is fed: the messages of a batch, one by one, as fast as their sender may go and for as long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from scheduler.domain.messages import SkipReason
from scheduler.domain.pace import Pace
from scheduler.ports import OutboundEmail, OutboundSms, SendResult
from scheduler.services.composing import Composed
from scheduler.services.progress import Progress
from scheduler.services.stop_watch import StopWatch

Steady = Callable[[], float]
"""Seconds of a clock that is never set."""


class Feed:
    """Iterate for the channel: None means that nothing may go yet. What was not asked for is left over."""

    def __init__(
        self,
        batch: Sequence[Composed],
        *,
        pace: Pace | None,
        steady: Steady,
        until: float,
        stopping: Callable[[], bool],
        progress: Progress | None = None,
        stops: StopWatch | None = None,
    ) -> None:
        """Nothing is handed over from the moment `until` of the `steady` clock on, nor when `stopping`.

        Nor is anything that is not on record, by `progress`, as what may be with the provider.

        Nor is what is for somebody who, as `stops` sees it, has stopped since it was claimed: that is `stopped`, with
        the reason.
        """
        self._batch = batch
        self._pace = pace
        self._steady = steady
        self._until = until
        self._stopping = stopping
        self._progress = progress
        self._stops = stops
        self.stopped: list[tuple[Composed, SkipReason]] = []
        self._is_cut = False
        self._handed: dict[UUID, tuple[int, Composed]] = {}
        self._unanswered: set[UUID] = set()

    def __iter__(self) -> Iterator[OutboundSms | OutboundEmail | None]:
        for place, one in enumerate(self._batch):
            while True:
                now = self._steady()
                may_go = self._progress is None or self._progress.covers(
                    place, answered=len(self._handed) - len(self._unanswered), now=now
                )
                if self._is_over(now):
                    return
                if may_go and (self._pace is None or self._pace.has_room(_weight(one), now=now)):
                    break
                yield None
            why_not = self._stops.why_not(one, self._batch[place:], now=now) if self._stops is not None else None
            if why_not is not None:
                self.stopped.append((one, why_not))
                continue
            if self._pace is not None:
                self._pace.start(one.attempt.id, _weight(one))
            self._handed[one.attempt.id] = len(self._handed), one
            self._unanswered.add(one.attempt.id)
            yield one.outbound

    def _is_over(self, now: float) -> bool:
        is_lost = self._progress is not None and self._progress.is_lost
        return self._is_cut or is_lost or now >= self._until or self._stopping()

    def answered(self, result: SendResult) -> Composed:
        """The message that `result` is about: its answer is there."""
        self._unanswered.discard(result.attempt_id)
        if self._pace is not None:
            self._pace.end(result.attempt_id, now=self._steady())
        return self._handed[result.attempt_id][1]

    def place(self, result: SendResult) -> int:
        """How many messages were handed over before the one that `result` is about."""
        return self._handed[result.attempt_id][0]

    def end(self) -> None:
        """No more answers come: what has none may have been accepted until now."""
        if self._pace is not None:
            for attempt_id in self._unanswered:
                self._pace.end(attempt_id, now=self._steady())

    def cut(self) -> None:
        """Hand over no more."""
        self._is_cut = True

    @property
    def unanswered(self) -> list[Composed]:
        """What was handed over and has no answer."""
        return [one for attempt_id, (_, one) in self._handed.items() if attempt_id in self._unanswered]

    @property
    def left(self) -> list[Composed]:
        """What was never handed over, and may go another time."""
        stopped = {one.attempt.id for one, _ in self.stopped}
        return [one for one in self._batch if one.attempt.id not in self._handed and one.attempt.id not in stopped]


def _weight(one: Composed) -> int:
    return max(1, one.attempt.segments)
