"""What the messages of one batch are answered, and when going on with the batch is pointless."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from scheduler.ports import WINDOW_CLOSED, ErrorClass, Outcome, Scope, SendResult
from scheduler.services.composing import Composed
from scheduler.services.feeding import Feed
from scheduler.services.lanes import Route

IN_A_ROW = 5  # so many messages without an answer are an outage; so many turned away want a rest


class Answers:
    """Collects the answers of a batch; what they say about the lane as a whole cuts its feed.

    `refusals`: the accounts and senders (lane keys) that were refused. `outage`: the provider does not answer, or
    cannot be reached. `silence`: how long it wants to be left alone.
    """

    def __init__(self, route: Route, feed: Feed, batch_id: UUID) -> None:
        self.route = route
        self.batch_id = batch_id
        self.feed = feed
        self.results: list[tuple[Composed, SendResult]] = []
        self.refusals: dict[str, SendResult] = {}
        self.outage: SendResult | None = None
        self.silence: timedelta | None = None
        self._unanswered: set[int] = set()  # places of those handed over after the last one that was answered
        self._last_answered = -1
        self._turned_away = 0

    def add(self, result: SendResult) -> None:
        """One answer, or the want of one."""
        composed = self.feed.answered(result)
        self.results.append((composed, result))
        if _is_lane_wide(result):
            self.refusals[self._refused(composed, result)] = result
            self.feed.cut()
        self._count_turned_away(result)
        self._count_unanswered(result)

    @property
    def is_steering(self) -> bool:
        """Whether they say anything about the lane as a whole."""
        return bool(self.refusals or self.outage or self.silence or self.route.is_probe)

    @property
    def is_served(self) -> bool:
        """Whether the provider took a message, or refused one for what is the message's own fault."""
        return any(
            result.outcome is Outcome.ACCEPTED or (result.outcome is Outcome.REFUSED and not _is_lane_wide(result))
            for _, result in self.results
        )

    def affected(self, key: str) -> set[int]:
        """The clinics whose messages met a refused account or sender."""
        return {
            composed.attempt.clinic_id
            for composed, _ in self.results
            if key in (self.route.account, self._sender(composed))
        }

    def _count_turned_away(self, result: SendResult) -> None:
        self._turned_away = self._turned_away + 1 if result.retry_after is not None else 0
        if self._turned_away >= IN_A_ROW:
            self.silence = result.retry_after
            self.feed.cut()

    def _count_unanswered(self, result: SendResult) -> None:
        """Every message that is sent into an outage becomes one of which nobody knows whether it went.

        In a row means in the order of the hand-over. A request that hangs is given up long after its neighbours
        are answered: by the order of the answers, a few that hang among many would look like an outage.
        """
        place = self.feed.place(result)
        if _is_unanswered(result):
            if place > self._last_answered:
                self._unanswered.add(place)
        elif place > self._last_answered:
            self._last_answered = place
            self._unanswered = {each for each in self._unanswered if each > place}
        if not self._is_outage:
            self.outage = None
        elif self.outage is None:
            self.outage = result
            self.feed.cut()

    @property
    def _is_outage(self) -> bool:
        return len(self._unanswered) >= (1 if self.route.is_probe else IN_A_ROW)

    def _refused(self, composed: Composed, result: SendResult) -> str:
        if result.scope is Scope.ACCOUNT:
            return self.route.account
        return self._sender(composed)

    def _sender(self, composed: Composed) -> str:
        return f"{self.route.account}:{composed.sender or '-'}"


def _is_lane_wide(result: SendResult) -> bool:
    return result.error_class is ErrorClass.CONFIGURATION and result.scope is not Scope.MESSAGE


def _is_unanswered(result: SendResult) -> bool:
    if result.retry_after is not None or result.code == WINDOW_CLOSED:
        return False
    return result.outcome is Outcome.UNKNOWN or (
        result.outcome is Outcome.NOT_HANDED_OVER and result.error_class is ErrorClass.TRANSIENT
    )
