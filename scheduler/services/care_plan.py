"""What staff decide about a patient's plan as a whole: pathways, leaving, coming back, a supplement case, notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from scheduler.domain.contact import Change, ClearanceOpened, Enrolled
from scheduler.domain.enrolment import Paused, Resumed
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import reopen
from scheduler.domain.stepping import begin
from scheduler.ids import new_id
from scheduler.ports import Store, Unit
from scheduler.ports.patient_file import Note
from scheduler.records import Patient
from scheduler.services.bad_addresses import with_status_of_addresses
from scheduler.services.care import CareError, Deciding
from scheduler.services.clearing import open_case_of
from scheduler.services.rules import Rules
from scheduler.services.settled_tasks import close_settled
from scheduler.services.situations import Loaded, load_by_mrn, write

LONGEST_NOTE = 4000  # characters
LONGEST_NAME = 200  # characters of a supplement, as somebody calls it
_SUPPLEMENT = "supplement"
_SENT_TWICE = timedelta(minutes=10)  # the same words by the same person within it: a button that was pressed twice
_PENDING_FOR = timedelta(days=31)  # what was planned earlier and still waits falls at its last look
_GONE = (PatientStatus.DECEASED, PatientStatus.DISCHARGED)


class Leaving(StrEnum):
    """Why nothing goes to a patient any more; what they say themselves about messages is consent."""

    DISCHARGED = "discharged"  # left the clinic's care
    DECEASED = "deceased"

    @property
    def status(self) -> PatientStatus:
        return PatientStatus(self.value)


# Pathways


def put_on(store: Store, rules: Rules, about: Deciding, pathway: str) -> None:
    """Begin a pathway with the patient, or go on with one they were taken off.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        loaded = _present(unit, rules, about)
        chosen = rules.pathways.get(pathway)
        if chosen is None:
            raise CareError("choose a pathway from the list")
        held = _on(loaded, pathway)
        today = loaded.situation.today
        if held is None:
            state = begin(chosen, on=today, weekdays=loaded.patient.exercise_days).enrolment
            added = Enrolled(id=new_id(), state=state)
            unit.patients.insert_enrolments([(loaded.patient.id, about.clinic.id, added, today)])
            loaded = replace(
                loaded,
                situation=replace(loaded.situation, enrolments=(*loaded.situation.enrolments, added)),
            )
            change = loaded.situation.unchanged()
        elif held.state.is_stopped:
            raise CareError(
                f"the patient wants no more of “{chosen.title}”; record under Consent that they agree to it again"
            )
        elif not held.state.is_paused:
            raise CareError(f"the patient is on “{chosen.title}” already")
        else:
            change = loaded.situation.react({held.id: Resumed(today)}, kind=MessageKind.NOTICE)
        write(unit, rules, loaded, change)
        _note(unit, about, loaded.patient, "pathway begun", pathway)


def take_off(store: Store, rules: Rules, about: Deciding, pathway: str) -> None:
    """Hold a pathway until staff put the patient on it again; what waits of it does not go.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        loaded = _present(unit, rules, about)
        held = _on(loaded, pathway)
        if held is None or (held.state.is_paused and held.state.paused_until is None):
            raise CareError("the patient is not on that pathway")
        event = Paused(loaded.situation.today, None)
        change = loaded.situation.react({held.id: event}, kind=MessageKind.NOTICE)
        write(unit, rules, loaded, replace(change, superseded=change.superseded | {held.id}))
        _note(unit, about, loaded.patient, "pathway ended", pathway)


def _on(loaded: Loaded, pathway: str) -> Enrolled | None:
    return next((one for one in loaded.situation.enrolments if one.state.pathway == pathway), None)


# Leaving and coming back


def leave(store: Store, rules: Rules, about: Deciding, why: Leaving, *, words: str = "") -> None:
    """Nothing goes to the patient any more, what waits included. `words` are kept as a note.

    Raises `CareError` and `UnknownPatientError`.
    """
    said = _words(words, most=LONGEST_NOTE)
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        before = loaded.patient
        if before.status in (why.status, PatientStatus.DECEASED):
            raise CareError(f"the patient is on file as {before.status.value} already")
        off = replace(before, status=why.status, paused_until=None, next_contact_at=None)
        own = [(about.clinic.id, before.id)]
        unit.patients.update([off], now=about.now)
        close_settled(unit, before, off, now=about.now)
        unit.ledger.supersede([one.id for one in loaded.situation.enrolments], clinic_id=about.clinic.id)
        unit.stops.void(own, since=about.now - _PENDING_FOR, reason=SkipReason.INACTIVE)
        _note(unit, about, before, "patient taken off", why.value)
        if said:
            unit.patient_file.add_note(about.clinic.id, before.id, Note(at=about.now, by=about.by, words=said))


def come_back(store: Store, rules: Rules, about: Deciding) -> None:
    """A patient who had left the clinic's care is back: what they agreed to holds, and waits from the next day on.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        before = loaded.patient
        if before.status is not PatientStatus.DISCHARGED:
            raise CareError("only a patient who has left the clinic's care can come back")
        agreed = before.sms_consent or before.email_consent
        status = PatientStatus.ACTIVE if agreed else PatientStatus.STOPPED
        after = loaded.with_patient(with_status_of_addresses(replace(before, status=status)))
        unit.patients.update([after.patient], now=about.now)
        write(unit, rules, after, reopen(after.situation))
        _note(unit, about, before, "patient taken back", after.patient.status.value)


# Cases and notes


def open_case(store: Store, rules: Rules, about: Deciding, named: str) -> None:
    """Ask a clinician about a supplement that the patient named. While they decide on one it is not asked again.

    Raises `CareError` and `UnknownPatientError`.
    """
    said = " ".join(_words(named, most=LONGEST_NAME).split())
    if not said:
        raise CareError("write what the supplement is called")
    with store.writing() as unit:
        loaded = _present(unit, rules, about)
        waiting = open_case_of(unit, about.clinic.id, loaded.patient.id, said)
        if waiting is not None:
            raise CareError(f"“{waiting.named}” waits for a clinician already; no second case was opened")
        opened = (ClearanceOpened(_SUPPLEMENT, said),)
        change: Change = replace(loaded.situation.unchanged(), tasks=opened)
        write(unit, rules, loaded, change)
        _note(unit, about, loaded.patient, "supplement case opened", "")


def add_note(store: Store, about: Deciding, words: str) -> None:
    """Add to the notes on a patient, once however often the form is sent.

    Raises `CareError`; for somebody who is not there, `LookupError`.
    """
    said = _words(words, most=LONGEST_NOTE)
    if not said:
        raise CareError("the note is empty; write what is to be remembered")
    with store.writing() as unit:
        patient = unit.patients.by_mrn(about.clinic.id, [about.mrn], lock=True)[about.mrn]
        latest = unit.patient_file.notes(about.clinic.id, patient.id)[:1]
        if any((one.by, one.words) == (about.by, said) and about.now - one.at < _SENT_TWICE for one in latest):
            return
        unit.patient_file.add_note(about.clinic.id, patient.id, Note(at=about.now, by=about.by, words=said))
        _note(unit, about, patient, "note added", "")


# Small steps


def _present(unit: Unit, rules: Rules, about: Deciding) -> Loaded:
    loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
    if loaded.patient.status in _GONE:
        raise CareError(f"the patient is on file as {loaded.patient.status.value}: there is nothing to plan")
    return loaded


def _words(words: str, *, most: int) -> str:
    said = words.replace("\r\n", "\n").strip()
    if len(said) > most:
        raise CareError(f"what you wrote has {len(said):,} characters; write at most {most:,}")
    return said


def _note(unit: Unit, about: Deciding, patient: Patient, what: str, detail: str) -> None:
    unit.installation.audit([(about.clinic.id, what, patient.id, detail)], actor=about.by, now=about.now)
