"""`tasks`, `task` and `clinic set`, as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scheduler.bootstrap import App
from scheduler.services.new_tasks import clinic_task
from scheduler.settings import load_settings
from tests.support.cli import Ran
from tests.support.commands import CLINIC, Commands, ready

PAT = "pat@river.example"


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    """A clinic with one member of staff and one open task."""
    commands = ready(tmp_path)
    commands.done("staff", "add", "--clinic", CLINIC, "--email", PAT, "--role", "coordinator")
    open_task(commands)
    return commands


def open_task(commands: Commands, *, note: str = "They wrote: \u202eknee") -> None:
    folder = commands.folder / "var"
    url = f"sqlite:///{folder / 'bonewise.db'}"
    app = App(load_settings({"BONEWISE_DATABASE_URL": url, "BONEWISE_DATA_DIR": str(folder)}))
    now = datetime.now(UTC)
    with app.store.writing() as unit:
        clinic = unit.installation.clinic(CLINIC)
        assert clinic is not None
        unit.worklist.open([clinic_task(app.rules, "unclear_reply", clinic, cause="x", now=now, note=note)], now=now)
    app.close()


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (1, ""), ran
    assert ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("bonewise: ").rstrip("\n")


def test_the_list_keeps_its_fields_and_says_more(bonewise: Commands) -> None:
    (task,) = bonewise.done("tasks", "--clinic", CLINIC, "--json").json
    assert list(task)[:8] == ["id", "kind", "patient", "priority", "opened_at", "due", "status", "note"]
    assert (task["id"], task["kind"], task["patient"], task["status"]) == (1, "unclear_reply", None, "open")
    assert task["assignee"] is None


def test_a_task_is_worked_on_from_the_command_line(bonewise: Commands) -> None:
    of = ("1", "--clinic", CLINIC, "--by", PAT)
    assert bonewise.done("task", "assign", *of, "--to", PAT).out == f"Task 1: assigned to {PAT}.\n"
    assert bonewise.done("task", "note", *of, "--words", "called").out == "Task 1: noted.\n"
    assert bonewise.done("task", "close", *of).out == "Task 1: closed (done).\n"
    assert bonewise.done("tasks", "--clinic", CLINIC, "--open").out == "Nothing needs a person.\n"
    assert bonewise.done("task", "reopen", *of, "--words", "again").out.startswith("Task 1: open again, due 2")
    assert bonewise.done("task", "assign", *of, "--to", "nobody").out == "Task 1: assigned to nobody.\n"
    (task,) = bonewise.done("tasks", "--clinic", CLINIC, "--open", "--json").json
    assert task["status"] == "open"


def test_one_task_is_shown_with_all_that_happened_to_it(bonewise: Commands) -> None:
    bonewise.done("task", "note", "1", "--clinic", CLINIC, "--by", PAT, "--words", "left a message")
    shown = bonewise.done("task", "show", "1", "--clinic", CLINIC, "--json").json
    assert (shown["title"], shown["for"]) == ("A reply that the service did not understand", "coordinator")
    assert [(one["step"], one["by"], one["words"]) for one in shown["history"]] == [
        ("opened", "service", ""),
        ("noted", PAT, "left a message"),
    ]
    text = bonewise.done("task", "show", "1", "--clinic", CLINIC).out
    assert "left a message" in text
    assert "\u202e" not in text  # a patient may have written what a terminal would obey


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("close", "2", "--by", PAT), "clinic river has no task 2; `bonewise tasks --clinic river` lists them"),
        (("show", "2"), "clinic river has no task 2; `bonewise tasks --clinic river` lists them"),
        (
            ("close", "1", "--by", "x@y.example"),
            "x@y.example is not on the staff of clinic river; `bonewise staff add",
        ),
        (("close", "1", "--by", PAT, "--resolution", "other"), "say in words how the task ended"),
        (("reopen", "1", "--by", PAT), "task 1 is open already"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_remedy(
    arguments: tuple[str, ...], says: str, bonewise: Commands
) -> None:
    assert says in refused(bonewise("task", *arguments, "--clinic", CLINIC))


@pytest.mark.parametrize(
    "arguments",
    [
        ("close", "1"),
        ("close", "x", "--by", PAT),
        ("close", "1", "--by", PAT, "--resolution", "settled"),
        ("note", "1", "--by", PAT),
    ],
)
def test_wrong_usage_is_told_apart(arguments: tuple[str, ...], bonewise: Commands) -> None:
    assert bonewise("task", *arguments, "--clinic", CLINIC).code == 2


def test_another_clinics_task_is_not_found(bonewise: Commands) -> None:
    bonewise.done("clinic", "add", "--code", "lake", "--name", "Lake", "--timezone", "America/Chicago")
    assert refused(bonewise("task", "show", "1", "--clinic", "lake")).startswith("clinic lake has no task 1")


# `clinic set`


def test_a_new_clinic_keeps_its_countrys_holidays_unless_it_says_otherwise(bonewise: Commands) -> None:
    add = ("clinic", "add", "--name", "Lake", "--timezone", "America/Chicago", "--code")
    assert holidays(bonewise, CLINIC) == "US"
    bonewise.done(*add, "a", "--holidays", "US-NY")
    bonewise.done(*add, "b", "--holidays", "none")
    bonewise.done("clinic", "add", "--name", "Lago", "--timezone", "Europe/Madrid", "--code", "c")
    bonewise.done("clinic", "add", "--name", "Lac", "--timezone", "Europe/Paris", "--code", "d")
    assert [holidays(bonewise, code) for code in "abcd"] == ["US-NY", None, "ES", None]
    assert "there is no such calendar in config/holidays; there are: ES, MX, US, US-MA, US-NY" in refused(
        bonewise(*add, "e", "--holidays", "UK")
    )


def holidays(bonewise: Commands, code: str) -> str | None:
    shown = bonewise.done("clinic", "set", "--clinic", code, "--digest-at", "08:00", "--json").json
    found: str | None = shown["holidays"]
    return found


def test_a_clinics_office_is_changed_and_what_is_not_named_stays(bonewise: Commands) -> None:
    change = ("clinic", "set", "--clinic", CLINIC, "--json")
    bonewise.done(*change, "--digest-to", PAT, "--closed", "2026-12-24..2026-12-26", "--closed", "2026-12-31")
    after = bonewise.done(*change, "--duty-email", "duty@river.example", "--not-closed", "2026-12-25").json
    assert after == {
        "code": CLINIC,
        "name": "River Clinic",
        "message_name": "River Clinic",
        "timezone": "America/New_York",
        "language": "en",
        "phone": None,
        "window": "09:00-20:00",
        "contact_time": "09:30",
        "sms_from": "+16175550100",
        "messaging_service": None,
        "mps": None,
        "pathways": None,
        "email_from": "care@river.example",
        "holidays": "US",
        "closed_days": ["2026-12-24", "2026-12-26", "2026-12-31"],
        "digest_to": PAT,
        "digest_at": "08:00",
        "duty_email": "duty@river.example",
        "name_on_shared": False,
        "stop_scope": "all",
        "confirm_numbers": False,
    }
    assert bonewise.done(*change, "--digest-to", "none").json["digest_to"] is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--digest-to", "team"), "--digest-to: the e-mail address has no @"),
        (("--digest-at", "8 am"), "--digest-at: a time is written HH:MM on a 24-hour clock"),
        (("--closed", "christmas"), "--closed 'christmas': write a date such as 2026-12-24"),
        (("--closed", "2026-12-24..2026-12-01"), "from the first day to the last, at most 62 days"),
        (("--closed", "2026-01-01..2026-12-31"), "from the first day to the last, at most 62 days"),
        (("--email-from", "none", "--digest-to", PAT), "--digest-to: the clinic has no sender for e-mail"),
    ],
)
def test_a_wrong_setting_changes_nothing_and_is_named(
    options: tuple[str, ...], says: str, bonewise: Commands
) -> None:
    before = bonewise.done("clinic", "set", "--clinic", CLINIC, "--digest-at", "08:00", "--json").json
    assert says in refused(bonewise("clinic", "set", "--clinic", CLINIC, *options))
    assert bonewise.done("clinic", "set", "--clinic", CLINIC, "--digest-at", "08:00", "--json").json == before


def test_nothing_to_change_is_wrong_usage(bonewise: Commands) -> None:
    ran = bonewise("clinic", "set", "--clinic", CLINIC)
    assert ran.code == 2
    assert "nothing to change is given" in ran.err


def test_a_digest_needs_a_sender(bonewise: Commands) -> None:
    add = ("clinic", "add", "--code", "lake", "--name", "Lake", "--timezone", "America/Chicago", "--digest-to", PAT)
    assert refused(bonewise(*add)).startswith("--digest-to: the clinic has no sender for e-mail")
    bonewise.done(*add, "--email-from", "care@lake.example")


def test_a_fault_in_a_calendar_is_found_by_check(bonewise: Commands) -> None:
    faulty = bonewise.folder / "config"
    faulty.mkdir()
    root = Path(__file__).parents[2] / "config"
    for path in root.rglob("*.yaml"):
        target = faulty / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (faulty / "holidays" / "ours.yaml").write_text("title: Ours\ndays:\n  Fair: someday\n")
    ran = bonewise.given(BONEWISE_CONFIG_DIR=str(faulty))("check")
    assert ran.code == 1
    assert "config/holidays/ours.yaml:3: Fair: 'someday' is not a day of the year" in ran.out + ran.err
