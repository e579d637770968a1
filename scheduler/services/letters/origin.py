"""Whose letter it is, and which clinic's: by the mail of ours that it answers, by its recipients, by its sender."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from scheduler.domain.people import Addressee, Channel
from scheduler.ports import Unit
from scheduler.ports.settling import Attempted
from scheduler.records import Clinic, Patient, Sender
from scheduler.services.bounces_notice import comparable
from scheduler.services.letters.letter import Letter
from scheduler.services.routing import last_contacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a letter belongs. `answered` is the patient whose mail it answers, known by an id nobody can guess.

    `is_theirs`: it comes from an address of that patient. `is_known`: from an address of some patient of the clinic.
    """

    clinic: Clinic | None = None
    answered: Patient | None = None
    text: str = ""  # of the mail that it answers
    is_theirs: bool = False
    is_known: bool = False
    is_ours: bool = False  # it comes from a clinic's own address
    written_by: Addressee = Addressee.PATIENT  # who got the mail that it answers


def origin_of(unit: Unit, letter: Letter) -> Origin:
    """Find where a letter belongs. It locks the attempt that the letter answers until the transaction ends."""
    clinics = unit.installation.clinics()
    sender = comparable(letter.sender)
    senders = unit.inbox.senders(Channel.EMAIL, [letter.sender]).get(letter.sender, ())
    is_ours = any(sender == comparable(clinic.email_from) for clinic in clinics.values() if clinic.email_from)
    attempted, patient = _answered(unit, letter.answers)
    if attempted is None or patient is None:
        clinic = _clinic_for(clinics, letter, senders)
        is_known = clinic is not None and any(one.clinic_id == clinic.id for one in senders)
        return Origin(clinic=clinic, is_known=is_known, is_ours=is_ours)
    is_carers = attempted.message.to is Addressee.CARER
    own = attempted.address if is_carers else patient.email
    addresses = {comparable(address) for address in (attempted.address, own) if address}
    return Origin(
        clinic=clinics[attempted.clinic_id],
        answered=patient,
        text=attempted.body,
        is_theirs=sender in addresses,
        is_known=sender in addresses or any(one.clinic_id == attempted.clinic_id for one in senders),
        is_ours=is_ours,
        written_by=attempted.message.to,
    )


def _answered(unit: Unit, answers: Iterable[UUID]) -> tuple[Attempted | None, Patient | None]:
    """The first of these that is a mail of ours, and its patient."""
    for attempt_id in answers:
        tracked = unit.receipts.find(attempt_id, "")
        if tracked is None:
            continue
        attempted = unit.receipts.attempted(tracked)
        if attempted.message.channel is Channel.EMAIL:
            return attempted, unit.patients.get(attempted.clinic_id, attempted.message.patient_id)
    return None, None


def _clinic_for(clinics: Mapping[int, Clinic], letter: Letter, senders: Iterable[Sender]) -> Clinic | None:
    """The clinic that a letter is for, when it answers nothing; None when nothing tells.

    An installation with a single clinic takes in everything, so that no words are lost.
    """
    own = {clinic.id: comparable(clinic.email_from) for clinic in clinics.values() if clinic.email_from}
    addressed = {number: clinics[number] for number, address in own.items() if address in letter.recipients}
    if len(addressed) == 1:
        return next(iter(addressed.values()))
    among = addressed or clinics
    last = last_contacted(one for one in senders if one.clinic_id in among)
    if last is not None:
        return clinics[last.clinic_id]
    return next(iter(among.values())) if addressed or len(clinics) == 1 else None
