"""A calendar file (iCalendar, RFC 5545): when messages come, and nothing about what they say. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_LASTS = timedelta(minutes=15)
_LONGEST_LINE = 75  # octets without the line break (RFC 5545, section 3.1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. The same `uid` later takes its place in a calendar that has it already."""

    uid: str
    at: datetime


def calendar_file(entries: Sequence[Entry], *, title: str, words: str, language: str, now: datetime) -> str:
    """The file, with line breaks as the format has them. Instants are written in UTC, so that no zone has to be
    described. `words` stand in each event."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Reminders//Reminders//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
    ]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.uid}",
            f"DTSTAMP:{_written(now)}",
            f"DTSTART:{_written(entry.at)}",
            f"DTEND:{_written(entry.at + _LASTS)}",
            f"SUMMARY;LANGUAGE={language}:{_escaped(title)}",
            f"DESCRIPTION;LANGUAGE={language}:{_escaped(words)}",
            "CLASS:PRIVATE",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """A text value (RFC 5545, section 3.3.11); control characters have no place in one."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = plain.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(each for each in plain if each.isprintable())


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, all but the first after a space; no character is split."""
    part = ""
    for each in line:
        if len((part + each).encode()) > _LONGEST_LINE:
            yield part
            part = " "
        part += each
    yield part
