"""One reply on its way to be understood: who wrote it, about whom, and all that it is heard by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.languages import language_chain
from scheduler.domain.people import Addressee, ConsentSource, PatientStatus
from scheduler.domain.reacting import Situation
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import ON_PAGE, Carer, Clinic, HeldReply, Patient, Reply
from scheduler.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Case:
    """One reply of a patient, or of their carer."""

    held: HeldReply
    clinic: Clinic
    enrolled: tuple[Enrolled, ...]
    carer: Carer | None = None  # when it is they who wrote
    is_own_pause: bool = False  # the patient paused all reminders themselves

    @property
    def reply(self) -> Reply:
        return self.held.reply

    @property
    def patient(self) -> Patient:
        return self.held.patient

    @property
    def is_open(self) -> bool:
        """Whether whoever wrote may be answered the same way."""
        channel = self.reply.channel
        if self.reply.written_by is Addressee.CARER:
            return self.carer is not None and self.carer.may_be_written_to and self.carer.channel is channel
        contact = self.patient.contact(self.clinic)
        return (contact.own or contact.reach).has(channel)

    @property
    def contact(self) -> Contact:
        """The patient's, with the way by which this reply came open as well if it may be answered."""
        contact = self.patient.contact(self.clinic)
        return contact.also_on(self.reply.channel) if self.is_open else contact

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of whoever wrote, best first."""
        writer = self.carer or self.patient
        return language_chain(writer.language, self.clinic.language)

    @property
    def today(self) -> date:
        """The patient's date when it was written."""
        return local_date(self.reply.received_at, self.contact.zone)

    @property
    def source(self) -> ConsentSource:
        """Who tells us of a decision about consent."""
        if self.reply.sender == ON_PAGE:
            return ConsentSource.PAGE
        return ConsentSource.PROVIDER if self.reply.opt_out is not None else ConsentSource.REPLY

    def situation(self, rules: Rules) -> Situation:
        """Where the patient stood when it was written; on their own page they see which question they answer."""
        reply = self.reply
        return Situation(
            self.contact,
            self.enrolled,
            rules.pathways,
            reply.received_at,
            about=reply.pathway,
            is_own_pause=self.is_own_pause,
        )


def cases_of(unit: Unit, held: Sequence[HeldReply]) -> list[Case]:
    """The replies with what is known of those they are about."""
    clinics = unit.installation.clinics()
    enrolled = unit.patients.enrolments([one.patient.id for one in held])
    by_carers = [one for one in held if one.reply.written_by is Addressee.CARER]
    carers = unit.carers.of((one.patient.clinic_id, one.patient.id) for one in by_carers)
    return [
        Case(
            one,
            clinics[one.patient.clinic_id],
            enrolled.get(one.patient.id, ()),
            carers.get(one.patient.id) if one.reply.written_by is Addressee.CARER else None,
            _has_paused(unit, one.patient),
        )
        for one in held
    ]


def _has_paused(unit: Unit, patient: Patient) -> bool:
    """Whether the patient's reminders are paused, and by themselves: on their own page."""
    if patient.status is not PatientStatus.PAUSED:
        return False
    return unit.pages.gate(patient.clinic_id, patient.id).paused_on is not None
