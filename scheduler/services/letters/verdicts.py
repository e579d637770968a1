"""What was made of a mail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a mail that came in amounts to."""

    REPLY = "reply"  # a patient's own words, taken in like any reply
    TASK = "task"  # somebody's words that change nothing: the clinic reads them
    KEPT = "kept"  # for no clinic that is known here: its words are kept, and `doctor` tells of them
    UNDELIVERED = "undelivered"  # a message of ours has not reached its patient
    COMPLAINT = "complaint"  # a patient called a mail unwanted: consent to e-mail is taken back
    REPEATED = "repeated"  # as before, or later news than what is known
    HARMLESS = "harmless"  # delayed or delivered: nothing is lost
    AUTOMATIC = "automatic"  # a holiday notice and the like, and our own mail that comes back
    FOREIGN = "foreign"  # a notification about no mail of ours, or not believed
    UNCLEAR = "unclear"  # not understood

    @property
    def is_left_over(self) -> bool:
        """Whether nothing has come of the mail, and a person should look at it."""
        return self in (Verdict.FOREIGN, Verdict.UNCLEAR)


@dataclass(frozen=True, slots=True)
class Handled:
    """What was made of one mail. `said` is a sentence without a name or an address."""

    verdict: Verdict
    said: str
