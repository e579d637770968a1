"""The calendar file of a patient's page: RFC 5545, and nothing about health."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scheduler.services.patient_page.calendar_file import Entry, calendar_file
from tests.support.own_page import BORN, opened
from tests.support.worlds import MONDAY, World, new_york, world_at

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def unfolded(text: str) -> list[str]:
    """The content lines, as section 3.1 reads them."""
    return text.replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Reminder from Harbor Clinic"), ("es", "Aviso de Harbor Clinic")]
)
def test_the_coming_reminders_are_in_the_file_at_their_times(world: World, language: str, title: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d;exercise", language=language)
    page = opened(world)
    answer = page.get("/reminders.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "attachment" in answer.headers["content-disposition"]
    lines = unfolded(answer.text)
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    starts = [line.removeprefix("DTSTART:") for line in lines if line.startswith("DTSTART:")]
    assert starts[0] == "20260303T143000Z"
    assert len(starts) == len(set(starts)) == 7
    assert f"SUMMARY;LANGUAGE={language}:{title}" in lines
    for word in ("vitamin", "exercise", "movement", "bone", "scan", "Pat P1"):
        assert word.lower() not in answer.text.lower()
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == 7
    world.run_until(new_york(3, 3, 9))
    later = unfolded(page.get("/reminders.ics").text)
    assert uids[0] in later


def test_lines_are_folded_at_75_octets_without_splitting_a_character() -> None:
    text = calendar_file([Entry("u@x", NOW)], title="Ñandú 👩🏽‍🦽 " * 20, words="x" * 300, language="es", now=NOW)
    for line in text.split("\r\n"):
        assert len(line.encode()) <= 75
    assert "x" * 300 in "".join(unfolded(text))


def test_marks_with_a_meaning_are_escaped_and_lines_cannot_be_slipped_in() -> None:
    text = calendar_file(
        [Entry("u@x", NOW)], title="A, B; C\\D\r\nATTENDEE:mailto:x@y", words="\x07", language="en", now=NOW
    )
    assert "SUMMARY;LANGUAGE=en:A\\, B\\; C\\\\D\\nATTENDEE:mailto:x@y" in unfolded(text)
    assert not re.search(r"^ATTENDEE", text, re.MULTILINE)
    assert "\x07" not in text


def test_nobody_is_invited_and_nothing_is_answered_to() -> None:
    text = calendar_file([Entry("u@x", NOW)], title="T", words="W", language="en", now=NOW)
    for line in ("ORGANIZER", "ATTENDEE", "VALARM"):
        assert line not in text
    for line in ("DTSTAMP:20260302T180000Z", "DTSTART:20260302T180000Z", "DTEND:20260302T181500Z", "UID:u@x"):
        assert line in text.split("\r\n")


def test_without_a_coming_reminder_the_page_says_so(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d")
    page = opened(world)
    page.post("/pause", {"span": "open"})
    answer = page.get("/reminders.ics")
    assert answer.status_code == 200
    assert "No reminder is planned" in answer.text
