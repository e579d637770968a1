"""Mail that comes back: the message was not delivered, its address may be bad, a recipient may have complained.

Anybody can write to the address that mails come from. A notification is believed when it names an attempt of ours,
whose id cannot be guessed, and that attempt went to the address it speaks of, if it speaks of one. The rest changes
nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Addressee, Channel, ConsentSource
from scheduler.domain.when import local_date
from scheduler.ports import SERVICE, Clock, ErrorClass, Store, Unit
from scheduler.ports.settling import Attempted, Tracked
from scheduler.services.bounces_mail import Bounce, Complaint
from scheduler.services.bounces_notice import Code, Fate, comparable
from scheduler.services.carers import end_carers_mail
from scheduler.services.composing import message_id_header
from scheduler.services.letters.verdicts import Handled, Verdict
from scheduler.services.receipts import Receipt, ReceiptBook, Taken
from scheduler.services.rules import Rules
from scheduler.services.situations import load
from scheduler.services.withdrawing import withdraw

_log = logging.getLogger(__name__)


class Judge(Protocol):
    """Looks a code up in the provider error table, and never fails.

    `reply` is three digits of SMTP, `status` an RFC 3463 code; `of_content` when the mail was refused after its end.
    """

    def __call__(self, reply: int, status: str | None, *, of_content: bool) -> ErrorClass: ...


class Bounces:
    """Takes notifications, one by one, in any order and any number of times."""

    def __init__(self, *, store: Store, rules: Rules, book: ReceiptBook, judge: Judge, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._judge = judge
        self._clock = clock
        self._book = book

    def take(self, notification: Bounce | Complaint) -> Handled:
        """Do what follows from a notification."""
        return self._bounce(notification) if isinstance(notification, Bounce) else self._complaint(notification)

    # Non-delivery

    def _bounce(self, bounce: Bounce) -> Handled:
        with self._store.writing() as unit:
            mail = _meant(unit, bounce.attempts)
            if mail is None:
                return _NOT_OURS
            ours = comparable(mail.address)
            notices = [one for one in bounce.notices if not one.addresses or ours in one.addresses]
            if not notices:
                return _OTHER_ADDRESS
            if any(one.fate is not Fate.FAILED for one in notices):
                return Handled(Verdict.HARMLESS, f"message {mail.id} is delayed or delivered; nothing is lost")
            return self._failed(unit, mail, notices[0].code)

    def _failed(self, unit: Unit, mail: _Mail, code: Code) -> Handled:
        clinic = unit.installation.clinics()[mail.tracked.clinic_id]
        error_class = self._class_of(code)
        receipt = Receipt(
            attempt_id=mail.tracked.attempt_id,
            provider_id=mail.tracked.provider_id
            or message_id_header(mail.tracked.attempt_id, clinic.email_from or ""),
            target=MessageStatus.UNDELIVERED,
            code=str(code),
            error_class=error_class,
        )
        if self._book.take(unit, receipt, now=self._clock.now()) is not Taken.MOVED:
            known = mail.tracked.status.value
            return Handled(Verdict.REPEATED, f"nothing new about message {mail.id}, which is {known}")
        if error_class is ErrorClass.CONFIGURATION:
            _log.error("e-mail came back with code %s; check the sender of clinic %s and its DNS", code, clinic.code)
        return Handled(Verdict.UNDELIVERED, f"message {mail.id} came back: {code}{_CONSEQUENCES[error_class]}")

    def _class_of(self, code: Code) -> ErrorClass:
        reply = code.reply or (int(code.status[0]) * 100 if code.status else 0)
        return self._judge(reply, code.status, of_content=code.of_content)

    # Complaints

    def _complaint(self, complaint: Complaint) -> Handled:
        with self._store.writing() as unit:
            mail = _meant(unit, complaint.attempts)
            if mail is None:
                return _NOT_OURS
            if complaint.addresses and comparable(mail.address) not in complaint.addresses:
                return _OTHER_ADDRESS
            if not self._revoke(unit, mail):
                return Handled(Verdict.REPEATED, f"nothing new: the complaint about message {mail.id} is known")
        return Handled(Verdict.COMPLAINT, f"a complaint about message {mail.id}: consent to e-mail is taken back")

    def _revoke(self, unit: Unit, mail: _Mail) -> bool:
        """Take consent to e-mail back; False when that has been done, or consent was given after the mail."""
        clinic_id, patient_id = mail.tracked.clinic_id, mail.attempted.message.patient_id
        now = self._clock.now()
        if mail.attempted.message.to is Addressee.CARER:
            return end_carers_mail(unit, self._rules, clinic_id, patient_id, source=ConsentSource.PROVIDER, now=now)
        loaded = load(unit, self._rules, unit.installation.clinics()[clinic_id], patient_id, now)
        if loaded is None or not loaded.patient.email_consent:
            return False
        latest = unit.patients.latest_consents(clinic_id, [patient_id]).get((patient_id, Channel.EMAIL))
        if latest is not None and latest[1] > local_date(mail.attempted.started_at, loaded.situation.contact.zone):
            return False
        withdraw(unit, self._rules, loaded, Channel.EMAIL, source=ConsentSource.PROVIDER, by=SERVICE, now=now)
        return True


@dataclass(frozen=True, slots=True)
class _Mail:
    """A mail that was sent: the latest attempt at its message, held until the transaction ends."""

    tracked: Tracked
    attempted: Attempted

    @property
    def id(self) -> UUID:
        return self.tracked.message_id

    @property
    def address(self) -> str:
        return self.attempted.address


_MOST_IDS = 10  # that one notification is looked at for
_NOT_OURS = Handled(Verdict.FOREIGN, "it names no mail that was sent from here; nothing changed")
_OTHER_ADDRESS = Handled(Verdict.FOREIGN, "it speaks of an address that this mail did not go to; nothing changed")
_CONSEQUENCES = {
    ErrorClass.PERMANENT: "; unless it has been corrected since, the address is marked bad and staff have a task",
    ErrorClass.STOPPED: "; the recipient wants no mail, so consent is taken back",
    ErrorClass.CONFIGURATION: "; our sender or its DNS records are at fault, not the address",
    ErrorClass.TRANSIENT: "; the address is kept",
    ErrorClass.AMBIGUOUS: "; the address is kept",
}


def _meant(unit: Unit, attempts: frozenset[UUID]) -> _Mail | None:
    """The mail that a notification names; None when it names none of ours, an earlier try at one, or several."""
    if len(attempts) > _MOST_IDS:
        return None
    tracked = [one for attempt in sorted(attempts) if (one := unit.receipts.find(attempt, "")) is not None]
    if len(tracked) != 1 or not tracked[0].is_latest:
        return None
    attempted = unit.receipts.attempted(tracked[0])
    return _Mail(tracked[0], attempted) if attempted.message.channel is Channel.EMAIL else None
