"""Mail to a clinic's own people: planned with what it is about, handed over after that is committed.

As with messages to patients, an attempt is on record before the mail server is called, and what it answered after.
Whatever lies between leaves a mail of unknown fate. Only a kind that may go twice is then sent once more.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from html import escape
from uuid import UUID

from scheduler.domain.staff_mail import StaffMailKind, StaffMailStatus, pause_after
from scheduler.ports import (
    Clock,
    EmailChannel,
    ErrorClass,
    OutboundEmail,
    Outcome,
    Scope,
    SendResult,
    Stopping,
    Store,
    Unit,
)
from scheduler.records import Clinic, StaffMail
from scheduler.services.composing import message_id_header

BATCH = 20  # mails between two commits
LEASE = timedelta(minutes=10)  # longer than a mail server may take for a batch

_NO_SENDER = "no_sender"
_LONGEST_CODE = 32  # characters, what the column holds
_URL = re.compile(r"https?://[^\s<>\"]+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailsDelivered:
    """How many mails to staff one round moved where. `retried` go again later."""

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    retried: int = 0

    def __add__(self, other: MailsDelivered) -> MailsDelivered:
        return MailsDelivered(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(MailsDelivered))
        )


def plan_staff_mail(
    unit: Unit,
    clinic: Clinic,
    *,
    kind: StaffMailKind,
    to: str,
    subject: str,
    text: str,
    cause: str,
    now: datetime,
    until: datetime | None = None,
) -> bool:
    """Put a mail to the clinic's people into the outbox; it goes with the next tick after this transaction.

    `to` is an e-mail address, `cause` at most 80 characters: of one cause the clinic gets one mail, ever, and False
    says that it has had it. `until` (UTC) is when it would come too late; None: it is tried as long as it takes.
    Neither subject nor text may hold a name or anything clinical.
    """
    return unit.staff_mail.plan(
        clinic.id, kind=kind, to=to, subject=subject, text=text, cause=cause, now=now, until=until
    )


def deliver_staff_mail(
    store: Store, email: EmailChannel, *, clock: Clock, worker: str, stopping: Stopping
) -> MailsDelivered:
    """Hand over every mail to staff that is due, batch by batch, until done or `stopping`."""
    total = _settle_abandoned(store, clock.now())
    while not stopping():
        now = clock.now()
        with store.writing() as unit:
            late = unit.staff_mail.expire(now)
            mails = unit.staff_mail.claim(now, limit=BATCH, lease_until=now + LEASE, worker=worker[:64])
            clinics = unit.installation.clinics()
        if late:
            _log.error("%d mails to staff could not go in their time; `bonewise doctor` says why", late)
        if not mails:
            break
        total += _hand_over(store, email, mails, clinics, clock)
    return total


def _hand_over(
    store: Store, email: EmailChannel, mails: Sequence[StaffMail], clinics: Mapping[int, Clinic], clock: Clock
) -> MailsDelivered:
    results: dict[UUID, SendResult] = {}
    with_sender = [mail for mail in mails if clinics[mail.clinic_id].email_from]
    try:
        for result in email.send([_outbound(mail, clinics[mail.clinic_id]) for mail in with_sender]):
            results[result.attempt_id] = result
    finally:
        # What was handed over and has no answer keeps its lease, and is settled when that runs out.
        results |= {mail.attempt_id: _without_sender(mail) for mail in mails if mail not in with_sender}
        now = clock.now()
        with store.writing() as unit:
            ended = [
                _record(unit, mail, results[mail.attempt_id], now) for mail in mails if mail.attempt_id in results
            ]
    return sum(ended, MailsDelivered())


def _settle_abandoned(store: Store, now: datetime) -> MailsDelivered:
    """What workers that died left behind may have reached the mail server."""
    total = MailsDelivered()
    while True:
        with store.writing() as unit:
            left = unit.staff_mail.abandoned(now, limit=BATCH)
            total = sum((_unknown(unit, mail, now, code="interrupted") for mail in left), total)
        if len(left) < BATCH:
            return total


# What an answer means


def _record(unit: Unit, mail: StaffMail, result: SendResult, now: datetime) -> MailsDelivered:
    code = result.code[:_LONGEST_CODE] if result.code else None
    match result.outcome:
        case Outcome.ACCEPTED:
            unit.staff_mail.end(mail, StaffMailStatus.SENT, now=now, provider_id=result.provider_id)
            return MailsDelivered(sent=1)
        case Outcome.UNKNOWN:
            return _unknown(unit, mail, now, code=code)
        case Outcome.REFUSED if not _may_pass(result):
            unit.staff_mail.end(mail, StaffMailStatus.FAILED, now=now, code=code)
            _log.error("a mail to the staff of clinic %d (%s) was refused: %s", mail.clinic_id, mail.kind.value, code)
            return MailsDelivered(failed=1)
        case _:
            again_at = now + max(pause_after(mail.attempts), result.retry_after or timedelta())
            unit.staff_mail.end(mail, StaffMailStatus.PLANNED, now=now, again_at=again_at, code=code)
            return MailsDelivered(retried=1)


def _may_pass(result: SendResult) -> bool:
    """Whether the refusal is of this hour, or of an account or sender that somebody will mend."""
    if result.error_class is ErrorClass.TRANSIENT:
        return True
    return result.error_class is ErrorClass.CONFIGURATION and result.scope is not Scope.MESSAGE


def _unknown(unit: Unit, mail: StaffMail, now: datetime, *, code: str | None) -> MailsDelivered:
    if mail.kind.may_go_twice and not mail.is_again:
        again_at = now + pause_after(mail.attempts)
        unit.staff_mail.end(mail, StaffMailStatus.PLANNED, now=now, again_at=again_at, is_again=True, code=code)
        return MailsDelivered(retried=1)
    unit.staff_mail.end(mail, StaffMailStatus.UNKNOWN, now=now, code=code)
    _log.error("nobody knows whether a mail to the staff of clinic %d (%s) went", mail.clinic_id, mail.kind.value)
    return MailsDelivered(unknown=1)


# The mail itself


def _outbound(mail: StaffMail, clinic: Clinic) -> OutboundEmail:
    sender = clinic.email_from or ""
    return OutboundEmail(
        attempt_id=mail.attempt_id,
        to=mail.to,
        subject=mail.subject,
        text=mail.text,
        html=_html(mail.text),
        sender_address=sender,
        sender_name=clinic.message_name,
        message_id=message_id_header(mail.attempt_id, sender),
        unsubscribe_url="",  # staff have asked for it; `clinic set` ends it
        is_reply=False,
    )


def _html(text: str) -> str:
    """The text as it stands, with links that can be followed."""
    linked = _URL.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(text, quote=False))
    return f"<!doctype html><html><body><p>{linked.replace(chr(10), '<br>' + chr(10))}</p></body></html>"


def _without_sender(mail: StaffMail) -> SendResult:
    return SendResult(
        attempt_id=mail.attempt_id,
        outcome=Outcome.REFUSED,
        code=_NO_SENDER,
        error_class=ErrorClass.CONFIGURATION,
    )
