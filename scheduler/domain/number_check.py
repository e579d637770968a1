"""A number that has to be confirmed before anything clinical is texted to it: how far we are with asking. Pure.

Where a clinic wants this, a patient with consent to texts is first asked, in words that tell nobody anything, whether
we may text that number: at their next contact time, and once more three days later. After a week of silence a person
takes over. Until somebody at that number has agreed, nothing else goes there; e-mail goes on meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain.people import Reach

MOST_ASKS = 2  # texts; what follows them is a task
_WAITS = (timedelta(days=3), timedelta(days=4))  # after the first text, and after the second: a week in all


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """How often a number that nobody has confirmed has been asked about, and the local date of the last time.

    `asks` is one more than `MOST_ASKS` once a person has been given the matter.
    """

    asks: int = 0
    asked_on: date | None = None

    @property
    def is_asked(self) -> bool:
        """Whether somebody may be answering us."""
        return self.asks > 0

    @property
    def is_given_up(self) -> bool:
        """Whether a person has the matter now, and no more texts go."""
        return self.asks > MOST_ASKS

    def due_on(self) -> date | None:
        """The local date of the next text, or of handing it to a person; None: the next contact time, or never."""
        if self.asked_on is None or not self.is_asked or self.is_given_up:
            return None
        return self.asked_on + _WAITS[self.asks - 1]

    def after(self, today: date) -> NumberCheck:
        """Once that has been done on `today`."""
        return NumberCheck(self.asks + 1, today)


UNASKED = NumberCheck()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What is on record about a patient's number and address, and whether their clinic wants numbers confirmed."""

    has_phone: bool  # one that is not known to be bad
    sms_consent: bool
    is_confirmed: bool  # this very number
    has_email: bool
    email_consent: bool
    confirms_numbers: bool
    check: NumberCheck

    def reach(self) -> tuple[Reach, NumberCheck | None]:
        """Which ways are open, and what is to be confirmed before texts are one of them."""
        sms = self.has_phone and self.sms_consent
        waits = sms and self.confirms_numbers and not self.is_confirmed
        reach = Reach(sms=sms and not waits, email=self.has_email and self.email_consent)
        return reach, self.check if waits else None
