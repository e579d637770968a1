"""A patient on a pathway: where they stand, what may happen to them there, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scheduler.domain.pathway import Pathway


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Where one patient stands on one pathway. All dates are local dates of the patient."""

    pathway: str
    step: str
    cycle: int  # 1 for the first; a rest that ends begins the next
    entered_on: date  # when the step was entered
    timer_on: date | None  # the one next date on which something happens
    silence_from: date  # silence counts from here: the step's last message, else its entry; a rest keeps what it has
    fired: int = 0  # how many timers fired since the step was entered
    sent_count: int = 0  # activities sent so far; turns the rotation
    unanswered: int = 0  # routine messages in a row without an answer
    week_of: date | None = None  # the Monday that `done_count` counts from
    done_count: int = 0
    done_on: date | None = None
    is_paused: bool = False
    paused_until: date | None = None  # with `is_paused`; None lasts until a resume
    rest_months: int | None = None  # a clinician's own span in place of the rest's
    is_stopped: bool = False  # the patient wants no more of it: only they or staff can bring it back

    def is_paused_on(self, day: date) -> bool:
        """Whether a pause holds on `day`; one that has run out holds no more, though nothing has noted that yet."""
        return self.is_paused and (self.paused_until is None or self.paused_until > day)

    def is_open_question(self, pathway: Pathway) -> bool:
        """Whether an answer would be understood here now: the step takes answers and has asked."""
        step = pathway.steps.get(self.step)
        if step is None or self.is_stopped:
            return False
        return self.fired > 0 and bool(step.answers or step.free_text)


# What can happen to an enrolment. `on` is always the patient's local date of the event.


@dataclass(frozen=True, slots=True)
class TimerFired:
    on: date


@dataclass(frozen=True, slots=True)
class GaveWay:
    """What was due on `on` may not or could not go: another reminder had the day, or the window passed."""

    on: date


@dataclass(frozen=True, slots=True)
class NotSent:
    """A reminder that had been planned did not reach the provider. `fired` is the enrolment's when it was planned."""

    on: date
    step: str
    cycle: int
    fired: int


@dataclass(frozen=True, slots=True)
class Answered:
    on: date
    answer: str  # the answer's name, or any other word for steps that accept `any`


@dataclass(frozen=True, slots=True)
class TextReceived:
    """Free text while the step's question is open, such as the name of a supplement."""

    on: date


@dataclass(frozen=True, slots=True)
class FactRecorded:
    """Something about the patient was recorded. `of` is the date it is about, which may precede `on`."""

    on: date
    kind: str
    of: date
    next_months: int | None = None  # the clinician's own span until the next cycle


@dataclass(frozen=True, slots=True)
class Paused:
    on: date
    until: date | None  # the first day that is no longer paused; None lasts until a resume


@dataclass(frozen=True, slots=True)
class Resumed:
    on: date


@dataclass(frozen=True, slots=True)
class MovedByStaff:
    on: date
    step: str


@dataclass(frozen=True, slots=True)
class TopicStopped:
    """The patient wants no more of this pathway."""

    on: date


@dataclass(frozen=True, slots=True)
class TopicStarted:
    """The patient, or staff on their behalf, wants it again."""

    on: date


Event = (
    TimerFired
    | GaveWay
    | NotSent
    | Answered
    | TextReceived
    | FactRecorded
    | Paused
    | Resumed
    | MovedByStaff
    | TopicStopped
    | TopicStarted
)


# What follows from it, beside the enrolment's new state.


@dataclass(frozen=True, slots=True)
class Send:
    """A reminder: the service speaks first. Counts against the daily budget."""

    template: str
    turn: int = 0  # place in the rotation of activities
    count: int = 0  # days done this week


@dataclass(frozen=True, slots=True)
class Say:
    """A message that answers the patient."""

    template: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class OpenTask:
    kind: str


@dataclass(frozen=True, slots=True)
class EscalateTask:
    kind: str


@dataclass(frozen=True, slots=True)
class CloseTask:
    kind: str


@dataclass(frozen=True, slots=True)
class OpenClearance:
    """What the patient named becomes a supplement case, with its task."""


Effect = Send | Say | OpenTask | EscalateTask | CloseTask | OpenClearance


@dataclass(frozen=True, slots=True)
class Outcome:
    """The enrolment after an event, and what to do about it. Equal enrolment and no effects: nothing happened."""

    enrolment: Enrolment
    effects: tuple[Effect, ...] = ()

    @property
    def send(self) -> Send | None:
        """The reminder that this outcome asks for, if any; there is never more than one."""
        for effect in self.effects:
            if isinstance(effect, Send):
                return effect
        return None
