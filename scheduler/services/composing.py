"""From a ledger row to what goes over the channel: the words, in the patient's language, and the address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from scheduler.domain.contact import PlannedMessage
from scheduler.domain.languages import language_chain
from scheduler.domain.messages import MessageKind
from scheduler.domain.patient_page import DISCREET, DISCREET_ANSWER, LINK_LASTS
from scheduler.domain.people import Channel, Mobility
from scheduler.domain.sending import SERVICE_MESSAGES, is_written
from scheduler.domain.sharing import OF_THE_NUMBER, first_name
from scheduler.ports import (
    MessageValues,
    OutboundEmail,
    OutboundSms,
    RenderedEmail,
    RenderedSms,
    Renderer,
)
from scheduler.records import Attempt, Clinic, LedgerMessage, Patient, ReadyMessage, Recipient
from scheduler.services.links import Links

_Message = LedgerMessage | PlannedMessage
_Person = Recipient | Patient


@dataclass(frozen=True, slots=True)
class Composed:
    """One attempt at a message and what it hands to the provider."""

    message: LedgerMessage
    attempt: Attempt
    outbound: OutboundSms | OutboundEmail

    @property
    def sender(self) -> str | None:
        """The number, service or address that it comes from."""
        if isinstance(self.outbound, OutboundSms):
            return self.outbound.messaging_service or self.outbound.sender_number
        return self.outbound.sender_address


class Composer:
    """Writes messages. Raises `LookupError` when a template is missing, which `check` rules out before start."""

    def __init__(self, renderer: Renderer, links: Links) -> None:
        self._renderer = renderer
        self._links = links

    def compose(
        self,
        ready: ReadyMessage,
        clinic: Clinic,
        *,
        attempt_id: UUID,
        thread: tuple[str, ...] = (),
        words: str = "",
    ) -> Composed:
        """The attempt for a message, in its patient's language and to their present address, under a new id.

        `thread`: the Message-IDs of the e-mail that it answers, and of those that led to it. `words`: of a message
        that a member of staff wrote.
        """
        if ready.message.channel is Channel.SMS:
            return self._compose_sms(ready.message, ready.to, clinic, attempt_id, words)
        return self._compose_email(ready.message, ready.to, clinic, attempt_id, thread, words)

    def text(
        self, message: PlannedMessage, patient: Patient, clinic: Clinic, *, to: Recipient | None = None
    ) -> tuple[str, int]:
        """The words of a message that nobody sends, and its segments (0 for an e-mail).

        `to` is who gets it, when that is not the patient alone.
        """
        drafted = self.draft(message, patient, clinic, to=to)
        return (drafted.body, drafted.segments) if isinstance(drafted, RenderedSms) else (drafted.text, 0)

    def draft(
        self,
        message: PlannedMessage,
        patient: Patient,
        clinic: Clinic,
        *,
        to: Recipient | None = None,
        words: str = "",
    ) -> RenderedSms | RenderedEmail:
        """A message as it would go, its subject included. As `text`; `words` as in `compose`."""
        if message.channel is Channel.SMS:
            return self._sms(message, to or patient, patient.mobility, clinic, words)
        return self._email(message, to or patient, patient.mobility, clinic, words)

    def in_full(self, message: PlannedMessage, patient: Patient, clinic: Clinic, *, language: str) -> str:
        """The words of an e-mail that nobody sends, discreet or not, for the patient's own page, in `language`."""
        plain = replace(patient, is_discreet=False, language=language)
        return self._email(message, plain, patient.mobility, clinic, "").text

    def _compose_sms(
        self, message: LedgerMessage, to: Recipient, clinic: Clinic, attempt_id: UUID, words: str
    ) -> Composed:
        text = self._sms(message, to, to.contact.mobility, clinic, words)
        attempt = _attempt(attempt_id, message, to.address, None, text.body, text, segments=text.segments)
        return Composed(
            message,
            attempt,
            OutboundSms(
                attempt_id=attempt.id,
                to=attempt.address,
                body=text.body,
                sender_number=None if clinic.messaging_service else clinic.sms_from,
                messaging_service=clinic.messaging_service,
                valid_until=message.send_until,
            ),
        )

    def _compose_email(
        self,
        message: LedgerMessage,
        to: Recipient,
        clinic: Clinic,
        attempt_id: UUID,
        thread: tuple[str, ...],
        words: str,
    ) -> Composed:
        mail = self._email(message, to, to.contact.mobility, clinic, words)
        attempt = _attempt(attempt_id, message, to.address, mail.subject, mail.text, mail, segments=0)
        sender = clinic.email_from or ""
        return Composed(
            message,
            attempt,
            OutboundEmail(
                attempt_id=attempt.id,
                to=attempt.address,
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                sender_address=sender,
                sender_name=clinic.message_name,
                message_id=message_id_header(attempt.id, sender),
                unsubscribe_url=self._links.unsubscribe(clinic.id, _link_of(to)),
                thread=thread,
                is_reply=message.kind is MessageKind.REPLY,
            ),
        )

    def _sms(self, message: _Message, to: _Person, mobility: Mobility, clinic: Clinic, words: str) -> RenderedSms:
        """The text, opened by whom it is about where that needs saying, in as many segments as without."""
        message = _discreetly(message, to)
        languages = language_chain(to.language, clinic.language)
        values = self._values(message, to, mobility, clinic, languages, words=words)
        text = self._rendered(message, languages, values)
        most = text.segments
        for opening in self._openings(message, to, languages, values):
            text = self._rendered(message, languages, replace(values, clinic=opening))
            if text.segments <= most:
                break
        return text

    def _rendered(self, message: _Message, languages: tuple[str, ...], values: MessageValues) -> RenderedSms:
        return self._renderer.sms(message.pathway, message.template, languages, values, stop_line=message.stop_line)

    def _email(self, message: _Message, to: _Person, mobility: Mobility, clinic: Clinic, words: str) -> RenderedEmail:
        message = _discreetly(message, to)
        languages = language_chain(to.language, clinic.language)
        values = self._values(
            message,
            to,
            mobility,
            clinic,
            languages,
            words=words,
            unsubscribe_url=self._links.unsubscribe(clinic.id, _link_of(to)),
        )
        opening = next(self._openings(message, to, languages, values), values.clinic)
        return self._renderer.email(message.pathway, message.template, languages, replace(values, clinic=opening))

    def _openings(
        self, message: _Message, to: _Person, languages: tuple[str, ...], values: MessageValues
    ) -> Iterator[str]:
        """Ways to name the clinic and whom a message is about, the best first; none where it is plain."""
        marks = to.for_whom if isinstance(to, Recipient) and not _is_of_the_number(message) else ()
        for mark in marks:
            about = replace(values, for_whom=mark)
            yield self._renderer.sms(SERVICE_MESSAGES, "for_whom", languages, about, stop_line=False).body
            yield f"{values.clinic} ({mark})"
        if marks:
            yield f"{values.clinic} ({marks[-1].replace('.', '')})"

    def _values(
        self,
        message: _Message,
        to: _Person,
        mobility: Mobility,
        clinic: Clinic,
        languages: tuple[str, ...],
        *,
        words: str,
        unsubscribe_url: str = "",
    ) -> MessageValues:
        if is_written(message.pathway, message.template) and not words:
            raise LookupError("the words of a message that staff wrote are not on record")
        activities = self._renderer.activities(message.pathway, mobility, languages)
        confirms = message.step if message.pathway == SERVICE_MESSAGES else ""  # its templates know as what
        return MessageValues(
            clinic=clinic.message_name,
            clinic_phone=clinic.phone or "",
            first_name=_greeted(message, to),
            page_url=self._page_of(message, to),
            unsubscribe_url=unsubscribe_url,
            activity=activities[message.turn % len(activities)] if activities else "",
            count=message.count,
            choices=to.choices if isinstance(to, Recipient) else "",
            words=words,
            topic=confirms,
            when=confirms,
            days=confirms,
        )

    def _page_of(self, message: _Message, to: _Person) -> str:
        """Where the patient's own page is. It depends on nothing but the message, so that every try has one link."""
        if to.page_key is None:
            return ""
        return self._links.page(to.page_key, expires_on=message.due_date + LINK_LASTS)


def _discreetly(message: _Message, to: _Person) -> _Message:
    """What goes to somebody who wants discreet wording: that there is something to read, and where.

    What is of no pathway is left as it is: STOP, HELP and words for an emergency must stand in the message itself.
    """
    if not to.is_discreet or to.page_key is None or message.pathway == SERVICE_MESSAGES:
        return message
    template = DISCREET_ANSWER if message.kind is MessageKind.REPLY else DISCREET
    return replace(message, pathway=SERVICE_MESSAGES, template=template)


def _link_of(to: _Person) -> UUID:
    """Whose consent an e-mail's unsubscribe link ends."""
    return (to.link_to if isinstance(to, Recipient) else None) or to.id


def _greeted(message: _Message, to: _Person) -> str:
    """What an e-mail calls its reader: their first name, or their mark where others read it too."""
    if isinstance(to, Recipient) and to.link_to is None and to.for_whom:
        return to.everybody if _is_of_the_number(message) else to.for_whom[0]
    return first_name(to.name)


def _is_of_the_number(message: _Message) -> bool:
    return message.pathway == SERVICE_MESSAGES and message.template in OF_THE_NUMBER


def message_id_header(attempt_id: UUID, sender: str) -> str:
    """The Message-ID of an attempt: the same however often it is asked for, under the sender's own domain."""
    return f"<{attempt_id.hex}@{sender.rpartition('@')[2] or 'bonewise.invalid'}>"


def _attempt(
    attempt_id: UUID,
    message: LedgerMessage,
    address: str | None,
    subject: str | None,
    body: str,
    rendered: RenderedSms | RenderedEmail,
    *,
    segments: int,
) -> Attempt:
    return Attempt(
        id=attempt_id,
        message_id=message.id,
        clinic_id=message.clinic_id,
        number=message.attempts + 1,
        channel=message.channel,
        address=address or "",
        subject=subject,
        body=body,
        language=rendered.language,
        segments=segments,
        template_version=rendered.template_version,
        to=message.to,
    )
