"""The words patients answer with, per language, and the words that phone carriers keep for themselves."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Unit, Wait

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"))


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


class Phrase(StrEnum):
    """What counts wherever it stands in a message."""

    STOP = "stop"
    NOT_STOP = "not_stop"  # taken out of the message before `STOP` phrases are looked for
    WRONG_NUMBER = "wrong_number"
    SAFETY = "safety"  # may be an emergency: a person must look at it


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWords:
    """The words of one language. Every text in here is normalised by `normalise`."""

    language: str
    commands: Mapping[Command, frozenset[str]]
    phrases: Mapping[Phrase, frozenset[str]] = field(default_factory=dict)
    answers: Mapping[str, frozenset[str]] = field(
        default_factory=dict
    )  # by `name`, or `pathway.name` for one pathway
    polite: frozenset[str] = frozenset()  # words that change nothing: please, thanks
    reactions: frozenset[str] = frozenset()  # what a phone writes for a tap on our message: liked, loved
    units: Mapping[str, Wait] = field(default_factory=dict)  # one of each unit: "weeks" is seven days
    numbers: Mapping[str, int] = field(default_factory=dict)
    weekdays: Mapping[str, Weekday] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("commands", "phrases", "answers", "units", "numbers", "weekdays"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def answer_words(self, pathway: str, answer: str) -> frozenset[str]:
        """The words for `answer` on `pathway`: those of every pathway, and its own."""
        general = self.answers.get(answer, frozenset())
        return general | self.answers.get(f"{pathway}.{answer}", frozenset())


UNITS: Mapping[str, Wait] = MappingProxyType({"day": Wait(1), "week": Wait(7), "month": Wait(1, Unit.MONTHS)})


def normalise(text: str) -> str:
    """`text` as words compare: one space between words, no case, accents, punctuation, symbols or emoji.

    Compatibility forms are folded (NFKC), so full-width digits and keycap emoji become plain digits.
    Apostrophes vanish (`don't` is `dont`); other punctuation parts words. Normalising twice changes nothing
    more.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    kept: list[str] = []
    for char in unicodedata.normalize("NFKD", folded):
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))  # digits of every script
        elif category[0] in "LN":
            kept.append(char)
        elif category[0] in "PSZ" or category == "Cc":
            kept.append(" ")  # marks and invisible format characters leave no gap
    return " ".join("".join(kept).casefold().split())


def carrier_meaning(word: str) -> CarrierMeaning | None:
    """What carriers take `word` for, or None when they leave it alone. `opt_out` counts as `opt out`."""
    return CARRIER_WORDS.get(normalise(word))
