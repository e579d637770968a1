"""A clinic begins, or ends, to have numbers confirmed before anything clinical is texted to them."""

from __future__ import annotations

from scheduler.domain.replies.meaning import Meaning
from scheduler.ports import Unit
from scheduler.records import Clinic

# What only somebody writes who knows what our texts are about. `help` may ask who we are, `unclear` may be anything.
_ANSWERS = (
    Meaning.ANSWER,
    Meaning.DONE,
    Meaning.START,
    Meaning.PAUSE,
    Meaning.RESUME,
    Meaning.LATER,
    Meaning.TIME,
    Meaning.DAYS,
    Meaning.SUPPLEMENT,
    Meaning.REFERRAL,
)


def follow_number_policy(unit: Unit, clinic: Clinic) -> int:
    """Have the clinic's patients planned by what it wants now; returns how many numbers count as confirmed by it.

    Whoever has answered our texts from the number they have now need not be asked.
    """
    found = 0
    if clinic.confirm_numbers:
        found = unit.patients.confirm_those_who_answered(clinic.id, [each.value for each in _ANSWERS])
    unit.replanning.ask(clinic.id)
    return found
