"""Everything about one patient, as their page shows it: the thread, where each pathway stands, why what went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Enrolled
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Addressee, Channel, PatientStatus
from scheduler.domain.sending import SERVICE_MESSAGES, is_written
from scheduler.domain.stepping import due_on
from scheduler.ports import Unit
from scheduler.ports.patient_file import Note, RecordedResult, Written
from scheduler.records import Carer, Clearance, Clinic, LedgerEntry, Patient, Reply, Task
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.second_tries import Meaning
from scheduler.services.upcoming import Upcoming, upcoming
from scheduler.services.why import Told, Why, why
from scheduler.services.writing import ways

MOST_SAID = 100  # messages, and as many replies: what a page shows of a thread at first

_NOT_SAID = frozenset({MessageStatus.SKIPPED, MessageStatus.EXPIRED, MessageStatus.NOT_SENT, MessageStatus.FAILED})
_GOES_ON = frozenset({PatientStatus.ACTIVE, PatientStatus.PAUSED})  # to others nothing comes


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
    id: UUID | None = None  # of a message
    why: Why | None = None  # it did or did not go
    by: str | None = None  # the member of staff who wrote it
    is_carers: bool = False  # it went to the carer, or came from them
    can_withdraw: bool = False

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
    paused_until: date | None
    is_stopped: bool  # the patient wants no more of it
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
    cases: tuple[Clearance, ...]  # supplement cases, the latest first
    notes: tuple[Note, ...]  # the latest first
    results: tuple[RecordedResult, ...]  # the latest first
    upcoming: Upcoming
    carer: Carer | None
    housemates: tuple[Patient, ...]  # others with the same number or address
    ways: tuple[Channel, ...]  # by which staff may write now
    addable: tuple[tuple[str, str], ...]  # pathways that the patient is not on: name and title
    is_cut: bool  # there is more of the thread


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a chart is made with beside the record: the rules, how messages are written, what codes mean."""

    rules: Rules
    composer: Composer
    meaning: Meaning


def chart(
    unit: Unit, shelf: Shelf, clinic: Clinic, patient: Patient, *, now: datetime, most: int | None = MOST_SAID
) -> Chart:
    """The page of a patient of this clinic at `now` (UTC), with the latest `most` of what was said each way."""
    rules, zone = shelf.rules, ZoneInfo(patient.timezone)
    said, is_cut = _thread(unit, shelf, clinic, patient, most)
    enrolled = unit.patients.enrolments([patient.id]).get(patient.id, ())
    tasks = unit.worklist.tasks(clinic.id, mrn=patient.mrn)
    held = {one.state.pathway for one in enrolled if not (one.state.is_paused and one.state.paused_until is None)}
    return Chart(
        patient=patient,
        now=now.astimezone(zone),
        contact_time=f"{patient.contact_time or clinic.contact_time:%H:%M}",
        thread=tuple((day, tuple(those)) for day, those in groupby(said, key=lambda one: one.at.date())),
        standings=tuple(_standing(rules, patient, one) for one in enrolled),
        tasks=tuple(sorted(tasks, key=lambda task: (task.status != "open", -task.id))),
        cases=tuple(unit.worklist.clearances(clinic.id, patient_id=patient.id)[::-1]),
        notes=tuple(unit.patient_file.notes(clinic.id, patient.id)),
        results=tuple(unit.patient_file.results(clinic.id, patient.id)),
        upcoming=upcoming(unit, rules, shelf.composer, clinic, patient, enrolled, now=now),
        carer=unit.carers.of([(clinic.id, patient.id)]).get(patient.id),
        housemates=_housemates(unit, clinic, patient),
        ways=ways(patient, clinic),
        addable=tuple((name, one.title) for name, one in rules.pathways.items() if name not in held),
        is_cut=is_cut,
    )


def _housemates(unit: Unit, clinic: Clinic, patient: Patient) -> tuple[Patient, ...]:
    found = {
        mate.patient_id
        for channel in Channel
        if (address := patient.address(channel)) is not None
        for mate in unit.sharing.people_at(clinic.id, channel, address)
    }
    others = (unit.patients.get(clinic.id, mate) for mate in sorted(found - {patient.id}))
    return tuple(other for other in others if other is not None)


def _thread(unit: Unit, shelf: Shelf, clinic: Clinic, patient: Patient, most: int | None) -> tuple[list[Said], bool]:
    """What was said either way, oldest first, and whether there is more."""
    wanted = None if most is None else most + 1
    entries = unit.ledger.entries(clinic.id, mrn=patient.mrn, limit=wanted)
    replies = unit.inbox.replies(clinic.id, mrn=patient.mrn, limit=wanted)
    is_cut = most is not None and (len(entries) > most or len(replies) > most)
    sent = _sent(unit, shelf, clinic, patient, entries if most is None else entries[-most:])
    zone = ZoneInfo(patient.timezone)
    said = [*sent, *(_heard(shelf.rules, one, zone) for one in (replies if most is None else replies[-most:]))]
    # Of one instant, what was heard comes before what it was answered with.
    said.sort(key=lambda one: (one.at, not one.is_patient))
    return said, is_cut


def _sent(unit: Unit, shelf: Shelf, clinic: Clinic, patient: Patient, entries: list[LedgerEntry]) -> list[Said]:
    ids = [entry.id for entry in entries]
    tries = unit.patient_file.tries(clinic.id, ids)
    windows = unit.patient_file.planned_for(clinic.id, ids)
    written = unit.patient_file.written(clinic.id, patient.id)
    by_id = {entry.id: entry for entry in entries}
    zone = ZoneInfo(patient.timezone)
    found: list[Said] = []
    for entry in entries:
        own = _written_of(entry, by_id, written)
        told = Told(
            entry=entry,
            title=_title(shelf.rules, entry.pathway),
            tries=tries.get(entry.id, ()),
            window=windows.get(entry.id),
            first=by_id.get(entry.retry_of) if entry.retry_of else None,
            written=own,
        )
        found.append(_said(told, why(told, zone=zone, meaning=shelf.meaning), zone))
    return found


def _written_of(entry: LedgerEntry, by_id: dict[UUID, LedgerEntry], written: dict[UUID, Written]) -> Written | None:
    """Who wrote a message, or the one that it stands in for."""
    one: LedgerEntry | None = entry
    while one is not None:
        if one.id in written:
            return written[one.id]
        one = by_id.get(one.retry_of) if one.retry_of else None
    return None


def _said(told: Told, story: Why, zone: ZoneInfo) -> Said:
    entry = told.entry
    waits = entry.status is MessageStatus.PLANNED
    return Said(
        at=(entry.sent_at or (told.window[0] if waits and told.window else entry.planned_at)).astimezone(zone),
        is_patient=False,
        channel=entry.channel,
        about=told.title,
        text=entry.body or (told.written.words if told.written else ""),
        status=entry.status,
        reason=entry.reason,
        segments=entry.segments,
        id=entry.id,
        why=story,
        by=told.written.by if told.written else None,
        is_carers=entry.to is Addressee.CARER,
        can_withdraw=waits and is_written(entry.pathway, entry.template),
    )


def _heard(rules: Rules, reply: Reply, zone: ZoneInfo) -> Said:
    return Said(
        at=reply.received_at.astimezone(zone),
        is_patient=True,
        channel=reply.channel,
        about=_title(rules, reply.pathway) if reply.pathway else None,
        text=reply.body,
        meaning=reply.answer or reply.meaning,
        is_carers=reply.written_by is Addressee.CARER,
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
        next_on=due_on(pathway, state, weekdays=patient.exercise_days)
        if pathway and step and not state.is_stopped and patient.status in _GOES_ON
        else None,
        is_paused=state.is_paused,
        paused_until=state.paused_until,
        is_stopped=state.is_stopped,
        is_asked=bool(pathway and step and state.is_open_question(pathway)),
        rests=step is not None and step.rest is not None,
    )
