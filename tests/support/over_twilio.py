"""A clinic that texts over a server which speaks Twilio's protocol, and what it sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tests.support.twilio_server import ACCOUNT, TOKEN
from tests.support.worlds import MONDAY, NEW_YORK, World, new_york, world_at

DAY_1 = new_york(3, 3)  # vitamin D is asked about, at 09:30
TIMEOUT = 5.0  # seconds the provider has to answer: enough on a busy machine


@contextmanager
def world_over(
    twilio_url: str, *, database_url: str, folder: Path, smtp_url: str = "", timeout: float = TIMEOUT
) -> Iterator[World]:
    """A clinic on Monday, the day before anything is due, that texts over a server at `twilio_url`."""
    settings = {
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio_url,
        "BONEWISE_PROVIDER_TIMEOUT": str(timeout),
    }
    if smtp_url:
        settings |= {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": smtp_url}
    with world_at(MONDAY, database_url=database_url, folder=folder, settings=settings) as world:
        yield world


def statuses(world: World, mrn: str = "P1") -> list[tuple[str, str]]:
    """(pathway, status) of the patient's reminders, oldest first, without those that gave way to another."""
    return [(row.pathway, row.status.value) for row in world.ledger(mrn) if row.reason != "budget"]


def look_now_and_then(world: World, *, days: Iterable[int]) -> None:
    """Ticks at 09:30, 13:00 and 20:05 of these days of March, as retries would come to but fewer."""
    for day in days:
        for at in (new_york(3, day), new_york(3, day, 13, 0), new_york(3, day, 20, 5)):
            world.tick_at(at)


def fates(world: World, mrn: str = "P1") -> list[tuple[str, str | None]]:
    """(status, reason) of the patient's reminders, without those that gave way to another."""
    return [(row.status.value, row.reason) for row in world.ledger(mrn) if row.reason != "budget"]


def texts_by_day(world: World, mrn: str = "P1") -> dict[date, str]:
    """What was sent on which day in New York; fails when a day has two."""
    found: dict[date, str] = {}
    for row in world.ledger(mrn):
        if row.sent_at is not None:
            day = row.sent_at.astimezone(NEW_YORK).date()
            assert day not in found, f"two reminders on {day}"
            found[day] = f"{row.pathway} {row.template}"
    return found
