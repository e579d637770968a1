"""The words patients answer with, per language, and the words that phone carriers keep for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from scheduler.domain.calendar import Weekday
from scheduler.domain.folding import normalise
from scheduler.domain.pathway import Unit, Wait


class CarrierMeaning(StrEnum):
    """What a carrier or provider does with a text that is one of its own words."""

    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"
    HELP = "a call for help"


# Twilio's default keywords (guide "Advanced Opt-Out") and the words that revoke consent by themselves under
# 47 CFR 64.1200(a)(10). They hold in every language and whatever the reply files say.
CARRIER_WORDS: Mapping[str, CarrierMeaning] = MappingProxyType(
    dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"),
        CarrierMeaning.OPT_OUT,
    )
    | dict.fromkeys(("start", "yes", "unstop"), CarrierMeaning.OPT_IN)
    | dict.fromkeys(("help", "info"), CarrierMeaning.HELP)
)


class Command(StrEnum):
    """What a patient may write at any time, whatever was asked."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    PAUSE = "pause"  # may be followed by a span: PAUSE 2 WEEKS
    RESUME = "resume"
    LATER = "later"
    TIME = "time"  # followed by a time of day: TIME 18:30
    DAYS = "days"  # followed by days of the week: DAYS MON WED FRI
    SUPPLEMENT = "supplement"  # followed by a name: SUPP MAGNESIUM
    REFERRAL_PT = "referral_pt"  # asks for a physical therapist
    REFERRAL_DIET = "referral_diet"  # asks for a dietitian
    WRONG_NUMBER = "wrong_number"


class Phrase(StrEnum):
    """What counts wherever it stands in a message."""

    STOP = "stop"
    NOT_STOP = "not_stop"  # `STOP` phrases inside one of these do not count
    WRONG_NUMBER = "wrong_number"
    SAFETY = "safety"  # may be an emergency: a person must look at it
    NOT_SAFETY = "not_safety"  # `SAFETY` phrases inside one of these do not count
    START = "start"
    HELP = "help"
    PAUSE = "pause"
    RESUME = "resume"
    LATER = "later"
    TIME = "time"  # counts when a time of day follows
    DAYS = "days"  # counts when days of the week follow
    SUPPLEMENT = "supplement"  # takes or wants to take: counts with one of `WordList.SUPPLEMENTS` beside it
    REFERRAL_PT = "referral_pt"
    REFERRAL_DIET = "referral_diet"


class WordList(StrEnum):
    """Lists of words that belong to no one meaning."""

    POLITE = "polite"  # change nothing: please, hello
    THANKS = "thanks"  # a message of nothing but these wants no answer
    LEAD_IN = "lead_in"  # may stand around an answer: option 1, my answer is 2
    POINTERS = "pointers"  # stand for what is named, and are no number: the scan one
    OPENERS = "openers"  # may follow an answer without a comma: 2 the appointment is on Friday
    JOINERS = "joiners"  # part two things that are said: 1 and done
    UNDONE = "undone"  # beside one of these an answer in prose is none: booked, but they cancelled
    NEGATIONS = "negations"
    DOUBTS = "doubts"  # an answer after one of these is none yet: if it is booked
    FILLERS = "fillers"  # stand between a number and its unit: a couple of weeks
    EVERYTHING = "everything"  # a wish to stop that holds one of these is about all topics
    SUPPLEMENTS = "supplements"  # names that are known
    REACTIONS = "reactions"  # what a phone writes before the quoted message for a tap on it: liked
    TAPS = "taps"  # what a phone writes for a tap when it quotes nothing: liked an image
    GESTURES = "gestures"  # emoji that mean yes, done
    ATTRIBUTIONS = "attributions"  # the line that a mail program writes above what it quotes
    SIGNATURES = "signatures"  # a line that begins so, and all below it, was not typed by the patient
    QUOTED_HEADERS = "quoted_headers"  # field names of a quoted mail's head: From, Sent
    ORDINARY = "ordinary"  # common words one letter off from a word of this file: never taken for it


class Clock(StrEnum):
    """Words of the time of day."""

    AM = "am"
    PM = "pm"
    NOON = "noon"
    OCLOCK = "oclock"  # after the hour, and says nothing more
    HALF_PAST = "half_past"  # before the hour
    QUARTER_PAST = "quarter_past"
    QUARTER_TO = "quarter_to"
    AND_HALF = "and_half"  # after the hour
    AND_QUARTER = "and_quarter"


class DateWord(StrEnum):
    """Words around a day or a span."""

    UNTIL = "until"
    FOR = "for"
    NEXT = "next"
    THIS = "this"  # this week: until it is over
    TOMORROW = "tomorrow"
    TO = "to"  # between the first and the last day: mon to fri
    ONLY = "only"  # may stand beside days: only weekends, on Mondays


class DateOrder(StrEnum):
    """What 6/7 is."""

    MONTH_FIRST = "month/day"
    DAY_FIRST = "day/month"


_NAMED = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplyWords:
    """The words of one language.

    Plain words are normalised by `normalise`. Entries of `commands`, `phrases`, `answers`, `sentences`, `topics` and
    of the lists that hold phrases are written as `reply_patterns` reads them, with `groups` for their `<names>`.
    Compared and hashed by identity, so that what is built from it once can be kept.
    """

    language: str
    commands: Mapping[Command, frozenset[str]]
    phrases: Mapping[Phrase, frozenset[str]] = field(default_factory=dict)
    # By `name`, or `pathway.name` for one pathway. Answers are a whole reply or a whole part of one; sentences count
    # wherever they stand in it, unless denied or in doubt.
    answers: _NAMED = field(default_factory=dict)
    sentences: _NAMED = field(default_factory=dict)
    topics: _NAMED = field(default_factory=dict)  # by pathway: the words by which patients speak of it
    groups: _NAMED = field(default_factory=dict)
    lists: Mapping[WordList, frozenset[str]] = field(default_factory=dict)
    digits: Mapping[str, str] = field(default_factory=dict)  # "one" is "1", as an answer
    numbers: Mapping[str, int] = field(default_factory=dict)  # "ten" is 10
    amounts: Mapping[str, int] = field(default_factory=dict)  # "couple" is 2, before a unit only
    units: Mapping[str, Wait] = field(default_factory=dict)  # one of each unit: "weeks" is seven days
    weekdays: Mapping[str, Weekday] = field(default_factory=dict)
    day_groups: Mapping[str, frozenset[Weekday]] = field(default_factory=dict)  # "weekends"
    months: Mapping[str, int] = field(default_factory=dict)
    clock: Mapping[Clock, frozenset[str]] = field(default_factory=dict)
    dates: Mapping[DateWord, frozenset[str]] = field(default_factory=dict)
    date_order: DateOrder = DateOrder.MONTH_FIRST

    def __post_init__(self) -> None:
        for name in _MAPPINGS:
            mapping: Mapping[Any, Any] = getattr(self, name)
            object.__setattr__(self, name, MappingProxyType(dict(mapping)))

    def answer_words(self, pathway: str, answer: str) -> frozenset[str]:
        """The words for `answer` on `pathway`: those of every pathway, and its own."""
        general = self.answers.get(answer, frozenset())
        return general | self.answers.get(f"{pathway}.{answer}", frozenset())

    def of(self, kind: WordList) -> frozenset[str]:
        """The words of one list; none when the file does not have it."""
        return self.lists.get(kind, frozenset())


_MAPPINGS = (
    "commands",
    "phrases",
    "answers",
    "sentences",
    "topics",
    "groups",
    "lists",
    "digits",
    "numbers",
    "amounts",
    "units",
    "weekdays",
    "day_groups",
    "months",
    "clock",
    "dates",
)

UNITS: Mapping[str, Wait] = MappingProxyType({"day": Wait(1), "week": Wait(7), "month": Wait(1, Unit.MONTHS)})
DAY_GROUPS: Mapping[str, frozenset[Weekday]] = MappingProxyType(
    {
        "weekdays": frozenset(Weekday) - {Weekday.SAT, Weekday.SUN},
        "weekend": frozenset({Weekday.SAT, Weekday.SUN}),
        "every_day": frozenset(Weekday),
    }
)
NOON = time(12)


def carrier_meaning(word: str) -> CarrierMeaning | None:
    """What carriers take `word` for, or None when they leave it alone. `opt_out` counts as `opt out`."""
    return CARRIER_WORDS.get(normalise(word))
