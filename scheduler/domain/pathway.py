"""A pathway as data: its steps, waits, messages, the answers it understands and what silence leads to.

These are the parsed and validated form of `config/pathways/*.yaml`; `scheduler.catalogue.pathway_files` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from scheduler.domain.calendar import add_months


class Unit(StrEnum):
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Wait:
    """A span of whole local days or calendar months."""

    amount: int
    unit: Unit = Unit.DAYS

    def after(self, day: date) -> date:
        """The local date this long after `day`; a month end is kept within the month it lands in."""
        if self.unit is Unit.MONTHS:
            return add_months(day, self.amount)
        return day + timedelta(days=self.amount)


NOW = Wait(0)


class Late(StrEnum):
    """What becomes of a reminder that missed its contact window."""

    SLIDE = "slide"  # goes on the next local day
    SKIP = "skip"  # is dropped, and the skip recorded


class Every(StrEnum):
    """How often a routine step sends."""

    DAY = "day"  # on each of the patient's chosen days
    WEEK = "week"  # once in seven days


@dataclass(frozen=True, slots=True)
class Action:
    """What happens on an answer, a silence or a fact. An empty action changes nothing.

    At most one of `go` (another step of this cycle) and `restart` (a step of the next cycle) is set;
    `after` delays the first thing that step does.
    """

    say: str | None = None  # message that answers the patient now
    task: str | None = None  # task kind to open
    escalate: str | None = None  # task kind, already open, to make urgent
    close: tuple[str, ...] = ()  # task kinds that this settles
    opens_clearance: bool = False  # what the patient named becomes a supplement case for a clinician
    counts: bool = False  # counts today as done in a routine step
    go: str | None = None
    restart: str | None = None
    after: Wait = NOW

    @property
    def target(self) -> str | None:
        """The step this leads to, if any."""
        return self.go or self.restart


@dataclass(frozen=True, slots=True)
class Silence:
    """One thing that follows when the patient does not answer.

    Counted from the last message of the step, else from entering it. In a routine step `times` counts unanswered
    messages in a row instead of days.
    """

    after: Wait
    times: int | None = None
    send: str | None = None
    action: Action = Action()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer the step understands: `name` is looked up in the reply words of the patient's language."""

    name: str
    digit: str | None
    action: Action


@dataclass(frozen=True, slots=True)
class Step:
    """One place a patient can stand on a pathway.

    A step asks (`send`, then `answers` and `silence`), repeats (`every`), rests (`rest`, then `restart`)
    or only waits (`silence` without `send`).
    """

    name: str
    task: str | None = None  # opened on entry
    send: str | None = None
    first: str | None = None  # a routine step's first message, in place of `send`
    every: Every | None = None
    on_sunday: str | None = None  # Sunday's message in place of `send`
    answers: tuple[Answer, ...] = ()
    free_text: Action | None = None  # what any other text does while this step's question is open
    silence: tuple[Silence, ...] = ()
    rest: Wait | None = None
    then: Action = Action()  # what ends a rest

    def answer(self, name: str) -> Answer | None:
        """The answer called `name`, else the catch-all `any`, else None."""
        named = next((answer for answer in self.answers if answer.name == name), None)
        return named or next((answer for answer in self.answers if answer.name == "any"), None)


@dataclass(frozen=True, slots=True)
class Pathway:
    """A screening or exercise programme, as a clinician wrote it."""

    name: str
    title: str
    priority: int  # the lowest number goes first when several are due on one day
    late: Late
    begin: Action  # `go` and `after`, counted from enrolment (day 0)
    steps: Mapping[str, Step]
    facts: Mapping[str, Action] = field(default_factory=dict)  # by fact kind, from any step
    moved: Mapping[str, str] = field(default_factory=dict)  # removed step -> the step its patients go to
    version: str = ""  # digest of the file

    def __post_init__(self) -> None:
        for name in ("steps", "facts", "moved"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def first_step(self) -> str:
        """The step that enrolment begins with."""
        return self.begin.go or next(iter(self.steps))
