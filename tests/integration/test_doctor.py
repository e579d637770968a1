"""`doctor` and `status`: what is wrong, where, and what to do about it."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.zones import tzdata_version
from scheduler.services import lanes
from scheduler.services.vitals import ZONE_DATA, take_vitals
from scheduler.settings import load_settings
from tests.support.cli import Ran
from tests.support.commands import CLINIC, Commands, bare, ready
from tests.support.postgres import PostgresServer
from tests.support.web import TWILIO
from tests.support.worlds import MONDAY, World, new_york, world_at

OTHER_KEY = "1:" + base64.b64encode(bytes(32)).decode()


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    """An installation whose worker works."""
    commands = ready(tmp_path)
    beat(commands)
    return commands


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def database(commands: Commands) -> Path:
    return commands.folder / "var" / "bonewise.db"


def change(commands: Commands, *statements: str) -> None:
    with closing(sqlite3.connect(database(commands))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def beat(commands: Commands, *, ago: timedelta = timedelta()) -> None:
    at = (datetime.now(UTC) - ago).replace(tzinfo=None)
    change(commands, f"INSERT OR REPLACE INTO heartbeats (worker, beat_at) VALUES ('here:1', '{at}')")


def findings(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ran.json["findings"]
    return found


def examined(commands: Commands) -> list[dict[str, Any]]:
    """What `doctor` finds, which has to be something that is wrong."""
    ran = commands("doctor", "--json")
    assert ran.code == 1, ran
    assert ran.json["ok"] is False
    return findings(ran)


def only(commands: Commands) -> dict[str, Any]:
    (finding,) = examined(commands)
    return finding


def test_an_installation_that_is_well_has_nothing_wrong(bonewise: Commands) -> None:
    ran = bonewise.done("doctor")
    assert ran.out == "Nothing is wrong.\n"
    assert bonewise.done("doctor", "--json").json == {"ok": True, "findings": []}


def test_it_is_said_in_words_as_place_thing_and_remedy(bonewise: Commands) -> None:
    beat(bonewise, ago=timedelta(minutes=10))
    ran = bonewise("doctor")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "✗ scheduler: no process that plans and sends has given a sign of life for 10 minutes. "
        "Start `bonewise serve`, or `bonewise worker` where there are several machines.",
        "1 thing is wrong.",
    ]


def test_it_changes_nothing(bonewise: Commands) -> None:
    before = database(bonewise).read_bytes()
    bonewise.done("doctor")
    assert database(bonewise).read_bytes() == before


# Settings


def test_settings_that_contradict_each_other_are_each_a_finding(bonewise: Commands) -> None:
    found = examined(bonewise.given(BONEWISE_SMS="twilio", BONEWISE_EMAIL="smtp"))
    assert {one["topic"] for one in found} == {"settings"}
    assert [one["what"] for one in found] == [
        "TWILIO_ACCOUNT_SID is missing",
        "TWILIO_AUTH_TOKEN is missing",
        "BONEWISE_SMTP_URL is missing",
    ]
    assert "such as smtp://user:pass@host:587" in found[-1]["remedy"]


def test_a_misspelt_setting_is_a_doubt_and_no_failure(bonewise: Commands) -> None:
    ran = bonewise.given(BONEWISE_TICK_SECOND="5")("doctor")
    assert ran.code == 0
    assert "Did you mean BONEWISE_TICK_SECONDS?" in ran.out
    assert ran.out.startswith("? ")


def test_an_address_that_twilio_cannot_reach_is_wrong(bonewise: Commands) -> None:
    finding = only(bonewise.given(**(TWILIO | {"BONEWISE_PUBLIC_URL": "http://localhost:8000"})))
    assert (finding["topic"], finding["where"]) == ("public_url", "BONEWISE_PUBLIC_URL")
    assert "https" in finding["remedy"]


def test_an_address_that_is_no_database_is_said_once(bonewise: Commands) -> None:
    finding = only(bonewise.given(BONEWISE_DATABASE_URL="mysql://there/b"))
    assert finding["topic"] == "settings"
    assert "names 'mysql'" in finding["what"]


# Pathways and templates


def test_faults_of_pathways_are_findings_with_file_and_line(bonewise: Commands, tmp_path: Path) -> None:
    config = tmp_path / "own"
    shutil.copytree(load_settings({}).config_dir, config)
    pathway = config / "pathways" / "dexa.yaml"
    pathway.write_text(pathway.read_text().replace("go: declined", "go: nowhere"))
    found = examined(bonewise.given(BONEWISE_CONFIG_DIR=str(config)))
    assert {one["topic"] for one in found} == {"content"}
    assert any(one["where"].startswith(f"{pathway}:") and "nowhere" in one["what"] for one in found)


# The database and its keys


def test_before_init_it_says_to_run_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    finding = only(bare(tmp_path))
    assert finding["what"].endswith("has not been set up")
    assert finding["remedy"] == "run `bonewise init`"
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_an_older_version_is_to_be_migrated(bonewise: Commands) -> None:
    change(bonewise, "UPDATE alembic_version SET version_num = '0001'")
    assert only(bonewise)["remedy"] == "run `bonewise init`"


def test_keys_of_another_installation_are_named(bonewise: Commands) -> None:
    finding = only(bonewise.given(BONEWISE_SECRET_KEYS=OTHER_KEY))
    assert finding["topic"] == "keys"
    assert "do not belong to this database" in finding["what"]


def test_keys_that_are_gone_are_named(bonewise: Commands) -> None:
    (bonewise.folder / "var" / "keys").unlink()
    assert only(bonewise)["topic"] == "keys"


def test_a_file_that_is_no_database_is_named(bonewise: Commands) -> None:
    database(bonewise).write_text("not a database " * 100)
    for left in database(bonewise).parent.glob("bonewise.db-*"):
        left.unlink()
    assert "is no database" in only(bonewise)["what"]


def test_a_disk_that_is_nearly_full_is_wrong(bonewise: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    finding = only(bonewise)
    assert (finding["topic"], finding["where"]) == ("disk", str(bonewise.folder / "var"))


def test_a_folder_that_cannot_be_written_to_is_wrong(bonewise: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs tests as root may write anywhere
    assert "cannot be written to" in only(bonewise)["what"]


def test_a_server_that_is_gone_is_named_with_the_remedy(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create_database()
    commands = bare(tmp_path).given(BONEWISE_DATABASE_URL=url)
    commands.done("init")
    postgres_server.drop_database(url)
    finding = only(commands)
    assert finding["topic"] == "database"
    assert "createdb" in finding["remedy"]


def test_a_job_queue_that_is_missing_is_named(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    commands = bare(tmp_path).given(BONEWISE_DATABASE_URL=postgres_url)
    commands.done("init")
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("DROP SCHEMA procrastinate CASCADE")
    assert "has no job queue" in only(commands)["what"]


def test_the_clock_of_a_database_elsewhere_is_read(postgres_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world, world.store.reading() as unit:
        shown = unit.gauges.database_time()
    assert shown is not None
    assert abs(shown - datetime.now(UTC)) < timedelta(seconds=5)


# What the figures say


def test_what_a_provider_refuses_is_told_with_its_clinics_and_what_the_code_means(world: World) -> None:
    world.add_clinic("river")
    with world.store.writing() as unit:
        lanes.refuse(unit, "sms:+16175550100", "21606", now=world.clock.at)
        lanes.refuse(unit, "email", "535 5.7.8", now=world.clock.at)
    world.clock.at += timedelta(hours=2)
    account, sender = take_vitals(world.store, now=world.clock.at).refused
    assert (account.scope, account.open_for) == ("account", timedelta(hours=2))
    assert (sender.scope, sender.clinics) == ("sender", ("main", "river"))
    meant = world.app.meaning_of_refusal(sender.channel, sender.breaker.code, of_account=sender.is_account)
    assert meant is not None
    assert "not ours" in meant[0]


def test_a_refusal_is_a_finding_of_doctor_and_status(bonewise: Commands) -> None:
    at = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=3)
    change(
        bonewise, f"INSERT INTO lanes (key, open_since, code, probes) VALUES ('sms:+16175550100', '{at}', '21606', 4)"
    )
    finding = only(bonewise)
    assert (finding["topic"], finding["where"]) == ("sender", f"clinic {CLINIC}")
    assert "for 3 hours" in finding["what"]
    assert "the sender number is not ours" in finding["what"]
    assert "6175550100" not in str(finding)
    status = bonewise.done("status")
    assert "the sender number is not ours" in status.out
    assert findings(bonewise.done("status", "--json")) == [finding]


def test_patients_who_are_overdue_are_a_finding(bonewise: Commands) -> None:
    bonewise.done(*("enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee"))
    at = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=30)
    change(bonewise, f"UPDATE patients SET next_contact_at = '{at}'")
    finding = only(bonewise)
    assert finding["topic"] == "planning"
    assert finding["what"] == "1 patient is due and not planned for, the first for 30 minutes"
    said = bonewise.done("status").out
    assert said.count("30 minutes") == 1, "status says it in its own sentence"


def test_a_clinic_without_a_sender_is_wrong_where_texts_leave_the_machine(bonewise: Commands) -> None:
    change(bonewise, "UPDATE clinics SET sms_from = NULL, email_from = NULL")
    bonewise.done("doctor")
    assert only(bonewise.given(**TWILIO))["where"] == f"clinic {CLINIC}"


def test_the_zone_data_that_the_planner_noted_is_what_is_compared(world: World) -> None:
    world.tick()
    with world.store.reading() as unit:
        assert unit.installation.note(ZONE_DATA) == tzdata_version()
    assert take_vitals(world.store, now=world.clock.at).zone_data == tzdata_version()


def test_what_only_a_person_can_settle_is_counted_by_its_tasks(world: World) -> None:
    world.enrol_email("E1", pathways="vitamin_d")

    class Silent:
        """A mail server that never answers."""

        def send(self, batch: Any) -> Iterator[Any]:
            from scheduler.ports import Outcome, SendResult

            for mail in batch:
                if mail is not None:
                    yield SendResult(attempt_id=mail.attempt_id, outcome=Outcome.UNKNOWN, code="answer_lost")

        def close(self) -> None:
            """Nothing is held open."""

    world.app.delivery._email = Silent()
    world.tick_at(new_york(3, 3))
    vitals = take_vitals(world.store, now=world.clock.at)
    assert (vitals.unknown, vitals.for_person, vitals.tasks) == (1, 1, 1)


def test_status_has_its_figures_and_ends_well_whatever_they_say(bonewise: Commands) -> None:
    beat(bonewise, ago=timedelta(hours=5))
    ran = bonewise.done("status")
    assert ran.out.splitlines()[0] == "0 patients of 1 clinic."
    assert "sign of life for 5 hours" in ran.out
    figures = bonewise.done("status", "--json").json
    assert figures["patients"] == 0
    assert [one["topic"] for one in figures["findings"]] == ["worker"]
