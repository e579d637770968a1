"""A provider of texts inside the test: it can lose its answers, be away, and show its list late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Clock, ErrorClass, Handed, OutboundSms, Outcome, ProviderUnavailable, SendResult
from tests.support.worlds import World


class Answer(StrEnum):
    """What happens to one text."""

    ACCEPTED = "accepted"
    TAKEN_UNSAID = "taken_unsaid"  # taken, but the answer is lost
    LOST = "lost"  # never taken, and no answer either


class FakeSms:
    """Takes texts as `answers` say, then accepts. `held` is its list, `asked` the numbers it was asked about."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answers: list[Answer] = []
        self.sent: list[OutboundSms] = []
        self.held: list[tuple[str, Handed]] = []
        self.hidden = False  # the list does not show anything yet
        self.away = False
        self.asked: list[str] = []

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is not None:
                yield self._take(message)

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        self.asked.append(to)
        if self.away:
            raise ProviderUnavailable("it is away")
        if self.hidden:
            return []
        return [entry for number, entry in self.held if number == to and since <= entry.created_at <= until]

    def close(self) -> None:
        """Nothing is held open."""

    def hold(
        self,
        to: str,
        body: str,
        *,
        sid: str | None = None,
        sender: str | None = "+16175550100",
        service: str | None = None,
        status: MessageStatus | None = MessageStatus.SENT,
        code: str | None = None,
    ) -> str:
        """Put an entry on the list, made now. Returns its id."""
        entry = Handed(
            provider_id=sid or f"SM{len(self.held) + 1:032x}",
            body=body,
            sender=sender,
            messaging_service=service,
            status=status,
            code=code,
            created_at=self._clock.now().replace(microsecond=0),
        )
        self.held.append((to, entry))
        return entry.provider_id

    def _take(self, message: OutboundSms) -> SendResult:
        self.sent.append(message)
        answer = self.answers.pop(0) if self.answers else Answer.ACCEPTED
        sid = None
        if answer is not Answer.LOST:
            sid = self.hold(message.to, message.body, sender=message.sender_number, service=message.messaging_service)
        if answer is Answer.ACCEPTED:
            return SendResult(attempt_id=message.attempt_id, outcome=Outcome.ACCEPTED, provider_id=sid)
        return SendResult(
            attempt_id=message.attempt_id,
            outcome=Outcome.UNKNOWN,
            code="timeout",
            error_class=ErrorClass.AMBIGUOUS,
            detail="no answer in time",
        )


def texting_over_fake(world: World) -> FakeSms:
    """Put a fake provider in the place of Twilio, before anything has been sent."""
    fake = FakeSms(world.clock)
    assert "delivery" not in world.app.__dict__
    world.app.sms_channel = fake
    return fake
