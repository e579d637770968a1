"""Reads one pathway file's mapping into the model, step by step, noting where each part stands."""

from __future__ import annotations

import re

from scheduler.catalogue.pathway_actions import (
    action_fields,
    action_from,
    note_spot,
    read_action,
    read_unanswered,
    read_wait,
)
from scheduler.catalogue.pathway_draft import Cause, Draft, Notes, Use
from scheduler.catalogue.yaml_fields import NAME, NAME_RULE, Fields, as_table
from scheduler.catalogue.yaml_nodes import Entry, FaultLog, Table, YamlNode, did_you_mean
from scheduler.domain.facts import FactKind
from scheduler.domain.pathway import NOW, Action, Answer, Every, Late, Pathway, Silence, Step, Wait
from scheduler.domain.replies.interpret import ANY
from scheduler.domain.replies.words import carrier_meaning

TOP_KEYS = ("pathway", "title", "priority", "late", "enabled", "begin", "steps", "facts", "moved")
STEP_KEYS = (
    "task",
    "send",
    "first",
    "every",
    "on_sunday",
    "answers",
    "text",
    "silence",
    "rest",
    "go",
    "restart",
)
_IN_A_STEP = {
    "say": "it answers a patient who has just written; a step speaks first, with 'send'",
    "after": "how long before a step begins is said where it is gone to, with 'go: ..., after: ...'",
}
_ANSWER_KEY = re.compile(r"(?:([0-9]+)\s+)?(\S.*)")
_MAX_PRIORITY = 1000


def read_pathway(table: Table, log: FaultLog, *, version: str) -> Draft:
    """The pathway that a file holds. Faults go to `log`; what is faulty is left out of the model."""
    notes = Notes(log)
    top = Fields(table, log, where="", allowed=TOP_KEYS)
    top.require("pathway", "title", "priority", "late", "begin", "steps")
    begin_table = top.mapping("begin")
    begin = _read_begin(begin_table, notes) if begin_table else Action()
    steps = _read_steps(top, notes)
    pathway = Pathway(
        name=top.name("pathway") or "",
        title=top.text("title") or "",
        priority=top.integer("priority", low=1, high=_MAX_PRIORITY) or 0,
        late=top.choice("late", Late) or Late.SLIDE,
        begin=begin,
        steps=steps,
        facts=_read_facts(top, notes),
        moved=_read_moved(top, notes),
        version=version,
    )
    return Draft(
        pathway=pathway,
        notes=notes,
        is_enabled=top.yes_or_no("enabled", default=True),
        name_line=top.line("pathway"),
        priority_line=top.line("priority"),
    )


def _read_begin(table: Table, notes: Notes) -> Action:
    fields = action_fields(table, notes, where="begin", cause=Cause.BEGIN)
    fields.require("go")
    action = action_from(fields, notes, cause=Cause.BEGIN)
    note_spot(fields, notes, action=action, step=None, cause=Cause.BEGIN, wait=None)
    return action


def _read_steps(top: Fields, notes: Notes) -> dict[str, Step]:
    table = top.mapping("steps")
    steps: dict[str, Step] = {}
    for entry in table or ():
        if not NAME.fullmatch(entry.key):
            top.fault(entry.line, f"step '{entry.key}' has no proper name; {NAME_RULE}")
            continue
        notes.step_lines[entry.key] = entry.line
        faults_before = len(notes.log.faults)
        step_table = as_table(entry, top)
        if step_table is not None:
            steps[entry.key] = _read_step(entry.key, step_table, notes)
        if len(notes.log.faults) > faults_before:
            notes.faulty_steps.add(entry.key)
    if table is not None and not table.entries:
        top.fault(table.line, "'steps' is empty; a pathway needs at least one step")
    return steps


def _read_step(name: str, table: Table, notes: Notes) -> Step:
    fields = Fields(table, notes.log, where=f"step '{name}'", allowed=STEP_KEYS, misplaced=_IN_A_STEP)
    rest = read_wait(fields, "rest")
    every = fields.choice("every", Every)
    text = fields.mapping("text")
    step = Step(
        name=name,
        task=fields.name("task"),
        send=fields.name("send"),
        first=fields.name("first"),
        every=every,
        on_sunday=fields.name("on_sunday"),
        answers=_read_answers(fields, notes, name),
        free_text=_read_text(text, notes, name) if text else None,
        silence=tuple(
            _read_silence(item, fields, notes, step=name, number=number, in_routine=fields.has("every"))
            for number, item in enumerate(fields.listing("silence"), start=1)
        ),
        rest=rest,
        then=_read_then(fields, notes, name, rest),
    )
    _note_step_uses(fields, notes, step)
    return step


def _read_then(fields: Fields, notes: Notes, step: str, rest: Wait | None) -> Action:
    """`go` or `restart` beside `rest`: what the end of the rest leads to."""
    keys = tuple(entry for entry in fields.table if entry.key in ("go", "restart"))
    if not fields.has("rest"):
        for entry in keys:
            fields.fault(entry.line, f"'{entry.key}' needs a 'rest' beside it, or belongs under an answer or silence")
        return Action()
    if not keys:
        fields.fault(fields.line("rest"), "'rest' must say what comes after it, for example 'restart: ask'")
        return Action()
    then = Table(keys, fields.table.line)
    return read_action(then, notes, where=f"{fields.where}, rest", step=step, cause=Cause.REST, wait=rest)


def _read_text(table: Table, notes: Notes, step: str) -> Action:
    return read_action(table, notes, where=f"step '{step}', text", step=step, cause=Cause.TEXT)


def _read_answers(fields: Fields, notes: Notes, step: str) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    for entry in fields.mapping("answers") or ():
        key = _read_answer_key(entry, fields)
        if key is None:
            continue
        digit, name = key
        for other in answers:
            if other.digit == digit and digit is not None:
                fields.fault(entry.line, f"digit {digit} stands for both '{other.name}' and '{name}'; renumber one")
            if other.name == name:
                fields.fault(entry.line, f"answer '{name}' stands here twice; keep one")
        table = as_table(entry, fields)
        if table is None:
            continue
        where = f"{fields.where}, answer '{entry.key}'"
        action = read_action(table, notes, where=where, step=step, cause=Cause.ANSWER)
        answers.append(Answer(name, digit, action))
    return tuple(answers)


def _read_answer_key(entry: Entry, fields: Fields) -> tuple[str | None, str] | None:
    """`2 booked` is digit 2 and name `booked`; `done` has no digit."""
    match = _ANSWER_KEY.fullmatch(entry.key)
    digit, name = (match[1], match[2]) if match else (None, "")
    meaning = carrier_meaning(name)
    if name.isdigit():
        fields.fault(entry.line, f"answer '{entry.key}' has no name; write a digit and a name, as in '1 talked'")
    elif meaning is not None:
        remedy = "carriers act on it before we see it; give the answer another name"
        fields.fault(entry.line, f"answer '{entry.key}': phone carriers treat '{name}' as {meaning.value}; {remedy}")
    elif not NAME.fullmatch(name):
        proper = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = f"; write '{proper}'" if NAME.fullmatch(proper) else ""
        fields.fault(entry.line, f"answer '{entry.key}': '{name}' is not a name; {NAME_RULE}{hint}")
    elif digit is not None and not re.fullmatch("[1-9]", digit):
        fields.fault(entry.line, f"answer '{entry.key}': the digit must be one of 1 to 9")
    elif digit is not None and name == ANY:
        fields.fault(entry.line, "answer 'any' is for whatever the patient writes, so it has no digit")
    else:
        return digit, name
    return None


def _read_silence(
    node: YamlNode, parent: Fields, notes: Notes, *, step: str, number: int, in_routine: bool
) -> Silence:
    where = f"{parent.where}, silence {number}"
    if not isinstance(node, Table):
        notes.log.add(node.line, f"{where}: must be keys and values, as in {{after: 10 days, send: again}}")
        return Silence(NOW)
    fields = action_fields(node, notes, where=where, cause=Cause.SILENCE, also=("after", "send"))
    fields.require("after")
    times = read_unanswered(fields)
    wait = read_wait(fields, "after") if times is None else None
    if in_routine and wait is not None:
        fields.fault(fields.line("after"), "a step with 'every' counts messages: write for example '14 unanswered'")
    if not in_routine and times is not None:
        fields.fault(fields.line("after"), "only a step with 'every' counts unanswered messages: write '10 days'")
    action = action_from(fields, notes, cause=Cause.SILENCE)
    send = fields.name("send")
    if send and action.target:
        leads = "restart" if action.restart else "go"
        remedy = f"the message could get lost; let step '{action.target}' send it"
        fields.fault(fields.line("send"), f"'send' and '{leads}' exclude each other: {remedy}")
    if send:
        notes.messages.append(Use(send, where, fields.line("send")))
    elif all(entry.key == "after" for entry in node):
        fields.fault(node.line, "does nothing; give it a 'send', a 'task' or a 'go'")
    spot_wait = Wait(times) if times is not None else wait
    note_spot(fields, notes, action=action, step=step, cause=Cause.SILENCE, wait=spot_wait)
    return Silence(wait or NOW, times=times, send=send, action=action)


def _read_facts(top: Fields, notes: Notes) -> dict[str, Action]:
    known = [kind.value for kind in FactKind]
    facts: dict[str, Action] = {}
    for entry in top.mapping("facts") or ():
        if entry.key not in known:
            hint = did_you_mean(entry.key, known) or f"; known: {', '.join(known)}"
            top.fault(entry.line, f"fact '{entry.key}' is never recorded{hint}")
            continue
        table = as_table(entry, top)
        if table is not None:
            where = f"fact '{entry.key}'"
            facts[entry.key] = read_action(table, notes, where=where, step=None, cause=Cause.FACT)
    return facts


def _read_moved(top: Fields, notes: Notes) -> dict[str, str]:
    table = top.mapping("moved")
    if table is None:
        return {}
    fields = Fields(table, notes.log, where="moved", allowed=[entry.key for entry in table])
    moved: dict[str, str] = {}
    for entry in table:
        target = fields.name(entry.key)
        if target is not None:
            moved[entry.key] = target
            notes.moved_lines[entry.key] = entry.line
    return moved


def _note_step_uses(fields: Fields, notes: Notes, step: Step) -> None:
    messages = {"send": step.send, "first": step.first, "on_sunday": step.on_sunday}
    notes.messages.extend(Use(name, fields.where, fields.line(key)) for key, name in messages.items() if name)
    if step.task:
        notes.tasks.append(Use(step.task, fields.where, fields.line("task")))
