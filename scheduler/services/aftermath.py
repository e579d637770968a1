"""What follows when a message did not go: its pathway takes the step back, and people hear of what needs them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduler.domain.contact import Enrolled, TaskOpened
from scheduler.domain.enrolment import NotSent
from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.domain.reacting import Situation, take_back
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import SERVICE, Unit
from scheduler.records import Clinic, Patient, ReadyMessage
from scheduler.services.changes import Decided, write_changes
from scheduler.services.consenting import record_consent
from scheduler.services.outcomes import FollowUp
from scheduler.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Fallen:
    """A message that did not go, or of which nobody can say."""

    message: ReadyMessage
    status: MessageStatus
    reason: str | None = None
    follow_up: FollowUp = FollowUp.NONE


class Aftermath:
    """Writes what follows, inside the transaction that records it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def settle(self, unit: Unit, fallen: Sequence[Fallen], *, now: datetime) -> None:
        """Take back the steps of reminders that did not go, and do what the refusals ask for."""
        if not fallen:
            return
        by_patient: dict[tuple[int, UUID], list[Fallen]] = defaultdict(list)
        for one in fallen:
            by_patient[one.message.patient.clinic_id, one.message.patient.id].append(one)
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
        for one in fallen:
            after = self._follow_up(unit, after, one, tasks, now)
        situation = Situation(after.contact(clinic), enrolled, self._rules.pathways, now)
        change = take_back(situation, _not_sent(situation, fallen))
        if any(one.message.stop_line and one.status is not MessageStatus.UNKNOWN for one in fallen):
            change = replace(change, contact=replace(change.contact, stop_line_on=None))
        change = replace(change, tasks=(*change.tasks, *tasks))
        return Decided(patient.id, clinic.id, enrolled, change)

    def _follow_up(
        self, unit: Unit, patient: Patient, fallen: Fallen, tasks: list[TaskOpened], now: datetime
    ) -> Patient:
        channel, pathway = fallen.message.channel, fallen.message.pathway
        match fallen.follow_up:
            case FollowUp.BAD_ADDRESS:
                tasks.append(TaskOpened(ServiceTask.CHECK_NUMBER, pathway, f"{channel.value}: {fallen.reason}"))
                return _without_address(unit, patient, channel)
            case FollowUp.OPTED_OUT:
                return record_consent(
                    unit,
                    patient,
                    channel,
                    granted=False,
                    source=ConsentSource.PROVIDER,
                    given_on=now.date(),
                    by=SERVICE,
                    now=now,
                )
            case FollowUp.UNSETTLED:
                tasks.append(TaskOpened(ServiceTask.DELIVERY_UNKNOWN, pathway, f"message {fallen.message.id}"))
            case FollowUp.NONE | FollowUp.OPERATOR:
                pass
        return patient


def _without_address(unit: Unit, patient: Patient, channel: Channel) -> Patient:
    unit.patients.mark_bad(patient.clinic_id, patient.id, channel)
    after = replace(
        patient,
        phone_bad=patient.phone_bad or channel is Channel.SMS,
        email_bad=patient.email_bad or channel is Channel.EMAIL,
    )
    has_phone = after.phone is not None and not after.phone_bad
    has_email = after.email is not None and not after.email_bad
    if after.status is PatientStatus.ACTIVE and not (has_phone or has_email):
        return replace(after, status=PatientStatus.UNREACHABLE)
    return after


def _not_sent(situation: Situation, fallen: Iterable[Fallen]) -> list[tuple[UUID, NotSent]]:
    """The events for reminders that surely did not go. Of an unknown one the pathway must believe that it went."""
    return [
        (message.enrolment_id, NotSent(situation.today, message.step, message.cycle, message.fired))
        for one in fallen
        if (message := one.message).kind is MessageKind.REMINDER
        and message.enrolment_id is not None
        and one.status is not MessageStatus.UNKNOWN
    ]
