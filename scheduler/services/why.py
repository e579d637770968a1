"""Why a message did or did not go, in plain words: when it was planned, each try, what came of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.people import Addressee, Channel
from scheduler.ports.patient_file import Try, Written
from scheduler.records import LedgerEntry
from scheduler.services.second_tries import Meaning, why_again

_RELEASED = "released"  # the outcome of an attempt that was never handed over


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, in the patient's zone; `at` is None where no instant is on record."""

    at: datetime | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The story of one message, and what a person can do about its end, where there is something."""

    moments: tuple[Moment, ...]
    end: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that is on record about one message. `window` is in UTC, until exclusive."""

    entry: LedgerEntry
    title: str | None  # of its pathway; None: of none
    tries: Sequence[Try] = ()
    window: tuple[datetime, datetime] | None = None
    first: LedgerEntry | None = None  # the message that it takes over from
    written: Written | None = None


def why(told: Told, *, zone: ZoneInfo, meaning: Meaning) -> Why:
    """The story of a message, for a patient who lives in `zone`; `meaning` puts providers' codes into words."""
    entry = told.entry
    moments = [Moment(entry.planned_at, _planned(told))]
    if told.first is not None:
        moments.append(Moment(None, f"It goes {why_again(told.first, meaning=meaning)}."))
    if told.window is not None and entry.template:
        moments.append(Moment(None, _window(told.window, zone)))
    for one in told.tries:
        moments.append(Moment(one.started_at, f"Try {one.number}: {_outcome(one, entry, meaning)}."))
    end, remedy = _end(told, zone, meaning)
    return Why(moments=tuple(_local(moment, zone) for moment in moments), end=end, remedy=remedy)


def _local(moment: Moment, zone: ZoneInfo) -> Moment:
    return moment if moment.at is None else replace(moment, at=moment.at.astimezone(zone))


def _planned(told: Told) -> str:
    entry = told.entry
    to = "their carer" if entry.to is Addressee.CARER else "the patient"
    if told.written is not None:
        return f"{told.written.by} wrote it."
    if entry.kind == MessageKind.REPLY:
        return f"Planned as an answer to what {to} wrote: it may go at any hour."
    if entry.kind == MessageKind.COPY:
        return "Planned as a copy of the reminder, for the carer."
    if entry.kind == MessageKind.NOTICE or told.title is None:
        return "Planned as news from the clinic: outside the day's count of reminders, inside the hours."
    step = entry.step.replace("_", " ")
    due = f"{entry.due_date:%A} {entry.due_date.day} {entry.due_date:%B}"
    return f"Due on {due} by the pathway “{told.title}”, at its step “{step}”."


def _window(window: tuple[datetime, datetime], zone: ZoneInfo) -> str:
    opens, closes = (each.astimezone(zone) for each in window)
    if opens.date() == closes.date():
        return f"It could go from {opens:%H:%M} until {closes:%H:%M}, {_day(opens)}."
    return f"It could go from {opens:%H:%M}, {_day(opens)}, until {closes:%H:%M}, {_day(closes)}."


def _day(at: datetime) -> str:
    return f"{at:%A} {at.day} {at:%B}"


def _outcome(one: Try, entry: LedgerEntry, meaning: Meaning) -> str:
    said = _coded(entry.channel, one.code, meaning)
    words = {
        None: "handed over; no answer is on record yet",
        "accepted": "the provider took it",
        "refused": f"the provider refused it{said}",
        "not_handed_over": f"it could not be handed over{said}; it is tried again while there is time",
        "unknown": f"handed over, but no readable answer came{said}",
        "interrupted": "our own work was interrupted while it was handed over",
        _RELEASED: "put back before it was handed over",
    }
    return words.get(one.outcome, f"{one.outcome}{said}")


def _coded(channel: Channel, code: str | None, meaning: Meaning) -> str:
    if not code:
        return ""
    known = meaning(channel, code)
    return f": {known} ({code})" if known else f" ({code})"


_PLAIN_ENDS = {
    MessageStatus.SENDING: "It is on its way.",
    MessageStatus.SENT: "It went. The provider has it; nobody has confirmed yet that it arrived.",
    MessageStatus.DELIVERED: "It arrived: the carrier or the mailbox confirmed it.",
    MessageStatus.NOT_SENT: "It is proven that it never left.",
}
_REMEDIES = {
    MessageStatus.FAILED: "Check the number or address with the patient; the worklist says where that is needed.",
    MessageStatus.UNDELIVERED: "Check the number or address with the patient, and call if it matters.",
    MessageStatus.UNKNOWN: "It is not sent again by itself. If it matters, call the patient.",
    MessageStatus.EXPIRED: "Nothing to do: the pathway goes on by itself. Call if it matters today.",
}
_SKIPS: dict[str, tuple[str, str | None]] = {
    SkipReason.NO_CONSENT: (
        "there is no consent on record for a way that could be used",
        "Ask the patient, and record the consent if they give it.",
    ),
    SkipReason.NO_CHANNEL: (
        "there is no number or address that may be used",
        "Enter a number or an address that works.",
    ),
    SkipReason.UNCONFIRMED: (
        "nobody at the number has agreed yet to be texted there",
        "Wait for the patient's answer to our question, or call them.",
    ),
    SkipReason.OUTSIDE_WINDOW: ("it was outside the hours for messages", None),
    SkipReason.BUDGET: (
        "another reminder had the day; a patient gets only so many a day",
        "Nothing to do: it comes on the next day, or gives way.",
    ),
    SkipReason.PAUSED: ("reminders were paused", "Let reminders go on when the patient wants them again."),
    SkipReason.INACTIVE: (
        "reminders of this patient have stopped",
        "If that is a mistake, record consent anew, or take the patient back.",
    ),
    SkipReason.TOO_LATE: (
        "its day or its hours had passed before the service could send it",
        "Nothing to do: the pathway goes on by itself.",
    ),
    SkipReason.STOPPED: (
        "the patient said stop, or took consent back, while it was on its way",
        "Nothing goes any more that way until the patient agrees again.",
    ),
    SkipReason.WRONG_NUMBER: (
        "whoever has the number or address said that they are not the patient",
        "Find the right number, and enter it.",
    ),
    SkipReason.SUPERSEDED: ("an answer, a result or a change made it needless", None),
    SkipReason.WITHDRAWN: ("it was taken back before it went", None),
}


def _end(told: Told, zone: ZoneInfo, meaning: Meaning) -> tuple[str, str | None]:
    entry = told.entry
    remedy = _REMEDIES.get(entry.status)
    code = _coded(entry.channel, entry.reason, meaning)
    match entry.status:
        case MessageStatus.PLANNED:
            at = f" It goes at {_at(told.window[0], zone)}." if told.window else ""
            return f"It waits for its moment.{at}", None
        case MessageStatus.SKIPPED:
            words, helps = _SKIPS.get(entry.reason or "", (entry.reason or "no reason is on record", None))
            return f"It did not go: {words}.", helps
        case MessageStatus.FAILED:
            return f"It did not go: the provider refused it{code}.", remedy
        case MessageStatus.UNDELIVERED:
            return f"It went and did not arrive{code}.", remedy
        case MessageStatus.UNKNOWN:
            return "Nobody knows whether it went: no readable answer came from the provider.", remedy
        case MessageStatus.EXPIRED:
            return "It did not go: its hours passed before it could.", remedy
        case _:
            return _PLAIN_ENDS[entry.status], remedy


def _at(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{local:%H:%M}, {_day(local)}"
