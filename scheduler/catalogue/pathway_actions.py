"""Reads waits and actions: what happens on an answer, a silence, the end of a rest or a recorded fact."""

from __future__ import annotations

import re

from scheduler.catalogue.pathway_draft import Cause, Notes, Spot, Use
from scheduler.catalogue.yaml_fields import Fields
from scheduler.catalogue.yaml_nodes import Table
from scheduler.domain.pathway import NOW, Action, Unit, Wait

ACTION_KEYS = ("say", "task", "escalate", "close", "count", "open", "go", "restart", "after")

_ALLOWED = {
    Cause.BEGIN: ("go", "after"),
    Cause.ANSWER: ("say", "task", "escalate", "close", "count", "go", "restart", "after"),
    Cause.TEXT: ("say", "task", "escalate", "close", "count", "open", "go", "restart", "after"),
    Cause.SILENCE: ("task", "escalate", "close", "go", "restart"),
    Cause.REST: ("go", "restart"),
    Cause.FACT: ("say", "task", "escalate", "close", "open", "go", "restart", "after"),
}
_NOBODY_WROTE = "it answers a patient who has just written; to speak first, give the step a 'send'"
_MISPLACED = {
    "say": _NOBODY_WROTE,
    "count": "only what the patient writes can count a day as done",
    "open": "a clearance needs the name the patient wrote; use it under 'text' or a fact",
    "task": "give the step a 'task', which opens when the patient gets there",
    "escalate": "put it under 'silence'",
    "close": "put it under an answer, a silence or a fact",
    "go": "only an action may lead to another step",
    "restart": "only an action may lead to another step",
    "after": "say how long with 'rest' or under 'silence'",
}
_SPAN = re.compile(r"(-?[0-9]{1,9})\s+([a-z]+)")
_UNITS = {"day": (1, Unit.DAYS), "week": (7, Unit.DAYS), "month": (1, Unit.MONTHS), "year": (12, Unit.MONTHS)}
_TEN_YEARS = {Unit.DAYS: 3660, Unit.MONTHS: 120}
_UNANSWERED = re.compile(r"(-?[0-9]{1,9})\s+unanswered")
_MOST_UNANSWERED = 366
WAIT_EXAMPLES = "such as '10 days', '2 weeks', '12 months' or '1 year'"


def read_wait(fields: Fields, key: str) -> Wait | None:
    """The span under `key`. A span of zero is reported, and kept so that loops it makes are found too."""
    text = fields.text(key)
    if text is None:
        return None
    line = fields.line(key)
    match = _SPAN.fullmatch(text)
    unit = match[2].removesuffix("s") if match else ""
    if match is None or unit not in _UNITS:
        fields.fault(line, f"{key}: '{text}' is not a wait; write a number and a unit, {WAIT_EXAMPLES}")
        return None
    factor, kind = _UNITS[unit]
    wait = Wait(max(0, int(match[1]) * factor), kind)
    if wait.amount < 1:
        remedy = "give at least 1 day" + (", or leave 'after' out" if key == "after" else "")
        fields.fault(line, f"{key}: '{text}' is no wait; {remedy}")
    if wait.amount > _TEN_YEARS[kind]:
        fields.fault(line, f"{key}: '{text}' is more than 10 years; no reminder may wait that long")
        return None
    return wait


def read_unanswered(fields: Fields) -> int | None:
    """The N of `after: N unanswered`; None when `after` does not say so."""
    entry_text = fields.text("after") if fields.has("after") else None
    match = _UNANSWERED.fullmatch(entry_text or "")
    if match is None:
        return None
    times = int(match[1])
    if not 1 <= times <= _MOST_UNANSWERED:
        fields.fault(fields.line("after"), f"after: '{entry_text}' must be from 1 to {_MOST_UNANSWERED} unanswered")
    return max(0, min(times, _MOST_UNANSWERED))


def read_action(
    table: Table, notes: Notes, *, where: str, step: str | None, cause: Cause, wait: Wait | None = None
) -> Action:
    """The action that `table` is, noted as a spot. Keys beyond what `cause` allows are faults."""
    fields = action_fields(table, notes, where=where, cause=cause)
    action = action_from(fields, notes, cause=cause)
    note_spot(fields, notes, action=action, step=step, cause=cause, wait=wait)
    return action


def action_fields(table: Table, notes: Notes, *, where: str, cause: Cause, also: tuple[str, ...] = ()) -> Fields:
    """The keys of an action, with `also` for keys that only its place knows."""
    allowed = (*also, *_ALLOWED[cause])
    return Fields(table, notes.log, where=where, allowed=allowed, misplaced=_MISPLACED)


def action_from(fields: Fields, notes: Notes, *, cause: Cause) -> Action:
    """The action keys of `fields`. The `after` of a silence is the silence's own and is not read here."""
    is_silence = cause is Cause.SILENCE
    wait = None if is_silence else read_wait(fields, "after")
    go, restart = fields.name("go"), fields.name("restart")
    if fields.has("go") and fields.has("restart"):
        fields.fault(fields.line("restart"), "'go' and 'restart' exclude each other; 'restart' begins a new cycle")
        restart = None
    if fields.has("after") and not is_silence and not (fields.has("go") or fields.has("restart")):
        fields.fault(fields.line("after"), "'after' delays the step that 'go' or 'restart' leads to; name one")
    action = Action(
        say=fields.name("say"),
        task=fields.name("task"),
        escalate=fields.name("escalate"),
        close=fields.names("close"),
        opens_clearance=_keyword(fields, "open", "clearance"),
        counts=_keyword(fields, "count", "today"),
        go=go,
        restart=restart,
        after=wait or NOW,
    )
    _note_uses(fields, notes, action)
    return action


def note_spot(
    fields: Fields, notes: Notes, *, action: Action, step: str | None, cause: Cause, wait: Wait | None
) -> None:
    """Write down where `action` stands, and report one that would do nothing."""
    line = fields.table.line
    if action == Action() and not fields.table.entries and cause is not Cause.ANSWER:
        fields.fault(line, "does nothing; say what happens, for example with 'go' or 'task'")
    go_line = fields.line("restart" if action.restart else "go")
    notes.spots.append(
        Spot(step=step, cause=cause, action=action, wait=wait, where=fields.where, line=line, go_line=go_line)
    )


def _keyword(fields: Fields, key: str, only: str) -> bool:
    text = fields.text(key)
    if text is not None and text != only:
        fields.fault(fields.line(key), f"{key}: '{text}' is not known; write '{key}: {only}'")
    return text == only


def _note_uses(fields: Fields, notes: Notes, action: Action) -> None:
    if action.say:
        notes.messages.append(Use(action.say, fields.where, fields.line("say")))
    kinds = [
        (action.task, "task"),
        (action.escalate, "escalate"),
        *((kind, "close") for kind in action.close),
    ]
    notes.tasks.extend(Use(kind, fields.where, fields.line(key)) for kind, key in kinds if kind)
