"""How the service is doing, in figures and in words. No patient is named in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduler.domain.messages import MessageStatus
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Store

A_DAY = timedelta(hours=24)
LATE = timedelta(minutes=5)  # a patient due for longer than this says that nothing plans

_WENT = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Counts over all clinics. `sent`, `failed` and `skipped` are of messages planned in the last 24 hours."""

    clinics: int
    patients: int
    due: int
    due_for_seconds: float  # how long the first of the due has been waiting
    waiting: int  # planned messages whose time has come
    sent: int
    failed: int
    unknown: int
    unknown_asked: int  # of all messages, not only those of a day: the provider is being asked about them
    unknown_for_person: int  # of all messages: a task asks a person about them
    skipped: int
    open_tasks: int

    def as_dict(self) -> dict[str, Any]:
        """The figures by name, for programs."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """The figures as a person would say them."""
        if not self.clinics:
            return ["There is no clinic yet: `bonewise clinic add` makes one."]
        return [
            f"{_count(self.patients, 'patient')} of {_count(self.clinics, 'clinic')}.",
            self._due(),
            f"In the last 24 hours {_count(self.sent, 'message')} went, {self.failed} failed "
            f"and {self.skipped} did not go for a reason that the ledger gives.",
            *self._troubles(),
        ]

    def _due(self) -> str:
        if not self.due and not self.waiting:
            return "Nothing is due now."
        now = f"{_count(self.due, 'patient')} and {_count(self.waiting, 'message')} are due now"
        if self.due_for_seconds > LATE.total_seconds():
            minutes = round(self.due_for_seconds / 60)
            return f"{now}, the first for {minutes} minutes: start `bonewise serve`, or run `bonewise tick`."
        return f"{now}."

    def _troubles(self) -> list[str]:
        found = []
        asked = self.unknown_asked - self.unknown_for_person
        if asked > 0:
            found.append(f"{_nobody_knows(asked, 'nobody knows yet')}: the provider is being asked.")
        if self.unknown_for_person:
            said = _nobody_knows(self.unknown_for_person, "only a person can find out")
            found.append(f"{said}; see `bonewise tasks`.")
        if self.open_tasks:
            found.append(f"{_count(self.open_tasks, 'task')} for a person: `bonewise tasks` lists them.")
        return found


def overview(store: Store, *, now: datetime) -> Overview:
    """The installation as it stands at `now` (UTC)."""
    with store.reading() as unit:
        clinics = unit.installation.clinics()
        due, first = unit.gauges.due(now)
        messages = unit.gauges.messages(now - A_DAY)
        tasks = unit.gauges.tasks()
        return Overview(
            clinics=len(clinics),
            patients=sum(unit.patients.count(clinic_id) for clinic_id in clinics),
            due=due,
            due_for_seconds=(now - first).total_seconds() if first else 0.0,
            waiting=sum(unit.gauges.ready(now).values()),
            sent=_sum(messages, *_WENT),
            failed=_sum(messages, MessageStatus.FAILED, MessageStatus.EXPIRED),
            unknown=_sum(messages, MessageStatus.UNKNOWN),
            unknown_asked=unit.gauges.asked(),
            unknown_for_person=sum(n for (_, kind, _), n in tasks.items() if kind == ServiceTask.DELIVERY_UNKNOWN),
            skipped=_sum(messages, MessageStatus.SKIPPED),
            open_tasks=sum(tasks.values()),
        )


def _nobody_knows(count: int, who: str) -> str:
    return f"Of {_count(count, 'message')} {who} whether {'it' if count == 1 else 'they'} went"


def _sum(counts: dict[Any, int], *statuses: MessageStatus) -> int:
    return sum(count for (_, status), count in counts.items() if status in statuses)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
