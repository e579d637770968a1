"""What somebody finds who takes the database file without the keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from scheduler.services.facts import ResultKind, add_result
from tests.support.worlds import MONDAY, World, new_york, world_at

NAME = "Zebulon Quackenbush"
SECRETS = {
    "name": NAME,
    "first name": "Zebulon",
    "phone": "6175558642",
    "e-mail": "zebulon.q@patients.example",
    "birth date": "1961-07-29",
    "words of a message": "Have you had your vitamin D checked",
    "words of a mail": "Here is one thing to try today",
    "words of a reply": "my knee is swollen",
    "supplement": "dandelion root",
    "value of a result": "17.25",
    "sender who is unknown": "6175557531",
}


@pytest.fixture
def lived_in(tmp_path: Path) -> Iterator[tuple[World, Path]]:
    """A database in which each of the secrets has been stored, sent or received."""
    folder = tmp_path / "db"
    with world_at(MONDAY, database_url=f"sqlite:///{folder / 'b.db'}", folder=tmp_path) as world:
        world.enrol(
            "P1",
            name=NAME,
            phone=SECRETS["phone"],
            email=SECRETS["e-mail"],
            birth_date=SECRETS["birth date"],
            sms_consent="yes",
            email_consent="yes",
        )
        world.run_until(new_york(3, 3, 12, 0))
        world.receive("P1", SECRETS["words of a reply"])
        world.receive("P1", f"SUPP {SECRETS['supplement']}")
        world.enrol("P1", name=NAME, channel="email")
        world.run_until(new_york(3, 5, 12, 0))
        from tests.integration.test_replies_service import write

        write(world, f"+1{SECRETS['sender who is unknown']}", SECRETS["words of a reply"])
        add_result(
            world.store,
            world.rules,
            world.clinic,
            mrn="P1",
            kind=ResultKind.VITAMIN_D,
            taken_on=date(2026, 3, 1),
            value=SECRETS["value of a result"],
            unit="ng/mL",
            next_months=None,
            by="test",
            now=world.clock.at,
        )
        yield world, folder


def test_nothing_about_a_person_is_readable_in_the_database_files(lived_in: tuple[World, Path]) -> None:
    world, folder = lived_in
    entries = world.ledger("P1")
    bodies = [row.body for row in entries if row.body]
    assert any(SECRETS["words of a message"] in body for body in bodies)
    assert any(SECRETS["words of a mail"] in body for body in bodies)
    files = sorted(path.name for path in folder.iterdir())
    assert files[0] == "b.db"
    for path in folder.iterdir():
        content = path.read_bytes()
        for what, secret in SECRETS.items():
            for encoding in ("utf-8", "utf-16-le"):
                assert secret.encode(encoding) not in content, f"the {what} is readable in {path.name}"


def test_the_test_would_notice_what_is_readable(lived_in: tuple[World, Path]) -> None:
    _, folder = lived_in
    whole = b"".join(path.read_bytes() for path in folder.iterdir())
    for open_text in (b"vitamin_d", b"America/New_York", b"P1", b"ng/mL"):
        assert open_text in whole
