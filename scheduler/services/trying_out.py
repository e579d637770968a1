"""A text that tries a clinic's sender out: to a number of somebody who works there, with words that say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.people import Channel
from scheduler.domain.sms import segments
from scheduler.ids import new_id
from scheduler.ports import OutboundSms, Outcome, Store
from scheduler.ports.auditing import Which
from scheduler.records import Clinic
from scheduler.services.deliver import Delivery
from scheduler.services.intake.draft import FieldError, PhoneCheck
from scheduler.services.intake.phones import parse_phone

PAUSE = timedelta(minutes=1)  # between two of one clinic
_ACTION = "test text sent"
_SHOWN = 2  # digits at the end of a number in the audit trail
_LONGEST = 40  # characters


class TestTextError(ValueError):
    """No text was sent. The text says why and what to do."""

    __test__ = False  # for pytest, to which the name looks like one of its own


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `code` is the provider's, where it refused."""

    number: str  # E.164
    outcome: Outcome
    code: str | None = None


def send_test_text(
    store: Store, delivery: Delivery, clinic: Clinic, typed: str, *, by: str, now: datetime, wall: datetime
) -> Tried:
    """Send a text from the clinic's sender to the number that somebody of the staff typed as their own.

    They ask for it themselves, so that no consent is on record for it; a number that a patient of the clinic has is
    refused. `now` is by the service's clock, `wall` by the wall: that one dates the audit trail. Raises
    `TestTextError`.
    """
    if not (clinic.sms_from or clinic.messaging_service):
        raise TestTextError("there is no sender for texts yet; give one, save it, and try again")
    number = _number(clinic, typed)
    with store.writing() as unit:
        if unit.patients.by_address(Channel.SMS, number, clinic_id=clinic.id):
            raise TestTextError("a patient of the clinic has this number; give one of your own")
        last = unit.auditing.page(clinic.id, Which(action=_ACTION, since=wall - PAUSE), before=None, limit=1)
        if last:
            raise TestTextError("a test text went within the last minute; wait a moment")
        # On record before the provider is called: whatever comes of it, somebody has tried.
        unit.installation.audit([(clinic.id, _ACTION, None, masked(number))], actor=by, now=wall)
    body = f"{clinic.message_name}: this is a test. Nothing needs to be done."
    text = OutboundSms(
        attempt_id=new_id(),
        to=number,
        body=body,
        sender_number=clinic.sms_from,
        messaging_service=clinic.messaging_service,
        valid_until=now + timedelta(hours=1),
    )
    result = delivery.try_out(clinic, text, segments=segments(body).segments)
    if result is None:
        raise TestTextError(
            "the sender is busy with messages to patients, or waits for the provider; try again later"
        )
    return Tried(number, result.outcome, result.code)


def masked(number: str) -> str:
    """The number with nothing but its last digits: enough for whoever knows it."""
    return f"{'•' * (len(number) - 1 - _SHOWN)}{number[-_SHOWN:]}"


def _number(clinic: Clinic, typed: str) -> str:
    written = typed.strip()
    if not written or len(written) > _LONGEST:
        raise TestTextError("write your own mobile number, with + and its country code")
    check = PhoneCheck.POSSIBLE if clinic.is_sample else PhoneCheck.VALID
    try:
        phone = parse_phone(written, country=clinic.country, check=check)
    except FieldError as error:
        raise TestTextError(str(error)) from error
    if phone.landline:
        raise TestTextError("this is a landline, which gets no texts; give a mobile number")
    return phone.number
