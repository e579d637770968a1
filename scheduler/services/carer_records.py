"""What staff do about a patient's carer: name one, look, take one away. Bad input is refused whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.domain.people import CarerMode, Channel, ConsentSource
from scheduler.domain.when import local_date
from scheduler.ids import new_id
from scheduler.ports import Store, Unit
from scheduler.records import Carer, Clinic, Patient
from scheduler.services.carers import follow, record
from scheduler.services.intake.draft import FieldError, PhoneCheck
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.phones import parse_phone
from scheduler.services.rules import Rules
from scheduler.services.situations import UnknownPatientError

_VIEWER = "viewer"
_LONGEST_NAME = 120


class CarerError(ValueError):
    """It cannot be done as asked. The text says why and what to do."""


class Outcome(StrEnum):
    """What naming a carer came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarerWish:
    """A carer as the options describe them: a number or an e-mail address, on which they agreed to be written to.

    `consented_on` is the date on which they did so, of the clinic.
    """

    name: str
    mode: CarerMode
    consented_on: date
    phone: str | None = None
    email: str | None = None
    language: str | None = None
    phone_check: PhoneCheck = PhoneCheck.VALID


def set_carer(
    store: Store, rules: Rules, clinic: Clinic, mrn: str, wish: CarerWish, *, by: str, now: datetime
) -> Outcome:
    """Make somebody the carer of a patient, or change what is on record of them; the same again changes nothing.

    Another number or address is another carer: the one before gets nothing any more, and stays on record. Raises
    `CarerError` or `UnknownPatientError`; nothing is changed then.
    """
    with store.writing() as unit:
        signed = _able(unit, clinic, by)
        patient = _patient(unit, clinic, mrn)
        wanted = _wanted(clinic, patient, wish, now)
        before = unit.carers.of([(clinic.id, patient.id)]).get(patient.id)
        is_same = before is not None and (before.channel, before.address) == (wanted.channel, wanted.address)
        if before is None or not is_same:
            if before is not None:
                unit.carers.remove(before, now=now)
            unit.carers.add(wanted, now=now)
            _consent(unit, wanted, wish.consented_on, by=signed, now=now)
            outcome = Outcome.UPDATED if before is not None else Outcome.CREATED
        else:
            outcome = _change(unit, before, wanted, wish.consented_on, by=signed, now=now)
        if outcome is not Outcome.UNCHANGED:
            entry = (clinic.id, "carer set", patient.id, f"{wanted.mode.value}, {wanted.channel.value}")
            unit.installation.audit([entry], actor=signed, now=now)
            follow(unit, rules, clinic, patient.id, now=now)
        return outcome


def remove_carer(store: Store, rules: Rules, clinic: Clinic, mrn: str, *, by: str, now: datetime) -> bool:
    """The patient has no carer any more; False when there was none. Raises `CarerError`, `UnknownPatientError`."""
    with store.writing() as unit:
        signed = _able(unit, clinic, by)
        patient = _patient(unit, clinic, mrn)
        carer = unit.carers.of([(clinic.id, patient.id)]).get(patient.id)
        if carer is None:
            return False
        unit.carers.remove(carer, now=now)
        unit.installation.audit([(clinic.id, "carer removed", patient.id, "")], actor=signed, now=now)
        follow(unit, rules, clinic, patient.id, now=now)
        return True


def carer_row(unit: Unit, clinic: Clinic, mrn: str) -> dict[str, Any] | None:
    """A patient's carer with the record of their consent; None when there is none. Raises `UnknownPatientError`."""
    patient = unit.patients.by_mrn(clinic.id, [mrn]).get(mrn)
    if patient is None:
        raise UnknownPatientError(mrn, clinic)
    carer = unit.carers.of([(clinic.id, patient.id)]).get(patient.id)
    if carer is None:
        return None
    return {
        "patient": patient.mrn,
        "name": carer.name,
        "phone": carer.address if carer.channel is Channel.SMS else None,
        "email": carer.address if carer.channel is Channel.EMAIL else None,
        "mode": carer.mode.value,
        "language": carer.language,
        "consent": carer.consent,
        "works": not carer.is_bad,
        "history": [
            {
                "granted": one.granted,
                "channel": one.channel.value,
                "source": one.source.value,
                "given_on": one.given_on,
                "recorded_at": one.recorded_at,
                "recorded_by": one.recorded_by,
            }
            for one in unit.carers.consents(clinic.id, carer.id)
        ],
    }


def _change(unit: Unit, before: Carer, wanted: Carer, on: date, *, by: str, now: datetime) -> Outcome:
    """Write what is new of a carer who is on record. Somebody who has stopped needs to have agreed again since."""
    latest = next(reversed(unit.carers.consents(before.clinic_id, before.id)), None)
    is_anew = not before.consent
    if is_anew and latest is not None and on <= latest.given_on:
        raise CarerError(
            f"the carer took their consent back on {latest.given_on}; give the later date on which they agreed again "
            "with --consent-date"
        )
    after = replace(wanted, id=before.id, is_bad=before.is_bad)
    if after == before:
        return Outcome.UNCHANGED
    unit.carers.update(after)
    if is_anew:
        _consent(unit, after, on, by=by, now=now)
    return Outcome.UPDATED


def _consent(unit: Unit, carer: Carer, on: date, *, by: str, now: datetime) -> None:
    record(unit, carer, granted=True, source=ConsentSource.STAFF, given_on=on, by=by, now=now)


def _patient(unit: Unit, clinic: Clinic, mrn: str) -> Patient:
    patient = unit.patients.by_mrn(clinic.id, [mrn], lock=True).get(mrn)
    if patient is None:
        raise UnknownPatientError(mrn, clinic)
    return patient


def _able(unit: Unit, clinic: Clinic, email: str) -> str:
    address = email.strip().lower()
    role = unit.installation.staff_role(clinic.id, address)
    if role is None:
        raise CarerError(
            f"--by: {email} is not on the staff of clinic {clinic.code}; `bonewise staff add --clinic {clinic.code} "
            f"--email {email} --role coordinator` adds them"
        )
    if role == _VIEWER:
        raise CarerError(f"--by: {email} is a viewer of clinic {clinic.code}, who may look but not change anything")
    return address


def _wanted(clinic: Clinic, patient: Patient, wish: CarerWish, now: datetime) -> Carer:
    name = " ".join(wish.name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise CarerError(f"--name: write the carer's name, at most {_LONGEST_NAME} characters")
    if (wish.phone is None) == (wish.email is None):
        raise CarerError("give either --phone or --email: the one on which the carer agreed to be written to")
    if wish.consented_on > local_date(now, ZoneInfo(clinic.timezone)):
        raise CarerError(f"--consent-date: {wish.consented_on} has not come yet; write the day on which they agreed")
    channel, address = _address(clinic, wish)
    own = patient.phone if channel is Channel.SMS else patient.email
    if wish.mode is CarerMode.BESIDE and own is not None and own.lower() == address.lower():
        raise CarerError(
            "that is the patient's own number or address, which would get every reminder twice; use --mode instead, "
            "or give the carer's own"
        )
    return Carer(
        id=new_id(),
        clinic_id=clinic.id,
        patient_id=patient.id,
        name=name,
        channel=channel,
        address=address,
        language=_read("--language", parse_language, wish.language) if wish.language else patient.language,
        mode=wish.mode,
        consent=True,
    )


def _address(clinic: Clinic, wish: CarerWish) -> tuple[Channel, str]:
    if wish.phone is not None:
        try:
            number = parse_phone(wish.phone.strip(), country=clinic.country, check=wish.phone_check)
        except FieldError as error:
            raise CarerError(f"--phone: {error}") from error
        if number.landline:
            raise CarerError("--phone: this is a landline, which gets no texts; give a mobile number, or --email")
        return Channel.SMS, number.number
    if not clinic.email_from:
        raise CarerError(
            f"--email: clinic {clinic.code} has no sender for e-mail; `bonewise clinic set --clinic {clinic.code} "
            "--email-from ADDRESS` gives it one"
        )
    return Channel.EMAIL, _read("--email", parse_email, wish.email or "")


def _read(option: str, parse: Any, text: str) -> str:
    try:
        found: str = parse(text.strip())
    except FieldError as error:
        raise CarerError(f"{option}: {error}") from error
    return found
