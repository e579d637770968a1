"""A pathway in plain words: what happens at a step, when, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scheduler.domain.outline import Way, WayKind
from scheduler.domain.pathway import NOW, Action, Every, Step, Unit, Wait
from scheduler.domain.tasks import TaskKind

_ANYTHING = "any"  # the answer that stands for whatever is not understood otherwise


def plainly(name: str) -> str:
    """The name of a step, an answer or a fact as people would write it."""
    return name.replace("_", " ")


def titled(name: str) -> str:
    """The same, as a heading."""
    words = plainly(name)
    return words[:1].upper() + words[1:]


def wait_words(wait: Wait) -> str:
    """`14 days`, `1 month`."""
    unit = "month" if wait.unit is Unit.MONTHS else "day"
    return f"{wait.amount} {unit}{'' if wait.amount == 1 else 's'}"


def cause(way: Way) -> str:
    """What makes it happen."""
    if way.kind is WayKind.ANSWER:
        if way.name == _ANYTHING:
            return "Answers anything else"
        return f"Answers {way.digit}: {plainly(way.name)}" if way.digit else f"Answers {way.name.upper()}"
    if way.kind is WayKind.TEXT:
        return "Answers in own words"
    if way.kind is WayKind.SILENCE:
        if way.times is not None:
            return f"{way.times} unanswered in a row"
        return f"No answer for {wait_words(way.wait)}"
    if way.kind is WayKind.REST:
        return f"Rests {wait_words(way.wait)}"
    return f"{titled(way.name)} is recorded"


def purpose(step: Step) -> str:
    """What a step is there for."""
    if step.every is not None:
        return f"Sends “{plainly(step.send or '')}” every {'day' if step.every is Every.DAY else 'week'}"
    if step.send is not None:
        return f"Sends “{plainly(step.send)}”"
    if step.rest is not None:
        return "Rests: nothing is sent"
    return "Waits for an answer" if step.answers or step.free_text else "Waits for the clinic"


def when(way: Way) -> str:
    """How much later the next step begins; empty: at once."""
    return "" if way.action.after == NOW else f"after {wait_words(way.action.after)}"


def in_short(way: Way) -> str:
    """What follows beside the next step, in a few words."""
    action = way.action
    words = [
        f"sends “{plainly(way.send)}”" if way.send else "",
        "opens a task" if action.task else "",
        "makes the task urgent" if action.escalate else "",
        "opens a case for a clinician" if action.opens_clearance else "",
        "counts the day" if action.counts else "",
        f"says “{plainly(action.say)}”" if action.say else "",
    ]
    return ", ".join(word for word in words if word)


def consequences(way: Way, kinds: Mapping[str, TaskKind]) -> list[str]:
    """All that follows, a sentence each. `kinds` are the kinds of task by name."""
    return [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in _consequences(way, kinds)]


def _consequences(way: Way, kinds: Mapping[str, TaskKind]) -> Iterator[str]:
    action = way.action
    if way.send:
        yield f"sends “{plainly(way.send)}”"
    if action.say:
        yield f"says “{plainly(action.say)}”"
    if action.counts:
        yield "counts the day as done"
    if action.opens_clearance:
        yield "opens a case that a clinician decides"
    if action.task:
        yield f"opens the task “{_title(action.task, kinds)}”"
    if action.escalate:
        yield f"makes the task “{_title(action.escalate, kinds)}” urgent"
    if action.close:
        yield f"settles {', '.join(f'“{_title(kind, kinds)}”' for kind in action.close)}"
    yield from _next_step(action)


def _next_step(action: Action) -> Iterator[str]:
    later = "" if action.after == NOW else f", {wait_words(action.after)} later"
    if action.go:
        yield f"goes to “{plainly(action.go)}”{later}"
    if action.restart:
        yield f"begins the next cycle with “{plainly(action.restart)}”{later}"


def _title(kind: str, kinds: Mapping[str, TaskKind]) -> str:
    return kinds[kind].title if kind in kinds else plainly(kind)
