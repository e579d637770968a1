"""From a ledger row to what goes over the channel: the words, in the patient's language, and the address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from scheduler.domain.languages import language_chain
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel, Mobility
from scheduler.ids import new_id
from scheduler.ports import MessageValues, OutboundEmail, OutboundSms, Renderer
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
            return self._sms(message, clinic)
        return self._email(message, clinic)

    def _sms(self, message: ReadyMessage, clinic: Clinic) -> Composed:
        patient = message.patient
        languages = language_chain(patient.language, clinic.language)
        values = self.values(languages, clinic, patient.mobility, turn=message.turn, count=message.count)
        text = self._renderer.sms(
            message.pathway, message.template, languages, values, stop_line=message.stop_line
        )
        attempt = Attempt(
            id=new_id(),
            message_id=message.id,
            clinic_id=clinic.id,
            number=message.attempts + 1,
            channel=Channel.SMS,
            address=patient.phone or "",
            subject=None,
            body=text.body,
            language=text.language,
            segments=text.segments,
            template_version=text.template_version,
        )
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

    def _email(self, message: ReadyMessage, clinic: Clinic) -> Composed:
        patient = message.patient
        languages = language_chain(patient.language, clinic.language)
        unsubscribe_url = self._links.unsubscribe(clinic.id, patient.id)
        values = self.values(
            languages,
            clinic,
            patient.mobility,
            turn=message.turn,
            count=message.count,
            first_name=_first_name(patient),
            unsubscribe_url=unsubscribe_url,
        )
        mail = self._renderer.email(message.pathway, message.template, languages, values)
        attempt = Attempt(
            id=new_id(),
            message_id=message.id,
            clinic_id=clinic.id,
            number=message.attempts + 1,
            channel=Channel.EMAIL,
            address=patient.email or "",
            subject=mail.subject,
            body=mail.text,
            language=mail.language,
            segments=0,
            template_version=mail.template_version,
        )
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
                unsubscribe_url=unsubscribe_url,
                is_reply=message.kind is MessageKind.REPLY,
            ),
        )

    def values(
        self,
        languages: tuple[str, ...],
        clinic: Clinic,
        mobility: Mobility,
        *,
        turn: int,
        count: int,
        first_name: str = "",
        unsubscribe_url: str = "",
    ) -> MessageValues:
        """What a template may mention. The activity of `turn` is the one that fits `mobility`."""
        activities = self._renderer.activities(mobility, languages)
        return MessageValues(
            clinic=clinic.message_name,
            clinic_phone=clinic.phone or "",
            first_name=first_name,
            page_url="",
            unsubscribe_url=unsubscribe_url,
            activity=activities[turn % len(activities)] if activities else "",
            count=count,
        )


def message_id_header(attempt_id: UUID, sender: str) -> str:
    """The Message-ID of an attempt: the same however often it is asked for, under the sender's own domain."""
    return f"<{attempt_id.hex}@{sender.rpartition('@')[2] or 'bonewise.invalid'}>"


def _first_name(patient: Patient) -> str:
    return patient.name.split()[0] if patient.name.split() else ""
