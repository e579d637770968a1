"""From a ledger row to what goes over the channel: the words, in the patient's language, and the address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from scheduler.domain.contact import PlannedMessage
from scheduler.domain.languages import language_chain
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.ports import (
    MessageValues,
    OutboundEmail,
    OutboundSms,
    RenderedEmail,
    RenderedSms,
    Renderer,
)
from scheduler.records import Attempt, Clinic, Patient, ReadyMessage
from scheduler.services.links import Links


@dataclass(frozen=True, slots=True)
class Composed:
    """One attempt at a message and what it hands to the provider."""

    message: ReadyMessage
    attempt: Attempt
    outbound: OutboundSms | OutboundEmail


class Composer:
    """Writes messages. Raises `LookupError` when a template is missing, which `check` rules out before start."""

    def __init__(self, renderer: Renderer, links: Links) -> None:
        self._renderer = renderer
        self._links = links

    def compose(self, message: ReadyMessage, clinic: Clinic) -> Composed:
        """The attempt for `message`, in its patient's language and to their present address."""
        if message.channel is Channel.SMS:
            return self._compose_sms(message, clinic)
        return self._compose_email(message, clinic)

    def text(self, message: PlannedMessage, patient: Patient, clinic: Clinic) -> tuple[str, int]:
        """The words of a message that nobody sends, and its segments (0 for an e-mail)."""
        if message.channel is Channel.SMS:
            sms = self._sms(message, patient, clinic)
            return sms.body, sms.segments
        return self._email(message, patient, clinic).text, 0

    def _compose_sms(self, message: ReadyMessage, clinic: Clinic) -> Composed:
        text = self._sms(message, message.patient, clinic)
        attempt = _attempt(message, message.patient.phone, None, text.body, text, segments=text.segments)
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

    def _compose_email(self, message: ReadyMessage, clinic: Clinic) -> Composed:
        patient = message.patient
        mail = self._email(message, patient, clinic)
        attempt = _attempt(message, patient.email, mail.subject, mail.text, mail, segments=0)
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
                unsubscribe_url=self._links.unsubscribe(clinic.id, patient.id),
                is_reply=message.kind is MessageKind.REPLY,
            ),
        )

    def _sms(self, message: ReadyMessage | PlannedMessage, patient: Patient, clinic: Clinic) -> RenderedSms:
        languages = language_chain(patient.language, clinic.language)
        return self._renderer.sms(
            message.pathway,
            message.template,
            languages,
            self._values(message, patient, clinic, languages),
            stop_line=message.stop_line,
        )

    def _email(self, message: ReadyMessage | PlannedMessage, patient: Patient, clinic: Clinic) -> RenderedEmail:
        languages = language_chain(patient.language, clinic.language)
        values = self._values(
            message,
            patient,
            clinic,
            languages,
            unsubscribe_url=self._links.unsubscribe(clinic.id, patient.id),
        )
        return self._renderer.email(message.pathway, message.template, languages, values)

    def _values(
        self,
        message: ReadyMessage | PlannedMessage,
        patient: Patient,
        clinic: Clinic,
        languages: tuple[str, ...],
        *,
        unsubscribe_url: str = "",
    ) -> MessageValues:
        activities = self._renderer.activities(patient.mobility, languages)
        return MessageValues(
            clinic=clinic.message_name,
            clinic_phone=clinic.phone or "",
            first_name=patient.name.partition(" ")[0],
            page_url="",
            unsubscribe_url=unsubscribe_url,
            activity=activities[message.turn % len(activities)] if activities else "",
            count=message.count,
        )


def message_id_header(attempt_id: UUID, sender: str) -> str:
    """The Message-ID of an attempt: the same however often it is asked for, under the sender's own domain."""
    return f"<{attempt_id.hex}@{sender.rpartition('@')[2] or 'bonewise.invalid'}>"


def _attempt(
    message: ReadyMessage,
    address: str | None,
    subject: str | None,
    body: str,
    rendered: RenderedSms | RenderedEmail,
    *,
    segments: int,
) -> Attempt:
    return Attempt(
        id=new_id(),
        message_id=message.id,
        clinic_id=message.patient.clinic_id,
        number=message.attempts + 1,
        channel=message.channel,
        address=address or "",
        subject=subject,
        body=body,
        language=rendered.language,
        segments=segments,
        template_version=rendered.template_version,
    )
