"""What people record about a patient: results that end a cycle, and decisions on supplement cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum

from scheduler.domain.enrolment import FactRecorded
from scheduler.domain.reacting import record_fact
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Store, Unit
from scheduler.records import Clearance, Clinic, Result
from scheduler.services.clearing import Decision, asked_by
from scheduler.services.new_tasks import cause
from scheduler.services.recorded_moves import moves, moves_as_json
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load, load_by_mrn, write

LONGEST_VALUE = 32  # characters, of a value and of a unit


class ResultKind(StrEnum):
    """What can be recorded, and with it which fact the pathways hear of."""

    VITAMIN_D = "vitamin_d"
    DEXA = "dexa"

    @property
    def fact(self) -> str:
        return f"{self.value}_result"


class ResultError(ValueError):
    """It cannot be recorded, or voided, as given. The text says why and what to do; `field` is what is wrong."""

    def __init__(self, says: str, *, field: str = "") -> None:
        super().__init__(says)
        self.field = field


class CaseError(ValueError):
    """The supplement case cannot be decided this way. The text says why and what to do."""


def add_result(
    store: Store,
    rules: Rules,
    clinic: Clinic,
    *,
    mrn: str,
    kind: ResultKind,
    taken_on: date,
    value: str | None,
    unit: str | None,
    next_months: int | None,
    by: str,
    now: datetime,
) -> bool:
    """Record a result: it ends the cycle, voids what is pending and opens its review.

    False when it is on file already: of one kind and date there is one. Raises `UnknownPatientError` and
    `ResultError`.
    """
    with store.writing() as transaction:
        loaded = load_by_mrn(transaction, rules, clinic, mrn, now)
        _check(loaded, taken_on, value=value, unit=unit)
        if _is_on_file(transaction, loaded, kind, taken_on, (value, unit, next_months)):
            return False
        fact = FactRecorded(loaded.situation.today, kind.fact, taken_on, next_months)
        change = record_fact(loaded.situation, kind=fact.kind, of=taken_on, next_months=next_months)
        waiting = transaction.bulk_changes.waiting(clinic.id, [one.id for one in loaded.situation.enrolments])
        result = Result(
            patient_id=loaded.patient.id,
            clinic_id=clinic.id,
            kind=kind.value,
            taken_on=taken_on,
            value=value,
            unit=unit,
            next_months=next_months,
            recorded_by=by,
            moved=moves_as_json(moves(loaded.situation, change, fact, waiting)),
        )
        transaction.worklist.add_result(result, now=now)
        write(transaction, rules, loaded, change)
        transaction.installation.audit(
            [(clinic.id, "result recorded", loaded.patient.id, kind.value)], actor=by, now=now
        )
    return True


def _check(loaded: Loaded, taken_on: date, **said: str | None) -> None:
    for field, words in said.items():
        if len(words or "") > LONGEST_VALUE:
            raise ResultError(
                f"the {field} has {len(words or ''):,} characters; write at most {LONGEST_VALUE}", field=field
            )
    if taken_on > loaded.situation.today:
        raise ResultError(
            f"the date of the result, {taken_on}, is in the future; write the date it was taken", field="taken_on"
        )
    born = loaded.patient.birth_date
    if born is not None and taken_on < born:
        raise ResultError(
            f"the date of the result, {taken_on}, is before the patient's birth; look for a wrong year",
            field="taken_on",
        )


def _is_on_file(
    unit: Unit, loaded: Loaded, kind: ResultKind, taken_on: date, said: tuple[str | None, str | None, int | None]
) -> bool:
    """Whether the very result is on file. Raises `ResultError` when another one of its kind and date is."""
    on_file = unit.patient_file.results(loaded.clinic.id, loaded.patient.id)
    same = [one for one in on_file if one.stands and (one.kind, one.taken_on) == (kind.value, taken_on)]
    if any((one.value, one.unit, one.next_months) == said for one in same):
        return True
    if same:
        raise ResultError(
            f"a {kind} result of {taken_on} is on file already, and says something else; if that one is wrong, void "
            "it first, then record this one",
            field="taken_on",
        )
    return False


def decide_clearance(
    store: Store,
    rules: Rules,
    *,
    case: int,
    decision: Decision,
    by: str,
    now: datetime,
    signed_with: str | None = None,
    shown: str | None = None,
) -> Clearance:
    """A clinician decides a supplement case. With the last open one the patient gets an answer, and the task closes.

    `signed_with` is what they proved themselves by, `shown` what they had before them. Raises `CaseError`.
    """
    with store.writing() as unit:
        found = unit.worklist.clearances(case=case)
        if not found:
            raise CaseError(f"there is no supplement case {case}; `bonewise clearance list` shows the open ones")
        opened = found[0]
        clinic = unit.installation.clinics()[opened.clinic_id]
        if unit.installation.staff_role(clinic.id, by) != "clinician":
            raise CaseError(
                f"{by} is not a clinician of clinic {clinic.code}; only a clinician decides: "
                "`bonewise staff add --role clinician` adds one"
            )
        # Holding the patient, so that of two who decide at once one is the last.
        loaded = load(unit, rules, clinic, opened.patient_id, now)
        if not unit.worklist.decide_clearance(
            opened, decision=decision.value, by=by, now=now, signed_with=signed_with, shown=shown
        ):
            (opened,) = unit.worklist.clearances(case=case)
            raise CaseError(f"supplement case {case} was already decided: {opened.decision} by {opened.decided_by}")
        asked = asked_by(unit, opened)
        if loaded is not None and not asked.still_open:
            change = record_fact(loaded.situation, kind=asked.answer(decision), of=loaded.situation.today)
            write(unit, rules, loaded, change)
        if not asked.still_open:  # on whatever pathways the patient is
            about = cause(opened.patient_id, ServiceTask.SUPPLEMENT_CLEARANCE)
            unit.worklist.close(clinic.id, [about], now=now)
        unit.installation.audit(
            [(clinic.id, "supplement decided", opened.patient_id, f"case {case}: {decision.value}")],
            actor=by,
            now=now,
        )
    return replace(opened, decision=decision.value, decided_by=by, decided_at=now)
