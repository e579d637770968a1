"""A result that was recorded by mistake: voided, with the reason, and kept. What it did is taken back if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from scheduler.domain.contact import Enrolled
from scheduler.domain.mistaken import set_back
from scheduler.domain.pathway import Action
from scheduler.domain.tasks import Resolution, TaskStatus
from scheduler.ports import Store, Unit
from scheduler.ports.patient_file import RecordedResult
from scheduler.records import Task
from scheduler.services.care import Deciding
from scheduler.services.counting import recount_rounds
from scheduler.services.facts import ResultError, ResultKind
from scheduler.services.new_tasks import cause
from scheduler.services.recorded_moves import moves_as_json, moves_from
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load_by_mrn, write
from scheduler.services.working_days import working_days

LONGEST_REASON = 500  # characters
_WORDS = "the result was recorded by mistake"


class UnknownResultError(LookupError):
    """The patient has no such result."""


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of the pathways that the result had moved, by their titles.

    `left`: something else has happened there since, so that they stay where they are.
    """

    put_back: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def void_result(store: Store, rules: Rules, about: Deciding, *, result_id: UUID, reason: str) -> Voided:
    """Void one result of the patient; nothing is deleted.

    Raises `ResultError`, `UnknownResultError` and `UnknownPatientError`; nothing has changed then.
    """
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        on_file = unit.patient_file.results(about.clinic.id, loaded.patient.id)
        found = next((one for one in on_file if one.id == result_id), None)
        if found is None:
            raise UnknownResultError("this patient has no such result")
        return _void(unit, rules, loaded, about, found, on_file, reason=reason)


def void_result_of(
    store: Store, rules: Rules, about: Deciding, *, kind: ResultKind, taken_on: date, reason: str
) -> Voided:
    """As `void_result`, of the one result of a kind and date. Raises `ResultError` and `UnknownPatientError`."""
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        on_file = unit.patient_file.results(about.clinic.id, loaded.patient.id)
        same = [one for one in on_file if (one.kind, one.taken_on) == (kind.value, taken_on)]
        standing = [one for one in same if one.stands]
        if not same:
            raise ResultError(
                f"there is no {kind} result of {taken_on} for {about.mrn}; look for another date or kind"
            )
        if len(standing) > 1:
            raise ResultError(
                f"{len(standing)} {kind} results of {taken_on} stand for {about.mrn}; void the wrong one on the "
                "patient's page"
            )
        return _void(unit, rules, loaded, about, (standing or same)[0], on_file, reason=reason)


def _void(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    about: Deciding,
    mistaken: RecordedResult,
    on_file: Sequence[RecordedResult],
    *,
    reason: str,
) -> Voided:
    said = reason.strip()
    if not said:
        raise ResultError(
            "say why the result is void; whoever reads the file later will want to know", field="reason"
        )
    if len(said) > LONGEST_REASON:
        raise ResultError(f"the reason has {len(said)} characters; write at most {LONGEST_REASON}", field="reason")
    clinic, patient = about.clinic, loaded.patient
    if not unit.patient_file.void_result(clinic.id, mistaken.id, by=about.by, reason=said, now=about.now):
        raise ResultError(f"this result was voided already, by {mistaken.voided_by}")
    standing = sorted(
        (one for one in on_file if one.stands and one.id != mistaken.id), key=lambda one: one.recorded_at
    )
    came = _take_back(unit, rules, loaded, mistaken, standing)
    _follow_tasks(unit, rules, loaded, about, mistaken, standing, is_back=bool(came.put_back))
    fact = ResultKind(mistaken.kind).fact
    recount_rounds(unit, rules, clinic, patient.id, fact, at=mistaken.recorded_at, now=about.now)
    detail = f"{mistaken.kind} of {mistaken.taken_on}"
    unit.installation.audit([(clinic.id, "result voided", patient.id, detail)], actor=about.by, now=about.now)
    return came


def _take_back(
    unit: Unit, rules: Rules, loaded: Loaded, mistaken: RecordedResult, standing: Sequence[RecordedResult]
) -> Voided:
    """The pathways as if the result had not been there, and later results as they would then have moved them."""
    situation, clinic = loaded.situation, loaded.clinic
    since = [
        (one, dict(moves_from(one.moved)))
        for one in standing
        if one.recorded_at >= mistaken.recorded_at and one.moved
    ]
    enrolments: list[Enrolled] = []
    put_back: list[str] = []
    left: list[str] = []
    moved = moves_from(mistaken.moved)
    for enrolled in situation.enrolments:
        move, pathway = moved.get(enrolled.id), rules.pathways.get(enrolled.state.pathway)
        if move is None or pathway is None:
            enrolments.append(enrolled)
            continue
        later = [kept for _, kept in since if enrolled.id in kept]
        back = set_back(
            pathway,
            enrolled.state,
            move,
            [kept[enrolled.id] for kept in later],
            on=situation.today,
            weekdays=situation.contact.weekdays,
        )
        (left if back is None else put_back).append(pathway.title)
        enrolments.append(enrolled if back is None else replace(enrolled, state=back.state))
        for kept, again in zip(later, () if back is None else back.later, strict=False):
            kept[enrolled.id] = again
    after = replace(situation, enrolments=tuple(enrolments))
    changed = {new.id for old, new in zip(situation.enrolments, enrolments, strict=True) if old.state != new.state}
    write(unit, rules, loaded, replace(after.unchanged(), superseded=frozenset(changed)))
    for one, kept in since:
        unit.patient_file.keep_moves(clinic.id, one.id, moves_as_json(kept) or "")
    return Voided(tuple(put_back), tuple(left))


def _follow_tasks(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    about: Deciding,
    mistaken: RecordedResult,
    standing: Sequence[RecordedResult],
    *,
    is_back: bool,
) -> None:
    """Nobody has to look at the result any more; what it had settled is open again, unless another one settles it."""
    clinic, patient, now = loaded.clinic, loaded.patient, about.now
    fact = ResultKind(mistaken.kind).fact
    alike = [one.recorded_at for one in standing if one.kind == mistaken.kind]
    tasks = unit.worklist.tasks(clinic.id, mrn=patient.mrn)
    for pathway in rules.pathways.values():
        action = pathway.facts.get(fact, Action())
        kind = action.task
        opened = [task.opened_at for task in tasks if task.kind == kind and task.status == TaskStatus.OPEN]
        if kind and opened and not any(at >= max(opened) for at in alike):
            unit.worklist.close(clinic.id, [cause(patient.id, kind, pathway.name)], now=now, words=_WORDS)
        if is_back and not any(at > mistaken.recorded_at for at in alike):
            for task in tasks:
                if task.kind in action.close and _was_settled_by(task, mistaken):
                    _open_again(unit, rules, about, task)


def _was_settled_by(task: Task, result: RecordedResult) -> bool:
    """A result closes what waited for it in the transaction that records it, at the same instant."""
    return task.resolution == Resolution.SETTLED and task.closed_at == result.recorded_at


def _open_again(unit: Unit, rules: Rules, about: Deciding, task: Task) -> None:
    if unit.worklist.successor(about.clinic.id, task.id) is not None:
        return
    days = working_days(rules.holidays, about.clinic)
    kind = rules.task_kinds.get(task.kind)  # the file may have lost it since
    due = days.due(about.now, kind.due_working_days if kind else 0)
    unit.worklist.reopen(
        about.clinic.id, task.id, _WORDS, due=due, overdue_at=days.overdue_at(due), by=about.by, now=about.now
    )
