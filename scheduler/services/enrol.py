"""Enrolling patients, one or many: drafts in, records and their first steps out, in one transaction a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.calendar import EVERY_DAY, Weekday
from scheduler.domain.contact import Enrolled
from scheduler.domain.enrolment import Enrolment, Event, Paused, Resumed
from scheduler.domain.messages import MessageKind
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.planning import next_contact
from scheduler.domain.reacting import Situation
from scheduler.domain.stepping import begin
from scheduler.domain.when import local_date
from scheduler.ids import new_id, new_ids
from scheduler.ports import Unit
from scheduler.records import Clinic, Consent, Patient
from scheduler.services.changes import Decided, write_changes
from scheduler.services.intake.draft import Excluded, Exclusion, PatientDraft
from scheduler.services.merging import BY_LIST, LatestConsents, Learnt, Merged, merge, new_patient
from scheduler.services.replanning import replanned
from scheduler.services.rules import Rules
from scheduler.services.settled_tasks import close_settled


class Fate(StrEnum):
    """What became of one draft."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    patient: Patient
    consents: tuple[Consent, ...]
    enrolled: tuple[Enrolled, ...]


class Enroller:
    """Enrols the patients of one clinic. One object serves one import: it remembers what patients share."""

    def __init__(self, rules: Rules, clinic: Clinic, *, now: datetime, by: str, learnt: Learnt = BY_LIST) -> None:
        """`learnt` is how new patients' consent came to be known."""
        self._learnt = learnt
        self._rules = rules
        self._clinic = clinic
        self._now = now
        self._by = by
        self._begun: dict[tuple[tuple[str, ...], date, frozenset[Weekday]], tuple[Enrolment, ...]] = {}
        self._next: dict[tuple[object, ...], datetime | None] = {}
        self._todays: dict[str, date] = {}

    @property
    def clinic_id(self) -> int:
        """The clinic that enrols."""
        return self._clinic.id

    def enrol(self, unit: Unit, drafts: Sequence[PatientDraft], *, write: bool = True) -> Counter[Fate]:
        """Create or update the patients of `drafts` (each MRN once). Without `write`, only says what would happen."""
        known = unit.patients.by_mrn(self._clinic.id, [draft.mrn for draft in drafts], lock=write)
        latest = self._latest_consents(unit, list(known.values()))
        bad = unit.numbers.bad_of(self._clinic.id, [one.id for one in known.values()]) if known else {}
        fates: Counter[Fate] = Counter()
        created: list[_New] = []
        changed: list[tuple[Patient, Merged, PatientDraft]] = []
        for draft in drafts:
            patient = known.get(draft.mrn)
            if patient is None:
                created.append(self._create(draft))
                fates[Fate.CREATED] += 1
                continue
            merged = merge(
                patient,
                draft,
                self._clinic,
                latest=latest.get(patient.id, {}),
                today=self._today(patient.timezone),
                by=self._by,
                bad=bad.get(patient.id, frozenset()),
            )
            if merged.changed:
                changed.append((patient, merged, draft))
            fates[Fate.UPDATED if merged.changed else Fate.UNCHANGED] += 1
        if write:
            self._write_new(unit, created)
            self._write_changed(unit, changed)
        return fates

    def take_off(self, unit: Unit, excluded: Sequence[Excluded]) -> None:
        """A patient on file whom the source now calls deceased, inactive or merged gets nothing more."""
        reasons = {one.mrn: one.reason for one in excluded if one.mrn is not None}
        if not reasons:
            return
        found = unit.patients.by_mrn(self._clinic.id, list(reasons), lock=True)
        for mrn, patient in found.items():
            status = _STATUS_OF[reasons[mrn]]
            if patient.status is status:
                continue
            off = replace(patient, status=status, next_contact_at=None)
            unit.patients.update([off], now=self._now)
            close_settled(unit, patient, off, now=self._now)
            enrolled = unit.patients.enrolments([patient.id]).get(patient.id, ())
            unit.ledger.supersede([one.id for one in enrolled], clinic_id=self._clinic.id)
            self._audit(unit, [("patient taken off", patient.id, status.value)])

    # New patients

    def _create(self, draft: PatientDraft) -> _New:
        today = self._today(draft.timezone or self._clinic.timezone)
        states = self._first_states(draft.pathways, today, draft.exercise_days or EVERY_DAY)
        patient_id, *enrolment_ids = new_ids(1 + len(states))
        enrolled = tuple([Enrolled(id=own, state=state) for own, state in zip(enrolment_ids, states, strict=True)])
        due = self._first_contact(draft, enrolled)
        merged = new_patient(patient_id, draft, self._clinic, today=today, by=self._by, due=due, learnt=self._learnt)
        return _New(patient=merged.patient, consents=merged.consents, enrolled=enrolled)

    def _first_contact(self, draft: PatientDraft, enrolled: tuple[Enrolled, ...]) -> datetime | None:
        """Patients of one zone, hour and plan share their first instant, and most of a clinic's do."""
        is_asked = self._clinic.confirm_numbers and bool(draft.sms_consent and draft.phone)
        key = (draft.timezone, draft.contact_time, draft.exercise_days, draft.pathways, is_asked)
        if key not in self._next:
            today = self._today(draft.timezone or self._clinic.timezone)
            anybody = new_patient(new_id(), draft, self._clinic, today=today, by=self._by).patient
            contact = anybody.contact(self._clinic)
            self._next[key] = next_contact(contact, enrolled, self._rules.pathways, self._now)
        return self._next[key]

    def _first_states(self, names: tuple[str, ...], on: date, weekdays: frozenset[Weekday]) -> tuple[Enrolment, ...]:
        key = (names, on, weekdays)
        if key not in self._begun:
            self._begun[key] = tuple(
                begin(pathway, on=on, weekdays=weekdays).enrolment for pathway in self._wanted(names)
            )
        return self._begun[key]

    def _wanted(self, names: tuple[str, ...]) -> list[Pathway]:
        if not names:
            chosen = self._clinic.pathways
            if chosen is not None:
                return [p for p in self._rules.pathways.values() if p.name in chosen]
            return [p for p in self._rules.pathways.values() if p.name not in self._rules.off_by_default]
        return [self._rules.pathways[name] for name in names]

    def _write_new(self, unit: Unit, created: Sequence[_New]) -> None:
        unit.patients.insert([one.patient for one in created], now=self._now)
        unit.patients.insert_enrolments(
            [
                (one.patient.id, self._clinic.id, enrolled, today)
                for one in created
                if (today := self._today(one.patient.timezone))
                for enrolled in one.enrolled
            ]
        )
        unit.patients.record_consents((consent for one in created for consent in one.consents), now=self._now)
        self._audit(unit, [("patient enrolled", one.patient.id, "") for one in created])

    # Known patients

    def _write_changed(self, unit: Unit, changed: Sequence[tuple[Patient, Merged, PatientDraft]]) -> None:
        if not changed:
            return
        enrolments = unit.patients.enrolments([patient.id for patient, _, _ in changed])
        consents: list[Consent] = []
        decisions: list[Decided] = []
        for before, merged, draft in changed:
            patient = merged.patient
            consents += merged.consents
            enrolled = enrolments.get(patient.id, ())
            if "pathways" in merged.changed:
                enrolled = self._match_pathways(unit, merged, enrolled, draft.pathways)
            decisions.append(self._replan(unit, before, patient, enrolled))
        unit.patients.update((merged.patient for _, merged, _ in changed), now=self._now)
        unit.patients.record_consents(consents, now=self._now)
        write_changes(unit, self._rules, decisions, now=self._now)
        for before, merged, _ in changed:
            if merged.changed & _SETTLING:
                close_settled(unit, before, merged.patient, now=self._now)
        self._audit(
            unit,
            [("patient updated", merged.patient.id, ",".join(sorted(merged.changed))) for _, merged, _ in changed],
        )

    def _replan(self, unit: Unit, before: Patient, patient: Patient, enrolled: tuple[Enrolled, ...]) -> Decided:
        """What a changed record makes of the plan."""
        return replanned(unit, self._rules, self._clinic, before, patient, enrolled, now=self._now)

    def _match_pathways(
        self, unit: Unit, merged: Merged, enrolled: tuple[Enrolled, ...], names: tuple[str, ...]
    ) -> tuple[Enrolled, ...]:
        """Begin pathways that are newly wanted, and hold those that no longer are."""
        patient = merged.patient
        today = self._today(patient.timezone)
        were_wanted = {pathway.name for pathway in self._wanted(merged.pathways_before)}
        wanted = {pathway.name: pathway for pathway in self._wanted(names)}
        have = {one.state.pathway for one in enrolled}
        added = [
            Enrolled(id=new_id(), state=begin(pathway, on=today, weekdays=patient.exercise_days).enrolment)
            for name, pathway in wanted.items()
            if name not in have
        ]
        unit.patients.insert_enrolments([(patient.id, self._clinic.id, one, today) for one in added])
        situation = Situation(patient.contact(self._clinic), enrolled, self._rules.pathways, self._now)
        held = situation.react(
            situation.each(
                lambda one: _held_or_freed(
                    one, today, is_wanted=one.state.pathway in wanted, was_wanted=one.state.pathway in were_wanted
                )
            ),
            kind=MessageKind.NOTICE,
        )
        unit.patients.update_enrolments((self._clinic.id, one.id, one.state) for one in held.enrolments)
        unit.ledger.supersede(list(held.superseded), clinic_id=self._clinic.id)
        return (*held.enrolments, *added)

    # Small steps

    def _latest_consents(self, unit: Unit, patients: Sequence[Patient]) -> Mapping[UUID, LatestConsents]:
        if not patients:
            return {}
        found: dict[UUID, dict[Channel, tuple[bool, date]]] = {}
        latest = unit.patients.latest_consents(self._clinic.id, [patient.id for patient in patients])
        for (patient_id, channel), record in latest.items():
            found.setdefault(patient_id, {})[channel] = record
        return found

    def _today(self, timezone: str) -> date:
        if timezone not in self._todays:
            self._todays[timezone] = local_date(self._now, ZoneInfo(timezone))
        return self._todays[timezone]

    def _audit(self, unit: Unit, entries: Sequence[tuple[str, UUID, str]]) -> None:
        unit.installation.audit(
            [(self._clinic.id, action, patient_id, detail[:255]) for action, patient_id, detail in entries],
            actor=self._by,
            now=self._now,
        )


_SETTLING = frozenset({"phone", "email", "sms_consent", "email_consent"})  # what may settle a task

_STATUS_OF = {
    Exclusion.DECEASED: PatientStatus.DECEASED,
    Exclusion.INACTIVE: PatientStatus.DISCHARGED,
    Exclusion.MERGED: PatientStatus.DISCHARGED,
}


def _held_or_freed(enrolled: Enrolled, today: date, *, is_wanted: bool, was_wanted: bool) -> Event | None:
    """A pathway that was wanted and still is stays as it is: a pause of it is the patient's own."""
    if is_wanted == was_wanted:
        return None
    return Resumed(today) if is_wanted else Paused(today, None)
