"""Consent on the command line, with simulated phones: shown, recorded, stopped by topic, confirmed by the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.people import Channel
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.clinics import add_staff
from tests.support.commands import CLINIC, Commands
from tests.support.worlds import MONDAY, World, new_york, world_at

STAFF = "desk@river.example"
PHONE = "+16175550142"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Any:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.clinic = world.add_clinic(CLINIC)
        add_staff(world.store, world.clinic, email=STAFF, role="coordinator", now=MONDAY)
        world.enrol_sms("1", phone=PHONE, pathways="exercise;dexa")
        yield world


@pytest.fixture
def bonewise(world: World, sqlite_url: str, tmp_path: Path) -> Commands:
    return Commands(tmp_path, {"BONEWISE_DATABASE_URL": sqlite_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")})


def of_patient(*more: str) -> tuple[str, ...]:
    return ("--clinic", CLINIC, "--patient", "1", *more)


RECORD = ("consent", "record", *of_patient("--by", STAFF, "--how", "phone", "--channel"))


def bodies(world: World) -> list[str]:
    rows = world.ledger("1")
    return [row.body or "" for row in rows if row.status.value == "sent" and row.channel is Channel.SMS]


def test_a_month_of_changing_one_s_mind(world: World, bonewise: Commands) -> None:
    bonewise.done("clinic", "set", "--clinic", CLINIC, "--stop-scope", "topic")
    wanted = OfficeSettings(confirm_numbers="yes", stop_scope="topic")  # by the test's clock
    world.clinic = set_clinic(
        world.store, world.rules.holidays, world.clinic, wanted, now=world.clock.at, rules=world.rules
    )
    world.run_until(new_york(3, 4))
    assert bodies(world)[-1].endswith("Reply STOP to opt out.")
    assert bonewise.done("consent", "show", *of_patient("--json")).json["number_to_confirm"] is True

    world.receive("1", "1")
    world.run_until(new_york(3, 6))
    world.receive("1", "stop the exercise texts")
    world.run_until(new_york(3, 9))
    shown = bonewise.done("consent", "show", *of_patient("--json")).json
    assert (shown["number_to_confirm"], shown["stopped_topics"]) == (False, ["exercise"])

    ran = bonewise.done(*RECORD, "all", "--decision", "revoked", "--on", "2026-03-09", "--json").json
    assert (ran["status"], ran["sms_consent"]) == ("stopped", False)
    world.run_until(new_york(3, 20))
    assert [row.template for row in world.ledger("1") if row.status.value == "sent"] == [
        "confirm_number",
        "started",
        "activity",
        "topic_stopped",
        "ask",
    ]
    told = [
        (one["channel"], one["topic"], one["decision"], one["how"], one["by"])
        for one in bonewise.done("consent", "show", *of_patient("--json")).json["history"]
    ]
    assert told == [
        ("sms", None, "given", "import", "a test"),
        ("sms", None, "given", "reply", "patient"),
        ("sms", "exercise", "revoked", "reply", "patient"),
        ("sms", None, "revoked", "phone", STAFF),
    ]


def test_people_read_the_history_and_what_holds_now(bonewise: Commands) -> None:
    bonewise.done(*RECORD, "sms", "--decision", "revoked", "--on", "2026-03-02")
    ran = bonewise.done("consent", "show", *of_patient())
    assert [line.split()[2:5] for line in ran.out.splitlines()[1:3]] == [
        ["sms", "given", "import"],
        ["sms", "revoked", "phone"],
    ]
    assert ran.out.endswith("Texts: no. E-mails: no. The patient is stopped.\n")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("email", "--decision", "given"), "patient 1 has no e-mail address on file"),
        (("sms", "--decision", "given", "--on", "2199-01-01"), "the date 2199-01-01 is in the future"),
        (("sms", "--decision", "revoked", "--topic", "exercise"), "whoever stops one topic stops all"),
        (("sms", "--decision", "revoked", "--by", "x@river.example"), "is not on the staff of clinic river"),
    ],
)
def test_a_refusal_is_one_line_with_the_remedy(bonewise: Commands, options: tuple[str, ...], says: str) -> None:
    before = bonewise.done("consent", "show", *of_patient("--json")).json
    ran = bonewise(*RECORD, *options)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert says in ran.err
    assert bonewise.done("consent", "show", *of_patient("--json")).json == before


def test_an_unknown_patient_is_named(bonewise: Commands) -> None:
    ran = bonewise("consent", "show", "--clinic", CLINIC, "--patient", "9")
    assert (ran.code, ran.err) == (
        1,
        f"bonewise: clinic {CLINIC} has no patient with MRN 9; `bonewise patients` lists them\n",
    )


def test_the_settings_of_a_clinic_are_shown_as_they_are(bonewise: Commands) -> None:
    shown = bonewise.done("clinic", "set", "--clinic", CLINIC, "--stop-scope", "topic", "--json").json
    assert (shown["stop_scope"], shown["confirm_numbers"]) == ("topic", False)
