"""Between rows of the tables and the records that services use."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import fields
from datetime import date, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, ScalarSelect, select

from scheduler.domain.calendar import Weekday
from scheduler.domain.changing import built
from scheduler.domain.contact import Contact
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.messages import MessageKind
from scheduler.domain.number_check import NumberCheck, Ways
from scheduler.domain.people import (
    Addressee,
    CarerMode,
    Channel,
    ConsentSource,
    Mobility,
    PatientStatus,
    RiskFactor,
    StopScope,
)
from scheduler.domain.when import ContactWindow
from scheduler.records import Clinic, Consent, Patient
from scheduler.store.recurring import Recurring
from scheduler.store.tables import messages, patients
from scheduler.store.vault import Vault

Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]


@lru_cache(maxsize=256)
def weekdays_of(bits: int) -> frozenset[Weekday]:
    """Days of the week from their bits; bit 0 is Monday."""
    return frozenset(day for day in Weekday if bits >> day & 1)


def weekday_bits(days: AbstractSet[Weekday]) -> int:
    return sum(1 << day for day in days)


def clinic_from(row: AnyRow) -> Clinic:
    return Clinic(
        id=row.id,
        code=row.code,
        name=row.name,
        message_name=row.message_name,
        timezone=row.timezone,
        country=row.country,
        language=row.language,
        phone=row.phone,
        sms_from=row.sms_from,
        messaging_service=row.messaging_service,
        email_from=row.email_from,
        messages_per_second=row.messages_per_second,
        window=ContactWindow(row.window_start, row.window_end),
        contact_time=row.contact_time,
        daily_budget=row.daily_budget,
        is_sample=row.is_sample,
        holidays=row.holidays,
        closed_days=_dates_of(row.closed_days),
        digest_to=row.digest_to,
        digest_at=row.digest_at,
        duty_email=row.duty_email,
        name_on_shared=row.name_on_shared,
        stop_scope=StopScope(row.stop_scope),
        confirm_numbers=row.confirm_numbers,
        pathways=None if row.pathways is None else frozenset(each for each in row.pathways.split(";") if each),
    )


@lru_cache(maxsize=256)
def _dates_of(written: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(each) for each in written.split(";") if each)


def clinic_values(clinic: Clinic) -> Values:
    return {
        "code": clinic.code,
        "name": clinic.name,
        "message_name": clinic.message_name,
        "timezone": clinic.timezone,
        "country": clinic.country,
        "language": clinic.language,
        "phone": clinic.phone,
        "sms_from": clinic.sms_from,
        "messaging_service": clinic.messaging_service,
        "email_from": clinic.email_from,
        "messages_per_second": clinic.messages_per_second,
        "window_start": clinic.window.start,
        "window_end": clinic.window.end,
        "contact_time": clinic.contact_time,
        "daily_budget": clinic.daily_budget,
        "is_sample": clinic.is_sample,
        "holidays": clinic.holidays,
        "closed_days": ";".join(sorted(day.isoformat() for day in clinic.closed_days)),
        "digest_to": clinic.digest_to,
        "digest_at": clinic.digest_at,
        "duty_email": clinic.duty_email,
        "name_on_shared": clinic.name_on_shared,
        "stop_scope": clinic.stop_scope.value,
        "confirm_numbers": clinic.confirm_numbers,
        "pathways": None if clinic.pathways is None else ";".join(sorted(clinic.pathways)),
    }


def consent_from(row: AnyRow) -> Consent:
    return Consent(
        patient_id=row.patient_id,
        clinic_id=row.clinic_id,
        channel=Channel(row.channel),
        topic=row.topic,
        granted=row.granted,
        source=ConsentSource(row.source),
        given_on=row.given_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        wording=row.wording,
    )


def patient_from(row: Any, vault: Vault) -> Patient:
    """A patient from anything with the columns of `patients` as attributes."""
    born = vault.open("patients.birth_date", row.birth_date)
    return Patient(
        id=row.id,
        clinic_id=row.clinic_id,
        mrn=row.mrn,
        name=vault.open("patients.name", row.name) or "",
        birth_date=date.fromisoformat(born) if born else None,
        phone=vault.open("patients.phone", row.phone),
        email=vault.open("patients.email", row.email),
        language=row.language,
        timezone=row.timezone,
        contact_time=row.contact_time,
        channel=Channel(row.channel),
        mobility=Mobility(row.mobility),
        exercise_days=weekdays_of(row.exercise_days),
        risk_factors=tuple(RiskFactor(name) for name in row.risk_factors.split(";") if name),
        status=PatientStatus(row.status),
        paused_until=row.paused_until,
        sms_consent=row.sms_consent,
        email_consent=row.email_consent,
        phone_bad=row.phone_bad,
        email_bad=row.email_bad,
        carer_mode=CarerMode(row.carer_mode) if row.carer_mode else None,
        carer_channel=Channel(row.carer_channel) if row.carer_channel else None,
        next_contact_at=row.next_contact_at,
        contacted_on=row.contacted_on,
        contacts_that_day=row.contacts_that_day,
        stop_line_on=row.stop_line_on,
        phone_confirmed=row.confirmed_index is not None and row.confirmed_index == row.phone_index,
        number_check=NumberCheck(row.confirm_asks, row.confirm_asked_on),
        is_discreet=row.is_discreet,
        page_key=row.page_key,
        source=vault.open("patients.source", row.source),
    )


def patient_values(patient: Patient, vault: Vault) -> Values:
    """The columns of a whole record, but for `confirmed_index`: a record that is written confirms no number."""
    phone, email = patient.phone, patient.email
    return {
        "id": patient.id,
        "clinic_id": patient.clinic_id,
        "mrn": patient.mrn,
        "name": vault.seal("patients.name", patient.name),
        "birth_date": vault.seal(
            "patients.birth_date", patient.birth_date.isoformat() if patient.birth_date else None
        ),
        "phone": vault.seal("patients.phone", phone),
        "phone_index": vault.index("patients.phone", phone) if phone else None,
        "email": vault.seal("patients.email", email),
        "email_index": vault.index("patients.email", email.lower()) if email else None,
        "language": patient.language,
        "timezone": patient.timezone,
        "contact_time": patient.contact_time,
        "channel": patient.channel.value,
        "mobility": patient.mobility.value,
        "exercise_days": weekday_bits(patient.exercise_days),
        "risk_factors": ";".join(factor.value for factor in patient.risk_factors),
        "status": patient.status.value,
        "paused_until": patient.paused_until,
        "sms_consent": patient.sms_consent,
        "email_consent": patient.email_consent,
        "phone_bad": patient.phone_bad,
        "email_bad": patient.email_bad,
        "carer_mode": patient.carer_mode.value if patient.carer_mode else None,
        "carer_channel": patient.carer_channel.value if patient.carer_channel else None,
        "next_contact_at": patient.next_contact_at,
        "contacted_on": patient.contacted_on,
        "contacts_that_day": patient.contacts_that_day,
        "stop_line_on": patient.stop_line_on,
        "confirm_asks": patient.number_check.asks,
        "confirm_asked_on": patient.number_check.asked_on,
        "is_discreet": patient.is_discreet,
        "page_key": patient.page_key,
        "source": vault.seal("patients.source", patient.source),
    }


CONTACT = Recurring(
    (
        patients.c.clinic_id,
        patients.c.phone_index.is_not(None).label("has_phone"),
        patients.c.phone_bad,
        patients.c.sms_consent,
        (patients.c.confirmed_index == patients.c.phone_index).label("is_confirmed"),
        patients.c.confirm_asks,
        patients.c.confirm_asked_on,
        patients.c.email_index.is_not(None).label("has_email"),
        patients.c.email_bad,
        patients.c.email_consent,
        patients.c.timezone,
        patients.c.contact_time,
        patients.c.exercise_days,
        patients.c.channel,
        patients.c.mobility,
        patients.c.status,
        patients.c.paused_until,
        patients.c.contacted_on,
        patients.c.contacts_that_day,
        patients.c.stop_line_on,
        patients.c.carer_mode,
        patients.c.carer_channel,
    )
)
"""What the planner needs to know of a patient."""


def contact_from(row: Any, clinic: Clinic) -> Contact:
    """What the planner needs of a patient, without opening a single sealed column."""
    has_phone = row.has_phone and not row.phone_bad
    has_email = row.has_email and not row.email_bad
    reach, check = Ways(
        has_phone=has_phone,
        sms_consent=row.sms_consent,
        is_confirmed=bool(row.is_confirmed),
        has_email=has_email,
        email_consent=row.email_consent,
        confirms_numbers=clinic.confirm_numbers,
        check=NumberCheck(row.confirm_asks, row.confirm_asked_on),
    ).reach()
    own = Contact(
        zone=ZoneInfo(row.timezone),
        contact_time=row.contact_time or clinic.contact_time,
        window=clinic.window,
        weekdays=weekdays_of(row.exercise_days),
        channel=Channel(row.channel),
        reach=reach,
        has_address=has_phone or has_email,
        status=PatientStatus(row.status),
        paused_until=row.paused_until,
        daily_budget=clinic.daily_budget,
        contacted_on=row.contacted_on,
        contacts_that_day=row.contacts_that_day,
        stop_line_on=row.stop_line_on,
        mobility=Mobility(row.mobility),
        stop_scope=clinic.stop_scope,
        check=check,
    )
    if row.carer_mode is None:
        return own
    return own.with_carer(CarerMode(row.carer_mode), Channel(row.carer_channel))


def contact_values(contact: Contact) -> Values:
    """The columns of `patients` that a decision of the planner may change."""
    return {
        "status": contact.status.value,
        "paused_until": contact.paused_until,
        "contacted_on": contact.contacted_on,
        "contacts_that_day": contact.contacts_that_day,
        "stop_line_on": contact.stop_line_on,
        "confirm_asks": contact.check.asks if contact.check else 0,
        "confirm_asked_on": contact.check.asked_on if contact.check else None,
    }


def state_from(row: Any) -> Enrolment:
    """Where a patient stands, from the columns `pathway` and `STATE`, which are its fields in their order."""
    return built(Enrolment, row)


MESSAGE = Recurring(
    (
        messages.c.kind,
        messages.c.channel,
        messages.c.pathway,
        messages.c.step,
        messages.c.cycle,
        messages.c.fired,
        messages.c.template,
        messages.c.activity_turn.label("turn"),
        messages.c["count"].label("times"),
        messages.c.stop_line,
        messages.c.due_date,
        messages.c.send_from,
        messages.c.send_until,
        messages.c.attempts,
        messages.c.recipient.label("to"),
    )
)
"""What the messages of one morning have in common."""


def message_values(row: Any) -> tuple[Any, ...]:
    """The fields of a `LedgerMessage` that `MESSAGE` holds, in their order."""
    named = row._replace(kind=MessageKind(row.kind), channel=Channel(row.channel), to=Addressee(row.to))
    same: tuple[Any, ...] = tuple(named)
    return same


STATE = tuple(field.name for field in fields(Enrolment) if field.name != "pathway")
"""The columns of `enrolments` that a step may change, named as the state's own fields."""


def enrolment_values(state: Enrolment) -> Values:
    """The columns that a step may change."""
    return {name: getattr(state, name) for name in STATE}


def new_enrolment_values(clinic_id: int, state: Enrolment, contact_time: time | None, on: date) -> Values:
    """The columns that a new enrolment of a clinic, made on a local date, shares with those that begin alike."""
    return {
        "clinic_id": clinic_id,
        "pathway": state.pathway,
        "contact_time": contact_time,
        "enrolled_on": on,
        **enrolment_values(state),
    }


def patient_id_of(clinic_id: int, mrn: str | ColumnElement[str]) -> ScalarSelect[Any]:
    """The id of the patient with this MRN, to be looked up first: then what is theirs is found by its index."""
    theirs = patients.alias()
    return select(theirs.c.id).where(theirs.c.clinic_id == clinic_id, theirs.c.mrn == mrn).scalar_subquery()
