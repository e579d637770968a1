"""A member of staff writes to a patient: a look at the message as it would go, and sending it, once.

It goes through the ledger like everything else, so consent, hours, a pause and a STOP are looked at again when it is
about to go.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduler.domain.contact import Contact, PlannedMessage
from scheduler.domain.messages import SkipReason
from scheduler.domain.people import Addressee, Channel, PatientStatus
from scheduler.domain.sms import SmsLength, segments
from scheduler.domain.writing import written
from scheduler.ids import new_id
from scheduler.ports import RenderedSms, Store, Unit
from scheduler.ports.patient_file import Written
from scheduler.records import Clinic, Patient
from scheduler.services.addressing import recipients_of
from scheduler.services.care import Deciding
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.situations import load_by_mrn, write

LONGEST_TEXT = 1600  # characters of a text, with the clinic's name and how to stop: what Twilio takes (21617)
LONGEST_WORDS = 4000  # characters of an e-mail
LONGEST_MARK = 64  # characters
_NAMES = {Channel.SMS: "texts", Channel.EMAIL: "e-mail"}
_ADDRESSES = {Channel.SMS: "phone number", Channel.EMAIL: "e-mail address"}


class WritingError(ValueError):
    """The message cannot go as it is, and nothing has gone. `field` is what to change: words, channel or nothing."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has written so far."""

    channel: Channel
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A message as it would go. `at` is in the patient's zone; `length` is None for an e-mail."""

    draft: Draft
    to: str  # the patient's name, or their carer's
    is_to_carer: bool
    subject: str | None
    body: str
    language: str  # the one that the words around are in
    length: SmsLength | None
    has_stop_line: bool
    at: datetime
    is_now: bool
    is_paused: bool  # it waits for the end of a pause


def ways(patient: Patient, clinic: Clinic) -> tuple[Channel, ...]:
    """The channels by which staff may write to a patient now, the preferred one first; none: they may not."""
    contact = patient.contact(clinic)
    if contact.status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        return ()
    open_ones = [channel for channel in Channel if contact.reach.has(channel)]
    return tuple(sorted(open_ones, key=lambda channel: channel is not contact.channel))


def why_nobody(patient: Patient, clinic: Clinic) -> str:
    """Why no channel is open, and what to do about it."""
    return why_not(patient, patient.contact(clinic), patient.channel)


def preview(
    unit: Unit, rules: Rules, composer: Composer, clinic: Clinic, patient: Patient, draft: Draft, *, now: datetime
) -> Preview:
    """How the message would go to the patient, seen from `now` (UTC). Raises `WritingError`."""
    words = tidy(draft.words)
    contact = patient.contact(clinic)
    planned = written(contact, draft.channel, now)
    if isinstance(planned, SkipReason):
        raise WritingError(why_not(patient, contact, draft.channel), field="channel")
    found = recipients_of(unit, rules, clinic, [patient]).get((patient.id, planned.to, planned.channel))
    rendered = composer.draft(planned, patient, clinic, to=found, words=words)
    is_to_carer = planned.to is Addressee.CARER
    return Preview(
        draft=Draft(draft.channel, words),
        to=found.name if found is not None and is_to_carer else patient.name,
        is_to_carer=is_to_carer,
        subject=None if isinstance(rendered, RenderedSms) else rendered.subject,
        body=_checked(rendered.body) if isinstance(rendered, RenderedSms) else rendered.text,
        language=rendered.language,
        length=segments(rendered.body) if isinstance(rendered, RenderedSms) else None,
        has_stop_line=planned.stop_line,
        at=planned.send_from.astimezone(contact.zone),
        is_now=planned.send_from <= now,
        is_paused=contact.status is PatientStatus.PAUSED,
    )


def send(store: Store, rules: Rules, composer: Composer, about: Deciding, draft: Draft, *, once: str) -> Written:
    """Put the message in the ledger, from where it goes when it may.

    `once` is the mark of the form: what has been sent with it is not sent again. Raises `WritingError` and
    `UnknownPatientError`; nothing is written then.
    """
    clinic = about.clinic
    if not 16 <= len(once) <= LONGEST_MARK:
        raise WritingError("this form is not whole any more; open the page again and copy your words into it")
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, clinic, about.mrn, about.now)
        before = unit.patient_file.sent_once(clinic.id, once)
        if before is not None:
            return _same(before, loaded.patient, draft)
        shown = preview(unit, rules, composer, clinic, loaded.patient, draft, now=about.now)
        contact = loaded.situation.contact
        planned = written(contact, draft.channel, about.now)
        assert isinstance(planned, PlannedMessage)  # noqa: S101 - or the preview would have refused it
        new = Written(
            message_id=new_id(),
            patient_id=loaded.patient.id,
            words=shown.draft.words,
            at=about.now,
            by=about.by,
            once=once,
        )
        unit.patient_file.write(clinic.id, new, planned, version="")
        if planned.stop_line:
            after = replace(contact, stop_line_on=planned.due_date)
            write(unit, rules, loaded, replace(loaded.situation.unchanged(), contact=after))
        entry = (clinic.id, "message written", loaded.patient.id, f"{draft.channel.value}, {new.message_id}")
        unit.installation.audit([entry], actor=about.by, now=about.now)
        return new


def withdraw(store: Store, about: Deciding, message_id: UUID) -> None:
    """Take back a message that waits to go. Raises `WritingError` when it has gone, or is none of staff's."""
    with store.writing() as unit:
        patient = unit.patients.by_mrn(about.clinic.id, [about.mrn]).get(about.mrn)
        if patient is None or not unit.patient_file.withdraw(about.clinic.id, patient.id, message_id):
            raise WritingError("that message does not wait any more: it has gone, or was taken back already")
        entry = (about.clinic.id, "message withdrawn", patient.id, str(message_id))
        unit.installation.audit([entry], actor=about.by, now=about.now)


def tidy(words: str) -> str:
    """The words with plain line ends, and without space around them. Raises `WritingError`."""
    said = words.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not said:
        raise WritingError("the message is empty; write what you want to say", field="words")
    if len(said) > LONGEST_WORDS:
        raise WritingError(
            f"the message has {len(said):,} characters; write at most {LONGEST_WORDS:,}", field="words"
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in said):
        raise WritingError("the message has characters that no phone can show; type it here anew", field="words")
    return said


def why_not(patient: Patient, contact: Contact, channel: Channel) -> str:
    """Why staff may not write to the patient that way, and what to do about it."""
    status = patient.status
    if status is PatientStatus.PAUSED and contact.reach.has(channel):
        return "reminders are paused without an end; let them go on, or call the patient"
    if status is PatientStatus.STOPPED:
        return "the patient has said stop; call them, and record it if they agree to messages again"
    if status is PatientStatus.UNREACHABLE:
        return "no number or address on file works; call or write a letter, and enter the new one"
    if status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        return f"the patient is on file as {status.value}: nothing is sent to them"
    if contact.addressee is Addressee.CARER:
        return f"the carer gets this patient's messages, and has not agreed to {_NAMES[channel]}"
    if patient.address(channel) is None:
        return f"there is no {_ADDRESSES[channel]} on file; enter one first"
    if patient.phone_bad if channel is Channel.SMS else patient.email_bad:
        return f"the {_ADDRESSES[channel]} on file does not work; enter the right one first"
    if not (patient.sms_consent if channel is Channel.SMS else patient.email_consent):
        return f"the patient has not agreed to {_NAMES[channel]}; ask them, and record it if they do"
    return "nobody at the number has agreed yet to be texted there; wait for the answer, or call"


def _same(before: Written, patient: Patient, draft: Draft) -> Written:
    if before.patient_id == patient.id and before.words == tidy(draft.words):
        return before
    raise WritingError("this form has sent a message already; open the page again to write another")


def _checked(body: str) -> str:
    if len(body) > LONGEST_TEXT:
        raise WritingError(
            f"the text would have {len(body):,} characters; phones take at most {LONGEST_TEXT:,}, so write less, or "
            "an e-mail",
            field="words",
        )
    return body
