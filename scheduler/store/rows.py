"""Between rows of the tables and the records that services use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from scheduler.domain.calendar import Weekday
from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.people import Channel, Mobility, PatientStatus, Reach, RiskFactor
from scheduler.domain.when import ContactWindow
from scheduler.records import Clinic, Patient
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
    )


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
    }


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
        next_contact_at=row.next_contact_at,
        contacted_on=row.contacted_on,
        contacts_that_day=row.contacts_that_day,
        stop_line_on=row.stop_line_on,
        source=vault.open("patients.source", row.source),
    )


def patient_values(patient: Patient, vault: Vault) -> Values:
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
        "next_contact_at": patient.next_contact_at,
        "contacted_on": patient.contacted_on,
        "contacts_that_day": patient.contacts_that_day,
        "stop_line_on": patient.stop_line_on,
        "source": vault.seal("patients.source", patient.source),
    }


def contact_from(row: AnyRow, clinic: Clinic) -> Contact:
    """What the planner needs of a patient, without opening a single sealed column."""
    has_phone = row.phone_index is not None and not row.phone_bad
    has_email = row.email_index is not None and not row.email_bad
    return Contact(
        zone=ZoneInfo(row.timezone),
        contact_time=row.contact_time or clinic.contact_time,
        window=clinic.window,
        weekdays=weekdays_of(row.exercise_days),
        channel=Channel(row.channel),
        reach=Reach(sms=has_phone and row.sms_consent, email=has_email and row.email_consent),
        has_address=has_phone or has_email,
        status=PatientStatus(row.status),
        paused_until=row.paused_until,
        daily_budget=clinic.daily_budget,
        contacted_on=row.contacted_on,
        contacts_that_day=row.contacts_that_day,
        stop_line_on=row.stop_line_on,
        mobility=Mobility(row.mobility),
    )


def contact_values(contact: Contact) -> Values:
    """The columns of `patients` that a decision of the planner may change."""
    return {
        "status": contact.status.value,
        "paused_until": contact.paused_until,
        "contacted_on": contact.contacted_on,
        "contacts_that_day": contact.contacts_that_day,
        "stop_line_on": contact.stop_line_on,
    }


def enrolled_from(row: AnyRow) -> Enrolled:
    return Enrolled(
        id=row.id,
        contact_time=row.contact_time,
        state=Enrolment(
            pathway=row.pathway,
            step=row.step,
            cycle=row.cycle,
            entered_on=row.entered_on,
            timer_on=row.timer_on,
            silence_from=row.silence_from,
            fired=row.fired,
            sent_count=row.sent_count,
            unanswered=row.unanswered,
            week_of=row.week_of,
            done_count=row.done_count,
            done_on=row.done_on,
            is_paused=row.is_paused,
            paused_until=row.paused_until,
            rest_months=row.rest_months,
        ),
    )


def enrolment_values(state: Enrolment) -> Values:
    """The columns of `enrolments` that a step may change."""
    return {
        "step": state.step,
        "cycle": state.cycle,
        "entered_on": state.entered_on,
        "timer_on": state.timer_on,
        "silence_from": state.silence_from,
        "fired": state.fired,
        "sent_count": state.sent_count,
        "unanswered": state.unanswered,
        "week_of": state.week_of,
        "done_count": state.done_count,
        "done_on": state.done_on,
        "is_paused": state.is_paused,
        "paused_until": state.paused_until,
        "rest_months": state.rest_months,
    }


def new_enrolments(new: Iterable[tuple[UUID, int, Enrolled, date]]) -> Iterator[Values]:
    """The rows of enrolments of (patient, clinic), made on a local date. Those who begin alike share their state."""
    states: dict[int, tuple[Enrolment, Values]] = {}  # with the state itself, so that its identity stays taken
    for patient_id, clinic_id, enrolled, on in new:
        state = enrolled.state
        if id(state) not in states:
            states[id(state)] = state, {"pathway": state.pathway, **enrolment_values(state)}
        known = states[id(state)][1]
        yield {
            "id": enrolled.id,
            "clinic_id": clinic_id,
            "patient_id": patient_id,
            "contact_time": enrolled.contact_time,
            "enrolled_on": on,
            **known,
        }
