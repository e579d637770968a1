"""Counting a clinic's days once, and reading the counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.reporting import Measure, Period


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a clinic: its date, and the instants (UTC) at which it begins and ends (exclusive)."""

    date: date
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """So many messages of a day that are alike. `days_done` is what a weekly count says."""

    kind: MessageKind
    pathway: str
    channel: Channel
    template: str
    days_done: int
    status: MessageStatus
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that may settle a round: an answer, a result or a decision. `at` is UTC."""

    patient_id: UUID
    pathway: str
    at: datetime
    answer: str | None = None
    is_answer: bool = False
    is_result: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One cycle of a patient's pathway that asks, from its first message on."""

    enrolment_id: UUID
    cycle: int
    patient_id: UUID
    pathway: str
    began_on: date
    asked_at: datetime
    answered_at: datetime | None = None
    settled_at: datetime | None = None
    result_days: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """So many of `measure` on one day, or over a period. See `Measure` for `about` and `key`."""

    measure: Measure
    about: str
    key: str
    count: int


class Reports(Protocol):
    """Counts of one clinic at a time."""

    def stale(self, before: datetime) -> dict[int, datetime]:
        """The clinics whose reports were last counted at `before` or earlier, and when."""
        ...

    def take(self, clinic_id: int, *, seen: datetime, now: datetime) -> bool:
        """Note that the clinic is counted at `now`; False when somebody else has done so since `seen`."""
        ...

    def counted_at(self, clinic_id: int) -> datetime: ...

    def messages_of(self, clinic_id: int, day: Day) -> list[Alike]: ...

    def answer_counts(self, clinic_id: int, day: Day) -> dict[str, int]:
        """How many of the day's replies answer, by pathway."""
        ...

    def patients_who(self, clinic_id: int, day: Day, pathway: str, answers: Collection[str] | None) -> int:
        """How many patients gave one of these answers that day; None: any."""
        ...

    def answers(
        self, clinic_id: int, day: Day, pathways: Collection[str], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """The day's answers, of everybody or of one patient."""
        ...

    def results(
        self, clinic_id: int, day: Day, pathways: Mapping[str, Collection[str]], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """What results of the day are about, those that stand; `pathways` are those that hear of each kind."""
        ...

    def decisions(
        self, clinic_id: int, day: Day, pathways: Collection[str], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """Supplement cases decided that day."""
        ...

    def tasks_opened(self, clinic_id: int, day: Day) -> dict[str, int]: ...

    def tasks_closed(self, clinic_id: int, day: Day) -> list[tuple[str, datetime, datetime, bool]]:
        """(kind, opened at, closed at, whether a person closed it)."""
        ...

    def begin_rounds(self, clinic_id: int, day: Day, pathways: Collection[str]) -> None:
        """Note the rounds of which a message went that day."""
        ...

    def rounds_of(self, clinic_id: int, patients: Collection[UUID]) -> list[Round]:
        """All rounds of these patients, the latest first."""
        ...

    def change_rounds(self, clinic_id: int, changed: Iterable[Round]) -> None: ...

    def count_rounds(self, clinic_id: int, since: date) -> list[tuple[date, Count]]:
        """The rounds that began on `since` or later, counted by their first day."""
        ...

    def replace(
        self,
        clinic_id: int,
        measures: Collection[Measure],
        since: date,
        until: date,
        counts: Iterable[tuple[date, Count]],
    ) -> None:
        """Put these counts in place of all of `measures` from `since` to `until`, both included."""
        ...

    def total(self, clinic_id: int, period: Period) -> list[Count]:
        """What was counted over the period."""
        ...

    def by_day(self, clinic_id: int, period: Period, measures: Collection[Measure]) -> dict[date, dict[Measure, int]]:
        """These measures day by day, of all pathways together."""
        ...
