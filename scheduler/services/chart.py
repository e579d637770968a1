"""Everything about one patient, as their page shows it: the thread, where each pathway stands, why what went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Enrolled
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.stepping import due_on
from scheduler.ports import Unit
from scheduler.records import Clearance, Clinic, LedgerEntry, Patient, Reply, Task
from scheduler.services.rules import Rules

_NOT_SAID = frozenset({MessageStatus.SKIPPED, MessageStatus.EXPIRED, MessageStatus.NOT_SENT, MessageStatus.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing said, either way, or one that was to be said and was not. `at` is in the patient's zone."""

    at: datetime
    is_patient: bool
    channel: Channel
    about: str | None  # the title of a pathway
    text: str
    status: MessageStatus | None = None
    reason: str | None = None
    meaning: str | None = None  # of a reply, as it was understood
    segments: int | None = None

    @property
    def was_said(self) -> bool:
        """Whether it went, or may have gone."""
        return self.status not in _NOT_SAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a patient stands on one pathway."""

    pathway: str
    title: str
    step: str
    cycle: int
    since: date
    next_on: date | None
    is_paused: bool
    is_asked: bool  # a question is open
    rests: bool  # until the next cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A patient's page. `now` is in the patient's zone."""

    patient: Patient
    now: datetime
    contact_time: str
    thread: tuple[tuple[date, tuple[Said, ...]], ...]  # by day, oldest first
    standings: tuple[Standing, ...]
    tasks: tuple[Task, ...]  # open first, then the latest
    cases: tuple[Clearance, ...]  # supplement cases


def chart(unit: Unit, rules: Rules, clinic: Clinic, patient: Patient, *, now: datetime) -> Chart:
    """The page of a patient of this clinic at `now` (UTC)."""
    zone = ZoneInfo(patient.timezone)
    said = [
        *(_sent(rules, one, zone) for one in unit.ledger.entries(clinic.id, mrn=patient.mrn)),
        *(_heard(rules, one, zone) for one in unit.inbox.replies(clinic.id, mrn=patient.mrn)),
    ]
    # Of one instant, what was heard comes before what it was answered with.
    said.sort(key=lambda one: (one.at, not one.is_patient))
    enrolled = unit.patients.enrolments([patient.id]).get(patient.id, ())
    tasks = unit.worklist.tasks(clinic.id, mrn=patient.mrn)
    return Chart(
        patient=patient,
        now=now.astimezone(zone),
        contact_time=f"{patient.contact_time or clinic.contact_time:%H:%M}",
        thread=tuple((day, tuple(those)) for day, those in groupby(said, key=lambda one: one.at.date())),
        standings=tuple(_standing(rules, patient, one) for one in enrolled),
        tasks=tuple(sorted(tasks, key=lambda task: (task.status != "open", -task.id))),
        cases=tuple(case for case in unit.worklist.clearances(clinic.id) if case.patient_id == patient.id),
    )


def _sent(rules: Rules, entry: LedgerEntry, zone: ZoneInfo) -> Said:
    return Said(
        at=(entry.sent_at or entry.planned_at).astimezone(zone),
        is_patient=False,
        channel=entry.channel,
        about=_title(rules, entry.pathway),
        text=entry.body or "",
        status=entry.status,
        reason=entry.reason,
        segments=entry.segments,
    )


def _heard(rules: Rules, reply: Reply, zone: ZoneInfo) -> Said:
    return Said(
        at=reply.received_at.astimezone(zone),
        is_patient=True,
        channel=reply.channel,
        about=_title(rules, reply.pathway) if reply.pathway else None,
        text=reply.body,
        meaning=reply.answer or reply.meaning,
    )


def _title(rules: Rules, pathway: str) -> str | None:
    found = rules.pathways.get(pathway)
    if found is not None:
        return found.title
    return None if pathway == SERVICE_MESSAGES else pathway


def _standing(rules: Rules, patient: Patient, enrolled: Enrolled) -> Standing:
    state = enrolled.state
    pathway = rules.pathways.get(state.pathway)
    step = pathway.steps.get(state.step) if pathway else None
    return Standing(
        pathway=state.pathway,
        title=pathway.title if pathway else state.pathway,
        step=state.step,
        cycle=state.cycle,
        since=state.entered_on,
        next_on=due_on(pathway, state, weekdays=patient.exercise_days) if pathway and step else None,
        is_paused=state.is_paused,
        is_asked=bool(pathway and step and state.is_open_question(pathway)),
        rests=step is not None and step.rest is not None,
    )
