"""What follows when a message did not go or did not arrive.

Its pathway takes the step back, or a second try takes over today; people hear of what needs them; and the provider
is asked about what nobody knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Contact, Enrolled, TaskOpened
from scheduler.domain.enrolment import NotSent
from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.numbers import WhyBad
from scheduler.domain.people import Addressee, Channel, ConsentSource
from scheduler.domain.reacting import Situation, take_back
from scheduler.domain.second_try import second_try
from scheduler.domain.sending import Pending
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import local_date
from scheduler.ports import SERVICE, Unit
from scheduler.records import Clinic, LedgerMessage, Patient
from scheduler.services.bad_addresses import without_address
from scheduler.services.carers import mark_bad, set_consent
from scheduler.services.changes import Decided, write_changes
from scheduler.services.consenting import record_consent
from scheduler.services.new_tasks import clinic_task
from scheduler.services.outcomes import FollowUp
from scheduler.services.rules import Rules
from scheduler.services.settled_messages import doubt_cause, refusal_cause

ASK_AFTER = timedelta(minutes=2)  # a receipt usually settles a lost answer sooner
_PENDING_FOR = timedelta(days=31)  # what was planned earlier and still waits meets its last look
_ABOUT_THE_ADDRESS = frozenset({FollowUp.BAD_ADDRESS, FollowUp.OPTED_OUT})
_ASKED = frozenset({Channel.SMS})  # an SMTP server keeps no list that it could be asked for


class Again(StrEnum):
    """What becomes of the reminder itself."""

    NEXT_DAY = "next_day"  # the pathway acts as if it had not been planned: its own rules say when it goes
    TODAY = "today"  # a second try takes over while its window is open; else as NEXT_DAY
    NEVER = "never"  # the pathway believes that it went


@dataclass(frozen=True, slots=True)
class Fallen:
    """A message that did not go or arrive, or of which nobody can say."""

    message: LedgerMessage
    status: MessageStatus
    reason: str | None = None
    follow_up: FollowUp = FollowUp.NONE
    again: Again = Again.NEXT_DAY
    wait: timedelta = field(default=timedelta(), kw_only=True)  # before a second try
    address: str | None = field(default=None, kw_only=True)  # where it was to go; None: to the present one
    check_number: bool = field(default=False, kw_only=True)  # staff should ask whether it is still the patient's

    @property
    def fate(self) -> Again:
        """What becomes of the reminder, with what the status and a bad number say about that."""
        if self.status is MessageStatus.UNKNOWN:
            return Again.NEVER
        return Again.TODAY if self.follow_up is FollowUp.BAD_ADDRESS else self.again

    @property
    def clinic_id(self) -> int:
        return self.message.clinic_id


class Aftermath:
    """Writes what follows, inside the transaction that records it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def settle(self, unit: Unit, fallen: Sequence[Fallen], *, now: datetime) -> None:
        """Take back the steps of reminders that did not go, and do what the refusals ask for.

        Comes after the messages have been moved. One that stands elsewhere than `fallen` says was settled by
        somebody else meanwhile, a receipt for example, and has no aftermath here.
        """
        if not fallen:
            return
        statuses = unit.receipts.statuses([one.message.id for one in fallen])
        by_patient: dict[tuple[int, UUID], list[Fallen]] = defaultdict(list)
        for one in fallen:
            if statuses.get(one.message.id) is one.status:
                by_patient[one.clinic_id, one.message.patient_id].append(one)
        clinics = unit.installation.clinics()
        # Locked before anything is read, and in the order of ids, as everybody does who waits for several patients.
        held = [
            patient
            for clinic_id, patient_id in sorted(by_patient, key=lambda key: key[1])
            if (patient := unit.patients.get(clinic_id, patient_id, lock=True)) is not None
        ]
        enrolled = unit.patients.enrolments([patient.id for patient in held])
        decisions = [
            self._settle_patient(
                unit,
                clinics[patient.clinic_id],
                patient,
                enrolled.get(patient.id, ()),
                by_patient[patient.clinic_id, patient.id],
                now,
            )
            for patient in held
        ]
        write_changes(unit, self._rules, decisions, now=now)

    def doubt(self, unit: Unit, message: LedgerMessage, clinic: Clinic, *, now: datetime) -> None:
        """Hand a message of which nobody knows whether it went to a person."""
        note = f"message {message.id}"
        cause = doubt_cause(message.id)
        task = clinic_task(self._rules, ServiceTask.DELIVERY_UNKNOWN, clinic, cause=cause, now=now, note=note)
        unit.worklist.open([replace(task, patient_id=message.patient_id)], now=now)

    def _settle_patient(
        self,
        unit: Unit,
        clinic: Clinic,
        patient: Patient,
        enrolled: tuple[Enrolled, ...],
        fallen: Sequence[Fallen],
        now: datetime,
    ) -> Decided:
        tasks: list[TaskOpened] = []
        after = patient
        fallen = [_about_the_present_one(one, patient) for one in fallen]
        for one in fallen:
            after = self._follow_up(unit, after, clinic, one, tasks, now)
        contact = after.contact(clinic)
        if any(one.message.stop_line and one.status is not MessageStatus.UNKNOWN for one in fallen):
            contact = replace(contact, stop_line_on=None)
        taken_back: list[Fallen] = []
        for one in fallen:
            replaced = None
            if one.fate is Again.TODAY and still_wanted(one.message, enrolled, contact, now):
                replaced = try_again(unit, one.message, contact, now, wait=one.wait)
            contact = replaced or contact
            if replaced is None and one.fate is not Again.NEVER:
                taken_back.append(one)
        situation = Situation(contact, enrolled, self._rules.pathways, now)
        change = take_back(situation, _not_sent(situation, taken_back))
        change = replace(change, tasks=(*change.tasks, *tasks))
        return Decided(patient.id, clinic.id, enrolled, change)

    def _follow_up(
        self, unit: Unit, patient: Patient, clinic: Clinic, fallen: Fallen, tasks: list[TaskOpened], now: datetime
    ) -> Patient:
        channel, pathway = fallen.message.channel, fallen.message.pathway
        if fallen.message.to is Addressee.CARER and fallen.follow_up in _ABOUT_THE_ADDRESS:
            return self._follow_up_carer(unit, patient, clinic, fallen, tasks, now)
        note = f"{channel.value}: {fallen.reason or 'no code'}"
        if fallen.check_number and fallen.message.to is Addressee.CARER:
            note = f"the carer's: {note}"
        if fallen.status is MessageStatus.UNKNOWN:
            self._unknown(unit, fallen, clinic, now)
        if fallen.check_number or fallen.follow_up is FollowUp.BAD_ADDRESS:
            tasks.append(TaskOpened(ServiceTask.CHECK_NUMBER, pathway, note))
        match fallen.follow_up:
            case FollowUp.BAD_ADDRESS:
                return without_address(unit, patient, channel, why=WhyBad.UNDELIVERABLE, now=now)
            case FollowUp.OPTED_OUT:
                return _opted_out(unit, patient, channel, now)
            case FollowUp.OPERATOR:
                cause = refusal_cause(channel, fallen.reason)
                task = clinic_task(self._rules, ServiceTask.SENDER_REFUSED, clinic, cause=cause, now=now, note=note)
                unit.worklist.open([task], now=now)
            case _:
                pass
        return patient

    def _follow_up_carer(
        self, unit: Unit, patient: Patient, clinic: Clinic, fallen: Fallen, tasks: list[TaskOpened], now: datetime
    ) -> Patient:
        """What a provider says of a carer's number is about the carer, not the patient."""
        carer = unit.carers.of([(clinic.id, patient.id)]).get(patient.id)
        if carer is None or not carer.may_be_written_to:
            return patient
        if fallen.follow_up is FollowUp.BAD_ADDRESS:
            note = f"the carer's: {fallen.message.channel.value}: {fallen.reason}"
            tasks.append(TaskOpened(ServiceTask.CHECK_NUMBER, fallen.message.pathway, note))
            mark_bad(unit, self._rules, clinic, carer, now=now)
        else:
            set_consent(
                unit,
                self._rules,
                clinic,
                carer,
                granted=False,
                source=ConsentSource.PROVIDER,
                given_on=local_date(now, ZoneInfo(clinic.timezone)),
                by=SERVICE,
                now=now,
            )
        return replace(patient, carer_mode=None, carer_channel=None, stop_line_on=None)

    def _unknown(self, unit: Unit, fallen: Fallen, clinic: Clinic, now: datetime) -> None:
        if fallen.message.channel in _ASKED:
            unit.questions.ask([(fallen.message.id, fallen.clinic_id)], at=now + ASK_AFTER)
        else:
            self.doubt(unit, fallen.message, clinic, now=now)


def _about_the_present_one(fallen: Fallen, patient: Patient) -> Fallen:
    """A number that was corrected while its refusal was on the way: the new one is not bad, and has its try today."""
    if fallen.follow_up is not FollowUp.BAD_ADDRESS or fallen.address is None:
        return fallen
    present = patient.address(fallen.message.channel)
    if present is None or present.lower() == fallen.address.lower():
        return fallen
    return replace(fallen, follow_up=FollowUp.NONE, again=Again.TODAY)


def still_wanted(message: LedgerMessage, enrolled: Iterable[Enrolled], contact: Contact, now: datetime) -> bool:
    """Whether the pathway still waits where the message left it: an answer, a result or a pause may have come."""
    if message.kind is not MessageKind.REMINDER:
        return True
    state = next((one.state for one in enrolled if one.id == message.enrolment_id), None)
    return (
        state is not None
        and (state.step, state.cycle, state.fired) == (message.step, message.cycle, message.fired)
        and not state.is_stopped
        and not state.is_paused_on(local_date(now, contact.zone))
    )


def try_again(
    unit: Unit, missed: LedgerMessage, contact: Contact, now: datetime, *, wait: timedelta = timedelta()
) -> Contact | None:
    """Plan a second try, if there is room for one. Returns the contact after it, else None."""
    pending = Pending.of(missed)
    second = second_try(pending, contact, now, wait=wait)
    if second is None:
        return None
    unit.receipts.try_again(missed, second, now=now)
    return replace(contact, stop_line_on=missed.due_date) if second.stop_line else contact


def _opted_out(unit: Unit, patient: Patient, channel: Channel, now: datetime) -> Patient:
    """The provider holds an opt-out: mirror it. One that is on record already adds nothing to the record.

    Answers that wait to go the same way would be refused like this one; reminders and news may go another way.
    """
    unit.stops.void([(patient.clinic_id, patient.id)], since=now - _PENDING_FOR, channel=channel)
    agreed = patient.sms_consent if channel is Channel.SMS else patient.email_consent
    if not agreed:
        return patient
    return record_consent(
        unit,
        patient,
        channel,
        granted=False,
        source=ConsentSource.PROVIDER,
        given_on=local_date(now, ZoneInfo(patient.timezone)),
        by=SERVICE,
        now=now,
    )


def _not_sent(situation: Situation, fallen: Iterable[Fallen]) -> list[tuple[UUID, NotSent]]:
    """The events for reminders that surely did not go."""
    return [
        (message.enrolment_id, NotSent(situation.today, message.step, message.cycle, message.fired))
        for one in fallen
        if (message := one.message).kind is MessageKind.REMINDER and message.enrolment_id is not None
    ]
