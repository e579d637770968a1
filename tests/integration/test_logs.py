"""The log: one JSON object a line where that is wanted, and never a name, number, address or text of a message."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from scheduler.cli.logs import FOR_LATER, JsonLines, Lines, new_handler, redacted
from scheduler.domain.messages import MessageStatus
from scheduler.ids import new_id
from scheduler.ports import ErrorClass, Outcome, Scope, SendResult
from scheduler.services.receipts import Receipt
from scheduler.store.engine import StoreUnavailable
from tests.support.cli import Cli
from tests.support.fake_sms import texting_over_fake
from tests.support.web import ACCOUNT, TWILIO, browser, signature
from tests.support.worlds import MONDAY, World, new_york, world_at

NAME = "Zebulon Quackenbush"
PHONE = "+16175558642"
EMAIL = "zebulon.q@patients.example"
REPLY = "my knee is swollen"
SECRETS = ("Zebulon", "Quackenbush", "6175558642", EMAIL, "zebulon", "swollen", "vitamin D level", "6175557531")


class Log:
    """What a process writes to its log."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The objects, one a line."""
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Everything that is logged goes to this handler too, down to the last detail."""
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture
def log() -> Iterator[Log]:
    """The log in JSON, as `BONEWISE_LOG=json` makes it."""
    log = Log()
    with logging_to(new_handler(log.stream, JsonLines())):
        yield log


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    with world_at(MONDAY, database_url=url, folder=tmp_path, settings=TWILIO) as world:
        yield world


_log = logging.getLogger("scheduler.somewhere")


# One object a line


def test_a_line_is_one_object_with_time_level_logger_and_message(log: Log) -> None:
    _log.error("it went wrong\nin two lines: %d", 2)
    (line,) = log.lines
    assert line["message"] == "it went wrong\nin two lines: 2"
    assert (line["level"], line["logger"]) == ("ERROR", "scheduler.somewhere")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["process"] == os.getpid()


def test_what_a_message_names_by_id_has_a_field_of_its_own(log: Log) -> None:
    patient, attempt, message = new_id(), new_id(), new_id()
    _log.error("patient %s cannot be planned; trying again in %s", patient, timedelta(hours=1))
    _log.error("a receipt says %s of attempt %s, whose message %s is there", "delivered", attempt, message)
    _log.error("check the sender of clinic %s and its DNS", "harbor")
    _log.error("by hand", extra={"patient_id": patient, "clinic_id": 7})
    ids = [{key: value for key, value in line.items() if key.endswith("_id")} for line in log.lines]
    assert ids == [
        {"patient_id": str(patient)},
        {"attempt_id": str(attempt), "message_id": str(message)},
        {"clinic_id": "harbor"},
        {"patient_id": str(patient), "clinic_id": "7"},
    ]


def test_what_is_no_id_does_not_become_one(log: Log) -> None:
    _log.error("a receipt for %r is about no message of ours", "SM1")
    _log.error("patient %s called from clinic %s", NAME, EMAIL)
    _log.error("100%% of message %s", True)
    assert [key for line in log.lines for key in line if key.endswith("_id")] == []


def test_a_traceback_stands_inside_its_object(log: Log) -> None:
    try:
        raise ValueError(f"cannot reach {PHONE}")
    except ValueError:
        _log.exception("a part of the work failed")
    (line,) = log.lines
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith("ValueError: cannot reach [number]")


def test_arguments_that_do_not_fit_keep_nothing_from_the_log(log: Log) -> None:
    _log.error("two %s and %s", PHONE)
    assert log.lines[0]["message"] == "two %s and %s"
    assert "6175558642" not in log.text


def test_a_log_for_people_is_in_utc_too_and_just_as_silent() -> None:
    log = Log()
    with logging_to(new_handler(log.stream, Lines(FOR_LATER))):
        _log.error("no answer from %s", PHONE)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR scheduler.somewhere: no answer from \[number]\n", log.text
    )
    written = datetime.fromisoformat(log.text.split(" ")[0])
    assert abs(written.timestamp() - datetime.now().astimezone().timestamp()) < 60


# The net


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("to +16175558642 now", "to [number] now"),
        ("to +1 (617) 555-8642.", "to [number]."),
        ("+44 20 7946 0958", "[number]"),
        ("GET /Messages.json?To=%2B16175558642&PageSize=50", "GET /Messages.json?To=[number]&PageSize=50"),
        ("(617) 555-8642", "[number]"),
        ("call 617.555.8642", "call [number]"),
        ("from 6175558642!", "from [number]!"),
        ("tel:16175558642", "tel:[number]"),
        ("<zebulon.q@patients.example>", "<[address]>"),
        ("RCPT TO:<o'neil+ms@patients.example>", "RCPT TO:<o'[address]>"),
        ("Zoë@пример.example wrote", "[address] wrote"),
        ('"zebulon q"@patients.example', "[address]"),
        ("a@[192.0.2.1]", "[address]]"),
        ("zebulon%40patients.example", "[address]"),
        ("https://care.example/p/AbC-123_xyz~9 opened", "https://care.example/p/[link] opened"),
        ("POST /u/MDEyMzQ1Njc4OWFiY2RlZg HTTP/1.1", "POST /u/[link] HTTP/1.1"),
        ("postgresql://bonewise:secret@db.example/bonewise", "postgresql://bonewise:[address]/bonewise"),
    ],
)
def test_what_looks_personal_is_taken_out(said: str, instead: str) -> None:
    assert redacted(said) == instead


@pytest.mark.parametrize(
    "said",
    [
        "attempt 019a5b1c-7e55-7123-8456-123456789012 went",
        "message 'SM00000000000000000000000000000042' of account ACffffffffffffffffffffffffffffffff",
        "next at 2026-03-03 14:30:05+00:00, in 0:15:00",
        "code 20003 at 127.0.0.1:8000, libcurl error 56",
        "lease of host-7:12345:0123abcd until 2026-03-03T14:30:05.123Z",
        'File "/opt/bonewise/scheduler/services/plan.py", line 76, in _decide',
        "the database /srv/clinic/bonewise.db is locked",
        "took 1234567 ms for 10000 messages",
    ],
)
def test_ids_times_and_places_stay(said: str) -> None:
    assert redacted(said) == said


@pytest.mark.parametrize("n", range(20))
def test_no_id_of_ours_is_ever_mistaken_for_a_number(n: int) -> None:
    digits_only = UUID(int=int(f"{n:02d}" * 16, 16))
    for identifier in (new_id(), digits_only):
        assert redacted(f"attempt {identifier} went") == f"attempt {identifier} went"


# What the services themselves log, without the net


@pytest.fixture
def bare_log() -> Iterator[Log]:
    """The log as it would be without the net, with tracebacks: the services must not rely on it."""
    log = Log()
    handler = logging.StreamHandler(log.stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    with logging_to(handler):
        yield log


def refusing(world: World, **result: Any) -> None:
    """The provider answers every text like this."""
    fake: Any = texting_over_fake(world)
    fake.send = lambda batch: (SendResult(attempt_id=one.attempt_id, **result) for one in batch if one is not None)


def enrol_zebulon(world: World) -> None:
    world.enrol(
        "P1", name=NAME, phone=PHONE, email=EMAIL, sms_consent="yes", email_consent="yes", pathways="vitamin_d"
    )


def assert_silent(log: Log) -> None:
    for secret in SECRETS:
        assert secret not in log.text, f"{secret} is in the log"


def test_a_refused_account_is_logged_without_anybody(world: World, bare_log: Log) -> None:
    refusing(
        world,
        outcome=Outcome.REFUSED,
        code="20003",
        error_class=ErrorClass.CONFIGURATION,
        scope=Scope.ACCOUNT,
        detail="Authenticate",
    )
    enrol_zebulon(world)
    world.tick_at(new_york(3, 3))
    assert re.search("the account of the channel sms.*20003", bare_log.text)
    assert_silent(bare_log)


def test_a_refused_sender_is_logged_without_its_number(world: World, bare_log: Log) -> None:
    refusing(
        world,
        outcome=Outcome.REFUSED,
        code="21606",
        error_class=ErrorClass.CONFIGURATION,
        scope=Scope.SENDER,
    )
    enrol_zebulon(world)
    world.tick_at(new_york(3, 3))
    assert re.search("a sender of the channel sms.*21606", bare_log.text)
    assert "6175550100" not in bare_log.text
    assert_silent(bare_log)


def test_a_message_that_cannot_be_written_is_logged_by_its_id(world: World, bare_log: Log, log: Log) -> None:
    enrol_zebulon(world)

    def unable(*_: object, **__: object) -> object:
        raise LookupError("no template vitamin_d/ask")

    renderer: Any = world.app.composer._renderer
    renderer.sms = unable
    world.tick_at(new_york(3, 3))
    (line,) = [one for one in log.lines if "cannot be written" in one["message"]]
    assert line["message_id"] in {str(entry.id) for entry in world.ledger("P1")}
    assert "LookupError" in line["traceback"]
    assert_silent(bare_log)


def test_a_patient_who_cannot_be_planned_is_logged_by_their_id(
    world: World, bare_log: Log, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_zebulon(world)

    def unable(*_: object) -> object:
        raise ValueError("clocks have gone mad")

    monkeypatch.setattr("scheduler.services.plan.plan", unable)
    world.tick_at(new_york(3, 3))
    (line,) = [one for one in log.lines if "cannot be planned" in one["message"]]
    assert line["patient_id"] == str(world.patient().id)
    assert_silent(bare_log)


def test_texts_and_receipts_that_do_not_fit_are_logged_without_their_sender(world: World, bare_log: Log) -> None:
    world.add_clinic("other")
    client = browser(world.app)
    text = {"MessageSid": "SM7", "AccountSid": ACCOUNT, "From": "+16175557531", "To": "+16175550999", "Body": REPLY}
    signed = signature(f"{TWILIO['BONEWISE_PUBLIC_URL']}/hooks/twilio/inbound", text)
    assert client.post("/hooks/twilio/inbound", data=text, headers={"x-twilio-signature": signed}).status_code == 200
    assert client.post("/hooks/twilio/inbound", data=text).status_code == 403
    stray = Receipt(attempt_id=None, provider_id="SM8", target=MessageStatus.DELIVERED, code=None, error_class=None)
    world.app.receipts.record(stray, now=world.clock.at)
    assert "text SM7 is for no clinic" in bare_log.text
    assert "'SM8' is about no message of ours" in bare_log.text
    assert_silent(bare_log)


def test_a_statement_that_fails_is_logged_without_its_values(world: World, bare_log: Log) -> None:
    enrol_zebulon(world)
    with world.app.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE replies RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable) as failed:
        world.receive("P1", REPLY)
    logging.getLogger("scheduler.somewhere").exception("a reply was lost", exc_info=failed.value)
    assert "lacks tables" in bare_log.text
    assert_silent(bare_log)


# As a process


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_with_json_everything_on_standard_error_is_json(place: str, tmp_path: Path) -> None:
    settings = {"BONEWISE_LOG": "json"}
    if place == ".env":
        (tmp_path / ".env").write_text("BONEWISE_LOG=json\n")
        settings = {}
    ran = Cli(tmp_path, {**settings, "BONEWISE_TYPO": "1"}).run("worker")
    assert (ran.code, ran.out) == (1, "")
    said = [line["message"] for line in lines_of(ran.err)]
    assert said[0].startswith("BONEWISE_TYPO is not a setting")
    assert said[1].endswith("has not been set up; run `bonewise init`")


def test_a_wrong_setting_is_said_in_json_as_well(tmp_path: Path) -> None:
    ran = Cli(tmp_path, {"BONEWISE_LOG": "json", "BONEWISE_SMS": "pigeon"}).run("serve")
    (line,) = lines_of(ran.err)
    assert line["message"].startswith("BONEWISE_SMS is 'pigeon'")
    assert Cli(tmp_path, {"BONEWISE_LOG": "xml"}).run("check").err == (
        "bonewise: BONEWISE_LOG is 'xml'; write text or json\n"
    )


def test_a_service_that_runs_logs_what_goes_wrong_as_json(tmp_path: Path) -> None:
    cli = Cli(tmp_path, {"BONEWISE_LOG": "json", "BONEWISE_TICK_SECONDS": "0.1"})
    cli("init")
    running = cli.start("serve", "--port", "0")
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        assert "Bonewise is at" in running.stdout.readline()
        with closing(sqlite3.connect(tmp_path / "var" / "bonewise.db")) as connection:
            connection.execute("ALTER TABLE heartbeats RENAME TO elsewhere")
        (line,) = lines_of(running.stderr.readline())
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert (line["level"], line["message"]) == ("ERROR", "a round of work failed; trying again")
    assert "lacks tables that this version needs" in line["traceback"]
