"""The reports as tables: for the page, below each chart, and for files."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.reporting import Spread
from scheduler.services.reports import Report

Cell = str | int | None

_CHANNELS = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}
_FATES = {
    MessageStatus.UNDELIVERED: "not delivered",
    MessageStatus.FAILED: "refused",
    MessageStatus.UNKNOWN: "not known whether it went",
    MessageStatus.NOT_SENT: "never left",
    MessageStatus.EXPIRED: "its time passed before it could go",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as a page shows it and a file holds it. `of` says of how many it speaks."""

    name: str  # of its file
    title: str
    of: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(found: Report) -> dict[str, Table]:
    """All tables of a report, by name."""
    made = (_funnels(found), _weeks(found), _exercise(found), _to_results(found), _problems(found), _tasks(found))
    return {one.name: one for one in made}


def _funnels(found: Report) -> Table:
    return Table(
        name="funnel",
        title="How far each pathway came",
        of=(
            "A pathway that asks counts rounds: one patient, from the first message until it is settled, by the day "
            "the round began. Daily and weekly ones count each message."
        ),
        columns=("Pathway", "Counted in", "Sent", "Delivered", "Answered", "Done or settled"),
        rows=tuple(
            (
                one.title,
                "messages" if one.is_routine else "rounds",
                one.asked,
                one.arrived,
                one.answered,
                one.settled,
            )
            for one in found.funnels
        ),
    )


def _weeks(found: Report) -> Table:
    delivered = sum(one.delivered for one in found.weeks)
    return Table(
        name="weeks",
        title="Week by week",
        of=f"Of {found.sent:,} reminders sent in this period, {delivered:,} were delivered.",
        columns=("From", "To", "Sent", "Delivered", "Answers"),
        rows=tuple(
            (one.first.isoformat(), one.last.isoformat(), one.sent, one.delivered, one.answers) for one in found.weeks
        ),
    )


def _exercise(found: Report) -> Table:
    weeks = sum(one.count for one in found.exercise)
    return Table(
        name="exercise",
        title="Days of movement in a week",
        of=f"Of {weeks:,} weekly counts sent in this period, one for each patient and week.",
        columns=("Pathway", "Days in the week", "Patients' weeks"),
        rows=tuple((one.title, days, count) for one in found.exercise for days, count in enumerate(one.weeks)),
    )


def _to_results(found: Report) -> Table:
    asked = sum(one.asked for one in found.to_results)
    return Table(
        name="time-to-result",
        title="Days from the first question to the result",
        of=f"Of {asked:,} rounds of questions that began in this period.",
        columns=(
            "Pathway",
            "Asked",
            "With a result",
            "Still open",
            "A quarter within",
            "Half within",
            "Three quarters within",
        ),
        rows=tuple(
            (one.title, one.asked, one.asked - one.open, one.open, *_quartiles(one.took)) for one in found.to_results
        ),
    )


def _problems(found: Report) -> Table:
    failed = sum(one.count for one in found.problems)
    return Table(
        name="problems",
        title="Messages that did not arrive",
        of=f"{failed:,} messages of all kinds did not arrive or may not have; {found.sent:,} reminders were sent.",
        columns=("Sent by", "What happened", "Code", "What the code means", "Messages"),
        rows=tuple(
            (_CHANNELS[one.channel], _FATES[one.status], one.code, one.meaning, one.count) for one in found.problems
        ),
    )


def _tasks(found: Report) -> Table:
    opened = sum(one.opened for one in found.tasks)
    closed = sum(one.closed for one in found.tasks)
    return Table(
        name="tasks",
        title="Tasks, and how long they took",
        of=f"Of {opened:,} tasks opened and {closed:,} closed by people in this period.",
        columns=(
            "Task",
            "Opened",
            "Closed by people",
            "Settled by itself",
            "Half within (days)",
            "Three quarters within (days)",
        ),
        rows=tuple(
            (
                one.title,
                one.opened,
                one.closed,
                one.lapsed,
                one.took.half if one.took else None,
                one.took.three_quarters if one.took else None,
            )
            for one in found.tasks
        ),
    )


def _quartiles(took: Spread | None) -> tuple[Cell, Cell, Cell]:
    return (None, None, None) if took is None else (took.quarter, took.half, took.three_quarters)
