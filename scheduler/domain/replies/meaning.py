"""What a reply comes to: its meaning, the questions it may answer, and everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Answer, Wait
from scheduler.domain.replies.dates import Until

DONE = "done"
ANY = "any"


class Meaning(StrEnum):
    """What a reply comes to."""

    ANSWER = "answer"  # to the question of `pathway`: `answer` names it, or is None for free text
    DONE = "done"  # a day of exercise; `pathway` is None when no question was open
    STOP = "stop"
    START = "start"
    HELP = "help"
    PAUSE = "pause"
    RESUME = "resume"
    LATER = "later"
    TIME = "time"  # wants another time of day
    DAYS = "days"  # wants other days of the week
    SUPPLEMENT = "supplement"  # names a supplement in `text`
    REFERRAL = "referral"  # `answer` is the kind of task: referral_pt or referral_diet
    WRONG_NUMBER = "wrong_number"
    SAFETY = "safety"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question the patient has been asked and may still answer."""

    pathway: str
    answers: tuple[Answer, ...] = ()
    takes_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """A reply's meaning, and what belongs to it."""

    meaning: Meaning
    pathway: str | None = None
    answer: str | None = None
    text: str = ""  # as the patient wrote it, without quoted mail: free text, or what follows the command
    pause: Wait | Until | None = None  # PAUSE 2 WEEKS; None lasts until RESUME. A STOP may name a span too
    at: time | None = None  # TIME 18:30, the patient's local time; None when no time could be read
    weekdays: frozenset[Weekday] = frozenset()  # DAYS MON WED; empty when no day could be read
    speaks_of_danger: bool = False  # also with STOP and a wrong number: a person must look at it
    topic: str | None = None  # the one pathway that STOP or START is about; None is all
    # The answer fits the questions of these pathways equally; `pathway` is the one asked last. Empty when plain.
    candidates: tuple[str, ...] = ()
    also: tuple[Interpretation, ...] = ()  # the further parts of the same text: "1, and DONE"
    has_more: bool = False  # `text` says more than the answer: a person should read it
    is_reaction: bool = False  # a tap on a message of ours: changes nothing, and nobody need do anything
    is_courtesy: bool = False  # nothing but thanks: likewise
