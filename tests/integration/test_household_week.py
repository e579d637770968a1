"""A week in which a couple answers on the phone they share, seen on the simulated phones and by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.commands import Commands
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at

PHONE = "+16175551234"
EVA = "+16175559876"
DESK = "desk@harbor.example"


@dataclass
class Home:
    """The installation, a visitor of its simulated phones, and its command line."""

    world: World
    visitor: TestClient
    bonewise: Commands

    def writes(self, text: str, *, at: tuple[int, int, int], phone: str = PHONE) -> None:
        """Somebody at the phone writes; `at` is day, hour and minute of March in New York."""
        day, hour, minute = at
        self.world.run_until(new_york(3, day, hour, minute))
        token = form_token(self.visitor.get("/phones").text)
        form = {"form_token": token, "channel": "sms", "address": phone, "body": text}
        assert self.visitor.post("/phones/reply", data=form).status_code == 303

    def rows(self, command: str, *args: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.bonewise.done(command, "--clinic", "main", *args, "--json").json
        return rows


@pytest.fixture
def home(sqlite_url: str, tmp_path: Path) -> Iterator[Home]:
    settings = {"BONEWISE_DATABASE_URL": sqlite_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.enrol_sms("A1", phone=PHONE, name="Ana Moss", pathways="vitamin_d;exercise")
        world.enrol_sms("R1", phone=PHONE, name="Rob Moss", pathways="vitamin_d;dexa")
        yield Home(world, browser(world.app), Commands(tmp_path, settings))


def test_every_answer_of_a_week_is_on_the_record_of_who_gave_it(home: Home) -> None:
    home.writes("2", at=(3, 12, 0))  # both were asked about vitamin D this morning
    home.writes("Ana", at=(3, 18, 0))
    home.writes("DONE", at=(4, 10, 0))  # Ana moves, Rob does not
    home.writes("1", at=(4, 12, 0))  # nobody but Rob is asked now
    home.writes("4", at=(5, 12, 0))  # the scan is Rob's, and only its question has a 4
    home.writes("pause 3 days", at=(6, 12, 0))  # what rests is Ana's
    home.writes("Thanks!", at=(6, 12, 5))
    home.writes("we have moved to the lake", at=(7, 12, 0))
    home.world.run_until(new_york(3, 9, 20, 0))
    heard = [(row["patient"], row["body"], row["meaning"], row["pathway"]) for row in home.rows("replies")]
    assert heard == [
        ("A1", "2", "answer", "vitamin_d"),
        ("A1", "Ana", "answer", None),
        ("A1", "DONE", "done", "exercise"),
        ("R1", "1", "answer", "vitamin_d"),
        ("R1", "4", "answer", "dexa"),
        ("A1", "pause 3 days", "pause", None),
        (heard[6][0], "Thanks!", "unclear", None),
        (None, "we have moved to the lake", "unclear", None),
    ]
    assert len([row for row in home.rows("messages") if row.get("template") == "who"]) == 1
    by_kind = {task["kind"]: task for task in home.rows("tasks")}
    assert by_kind["unclear_reply"]["note"].endswith("we have moved to the lake")
    assert by_kind["scan_declined"]["patient"] == "R1"


def test_everything_sent_to_the_phone_that_week_says_for_whom_it_is_and_names_nobody(home: Home) -> None:
    home.writes("2", at=(3, 12, 0))
    home.writes("R", at=(3, 12, 30))
    home.writes("DONE", at=(4, 10, 0))
    home.world.run_until(new_york(3, 9, 20, 0))
    bodies = [row["body"] for row in home.rows("messages") if row["direction"] == "outbound" and row["sent_at"]]
    assert len(bodies) > 8
    openings = {body.partition(":")[0] for body in bodies}
    assert openings == {"Harbor Clinic", "Harbor Clinic, for A.M.", "Harbor Clinic, for R.M."}
    assert [body for body in bodies if body.startswith("Harbor Clinic:")] == [bodies[2]]  # who wrote?
    assert not any("Ana" in body or "Rob" in body for body in bodies)
    assert all(len(body) <= 160 for body in bodies)


def test_the_simulated_week_is_the_week_on_the_phone(home: Home) -> None:
    told = home.world.app
    from scheduler.services.simulate import simulate

    days = list(simulate(told.store, told.rules, told.composer, home.world.clinic, days=7, start=home.world.clock.at))
    home.world.run_until(new_york(3, 9, 13, 0))
    sent = [row["body"] for row in home.rows("messages") if row["sent_at"]]
    assert sorted(one.body for one in days) == sorted(sent)


def test_a_carer_is_named_shown_and_taken_away_by_the_command_line(home: Home) -> None:
    home.bonewise.done("staff", "add", "--clinic", "main", "--email", DESK, "--role", "coordinator")
    of = ("--clinic", "main", "--patient", "A1")
    named = (*of, "--name", "Eva Lund", "--phone", EVA, "--phone-check", "possible", "--mode", "instead")
    agreed = (*named, "--consent-date", "2026-03-01", "--by", DESK)
    assert home.bonewise.done("carer", "set", *agreed).out == "Created: the carer of A1.\n"
    assert home.bonewise.done("carer", "set", *agreed, "--json").json == {"patient": "A1", "outcome": "unchanged"}
    home.writes("2", at=(3, 12, 0), phone=EVA)
    home.world.run_until(new_york(3, 4, 12, 0))
    shown = home.bonewise.done("carer", "show", *of, "--json").json
    assert (shown["phone"], shown["mode"], shown["consent"]) == (EVA, "instead", True)
    assert [(one["given_on"], one["recorded_by"]) for one in shown["history"]] == [("2026-03-01", DESK)]
    assert "2026-03-01: agreed (sms, staff, by desk@harbor.example)" in home.bonewise.done("carer", "show", *of).out
    mine = [row for row in home.rows("messages", "--patient", "A1") if row["sent_at"]]
    assert {row["to"] for row in mine if row["direction"] == "outbound"} == {"carer"}
    assert [row["by"] for row in home.rows("replies")] == ["carer"]
    assert home.rows("patients", "--patient", "A1")[0]["carer"] == "instead"
    by = (*of, "--by", DESK)
    assert home.bonewise.done("carer", "remove", *by).out == "A1 has no carer any more.\n"
    assert home.bonewise.done("carer", "remove", *by).out == "A1 has no carer; nothing changed.\n"
    assert home.bonewise.done("carer", "show", *of, "--json").json is None


def test_what_the_command_line_refuses_names_the_option_and_the_remedy(home: Home) -> None:
    of = ("--clinic", "main", "--patient", "A1", "--mode", "beside", "--consent-date", "2026-03-01")
    ran = home.bonewise("carer", "set", *of, "--name", "Eva", "--phone", EVA, "--by", "nobody@harbor.example")
    assert ran.code == 1
    assert "bonewise staff add --clinic main --email nobody@harbor.example" in ran.err
    ran = home.bonewise("clinic", "set", "--clinic", "main", "--name-on-shared", "perhaps")
    assert ran.code == 1
    assert "--name-on-shared" in ran.err


def test_the_clinic_lets_first_names_stand_on_shared_phones(home: Home) -> None:
    changed = home.bonewise.done("clinic", "set", "--clinic", "main", "--name-on-shared", "yes", "--json").json
    assert changed["name_on_shared"] is True
    home.world.run_until(new_york(3, 3, 12, 0))
    bodies = [row["body"] for row in home.rows("messages") if row["sent_at"]]
    assert {body.partition(":")[0] for body in bodies} == {"Harbor Clinic, for Ana", "Harbor Clinic, for Rob"}
