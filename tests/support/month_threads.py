"""What stands on each patient's phone after the month, as plain text; and a month lived through.

`python -m tests.support.month_threads` writes the threads anew; read the difference as the patient would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import Any

from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.services.advance import walk
from scheduler.store.engine import reading
from scheduler.store.tables import consents, patients
from tests.support.month_script import ENDS, NEW_NUMBER, OLD_NUMBER, PEOPLE, SCRIPT, STARTS, Acts, set_up
from tests.support.month_ways import Received, Way, simulated
from tests.support.worlds import NEW_YORK, World

THREADS = Path(__file__).parents[1] / "acceptance" / "threads"
_LINK = re.compile(r"/u/\S+")
_ADDRESSES = {"wrong_number": (OLD_NUMBER, NEW_NUMBER)}

Opening = Callable[..., AbstractContextManager[Way]]


@dataclass(frozen=True, slots=True)
class Month:
    """What a month came to. Nothing in it differs from one run to another."""

    threads: dict[str, str]
    ledger: list[tuple[Any, ...]]
    replies: list[tuple[Any, ...]]
    tasks: list[tuple[Any, ...]]
    consents: list[tuple[Any, ...]]
    staff_mail: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime
    who: str
    words: str


def live(opening: Opening, *, database_url: str, folder: Path) -> Month:
    """Live through the script on a new installation."""
    with opening(STARTS, database_url=database_url, folder=folder) as way:
        world = way.world
        set_up(world)
        for event in SCRIPT:
            _until(way, event.at)
            if isinstance(event, Acts):
                event.act(world)
                world.tick()
                way.settle()
            else:
                patient = world.patient(event.mrn)
                own = patient.phone if patient.channel is Channel.SMS else patient.email
                way.write(patient.channel, event.sender or own or "", event.text)
        _until(way, ENDS)
        return Month(
            threads=dict(_threads(way)),
            ledger=_ledger(world),
            replies=_replies(world),
            tasks=_tasks(world),
            consents=_consents(world),
            staff_mail=_staff_mail(world),
        )


def _until(way: Way, end: datetime) -> None:
    """Do on the way all that falls due."""

    def show(at: datetime) -> None:
        way.settle()
        way.world.clock.at = at

    start = way.world.clock.at
    if end > start:
        walk(way.world.store, way.world.app.ticker, start=start, target=end, show=show)
    way.settle()


# What is compared


def _ledger(world: World) -> list[tuple[Any, ...]]:
    arrived = {MessageStatus.DELIVERED: MessageStatus.SENT}  # simulated phones report nothing
    return sorted(
        (
            row.patient,
            row.planned_at.isoformat(),
            row.pathway,
            row.step,
            row.template,
            row.kind,
            row.channel.value,
            row.due_date.isoformat(),
            arrived.get(row.status, row.status).value,
            row.reason or "",
            row.attempts,
            row.sent_at.isoformat() if row.sent_at else "",
            _LINK.sub("/u/...", row.body or ""),
        )
        for row in world.ledger()
    )


def _replies(world: World) -> list[tuple[Any, ...]]:
    with world.store.reading() as unit:
        found = unit.inbox.replies(world.clinic.id)
    return [
        (one.received_at, one.mrn, one.channel, one.sender, one.body, one.meaning, one.pathway, one.answer)
        for one in found
    ]


def _tasks(world: World) -> list[tuple[Any, ...]]:
    found = []
    for task in world.tasks():
        with world.store.reading() as unit:
            history = [
                (one.at, one.by, one.step, one.detail, one.words)
                for one in unit.worklist.history(world.clinic.id, task.id)
            ]
        found.append(
            (task.opened_at, task.patient or "", task.kind, task.priority, task.due, task.status, task.note, history)
        )
    return sorted(found, key=lambda one: one[:3])


def _consents(world: World) -> list[tuple[Any, ...]]:
    kept = consents.c
    with reading(world.app.engine) as connection:
        rows = connection.execute(
            select(patients.c.mrn, kept.channel, kept.granted, kept.source, kept.given_on, kept.recorded_at,
                   kept.recorded_by, kept.wording)
            .join(patients, patients.c.id == kept.patient_id)
            .order_by(patients.c.mrn, kept.recorded_at, kept.id)
        )  # fmt: skip
        return [tuple(row) for row in rows]


def _staff_mail(world: World) -> list[tuple[Any, ...]]:
    with world.store.reading() as unit:
        return sorted(
            (one.planned_at, one.kind.value, one.status.value, one.sent_at)
            for one in unit.staff_mail.entries(world.clinic.id)
        )


# Threads


def _threads(way: Way) -> Iterator[tuple[str, str]]:
    received = way.received()
    with way.world.store.reading() as unit:
        written = unit.inbox.replies(way.world.clinic.id)
    for name, people in groupby(PEOPLE, key=lambda person: person.thread):
        who = list(people)
        addresses = _ADDRESSES.get(name, (who[0].phone or who[0].email,))
        parts = []
        for address in addresses:
            lines = [_Line(one.at, "clinic", _words(one)) for one in received if one.address == address]
            own = " and ".join(person.name.split()[0] for person in who) if address == addresses[-1] else "a stranger"
            lines += [_Line(one.received_at, own, one.body) for one in written if one.sender == address]
            lines.sort(key=lambda line: (line.at, line.who == "clinic"))
            parts.append(f"{address}\n{_shown(lines)}")
        yield name, "\n\n".join(parts) + "\n"


def _words(message: Received) -> str:
    words = _LINK.sub("/u/...", message.text.strip())
    return f"[{message.subject}]\n{words}" if message.subject else words


def _shown(lines: list[_Line]) -> str:
    shown = []
    for day, those in groupby(lines, key=lambda line: line.at.astimezone(NEW_YORK).date()):
        shown.append(f"\n{_day(day)}")
        for line in those:
            first, _, rest = line.words.partition("\n")
            head = f"  {line.at.astimezone(NEW_YORK):%H:%M}  {line.who:>6}: {first}"
            shown.append(head + (f"\n{indent(rest, ' ' * 11)}" if rest else ""))
    return "\n".join(shown)


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def main() -> None:
    """Write every patient's thread anew."""
    THREADS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        month = live(simulated, database_url=f"sqlite:///{folder}/month.db", folder=Path(folder))
    for name, thread in month.threads.items():
        (THREADS / f"{name}.txt").write_text(thread, encoding="utf-8")


if __name__ == "__main__":
    main()
