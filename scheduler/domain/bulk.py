"""One decision for many patients: what it comes to for each, or why it leaves them alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from scheduler.domain.contact import Change, Enrolled
from scheduler.domain.enrolment import Event, Paused, Resumed
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import Situation, reopen

LONGEST_PAUSE = timedelta(days=366)
_GONE = (PatientStatus.DECEASED, PatientStatus.DISCHARGED)


class BulkAction(StrEnum):
    """What is done for all who were chosen."""

    PAUSE = "pause"
    RESUME = "resume"
    JOIN = "join"  # put on a pathway
    LEAVE = "leave"  # take off a pathway

    @property
    def is_about_pathway(self) -> bool:
        """Whether it names a pathway."""
        return self in (BulkAction.JOIN, BulkAction.LEAVE)


class MemberFate(StrEnum):
    """What became of one of those who were chosen."""

    CHOSEN = "chosen"  # nothing yet
    CHANGED = "changed"
    LEFT_ALONE = "left_alone"  # there was nothing to do for them, or it may not be done
    UNDONE = "undone"  # they are again as they were
    KEPT = "kept"  # they have changed since, so the change was not undone


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkWish:
    """What is to be done. `until` is the first day that is no longer paused; None: until somebody lifts the pause."""

    action: BulkAction
    pathway: str | None = None
    until: date | None = None


def decide(situation: Situation, wish: BulkWish, *, begun: Enrolled | None = None) -> Change | str:
    """What it comes to for one patient, or in a few words why they are left alone.

    `begun` is a fresh enrolment on the pathway to be joined, for a patient who has never been on it.
    """
    match wish.action:
        case BulkAction.PAUSE:
            return _pause(situation, wish.until)
        case BulkAction.RESUME:
            return _resume(situation)
        case BulkAction.JOIN:
            return _join(situation, wish.pathway, begun)
        case BulkAction.LEAVE:
            return _leave(situation, wish.pathway)


def _pause(situation: Situation, until: date | None) -> Change | str:
    contact = situation.contact
    if contact.status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        return _status(contact.status)
    if until is not None and not situation.today < until <= situation.today + LONGEST_PAUSE:
        return "where they live that day is not within the coming year"
    if contact.status is PatientStatus.PAUSED and contact.paused_until == until:
        return "paused like that already"
    paused = replace(contact, status=PatientStatus.PAUSED, paused_until=until)
    return replace(situation, contact=paused).unchanged()


def _resume(situation: Situation) -> Change | str:
    contact = situation.contact
    if contact.status is not PatientStatus.PAUSED:
        return "not paused" if contact.status is PatientStatus.ACTIVE else _status(contact.status)
    return reopen(replace(situation, contact=replace(contact, status=PatientStatus.ACTIVE, paused_until=None)))


def _join(situation: Situation, pathway: str | None, begun: Enrolled | None) -> Change | str:
    if situation.contact.status in _GONE:
        return _status(situation.contact.status)
    own = on_pathway(situation, pathway)
    if own is None:
        if begun is None:
            return "there is no such pathway"
        return replace(situation, enrolments=(*situation.enrolments, begun)).unchanged()
    if own.state.is_stopped:
        return "said stop to it; only they can bring it back"
    if is_held(own):
        return _react(situation, own, Resumed(situation.today))
    if own.state.is_paused_on(situation.today):
        return f"on a break from it until {own.state.paused_until}"
    return "on it already"


def _leave(situation: Situation, pathway: str | None) -> Change | str:
    if situation.contact.status in _GONE:
        return _status(situation.contact.status)
    own = on_pathway(situation, pathway)
    if own is None or is_held(own):
        return "not on it"
    return _react(situation, own, Paused(situation.today, None))


def on_pathway(situation: Situation, pathway: str | None) -> Enrolled | None:
    """The patient's enrolment on it, held or not."""
    return next((one for one in situation.enrolments if one.state.pathway == pathway), None)


def is_held(enrolled: Enrolled) -> bool:
    """Whether the patient was taken off the pathway: it stands still until somebody puts them on it again."""
    return enrolled.state.is_paused and enrolled.state.paused_until is None


def _react(situation: Situation, own: Enrolled, event: Event) -> Change:
    return situation.react({own.id: event}, kind=MessageKind.NOTICE)


def _status(status: PatientStatus) -> str:
    return "cannot be reached" if status is PatientStatus.UNREACHABLE else status.value
