"""Counting a clinic's days for its reports, every hour: the ledger is too long to be counted while somebody waits.

Today and yesterday are counted each time; with the first count of a day also the days before, for receipts that came
late. What a round of questions came to is counted by its first day, for as long as it may be answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel
from scheduler.domain.reporting import (
    COUNTED_AGAIN,
    OF_ROUNDS,
    REFRESHED,
    ROUNDS_LIVE,
    Measure,
    counting_answers,
    is_routine,
    settling_answers,
    weekly_templates,
)
from scheduler.domain.when import instant, local_date
from scheduler.ports import Stopping, Store, Unit
from scheduler.ports.reports import Alike, Count, Day, Round, Told
from scheduler.records import Clinic
from scheduler.services.clearing import Decision
from scheduler.services.facts import ResultKind
from scheduler.services.rules import Rules

_ONE_DAY = timedelta(days=1)
_WENT = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED)
_PROBLEMS = (
    MessageStatus.UNDELIVERED,
    MessageStatus.FAILED,
    MessageStatus.UNKNOWN,
    MessageStatus.NOT_SENT,
    MessageStatus.EXPIRED,
)
_OF_A_DAY = tuple(measure for measure in Measure if measure not in OF_ROUNDS)


def count_stale(store: Store, rules: Rules, now: datetime, *, stopping: Stopping) -> int:
    """Count the clinics that were last counted an hour before `now` (UTC) or earlier; returns how many."""
    with store.reading() as unit:
        stale = unit.reports.stale(now - REFRESHED)
        clinics = unit.installation.clinics() if stale else {}
    counted = 0
    for clinic_id, seen in stale.items():
        if stopping():
            break
        with store.writing() as unit:
            is_ours = unit.reports.take(clinic_id, seen=seen, now=now)
        if is_ours:
            count_clinic(store, rules, clinics[clinic_id], since=seen, now=now)
            counted += 1
    return counted


def count_clinic(store: Store, rules: Rules, clinic: Clinic, *, since: datetime, now: datetime) -> None:
    """Count what has happened at the clinic since the instant `since`, and what may have changed of the days before.

    Each day is a transaction of its own. Counting again changes nothing that is still so.
    """
    zone = ZoneInfo(clinic.timezone)
    counted, today = local_date(since, zone), local_date(now, zone)
    first = today - _ONE_DAY if counted >= today else counted - COUNTED_AGAIN
    day = first
    while day <= today:
        with store.writing() as unit:
            _count_day(unit, rules, clinic, _day(day, zone))
        day += _ONE_DAY
    begun = today - ROUNDS_LIVE
    with store.writing() as unit:
        counts = unit.reports.count_rounds(clinic.id, begun)
        unit.reports.replace(clinic.id, OF_ROUNDS, begun, today, counts)


def _day(day: date, zone: ZoneInfo) -> Day:
    begins, ends = (instant(each, time.min, zone).astimezone(UTC) for each in (day, day + _ONE_DAY))
    return Day(day, begins, ends)


def _count_day(unit: Unit, rules: Rules, clinic: Clinic, day: Day) -> None:
    asking = [one for one in rules.pathways.values() if not is_routine(one)]
    unit.reports.begin_rounds(clinic.id, day, [one.name for one in asking])
    _follow_rounds(unit, clinic, day, asking)
    counts: Counter[tuple[Measure, str, str]] = Counter()
    for alike in unit.reports.messages_of(clinic.id, day):
        counts.update(_of_messages(rules, alike))
    for pathway, count in unit.reports.answer_counts(clinic.id, day).items():
        counts[Measure.ANSWERS, pathway, ""] += count
    for pathway_of in rules.pathways.values():
        if is_routine(pathway_of):
            counts.update(_of_routine(unit, clinic, day, pathway_of))
    counts.update(_of_tasks(unit, clinic, day))
    made = [(day.date, Count(*what, count)) for what, count in counts.items() if count]
    unit.reports.replace(clinic.id, _OF_A_DAY, day.date, day.date, made)


def _of_messages(rules: Rules, alike: Alike) -> dict[tuple[Measure, str, str], int]:
    found = {}
    if alike.kind is MessageKind.REMINDER and alike.status in _WENT:
        found[Measure.SENT, alike.pathway, ""] = alike.count
        # Nobody confirms a mail: one that went and has not come back is held to have arrived.
        is_mailed = alike.channel is Channel.EMAIL and alike.status is MessageStatus.SENT
        if alike.status is MessageStatus.DELIVERED or is_mailed:
            found[Measure.DELIVERED, alike.pathway, ""] = alike.count
        pathway = rules.pathways.get(alike.pathway)
        if pathway is not None and alike.template in weekly_templates(pathway):
            found[Measure.WEEK, alike.pathway, str(alike.days_done)] = alike.count
    if alike.status in _PROBLEMS:
        code = f"{alike.status.value} {alike.reason or ''}".strip()[:32]
        found[Measure.PROBLEM, alike.channel.value, code] = alike.count
    return found


def _of_routine(unit: Unit, clinic: Clinic, day: Day, pathway: Pathway) -> dict[tuple[Measure, str, str], int]:
    name, done = pathway.name, counting_answers(pathway)
    return {
        (Measure.REACTED, name, ""): unit.reports.patients_who(clinic.id, day, name, None),
        (Measure.DID, name, ""): unit.reports.patients_who(clinic.id, day, name, done),
    }


def _of_tasks(unit: Unit, clinic: Clinic, day: Day) -> Counter[tuple[Measure, str, str]]:
    zone = ZoneInfo(clinic.timezone)
    counts: Counter[tuple[Measure, str, str]] = Counter()
    for kind, count in unit.reports.tasks_opened(clinic.id, day).items():
        counts[Measure.OPENED, kind, ""] += count
    for kind, opened_at, closed_at, by_person in unit.reports.tasks_closed(clinic.id, day):
        days = (local_date(closed_at, zone) - local_date(opened_at, zone)).days
        what = (Measure.CLOSED, kind, str(days)) if by_person else (Measure.LAPSED, kind, "")
        counts[what] += 1
    return counts


def _follow_rounds(unit: Unit, clinic: Clinic, day: Day, asking: Collection[Pathway]) -> None:
    """Note what the day's answers, results and decisions came to for the rounds they belong to."""
    told = _told(unit, clinic, day, asking)
    if not told:
        return
    rounds: dict[tuple[object, str], list[Round]] = {}
    for one in unit.reports.rounds_of(clinic.id, {each.patient_id for each in told}):
        rounds.setdefault((one.patient_id, one.pathway), []).append(one)
    unit.reports.change_rounds(clinic.id, _changed(rounds, told, _settling(asking), ZoneInfo(clinic.timezone)))


def recount_rounds(
    unit: Unit, rules: Rules, clinic: Clinic, patient_id: UUID, fact: str, *, at: datetime, now: datetime
) -> None:
    """What a patient's rounds that hear of `fact` came to, anew: one that was recorded at `at` is void. UTC."""
    asking = [one for one in rules.pathways.values() if not is_routine(one) and fact in one.facts]
    zone, settling = ZoneInfo(clinic.timezone), _settling(asking)
    known: dict[str, list[Round]] = {}
    for each in unit.reports.rounds_of(clinic.id, {patient_id}):
        known.setdefault(each.pathway, []).append(each)
    for pathway, of_patient in known.items():
        later = [one for one in of_patient if one.asked_at > at]
        latest = next((one for one in of_patient if one.asked_at <= at), None)
        if latest is None or pathway not in settling:
            continue
        blank = replace(latest, answered_at=None, settled_at=None, result_days=None)
        until = later[-1].asked_at if later else now + _ONE_DAY
        told = _told(unit, clinic, Day(blank.began_on, blank.asked_at, until), asking, patient_id=patient_id)
        rounds: dict[tuple[object, str], list[Round]] = {(patient_id, pathway): [blank]}
        unit.reports.change_rounds(clinic.id, [blank])
        unit.reports.change_rounds(clinic.id, _changed(rounds, told, settling, zone))


def _told(
    unit: Unit, clinic: Clinic, day: Day, asking: Collection[Pathway], *, patient_id: UUID | None = None
) -> list[Told]:
    """The day's answers, results and decisions that are about pathways which ask."""
    reports, names = unit.reports, [one.name for one in asking]
    deciding = [one.name for one in asking if set(Decision) & set(one.facts)]
    return [
        *reports.answers(clinic.id, day, names, patient_id=patient_id),
        *reports.results(clinic.id, day, _hearing(asking), patient_id=patient_id),
        *reports.decisions(clinic.id, day, deciding, patient_id=patient_id),
    ]


def _settling(asking: Iterable[Pathway]) -> dict[str, frozenset[str]]:
    """The answers that settle each pathway."""
    return {one.name: settling_answers(one) for one in asking}


def _hearing(asking: Iterable[Pathway]) -> dict[str, list[str]]:
    """The pathways that hear of each kind of result."""
    pathways = list(asking)
    return {kind.value: [one.name for one in pathways if kind.fact in one.facts] for kind in ResultKind}


def _changed(
    rounds: dict[tuple[object, str], list[Round]],
    told: Iterable[Told],
    settling: dict[str, frozenset[str]],
    zone: ZoneInfo,
) -> Iterator[Round]:
    """The rounds as they are after what was told; each belongs to the latest that had begun by then."""
    after: dict[tuple[object, int], Round] = {}
    for each in sorted(told, key=lambda one: one.at):
        of_patient = rounds.get((each.patient_id, each.pathway), ())
        found = next((one for one in of_patient if one.asked_at <= each.at), None)
        if found is None:
            continue
        key = (found.enrolment_id, found.cycle)
        held = after.get(key, found)
        settles = each.answer in settling.get(each.pathway, ()) if each.is_answer else True
        after[key] = replace(
            held,
            answered_at=held.answered_at or (each.at if each.is_answer else None),
            settled_at=held.settled_at or (each.at if settles else None),
            result_days=_days(held, local_date(each.at, zone))
            if each.is_result and held.result_days is None
            else held.result_days,
        )
    yield from after.values()


def _days(of: Round, on: date) -> int:
    return max(0, (on - of.began_on).days)
