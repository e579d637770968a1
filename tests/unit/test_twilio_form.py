"""The form that creates a message, and its quick encoding."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.channels.twilio.form import FormEncoder, quoted
from scheduler.ports import OutboundSms

ATTEMPT = UUID("12345678-1234-5678-1234-567812345678")
BASE = "https://care.clinic.example/hooks/twilio/status?a="


def message(
    body: str = "Move today.", *, sender: str | None = "+15557650000", service: str | None = None
) -> OutboundSms:
    return OutboundSms(
        attempt_id=ATTEMPT,
        to="+15551230001",
        body=body,
        sender_number=sender,
        messaging_service=service,
        valid_until=None,
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_quick_quoting_is_that_of_the_standard_library(text: str) -> None:
    assert quoted(text) == quote_plus(text)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 36_000))
def test_what_goes_in_is_what_a_reader_gets_out(body: str, validity: int) -> None:
    form = FormEncoder(BASE).encode(message(body), validity=validity)
    assert dict(parse_qsl(form.decode(), keep_blank_values=True, strict_parsing=True)) == {
        "To": "+15551230001",
        "From": "+15557650000",
        "Body": body,
        "ValidityPeriod": str(validity),
        "StatusCallback": f"{BASE}{ATTEMPT}#rc=3&rp=5xx,ct,rt",
    }


def test_a_service_a_validity_and_a_callback_are_only_there_when_wanted() -> None:
    form = FormEncoder(None).encode(message(service="MG1", sender=None), validity=None)
    assert parse_qsl(form.decode()) == [
        ("To", "+15551230001"),
        ("MessagingServiceSid", "MG1"),
        ("Body", "Move today."),
    ]


def test_half_a_surrogate_pair_is_refused_rather_than_replaced() -> None:
    with pytest.raises(UnicodeEncodeError):
        FormEncoder(None).encode(message("\ud83e"), validity=None)
