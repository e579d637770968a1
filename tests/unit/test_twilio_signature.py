"""Who may call our webhooks: requests that Twilio signed with our token, in every shape they come in."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import urlencode

import pytest

from scheduler.channels.twilio import parse_form, verify_signature
from scheduler.channels.twilio.callback import status_callback_base

TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="  # the example in Twilio's documentation


def signed(url: str, fields: list[tuple[str, str]], token: str = TOKEN) -> str:
    """Twilio's rule, written again: URL, then each name in byte order with its distinct values in order."""
    whole = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), whole.encode(), "sha1")).decode()


def verify(
    fields: list[tuple[str, str]],
    signature: str | None,
    *,
    url: str = URL,
    tokens: tuple[str, ...] = (TOKEN,),
) -> bool:
    return verify_signature(url=url, params=fields, signature=signature, tokens=tokens)


def test_the_documented_example_is_accepted() -> None:
    assert verify(FIELDS, SIGNATURE)
    assert signed(URL, FIELDS) == SIGNATURE


@pytest.mark.parametrize("signature", [None, "", "x", SIGNATURE[:-1], SIGNATURE.lower(), "é" * 28])
def test_a_missing_or_wrong_signature_is_false_and_no_error(signature: str | None) -> None:
    assert not verify(FIELDS, signature)


def test_a_changed_field_is_refused() -> None:
    assert not verify([*FIELDS[:-1], ("To", "+18005551213")], SIGNATURE)


def test_an_added_field_is_refused() -> None:
    assert not verify([*FIELDS, ("Body", "STOP")], SIGNATURE)


def test_another_address_is_refused() -> None:
    assert not verify(FIELDS, SIGNATURE, url="https://mycompany.com/other")


def test_repeated_and_blank_and_foreign_fields_are_part_of_what_was_signed() -> None:
    fields = [("Media", "b"), ("Media", "a"), ("Body", ""), ("City", "Zürich & Köln"), ("Emoji", "🦴")]
    signature = signed(URL, fields)
    read_back = parse_form(urlencode(fields).encode())
    assert read_back == fields
    assert verify(read_back, signature)
    assert not verify([field for field in fields if field[1]], signature)


def test_the_old_token_counts_as_long_as_it_is_listed() -> None:
    old = signed(URL, FIELDS, "old-token")
    assert verify(FIELDS, old, tokens=("new-token", "old-token"))
    assert not verify(FIELDS, old, tokens=("new-token",))


@pytest.mark.parametrize("tokens", [(), ("",)])
def test_without_a_token_nothing_is_accepted(tokens: tuple[str, ...]) -> None:
    assert not verify(FIELDS, signed(URL, FIELDS, ""), tokens=tokens)


def test_the_fragment_with_retry_settings_is_not_signed() -> None:
    assert verify(FIELDS, SIGNATURE, url=URL + "#rc=3&rp=5xx,ct,rt")


@pytest.mark.parametrize(
    ("configured", "as_signed"),
    [
        ("https://care.example/hooks", "https://care.example:443/hooks"),
        ("https://care.example:8443/hooks", "https://care.example/hooks"),
        ("http://127.0.0.1:8000/hooks?a=1", "http://127.0.0.1:8000/hooks?a=1"),
    ],
)
def test_the_port_may_or_may_not_have_been_signed(configured: str, as_signed: str) -> None:
    assert verify(FIELDS, signed(as_signed, FIELDS), url=configured)


def test_an_impossible_port_is_false_and_no_error() -> None:
    assert not verify(FIELDS, SIGNATURE, url="https://care.example:99999/hooks")


def test_a_request_without_fields_can_be_signed() -> None:
    assert verify([], signed(URL, []))


def test_an_unreadable_body_is_no_error() -> None:
    assert not verify(parse_form(b"\xff\xfe=%ff&&=="), SIGNATURE)


@pytest.mark.parametrize(
    ("public_url", "is_used"),
    [
        ("https://care.clinic.example", True),
        ("http://203.0.113.9:8000", False),  # a documentation address: not reachable from anywhere
        ("http://8.8.8.8:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://192.168.1.4", False),
        ("http://localhost:8000", False),
        ("http://bonewise", False),
        ("http://bonewise.internal", False),
        ("http://my_host.example", False),
    ],
)
def test_twilio_itself_is_only_given_an_address_it_can_reach(public_url: str, is_used: bool) -> None:
    assert (status_callback_base(public_url, "https://api.twilio.com/") is not None) is is_used
