"""An `EmailChannel` that answers as the test says, and remembers what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from scheduler.ports import OutboundEmail, Outcome, SendResult

Answer = Callable[[OutboundEmail], SendResult | None]


def accepted(mail: OutboundEmail) -> SendResult:
    return SendResult(attempt_id=mail.attempt_id, outcome=Outcome.ACCEPTED, provider_id=mail.message_id)


class FakeEmail:
    """Every mail gets the next of `answers`, the last of them again and again. None: no answer, as in a crash."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers) or [accepted]
        self._lock = Lock()
        self.taken: list[OutboundEmail] = []

    def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
        for mail in batch:
            if mail is None:
                continue
            with self._lock:
                self.taken.append(mail)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            result = answer(mail)
            if result is not None:
                yield result

    def close(self) -> None:
        """Nothing is held open."""
