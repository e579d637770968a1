"""From a patient draft to a patient record: a new one, or the changes that a later draft makes to an old one.

A later draft changes only what it says differently from the one before it. So a nightly export that still carries
the old contact time does not undo what the patient has since chosen, and a row that still says "consent: yes" does
not bring back somebody who has said STOP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from scheduler.domain.calendar import EVERY_DAY
from scheduler.domain.number_check import UNASKED
from scheduler.domain.people import Channel, ConsentSource, Mobility
from scheduler.records import Clinic, Consent, Patient
from scheduler.services.bad_addresses import with_status_of_addresses
from scheduler.services.consenting import with_consent
from scheduler.services.intake.draft import PatientDraft
from scheduler.services.patient_page.linking import new_key, with_key

_FIELDS = tuple(each.name for each in fields(PatientDraft) if each.name not in ("given", "warnings", "line", "raw"))
_PLAIN = ("name", "birth_date", "phone", "email", "contact_time")
_NOTHING: tuple[Any, ...] = (None, "", [])
_CONSENTS = {Channel.SMS: "sms_consent", Channel.EMAIL: "email_consent"}

LatestConsents = Mapping[Channel, tuple[bool, date]]


@dataclass(frozen=True, slots=True)
class Learnt:
    """How the consent that a draft speaks of was learnt; `wordings` are the versions of the words agreed to."""

    source: ConsentSource = ConsentSource.IMPORT
    wordings: Mapping[Channel, str] = field(default_factory=dict)


BY_LIST = Learnt()


@dataclass(frozen=True, slots=True)
class Merged:
    """The record after a draft, the consents to append, and the draft's fields that said something new."""

    patient: Patient
    consents: tuple[Consent, ...] = ()
    changed: frozenset[str] = frozenset()
    pathways_before: tuple[str, ...] = ()  # those that the source named until now; empty: all


def new_patient(
    patient_id: UUID,
    draft: PatientDraft,
    clinic: Clinic,
    *,
    today: date,
    by: str,
    due: datetime | None = None,
    learnt: Learnt = BY_LIST,
) -> Merged:
    """The first record of a patient, first contacted at `due`. What the draft leaves out is the clinic's default."""
    channel = draft.channel or (Channel.EMAIL if draft.email and not draft.phone else Channel.SMS)
    patient = Patient(
        id=patient_id,
        clinic_id=clinic.id,
        mrn=draft.mrn,
        name=draft.name,
        birth_date=draft.birth_date,
        phone=draft.phone,
        email=draft.email,
        language=draft.language or clinic.language,
        timezone=draft.timezone or clinic.timezone,
        contact_time=draft.contact_time,
        channel=channel,
        mobility=draft.mobility or Mobility.WALKING,
        exercise_days=draft.exercise_days or EVERY_DAY,
        risk_factors=draft.risk_factors,
        sms_consent=draft.sms_consent is True,
        email_consent=draft.email_consent is True,
        is_discreet=draft.discreet is True,
        page_key=new_key() if draft.discreet else None,
        next_contact_at=due,
        source=_canonical(_said(draft)),
    )
    consents = tuple(
        _consent(patient, consented, granted=said, draft=draft, today=today, by=by, learnt=learnt)
        for consented, column in _CONSENTS.items()
        if (said := getattr(draft, column)) is not None
    )
    return Merged(patient, consents, draft.given)


def merge(
    patient: Patient,
    draft: PatientDraft,
    clinic: Clinic,
    *,
    latest: LatestConsents,
    today: date,
    by: str,
    bad: AbstractSet[tuple[Channel, str]] = frozenset(),
) -> Merged:
    """`patient` after a later draft. Nothing in `changed`: the draft says what the one before it said.

    `bad` are numbers and addresses of theirs, in lower case, that nothing may go to: an old list that brings one back
    does not make it right.
    """
    said = _said(draft)
    before: dict[str, Any] = json.loads(patient.source) if patient.source else {}
    changed = frozenset(name for name, value in said.items() if _is_news(before.get(name), value))
    decided = dict(_new_consents(draft, changed, latest))
    changed |= {_CONSENTS[channel] for channel in decided}
    if not changed:
        return Merged(patient)
    after = replace(patient, source=_canonical(before | said), **_values(draft, changed, clinic))
    after = at_other_addresses(patient, with_key(after) if after.is_discreet else after, bad=bad)
    for channel, granted in decided.items():
        after = with_consent(after, channel, granted=granted)
    consents = tuple(
        _consent(after, channel, granted=granted, draft=draft, today=today, by=by)
        for channel, granted in decided.items()
    )
    return Merged(after, consents, changed, pathways_before=tuple(before.get("pathways") or ()))


def at_other_addresses(before: Patient, after: Patient, *, bad: AbstractSet[tuple[Channel, str]]) -> Patient:
    """`after` with what another number or address than `before` makes of the record; `bad` as in `merge`."""
    if after.phone != before.phone:
        is_bad = (Channel.SMS, (after.phone or "").lower()) in bad
        # Who has it now has never read how to stop.
        after = replace(after, phone_bad=is_bad, stop_line_on=None, phone_confirmed=False, number_check=UNASKED)
    if after.email != before.email:
        after = replace(after, email_bad=(Channel.EMAIL, (after.email or "").lower()) in bad)
    return with_status_of_addresses(after)


def _is_news(before: Any, value: Any) -> bool:
    """Whether a source that said `before` now says something else. A column that is new and empty says nothing."""
    return value != before and not (before in _NOTHING and value in _NOTHING)


def _values(draft: PatientDraft, changed: frozenset[str], clinic: Clinic) -> dict[str, Any]:
    """The new values of the record's fields that the draft changes; an emptied one goes back to its default."""
    values: dict[str, Any] = {name: getattr(draft, name) for name in _PLAIN if name in changed}
    defaults: dict[str, Any] = {
        "language": clinic.language,
        "timezone": clinic.timezone,
        "mobility": Mobility.WALKING,
        "exercise_days": EVERY_DAY,
        "risk_factors": (),
    }
    for name, default in defaults.items():
        if name in changed:
            values[name] = getattr(draft, name) or default
    if "channel" in changed and draft.channel is not None:
        values["channel"] = draft.channel
    if "discreet" in changed and draft.discreet is not None:
        values["is_discreet"] = draft.discreet
    return values


def _new_consents(
    draft: PatientDraft, changed: frozenset[str], latest: LatestConsents
) -> Iterator[tuple[Channel, bool]]:
    """What the draft newly says of consent. A revocation is only undone by consent given on a later date."""
    for channel, column in _CONSENTS.items():
        granted = getattr(draft, column)
        known = latest.get(channel)
        is_news = known is None or (known[0] != granted and bool(changed & {column, "consent_date"}))
        if granted is None or not is_news:
            continue
        if granted and known is not None and (draft.consent_date is None or draft.consent_date <= known[1]):
            continue
        yield channel, granted


def _consent(
    patient: Patient,
    channel: Channel,
    *,
    granted: bool,
    draft: PatientDraft,
    today: date,
    by: str,
    learnt: Learnt = BY_LIST,
) -> Consent:
    return Consent(
        patient_id=patient.id,
        clinic_id=patient.clinic_id,
        channel=channel,
        granted=granted,
        source=learnt.source,
        given_on=draft.consent_date or today,
        recorded_by=by,
        wording=learnt.wordings.get(channel),
    )


def _said(draft: PatientDraft) -> dict[str, Any]:
    """What the source says, field by field, in plain JSON values."""
    given = draft.given
    said: dict[str, Any] = {}
    for name in _FIELDS:
        if name in given:
            value = getattr(draft, name)
            said[name] = value if value is None or type(value) in _IS_PLAIN else _plain(value)
    return said


def _plain(value: Any) -> Any:
    match value:
        case frozenset():
            return sorted(int(day) for day in value)
        case tuple():
            return [str(item) for item in value]
        case _:
            return str(value)


_IS_PLAIN = (str, bool)
_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
