"""What a patient chooses on their own page: time, days, language, way, wording, and a pause of everything."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from scheduler.domain.calendar import Weekday, add_months
from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.domain.reacting import reopen
from scheduler.domain.wishes import on_other_days
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services import care
from scheduler.services.care import CareError, Deciding
from scheduler.services.consenting import record_consent
from scheduler.services.patient_page.linking import change_discreet
from scheduler.services.patient_page.opening import BY_PAGE, Bearer
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load_by_mrn, write

_SERVED = (PatientStatus.ACTIVE, PatientStatus.PAUSED, PatientStatus.UNREACHABLE)
_STEP = timedelta(minutes=30)
_LONGEST_WORDING = 64  # characters, what its column holds


class Span(StrEnum):
    """How long a pause lasts."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"
    OPEN = "open"  # until the patient lifts it

    def after(self, today: date) -> date | None:
        """The day on which reminders go on."""
        match self:
            case Span.WEEK:
                return today + timedelta(weeks=1)
            case Span.FORTNIGHT:
                return today + timedelta(weeks=2)
            case Span.MONTH:
                return add_months(today, 1)
            case Span.OPEN:
                return None


@dataclass(frozen=True, slots=True)
class Way:
    """A way to be written to. Where `needs_consent`, the patient has not agreed to it yet."""

    channel: Channel
    address: str
    needs_consent: bool


def times_of(clinic: Clinic) -> list[time]:
    """The times of day at which the clinic writes, half an hour apart."""
    day = datetime(2000, 1, 1)  # noqa: DTZ001 - wall times alone
    at, found = datetime.combine(day, clinic.window.start), []
    while at.date() == day.date() and at.time() in clinic.window:
        found.append(at.time())
        at += _STEP
    return found


def ways_of(patient: Patient, clinic: Clinic) -> list[Way]:
    """The ways by which the patient can be written to, agreed to or not. Marked numbers and addresses are none."""
    found = []
    if patient.phone and not patient.phone_bad and (clinic.sms_from or clinic.messaging_service):
        found.append(Way(Channel.SMS, patient.phone, not patient.sms_consent))
    if patient.email and not patient.email_bad and clinic.email_from:
        found.append(Way(Channel.EMAIL, patient.email, not patient.email_consent))
    return found


def choose_time(store: Store, rules: Rules, bearer: Bearer, at: time, *, now: datetime) -> None:
    """Reminders come at this time of the patient's day. Raises `CareError`."""
    _served(bearer.patient)
    care.set_contact_time(store, rules, _deciding(bearer, now), at)


def choose_days(store: Store, rules: Rules, bearer: Bearer, days: AbstractSet[Weekday], *, now: datetime) -> None:
    """What comes on days of the week comes on these, from tomorrow on. Raises `CareError`."""
    if not days:
        raise CareError("choose at least one day")
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        unit.patients.update([replace(loaded.patient, exercise_days=frozenset(days))], now=now)
        write(unit, rules, loaded, on_other_days(loaded.situation, days))
        _note(unit, loaded, "reminders changed", "days of the week", now)


def choose_language(store: Store, rules: Rules, bearer: Bearer, language: str, *, now: datetime) -> None:
    """Messages come in this language, from the next one on. Raises `CareError`."""
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        if loaded.patient.language == language:
            return
        unit.patients.update([replace(loaded.patient, language=language)], now=now)
        _note(unit, loaded, "language changed", language, now)


def choose_way(
    store: Store, rules: Rules, bearer: Bearer, channel: Channel, *, wording: str | None, now: datetime
) -> None:
    """Reminders come this way. Where consent is wanting, `wording` is what the patient has just agreed to.

    Raises `CareError`; nothing is written then.
    """
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        patient = loaded.patient
        way = next((one for one in ways_of(patient, bearer.clinic) if one.channel is channel), None)
        if way is None:
            raise CareError("there is no number or address for this way")
        if way.needs_consent and wording is None:
            raise CareError("this way needs your agreement")
        if way.needs_consent:
            patient = record_consent(
                unit,
                patient,
                channel,
                granted=True,
                source=ConsentSource.PAGE,
                given_on=loaded.situation.today,
                by=BY_PAGE,
                now=now,
                wording=(wording or "")[:_LONGEST_WORDING],
            )
        after = loaded.with_patient(replace(patient, channel=channel))
        unit.patients.update([after.patient], now=now)
        was_reached = loaded.situation.contact.reach.choose(patient.channel) is not None
        write(unit, rules, after, after.situation.unchanged() if was_reached else reopen(after.situation))
        _note(unit, loaded, "reminders changed", f"by {channel.value}", now)


def choose_wording(store: Store, rules: Rules, bearer: Bearer, *, discreet: bool, now: datetime) -> None:
    """Whether messages say only that there is one. Raises `CareError`."""
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        change_discreet(unit, _deciding(bearer, now), loaded.patient, discreet=discreet)


def pause(store: Store, rules: Rules, bearer: Bearer, span: Span, *, now: datetime) -> None:
    """Hold all reminders. Raises `CareError`, also where the clinic itself has paused them."""
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        gate = unit.pages.gate(bearer.clinic.id, loaded.patient.id)
        if loaded.patient.status is PatientStatus.PAUSED and gate.paused_on is None:
            raise CareError("the clinic has paused your reminders")
        today = loaded.situation.today
        until = span.after(today)
        care.pause_held(unit, rules, loaded, _deciding(bearer, now), until=until)
        unit.pages.keep_gate(replace(gate, paused_on=today, paused_until=until))


def resume(store: Store, rules: Rules, bearer: Bearer, *, now: datetime) -> None:
    """Lift the patient's own pause; the clinic's is not theirs to lift. Raises `CareError`."""
    with store.writing() as unit:
        loaded = _loaded(unit, rules, bearer, now)
        gate = unit.pages.gate(bearer.clinic.id, loaded.patient.id)
        if loaded.patient.status is PatientStatus.PAUSED and gate.paused_on is None:
            raise CareError("the clinic has paused your reminders")
        care.resume_held(unit, rules, loaded, _deciding(bearer, now))


def _loaded(unit: Unit, rules: Rules, bearer: Bearer, now: datetime) -> Loaded:
    loaded = load_by_mrn(unit, rules, bearer.clinic, bearer.patient.mrn, now)
    _served(loaded.patient)
    return loaded


def _served(patient: Patient) -> None:
    if patient.status not in _SERVED:
        raise CareError("your reminders have ended")


def _deciding(bearer: Bearer, now: datetime) -> Deciding:
    return Deciding(clinic=bearer.clinic, mrn=bearer.patient.mrn, by=BY_PAGE, now=now)


def _note(unit: Unit, loaded: Loaded, action: str, detail: str, now: datetime) -> None:
    unit.installation.audit([(loaded.clinic.id, action, loaded.patient.id, detail)], actor=BY_PAGE, now=now)
