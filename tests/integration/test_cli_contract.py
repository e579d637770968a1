"""The shapes that other programs read: names, types and dates of every `--json`, on a clinic with a past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import click
import pytest

from scheduler.cli.group import cli
from tests.support.commands import Commands, bare

Check = Callable[[Any], object]

SAMPLE = ("--clinic", "sample")
PATIENT_STATUSES = {"active", "paused", "stopped", "unreachable", "deceased", "discharged"}
MESSAGE_STATUSES = {
    *(
        "planned",
        "sending",
        "sent",
        "delivered",
        "skipped",
        "unknown",
        "not_sent",
        "failed",
        "undelivered",
        "expired",
    ),
    "received",  # what a patient sent
}
MEANINGS = {
    *(
        "answer",
        "done",
        "stop",
        "start",
        "help",
        "pause",
        "resume",
        "later",
        "time",
        "days",
        "supplement",
        "referral",
    ),
    *("wrong_number", "safety", "unclear"),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """The sample clinic: messages both ways, tasks and a supplement case."""
    commands = bare(tmp_path_factory.mktemp("sample"))
    commands.done("init")
    commands.done("sample", "load")
    return commands


# What a value has to be


def text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def day(value: Any) -> bool:
    return date.fromisoformat(value).isoformat() == str(value)


def wall_time(value: Any) -> bool:
    return f"{time.fromisoformat(value):%H:%M}" == str(value)


def instant(value: Any) -> bool:
    """ISO 8601 with its offset."""
    return datetime.fromisoformat(value).utcoffset() is not None


def uuid(value: Any) -> bool:
    return str(UUID(value)) == str(value)


def one_of(*values: str) -> Check:
    return lambda value: value in values


def nullable(check: Check) -> Check:
    return lambda value: value is None or check(value)


def list_of(shape: dict[str, Check]) -> Check:
    return lambda rows: isinstance(rows, list) and all(holds(row, shape) for row in rows)


def holds(row: dict[str, Any], shape: dict[str, Check]) -> bool:
    """Whether a row has every name of the shape with such a value; it may have more."""
    for name, check in shape.items():
        assert name in row, f"{name} is missing in {row}"
        assert check(row[name]), f"{name} is {row[name]!r}"
    return True


channel = one_of("sms", "email")

PATIENTS: dict[str, Check] = {
    "mrn": text,
    "name": text,
    "phone": nullable(lambda value: value.startswith("+") and value[1:].isdigit()),
    "email": nullable(lambda value: "@" in value),
    "language": text,
    "timezone": text,
    "contact_time": wall_time,
    "channel": channel,
    "mobility": one_of("walking", "limited", "wheelchair", "standing_frame"),
    "status": one_of(*PATIENT_STATUSES),
    "sms_consent": flag,
    "email_consent": flag,
    "paused_until": nullable(day),
    "pathways": list_of({"pathway": text, "step": text, "cycle": whole, "next_date": nullable(day)}),
}
MESSAGES: dict[str, Check] = {
    "id": uuid,
    "patient": text,
    "direction": one_of("outbound", "inbound"),
    "channel": channel,
    "pathway": nullable(text),
    "step": nullable(text),
    "due_date": nullable(day),
    "status": one_of(*MESSAGE_STATUSES),
    "reason": nullable(text),
    "attempts": whole,
    "provider_id": nullable(text),
    "sent_at": nullable(instant),
    "body": nullable(text),
}
REPLIES: dict[str, Check] = {
    "id": uuid,
    "patient": text,
    "received_at": instant,
    "from": text,
    "body": text,
    "meaning": one_of(*MEANINGS),
    "pathway": nullable(text),
    "answer": nullable(text),
}
TASKS: dict[str, Check] = {
    "id": whole,
    "kind": text,
    "patient": nullable(text),
    "priority": text,
    "opened_at": instant,
    "due": day,
    "status": text,
    "note": lambda value: isinstance(value, str),
}
SIMULATED: dict[str, Check] = {
    "patient": text,
    "date": day,
    "at": instant,
    "channel": channel,
    "pathway": text,
    "step": text,
    "template": text,
    "body": text,
    "segments": whole,
}


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (("patients",), PATIENTS),
        (("messages",), MESSAGES),
        (("replies",), REPLIES),
        (("tasks",), TASKS),
        (("simulate", "--days", "30"), SIMULATED),
    ],
    ids=["patients", "messages", "replies", "tasks", "simulate"],
)
def test_a_list_has_the_shape_of_the_contract(
    arguments: tuple[str, ...], shape: dict[str, Check], sample: Commands
) -> None:
    command, *options = arguments
    ran = sample.done(command, *SAMPLE, *options, "--json")
    assert ran.err == ""
    rows = ran.json
    assert isinstance(rows, list)
    assert rows
    for row in rows:
        assert holds(row, shape)
    assert [set(row) for row in rows] == [set(rows[0])] * len(rows) or command == "messages"


@pytest.mark.parametrize("command", ["patients", "messages", "replies", "tasks"])
def test_a_list_of_one_patient_is_that_part_of_the_whole(command: str, sample: Commands) -> None:
    whole_list = sample.done(command, *SAMPLE, "--json").json
    name = "mrn" if command == "patients" else "patient"
    mrn = whole_list[0][name]
    part = sample.done(command, *SAMPLE, "--patient", mrn, "--json").json
    assert part == [row for row in whole_list if row[name] == mrn]
    assert len(part) < len(whole_list)


def test_messages_go_both_ways_and_what_was_heard_stands_before_its_answer(sample: Commands) -> None:
    rows = sample.done("messages", *SAMPLE, "--json").json
    bodies = {row["id"]: row["body"] for row in rows if row["direction"] == "inbound"}
    assert bodies == {row["id"]: row["body"] for row in sample.done("replies", *SAMPLE, "--json").json}
    first = next(number for number, row in enumerate(rows) if row["direction"] == "inbound")
    assert rows[first + 1]["direction"] == "outbound"
    assert rows[first + 1]["patient"] == rows[first]["patient"]
    assert rows[first + 1]["sent_at"] >= rows[first]["sent_at"]


def test_a_message_that_did_not_go_says_why_and_has_no_body(sample: Commands) -> None:
    skipped = [row for row in sample.done("messages", *SAMPLE, "--json").json if row["status"] == "skipped"]
    assert skipped
    assert all(row["reason"] and row["body"] is None and row["sent_at"] is None for row in skipped)


def test_the_same_instant_is_given_with_the_patients_own_offset_by_the_simulation(sample: Commands) -> None:
    zones = {row["mrn"]: row["timezone"] for row in sample.done("patients", *SAMPLE, "--json").json}
    rows = sample.done("simulate", *SAMPLE, "--days", "5", "--json").json
    for row in rows:
        at = datetime.fromisoformat(row["at"])
        assert at.date().isoformat() == row["date"]
        assert 8 <= at.hour < 21
        if zones[row["patient"]] == "Pacific/Honolulu":
            assert row["at"].endswith("-10:00")


def test_an_import_reports_counts_and_errors(sample: Commands) -> None:
    file = sample.write("list.csv", "mrn,name,phone\n900,New One,\n901,Bad Phone,12\n")
    ran = sample("import", file, *SAMPLE, "--dry-run", "--json")
    assert (ran.code, ran.err) == (1, "")
    found = ran.json
    assert {name: found[name] for name in ("created", "updated", "unchanged", "rejected", "excluded")} == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "excluded": 0,
    }
    (error,) = found["errors"]
    assert (error["line"], error["column"]) == (3, "phone")
    assert error["reason"].startswith("the phone number is too short")


def test_an_enrolment_reports_as_an_import_does(sample: Commands) -> None:
    arguments = ("enrol", *SAMPLE, "--mrn", "902", "--name", "New One", "--json")
    assert sample.done(*arguments).json["created"] == 1
    assert sample.done(*arguments).json["unchanged"] == 1
    ran = sample(*arguments, "--timezone", "EST")
    assert (ran.code, ran.json["rejected"], ran.json["errors"][0]["column"]) == (1, 1, "timezone")


def test_a_preview_is_one_document_for_each_channel(sample: Commands) -> None:
    sms, email = sample.done("preview", "dexa/ask", "--json").json
    assert (sms["template"], sms["language"], sms["channel"]) == ("dexa/ask", "en", "sms")
    assert (sms["encoding"], sms["segments"], sms["faults"]) == ("GSM-7", 1, [])
    assert isinstance(sms["grade"], float)
    assert (email["channel"], bool(email["subject"]), bool(email["text"]), bool(email["html"])) == (
        "email",
        True,
        True,
        True,
    )


def test_clearances_and_clinics_are_lists(sample: Commands) -> None:
    (case,) = sample.done("clearance", "list", "--json").json
    shape: dict[str, Check] = {
        "id": whole,
        "patient": text,
        "named": text,
        "opened_at": instant,
        "decision": nullable(text),
    }
    assert holds(case, shape)
    (clinic,) = sample.done("clinic", "list", "--json").json
    assert holds(clinic, {"code": text, "name": text, "timezone": text, "patients": whole})


def test_every_command_of_the_contract_that_lists_or_reports_takes_json() -> None:
    for name in (
        "import",
        "enrol",
        "patients",
        "messages",
        "replies",
        "tasks",
        "simulate",
        "preview",
        "check",
        "status",
    ):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert any("--json" in option.opts for option in command.params), name
