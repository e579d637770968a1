"""What can happen on a pathway, as a list of ways from step to step: what diagrams and overviews are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from scheduler.domain.pathway import NOW, Action, Pathway, Step, Wait


class WayKind(StrEnum):
    """What makes it happen."""

    ANSWER = "answer"  # the patient gives an answer that the step understands
    TEXT = "text"  # the patient writes anything else while the question is open
    SILENCE = "silence"  # the patient does not answer
    REST = "rest"  # a rest ends
    FACT = "fact"  # something is recorded about the patient, wherever they stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One thing that can happen, and what follows."""

    kind: WayKind
    action: Action
    name: str = ""  # of the answer or the fact
    digit: str | None = None  # that stands for the answer
    wait: Wait = NOW  # the silence or the rest that it takes
    times: int | None = None  # of a silence that is counted in messages
    send: str | None = None  # the message that a silence brings

    @property
    def target(self) -> str | None:
        """The step it leads to; None: the patient stays."""
        return self.action.target


@dataclass(frozen=True, slots=True)
class Stop:
    """A step with all that can happen there."""

    step: Step
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A pathway from enrolment on. `anywhere` can happen at every step."""

    pathway: Pathway
    stops: tuple[Stop, ...]
    anywhere: tuple[Way, ...]


def outline(pathway: Pathway) -> Outline:
    """The pathway's ways. Its first step comes first, the others in the order in which they were written."""
    steps = sorted(pathway.steps.values(), key=lambda step: step.name != pathway.first_step)
    return Outline(
        pathway,
        stops=tuple(Stop(step, tuple(_ways(step))) for step in steps),
        anywhere=tuple(Way(kind=WayKind.FACT, name=name, action=action) for name, action in pathway.facts.items()),
    )


def _ways(step: Step) -> Iterator[Way]:
    for answer in step.answers:
        yield Way(kind=WayKind.ANSWER, name=answer.name, digit=answer.digit, action=answer.action)
    if step.free_text is not None:
        yield Way(kind=WayKind.TEXT, action=step.free_text)
    for silence in step.silence:
        yield Way(
            kind=WayKind.SILENCE,
            wait=silence.after,
            times=silence.times,
            send=silence.send,
            action=silence.action,
        )
    if step.rest is not None:
        yield Way(kind=WayKind.REST, wait=step.rest, action=step.then)
