"""What patients tell the clinic's people about consent: recorded by them, in force at once. And the whole history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from scheduler.domain.confirming import no_longer_asked
from scheduler.domain.contact import Change
from scheduler.domain.people import Channel, ConsentSource, PatientStatus, StopScope
from scheduler.domain.topics import come_back, has_stopped_topic, only_topic_ends, without_topic
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Consent, Patient
from scheduler.services.consenting import PENDING_FOR, Revocation, record_consent, revoke_topics
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load_by_mrn, write

LONGEST_WORDING = 64  # characters, what its column holds
_VIEWER = "viewer"
_NAMES = {Channel.SMS: "phone number", Channel.EMAIL: "e-mail address"}
_GONE = (PatientStatus.DECEASED, PatientStatus.DISCHARGED)


class ConsentError(ValueError):
    """Consent cannot be recorded as given, and nothing has been. The text says why and what to do; `field` is what is
    wrong of a form."""

    def __init__(self, says: str, *, field: str = "") -> None:
        super().__init__(says)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a patient told a member of staff. `channels` empty: all that there are; `topic` None: everything.

    `on` is the patient's own date of it (None: today), `by` the e-mail address of the member of staff, `wording` the
    version of the words that the patient agreed to.
    """

    mrn: str
    channels: tuple[Channel, ...] = ()
    granted: bool
    source: ConsentSource
    by: str
    on: date | None = None
    wording: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is on record about a patient's consent, oldest first, and what holds now."""

    patient: Patient
    must_confirm: bool  # the number, before anything clinical is texted to it
    stopped_topics: tuple[str, ...]
    history: tuple[Consent, ...]


def consent_of(store: Store, rules: Rules, clinic: Clinic, *, mrn: str, now: datetime) -> Standing:
    """One patient's consent. Raises `UnknownPatientError`."""
    with store.reading() as unit:
        return _standing(unit, load_by_mrn(unit, rules, clinic, mrn, now, lock=False))


def record_told(store: Store, rules: Rules, clinic: Clinic, told: Told, *, now: datetime) -> Standing:
    """Record what a patient told the clinic at `now` (UTC); what is taken back ends as it does by a STOP.

    The call or letter is about this patient alone, whoever else has the number; nothing is sent to confirm it. Raises
    `UnknownPatientError` and `ConsentError`; nothing is written then.
    """
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, clinic, told.mrn, now)
        by = _member(unit, clinic, told.by)
        channels = _channels(loaded.patient, told)
        on = _date(unit, loaded, told, channels)
        _check(loaded, told)
        if told.topic is not None:
            _record_topic(unit, rules, loaded, told, channels, on=on, by=by, now=now)
        elif told.granted:
            _record_given(unit, rules, loaded, told, channels, on=on, by=by, now=now)
        else:
            _record_revoked(unit, rules, loaded, told, channels, on=on, by=by, now=now)
        return _standing(unit, load_by_mrn(unit, rules, clinic, told.mrn, now))


# What it comes to


def _record_given(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    told: Told,
    channels: Sequence[Channel],
    *,
    on: date,
    by: str,
    now: datetime,
) -> None:
    before = loaded.situation.contact
    patient = _record(unit, loaded.patient, told, channels, on=on, by=by, now=now)
    after = loaded.with_patient(patient)
    was_reached = before.status is PatientStatus.ACTIVE and before.reach.choose(before.channel) is not None
    if was_reached and not has_stopped_topic(loaded.situation):
        write(unit, rules, after, after.situation.unchanged())
    else:
        write(unit, rules, after, come_back(after.situation))


def _record_revoked(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    told: Told,
    channels: Sequence[Channel],
    *,
    on: date,
    by: str,
    now: datetime,
) -> None:
    own = [(loaded.clinic.id, loaded.patient.id)]
    patient = _record(unit, loaded.patient, told, channels, on=on, by=by, now=now)
    after = loaded.with_patient(patient)
    is_asked = after.situation.contact.check is not None
    change = replace(
        after.situation.unchanged(),
        tasks=() if is_asked else no_longer_asked(loaded.situation.contact),
    )
    if patient.sms_consent or patient.email_consent:
        for channel in channels:
            unit.stops.void(own, since=now - PENDING_FOR, channel=channel)
    else:
        unit.stops.void(own, since=now - PENDING_FOR)
        change = replace(change, superseded=frozenset(one.id for one in after.situation.enrolments))
    write(unit, rules, after, change)


def _record_topic(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    told: Told,
    channels: Sequence[Channel],
    *,
    on: date,
    by: str,
    now: datetime,
) -> None:
    situation, topic = loaded.situation, told.topic
    assert topic is not None  # noqa: S101 - asked before
    change: Change
    if told.granted:
        records = [replace(_entry(loaded.patient, told, on=on, by=by), channel=channel) for channel in channels]
        unit.patients.record_consents(records, now=now)
        detail = f"{topic} alone, {told.source.value}"
        unit.installation.audit([(loaded.clinic.id, "consent granted", loaded.patient.id, detail)], actor=by, now=now)
        change = come_back(situation, topic)
    else:
        own = [one.id for one in situation.enrolments if one.state.pathway == topic]
        revoked = Revocation(loaded.patient, channels, told.source, on, topic=topic, wording=told.wording)
        revoke_topics(unit, [(revoked, own)], by=by, now=now)
        change = without_topic(situation, topic)
    write(unit, rules, loaded, change)


def _record(
    unit: Unit, patient: Patient, told: Told, channels: Sequence[Channel], *, on: date, by: str, now: datetime
) -> Patient:
    for channel in channels:
        patient = record_consent(
            unit,
            patient,
            channel,
            granted=told.granted,
            source=told.source,
            given_on=on,
            by=by,
            now=now,
            wording=told.wording,
        )
    return patient


def _entry(patient: Patient, told: Told, *, on: date, by: str) -> Consent:
    return Consent(
        patient_id=patient.id,
        clinic_id=patient.clinic_id,
        channel=Channel.SMS,
        granted=told.granted,
        source=told.source,
        given_on=on,
        recorded_by=by,
        wording=told.wording,
        topic=told.topic,
    )


def _standing(unit: Unit, loaded: Loaded) -> Standing:
    patient = loaded.patient
    return Standing(
        patient=patient,
        must_confirm=loaded.situation.contact.check is not None,
        stopped_topics=tuple(one.state.pathway for one in loaded.situation.enrolments if one.state.is_stopped),
        history=tuple(unit.patients.consent_history(patient.clinic_id, patient.id)),
    )


# What is refused


def _member(unit: Unit, clinic: Clinic, email: str) -> str:
    """The address of somebody who may record consent in the clinic."""
    address = email.strip().lower()
    role = unit.installation.staff_role(clinic.id, address)
    if role is None:
        raise ConsentError(
            f"{email} is not on the staff of clinic {clinic.code}; `bonewise staff add --clinic {clinic.code} "
            f"--email {email} --role coordinator` adds them"
        )
    if role == _VIEWER:
        raise ConsentError(f"{email} is a viewer of clinic {clinic.code}, who may look at consent but not record it")
    return address


def _channels(patient: Patient, told: Told) -> tuple[Channel, ...]:
    """The channels it is about. A patient has one where an address is on file."""
    has = {Channel.SMS: patient.phone is not None, Channel.EMAIL: patient.email is not None}
    wanted = told.channels or tuple(channel for channel in Channel if has[channel])
    if not wanted:
        raise ConsentError(
            f"patient {told.mrn} has neither a phone number nor an e-mail address on file, so there is nothing to "
            "agree to; add one by `bonewise import` first"
        )
    for channel in wanted:
        if not has[channel]:
            raise ConsentError(
                f"patient {told.mrn} has no {_NAMES[channel]} on file; add it by `bonewise import`, or choose "
                "another --channel"
            )
    return wanted


def _date(unit: Unit, loaded: Loaded, told: Told, channels: Sequence[Channel]) -> date:
    today = loaded.situation.today
    on = told.on or today
    if on > today:
        raise ConsentError(f"the date {on} is in the future; write the day on which the patient said so", field="on")
    born = loaded.patient.birth_date
    if born is not None and on < born:
        raise ConsentError(f"the date {on} is before the patient's birth; look for a wrong year", field="on")
    latest = unit.patients.latest_consents(loaded.clinic.id, [loaded.patient.id])
    for channel in channels if told.granted else ():
        was_granted, since = latest.get((loaded.patient.id, channel), (True, on))
        if not was_granted and on < since:
            raise ConsentError(
                f"patient {told.mrn} took consent to {channel.value} back on {since}, after {on}; only consent given "
                "since then counts",
                field="on",
            )
    return on


def _check(loaded: Loaded, told: Told) -> None:
    patient, topic = loaded.patient, told.topic
    if told.granted and patient.status in _GONE:
        raise ConsentError(f"patient {told.mrn} is on file as {patient.status.value}: nothing is sent to them")
    if told.wording is not None and not 0 < len(told.wording) <= LONGEST_WORDING:
        raise ConsentError(f"--wording: write 1 to {LONGEST_WORDING} characters, such as the name of the form")
    if topic is None:
        return
    if all(one.state.pathway != topic for one in loaded.situation.enrolments):
        on = ", ".join(one.state.pathway for one in loaded.situation.enrolments) or "none"
        raise ConsentError(f"patient {told.mrn} is not on the pathway '{topic}'; they are on: {on}")
    if told.granted and not (patient.sms_consent or patient.email_consent):
        raise ConsentError(
            f"patient {told.mrn} has taken back all consent, and one topic alone cannot bring it back; record it "
            "without --topic"
        )
    if told.granted:
        return
    if loaded.clinic.stop_scope is not StopScope.TOPIC:
        raise ConsentError(
            f"in clinic {loaded.clinic.code} whoever stops one topic stops all; record it without --topic, or let "
            f"topics end alone by `bonewise clinic set --clinic {loaded.clinic.code} --stop-scope topic`"
        )
    if not only_topic_ends(loaded.situation, topic):
        raise ConsentError(
            f"nothing but '{topic}' is left for patient {told.mrn}: without --topic all consent is taken back"
        )
