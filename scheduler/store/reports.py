"""Counts of a clinic's days: made from the ledger, replies, tasks and results once, and read by the reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, insert, literal_column, select, update

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.reporting import Measure, Period
from scheduler.ports.reports import Count, Day, Round
from scheduler.store.counted_days import CountedDays, planned
from scheduler.store.tables import clinics, messages, report_days, report_rounds
from scheduler.store.upsert import insert_into

_WENT = [each.value for each in (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED)]
# What was answered has arrived, whether or not anybody confirmed it.
_ARRIVED = report_rounds.c.arrived_on.is_not(None) | report_rounds.c.answered_at.is_not(None)
_BATCH = 500  # patients whose rounds are read at once


class Reports(CountedDays):
    """Counting and reading, inside one transaction."""

    # Whose turn it is

    def stale(self, before: datetime) -> dict[int, datetime]:
        """The clinics whose reports were last counted at `before` or earlier, and when."""
        query = select(clinics.c.id, clinics.c.reported_at).where(clinics.c.reported_at <= before)
        return {row.id: row.reported_at for row in self._connection.execute(query.order_by(clinics.c.id))}

    def take(self, clinic_id: int, *, seen: datetime, now: datetime) -> bool:
        """Note that the clinic is counted at `now`; False when somebody else has done so since `seen`."""
        own = (clinics.c.id == clinic_id) & (clinics.c.reported_at == seen)
        return self._connection.execute(update(clinics).where(own).values(reported_at=now)).rowcount == 1

    def counted_at(self, clinic_id: int) -> datetime:
        """When the clinic was last counted."""
        at: datetime = self._connection.execute(
            select(clinics.c.reported_at).where(clinics.c.id == clinic_id)
        ).scalar_one()
        return at

    # Rounds

    def begin_rounds(self, clinic_id: int, day: Day, pathways: Collection[str]) -> None:
        """Note the rounds of which a message went that day."""
        arrived = func.max(case((_arrived(), 1), else_=0))
        query = (
            select(
                messages.c.enrolment_id,
                messages.c.cycle,
                messages.c.patient_id,
                messages.c.pathway,
                func.min(messages.c.planned_at).label("asked_at"),
                arrived.label("arrived"),
            )
            .where(
                *planned(clinic_id, day),
                messages.c.kind == MessageKind.REMINDER.value,
                messages.c.pathway.in_(pathways),
                messages.c.status.in_(_WENT),
                messages.c.enrolment_id.is_not(None),
            )
            .group_by(messages.c.enrolment_id, messages.c.cycle, messages.c.patient_id, messages.c.pathway)
        )
        rows = [
            {
                "enrolment_id": row.enrolment_id,
                "cycle": row.cycle,
                "clinic_id": clinic_id,
                "patient_id": row.patient_id,
                "pathway": row.pathway,
                "began_on": day.date,
                "asked_at": row.asked_at,
                "arrived_on": day.date if row.arrived else None,
            }
            for row in self._connection.execute(query)
        ]
        if not rows:
            return
        new = insert_into(self._connection, report_rounds)
        came = new.excluded.arrived_on
        held = report_rounds.c.arrived_on
        # A mail that was taken to have arrived may come back: what that day alone said is said anew.
        arrived_on = case(
            (came.is_not(None) & (held.is_(None) | (held > came)), came),
            (came.is_(None) & (held == day.date), None),
            else_=held,
        )
        keys = [report_rounds.c.enrolment_id, report_rounds.c.cycle]
        self._connection.execute(
            new.on_conflict_do_update(index_elements=keys, set_={"arrived_on": arrived_on}), rows
        )

    def rounds_of(self, clinic_id: int, patients: Collection[UUID]) -> list[Round]:
        """All rounds of these patients, the latest first."""
        found: list[Round] = []
        ids = list(patients)
        for at in range(0, len(ids), _BATCH):
            query = select(report_rounds).where(
                report_rounds.c.clinic_id == clinic_id, report_rounds.c.patient_id.in_(ids[at : at + _BATCH])
            )
            found += [
                Round(
                    enrolment_id=row.enrolment_id,
                    cycle=row.cycle,
                    patient_id=row.patient_id,
                    pathway=row.pathway,
                    began_on=row.began_on,
                    asked_at=row.asked_at,
                    answered_at=row.answered_at,
                    settled_at=row.settled_at,
                    result_days=row.result_days,
                )
                for row in self._connection.execute(query)
            ]
        return sorted(found, key=lambda one: one.asked_at, reverse=True)

    def change_rounds(self, clinic_id: int, changed: Iterable[Round]) -> None:
        """Write what became of rounds."""
        values = [
            {
                "of": one.enrolment_id,
                "in": one.cycle,
                "answered": one.answered_at,
                "settled": one.settled_at,
                "days": one.result_days,
            }
            for one in changed
        ]
        if values:
            own = (
                (report_rounds.c.clinic_id == clinic_id)
                & (report_rounds.c.enrolment_id == bindparam("of"))
                & (report_rounds.c.cycle == bindparam("in"))
            )
            written: dict[str, Any] = {
                "answered_at": bindparam("answered"),
                "settled_at": bindparam("settled"),
                "result_days": bindparam("days"),
            }
            self._connection.execute(update(report_rounds).where(own).values(**written), values)

    def count_rounds(self, clinic_id: int, since: date) -> list[tuple[date, Count]]:
        """The rounds that began on `since` or later, counted by their first day."""
        alike = (report_rounds.c.began_on, report_rounds.c.pathway, report_rounds.c.result_days)
        query = (
            select(
                *alike,
                func.count(),
                func.count(case((_ARRIVED, 1))),
                func.count(report_rounds.c.answered_at),
                func.count(report_rounds.c.settled_at),
            )
            .where(report_rounds.c.clinic_id == clinic_id, report_rounds.c.began_on >= since)
            .group_by(*alike)
        )
        found: dict[tuple[date, Measure, str, str], int] = {}
        for day, pathway, days, asked, arrived, answered, settled in self._connection.execute(query):
            counts = {
                (Measure.ASKED, ""): asked,
                (Measure.ARRIVED, ""): arrived,
                (Measure.ANSWERED, ""): answered,
                (Measure.SETTLED, ""): settled,
                (Measure.RESULT, str(days)): asked if days is not None else 0,
            }
            for (measure, key), count in counts.items():
                place = (day, measure, pathway, key)
                found[place] = found.get(place, 0) + count
        return [
            (day, Count(measure, about, key, count)) for (day, measure, about, key), count in found.items() if count
        ]

    # Counts

    def replace(
        self,
        clinic_id: int,
        measures: Collection[Measure],
        since: date,
        until: date,
        counts: Iterable[tuple[date, Count]],
    ) -> None:
        """Put these counts in place of all of `measures` from `since` to `until`, both included."""
        self._connection.execute(
            delete(report_days).where(
                report_days.c.clinic_id == clinic_id,
                report_days.c.day >= since,
                report_days.c.day <= until,
                report_days.c.measure.in_([each.value for each in measures]),
            )
        )
        rows = [
            {
                "clinic_id": clinic_id,
                "day": day,
                "measure": one.measure.value,
                "about": one.about,
                "key": one.key,
                "count": one.count,
            }
            for day, one in counts
        ]
        if rows:
            self._connection.execute(insert(report_days), rows)

    def total(self, clinic_id: int, period: Period) -> list[Count]:
        """What was counted over the period."""
        what = (report_days.c.measure, report_days.c.about, report_days.c.key)
        query = select(*what, func.sum(report_days.c["count"])).where(*_within(clinic_id, period)).group_by(*what)
        found = self._connection.execute(query)
        return [Count(Measure(measure), about, key, int(count)) for measure, about, key, count in found]

    def by_day(self, clinic_id: int, period: Period, measures: Collection[Measure]) -> dict[date, dict[Measure, int]]:
        """These measures day by day, of all pathways together."""
        what = (report_days.c.day, report_days.c.measure)
        query = (
            select(*what, func.sum(report_days.c["count"]))
            .where(*_within(clinic_id, period), report_days.c.measure.in_([each.value for each in measures]))
            .group_by(*what)
        )
        found: dict[date, dict[Measure, int]] = {}
        for day, measure, count in self._connection.execute(query):
            found.setdefault(day, {})[Measure(measure)] = int(count)
        return found


def _arrived() -> Any:
    """Nobody confirms a mail: one that went and has not come back is held to have arrived."""
    delivered = messages.c.status == literal_column(f"'{MessageStatus.DELIVERED.value}'")
    mailed = (messages.c.status == literal_column(f"'{MessageStatus.SENT.value}'")) & (
        messages.c.channel == literal_column(f"'{Channel.EMAIL.value}'")
    )
    return delivered | mailed


def _within(clinic_id: int, period: Period) -> tuple[Any, ...]:
    return (
        report_days.c.clinic_id == clinic_id,
        report_days.c.day >= period.first,
        report_days.c.day <= period.last,
    )
