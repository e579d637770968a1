"""How long an answer asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.channels.twilio.retry_after import retry_after

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
STATUS = b"HTTP/1.1 429 Too Many Requests\r\n"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("120", 120),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("Sun, 22 Nov 2026 15:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 15:02:00 -0000", 120),
        ("Sunday, 22-Nov-26 15:02:00 GMT", 120),
        ("Sun Nov 22 15:02:00 2026", 120),
        ("Sun, 22 Nov 2026 23:00:00 GMT", 3600),
        ("Sun, 22 Nov 2026 14:59:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("1.5", None),
        ("12 seconds", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999", None),
        ("٣", None),
        ("Sun, 99 Nov 2026 99:02:00 GMT", None),
    ],
)
def test_seconds_and_dates_are_read_up_to_an_hour_and_nonsense_is_not(value: str, seconds: int | None) -> None:
    head = [STATUS, f"Retry-After: {value}\r\n".encode(), b"\r\n"]
    assert retry_after(head, now=NOW) == (None if seconds is None else timedelta(seconds=seconds))


def test_the_header_has_any_case_and_any_space() -> None:
    assert retry_after([STATUS, b"RETRY-after:7  \r\n"], now=NOW) == timedelta(seconds=7)


def test_without_the_header_there_is_no_wait() -> None:
    assert retry_after([STATUS, b"Content-Length: 3\r\n", b"\r\n"], now=NOW) is None
    assert retry_after([], now=NOW) is None


def test_a_date_counts_from_the_clock_of_whoever_answered() -> None:
    """Ours may be wrong, or moved forward in a simulated installation."""
    head = [STATUS, b"Date: Sun, 22 Nov 2026 15:00:00 GMT\r\n", b"Retry-After: Sun, 22 Nov 2026 15:00:30 GMT\r\n"]
    assert retry_after(head, now=NOW + timedelta(days=400)) == timedelta(seconds=30)


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert retry_after([b"\xff\xfe: \xff\r\n", b"Retry-After: \xff\r\n"], now=NOW) is None
