"""A pathway as it was read: the model, and where in the file each part of it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scheduler.catalogue.yaml_nodes import FaultLog
from scheduler.domain.pathway import Action, Pathway, Wait


class Cause(StrEnum):
    """What makes an action happen."""

    BEGIN = "begin"
    ANSWER = "answer"
    TEXT = "text"
    SILENCE = "silence"
    REST = "rest"
    FACT = "fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One action, where it stands, and what makes it happen."""

    step: str | None  # the step it belongs to; None for `begin` and facts
    cause: Cause
    action: Action
    wait: Wait | None = None  # before it happens by itself; None when a person makes it happen
    where: str  # for people: "step 'ask', answer '2 booked'"
    line: int
    go_line: int  # the line that names the step it leads to

    @property
    def is_immediate(self) -> bool:
        """Whether it follows at once on entering its step, by itself."""
        return self.wait is not None and self.wait.amount == 0 and self.action.after.amount == 0


@dataclass(frozen=True, slots=True)
class Use:
    """A message, or a task kind, that the pathway names."""

    name: str
    where: str
    line: int


@dataclass(slots=True)
class Notes:
    """What the reader of one file writes down beside the model."""

    log: FaultLog
    spots: list[Spot] = field(default_factory=list)
    messages: list[Use] = field(default_factory=list)
    tasks: list[Use] = field(default_factory=list)
    faulty_steps: set[str] = field(default_factory=set)
    step_lines: dict[str, int] = field(default_factory=dict)
    moved_lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One file's pathway, read but not yet checked as a whole."""

    pathway: Pathway
    notes: Notes
    is_enabled: bool = True
    name_line: int = 0
    priority_line: int = 0

    @property
    def log(self) -> FaultLog:
        return self.notes.log

    @property
    def step_lines(self) -> Mapping[str, int]:
        """Every step's line, also of steps too faulty to be in the model."""
        return self.notes.step_lines

    def leading_to(self, step: str) -> Iterator[Spot]:
        """The actions that lead to `step`."""
        return (spot for spot in self.notes.spots if spot.action.target == step)
