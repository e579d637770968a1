"""A provider of texts inside the test that does with each batch what a script says, by a clock that never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from scheduler.ports import ErrorClass, Handed, OutboundSms, Outcome, Scope, SendResult

Script = Callable[[Iterator[OutboundSms | None]], Iterator[SendResult]]


@dataclass
class SteadyClock:
    """Seconds of a clock that only goes on when somebody waits."""

    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at


def accepted(message: OutboundSms) -> SendResult:
    sid = f"SM{message.attempt_id.hex}"
    return SendResult(attempt_id=message.attempt_id, outcome=Outcome.ACCEPTED, provider_id=sid)


def refused(message: OutboundSms, scope: Scope) -> SendResult:
    return SendResult(
        attempt_id=message.attempt_id,
        outcome=Outcome.REFUSED,
        code="21606",
        error_class=ErrorClass.CONFIGURATION,
        scope=scope,
    )


@dataclass
class Scripted:
    """Texts, as `script` deals with each batch. `taken` has what was handed over, and when by the steady clock."""

    script: Script | None = None
    steady: SteadyClock = field(default_factory=SteadyClock)
    taken: list[tuple[float, OutboundSms]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        yield from (self.script or self.accept_all)(self.noting(batch))

    def noting(self, batch: Iterable[OutboundSms | None]) -> Iterator[OutboundSms | None]:
        for message in batch:
            if message is not None:
                with self._lock:
                    self.taken.append((self.steady.at, message))
            yield message

    def accept_all(self, batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is None:
                self.steady.at += 0.005
            else:
                yield accepted(message)

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        raise AssertionError("nobody asks here")

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def numbers(self) -> list[str]:
        return [message.to for _, message in self.taken]
