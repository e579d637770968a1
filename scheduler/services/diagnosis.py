"""What the figures of an installation say is wrong, where, and what to do about it. Plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from datetime import timedelta

from scheduler.domain.people import Channel
from scheduler.records import Clinic
from scheduler.services.findings import Finding, Topic
from scheduler.services.overview import LATE
from scheduler.services.vitals import Refused, Vitals

QUEUE_LATE = timedelta(minutes=15)  # a message that could have gone for longer says that delivery does not keep up
REPLIES_LATE = timedelta(minutes=2)  # most are understood within a second
NO_BEAT = timedelta(seconds=60)  # a worker that works gives a sign of life every second or two
SKEW = timedelta(seconds=5)  # by which two clocks may differ: leases and retries are counted in minutes

_WORDS = {Channel.SMS: "texts", Channel.EMAIL: "e-mail"}
_UNLISTED = "which config/provider_errors.yaml does not list"
_LOOK_THERE = "look at the provider's own log and status page"
_SENDER_REMEDIES = {
    Channel.SMS: "give it one with `bonewise clinic set --clinic {} --sms-from NUMBER`, or --messaging-service",
    Channel.EMAIL: "give it one with `bonewise clinic set --clinic {} --email-from ADDRESS`",
}


Explain = Callable[[Refused], "tuple[str, str] | None"]
"""Looks the code up in the error table: what it means, and what to do, which may be empty."""


def diagnose(vitals: Vitals, *, explain: Explain, real: Set[Channel]) -> list[Finding]:
    """What the figures say is wrong. `real` are the channels whose messages leave the machine."""
    return [
        *_workers(vitals),
        *_clocks(vitals),
        *_refusals(vitals, explain),
        *_queues(vitals),
        *_inbound(vitals),
        *_unsettled(vitals),
        *_senders(vitals.clinics, real),
    ]


# Who works


def _workers(vitals: Vitals) -> Iterator[Finding]:
    if vitals.beat_for is None:
        what = "no process that plans and sends has ever run on this database"
    elif vitals.beat_for > NO_BEAT:
        what = f"no process that plans and sends has given a sign of life for {in_words(vitals.beat_for)}"
    else:
        return
    yield Finding(
        topic=Topic.WORKER,
        what=what,
        where="scheduler",
        remedy="start `bonewise serve`, or `bonewise worker` where there are several machines",
    )


def _clocks(vitals: Vitals) -> Iterator[Finding]:
    remedy = "let both machines follow a time server (NTP): contact windows and leases go by their clocks"
    if abs(vitals.skew) > SKEW:
        side = "ahead of" if vitals.skew > timedelta() else "behind"
        yield Finding(
            topic=Topic.CLOCK,
            what=f"the database's clock is {in_words(abs(vitals.skew))} {side} this machine's",
            where="database server",
            remedy=remedy,
        )
    for worker, ahead in sorted(vitals.ahead.items()):
        if ahead > SKEW:
            yield Finding(
                topic=Topic.CLOCK,
                what=f"its clock is {in_words(ahead)} ahead of this machine's",
                where=f"worker {worker}",
                remedy=remedy,
            )


# From whom providers take nothing


def _refusals(vitals: Vitals, explain: Explain) -> Iterator[Finding]:
    for one in vitals.refused:
        meaning, action = explain(one) or (_UNLISTED, "")
        why = f"code {one.breaker.code}, {meaning}" if one.breaker.code else "it gave no code"
        yield Finding(
            topic=Topic.SENDER,
            what=(
                f"the provider has taken nothing from {_refused_thing(one)} for {in_words(one.open_for)}, since "
                f"{one.breaker.open_since:%Y-%m-%d %H:%M} UTC: {why}; the messages wait"
            ),
            where=_refused_place(one),
            remedy=f"{action or _LOOK_THERE}; one message is tried now and then, and all go once it gets through",
        )


def _refused_thing(one: Refused) -> str:
    return f"the account for {_WORDS[one.channel]}" if one.is_account else f"a sender of {_WORDS[one.channel]}"


def _refused_place(one: Refused) -> str:
    if one.is_account:
        return f"all clinics, {_WORDS[one.channel]}"
    return f"clinic {', '.join(one.clinics)}" if one.clinics else "a sender that no clinic has any more"


# What waits


def _queues(vitals: Vitals) -> Iterator[Finding]:
    if vitals.due_for > LATE:
        yield Finding(
            topic=Topic.PLANNING,
            what=f"{_count(vitals.due, 'patient')} due and not planned for, the first for {in_words(vitals.due_for)}",
            where="scheduler",
            remedy="start `bonewise serve` or a worker, or run `bonewise tick`; if one runs, its log says what fails",
        )
    stopped = {one.channel for one in vitals.refused}
    for channel, queue in sorted(vitals.waiting.items()):
        if queue.oldest_for > QUEUE_LATE and channel not in stopped:
            yield Finding(
                topic=Topic.DELIVERY,
                what=(
                    f"{_count(queue.count, 'message')} waiting to go as {_WORDS[channel]}, "
                    f"the first for {in_words(queue.oldest_for)}"
                ),
                where=f"delivery of {_WORDS[channel]}",
                remedy=(
                    "see whether a worker runs and what its log says of the provider; "
                    "where a clinic has --mps, that pace may be too slow for its patients"
                ),
            )


def _inbound(vitals: Vitals) -> Iterator[Finding]:
    if vitals.replies.oldest_for > REPLIES_LATE:
        yield Finding(
            topic=Topic.REPLIES,
            what=(
                f"{_count(vitals.replies.count, 'reply', plural='replies')} waiting to be understood, "
                f"the first for {in_words(vitals.replies.oldest_for)}"
            ),
            where="scheduler",
            remedy="start `bonewise serve` or a worker, or run `bonewise tick`; if one runs, its log says what fails",
        )
    if vitals.orphans:
        yield Finding(
            topic=Topic.REPLIES,
            what=f"{_count(vitals.orphans, 'text', verb=False)} came in for no clinic lately",
            where=f"the number or service {', '.join(vitals.orphan_numbers) or 'that Twilio did not name'}",
            remedy=(
                "`bonewise orphans` shows them: pass on what is for somebody; if the number is a clinic's, its "
                "record lacks it, and if it is nobody's, its webhook at Twilio should not lead here"
            ),
        )


def _unsettled(vitals: Vitals) -> Iterator[Finding]:
    if vitals.abandoned:
        yield Finding(
            topic=Topic.DELIVERY,
            what=f"a worker died while it handed over {_count(vitals.abandoned, 'message', verb=False)}",
            where="scheduler",
            remedy="start a worker: it sends those that never went, and asks the provider about the others",
        )
    if vitals.for_person:
        yield Finding(
            topic=Topic.UNKNOWN,
            what=f"only a person can find out whether {_count(vitals.for_person, 'message', verb=False)} went",
            where="tasks of kind delivery_unknown",
            remedy="`bonewise tasks --clinic CODE` lists them: ask the patient, and never send again before",
        )
    if vitals.tasks_overdue:
        yield Finding(
            topic=Topic.TASKS,
            what=f"{_count(vitals.tasks_overdue, 'task')} overdue",
            where="the clinics' worklists",
            remedy="`bonewise tasks --clinic CODE` lists them; somebody of the clinic has to act",
            is_doubt=True,  # the clinic's work, not the installation's
        )


# How clinics are set up


def _senders(clinics: Iterable[Clinic], real: Set[Channel]) -> Iterator[Finding]:
    """Of channels whose messages leave the machine. Without one of two senders a clinic may do on purpose."""
    for clinic in clinics:
        has = {Channel.SMS: bool(clinic.sms_from or clinic.messaging_service), Channel.EMAIL: bool(clinic.email_from)}
        for channel in (channel for channel in Channel if channel in real and not has[channel]):
            has_none = not any(has.values())
            nothing_else = ", nor any other: none of its patients can be reached" if has_none else ""
            yield Finding(
                topic=Topic.CLINIC,
                what=f"it has no sender for {_WORDS[channel]}{nothing_else}",
                where=f"clinic {clinic.code}",
                remedy=(
                    _SENDER_REMEDIES[channel].format(clinic.code)
                    + ("" if has_none else f"; leave it where nobody is to be reached by {_WORDS[channel]}")
                ),
                is_doubt=not has_none,
            )


# Words


def in_words(length: timedelta) -> str:
    """A length of time as a person would say it: the largest unit that fits twice, or seconds."""
    seconds = round(length.total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def _count(number: int, thing: str, *, plural: str = "", verb: bool = True) -> str:
    """ "1 patient is", "2 patients are"; without the verb on request."""
    things = thing if number == 1 else plural or f"{thing}s"
    return f"{number:,} {things}" + ((" is" if number == 1 else " are") if verb else "")
