"""The command line as such: help, versions, slips of the finger, exit codes, and what goes to which stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scheduler import __version__
from scheduler.cli.group import cli
from scheduler.cli.output import print_table
from tests.support.commands import CLINIC, Commands, bare, ready


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


def every_command(
    command: click.Command = cli, path: tuple[str, ...] = (), parent: click.Context | None = None
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(
        command, info_name=path[-1] if path else "bonewise", parent=parent, **cli.context_settings
    )
    if path:
        yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every_command(found, (*path, name), context)


COMMANDS = dict(every_command())


@pytest.mark.parametrize("path", [(), *COMMANDS], ids=" ".join)
def test_every_command_has_help_that_fits_80_columns(path: tuple[str, ...], tmp_path: Path) -> None:
    for flag in ("--help", "-h"):
        ran = bare(tmp_path).done(*path, flag)
        assert ran.out.startswith(f"Usage: {' '.join(('bonewise', *path))} ")
        assert ran.err == ""
        assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    first_line = (command.help or "").strip().splitlines()[0]
    assert first_line.endswith("."), first_line
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help and option.help.endswith("."), option.opts


def test_the_list_of_commands_shows_each_with_its_line_of_help(tmp_path: Path) -> None:
    shown = bare(tmp_path).done("--help").out.split("Commands:")[1]
    for (name, *rest), _ in COMMANDS.items():
        assert rest or f"\n  {name} " in shown


def test_without_a_command_the_help_is_shown_and_it_is_wrong_usage(tmp_path: Path) -> None:
    ran = bare(tmp_path)()
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: bonewise" in ran.err
    assert "Usage: bonewise clinic" in bare(tmp_path)("clinic").err


def test_the_version_is_one_line(tmp_path: Path) -> None:
    assert bare(tmp_path).done("--version").out == f"bonewise {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["pateints"], "there is no command 'pateints'; did you mean `bonewise patients`? See `bonewise --help`."),
        (
            ["clinic", "ad"],
            "there is no command 'ad'; did you mean `bonewise clinic add`? See `bonewise clinic --help`.",
        ),
        (
            ["staff", "sack"],
            "there is no command 'sack'; there are: add, link, list, remove. See `bonewise staff --help`.",
        ),
        (["tick", "--jsn"], "no such option '--jsn'. Did you mean '--json'? See `bonewise tick --help`."),
        (
            ["--json", "tick"],
            "no such option '--json' before the command; most options stand after it. See `bonewise --help`.",
        ),
        (["import"], "missing argument 'FILE'. See `bonewise import --help`."),
        (
            ["import", "-", "--clinic", "x"],
            "FILE is a file on disk, for it is read twice. See `bonewise import --help`.",
        ),
        (["enrol", "--clinic", "x", "--mrn", "1"], "missing option '--name'. See `bonewise enrol --help`."),
        (["patients"], "missing option '--clinic'. See `bonewise patients --help`."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_that_says_what_may_have_been_meant(
    typed: list[str], says: str, tmp_path: Path
) -> None:
    ran = bare(tmp_path)(*typed)
    assert (ran.code, ran.out, ran.err) == (2, "", f"bonewise: {says}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["simulate", "--days", "0"], "'--days': '0' is not a whole number from 1 to 3660."),
        (["simulate", "--days", "-1"], "'--days': '-1' is not a whole number from 1 to 3660."),
        (["simulate", "--days", "x"], "'--days': 'x' is not a whole number from 1 to 3660."),
        (["simulate", "--days", "3", "--from", "tomorrow"], "'--from': 'tomorrow' is not a date; write YYYY-MM-DD"),
        (["simulate", "--days", "3", "--from", "9999-12-30"], "'--from': 9999-12-30 is too far off"),
        (
            ["result", "add", "--patient", "1", "--kind", "dexa", "--date", "01/02/2026"],
            "'--date': '01/02/2026' is not",
        ),
        (["result", "add", "--patient", "1", "--kind", "dexa", "--date", "1026-01-02"], "look for a wrong year"),
        (["result", "add", "--patient", "1", "--kind", "mri", "--date", "2026-01-02"], "'mri' is not one of"),
        (["staff", "add", "--email", "a@b.example", "--role", "boss"], "'boss' is not one of 'admin', 'coordinator'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_value_that_cannot_be_read_is_wrong_usage(typed: list[str], says: str, bonewise: Commands) -> None:
    at = 2 if typed[1] == "add" else 1
    ran = bonewise(*typed[:at], "--clinic", CLINIC, *typed[at:])
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_an_unknown_clinic_is_answered_with_those_there_are(bonewise: Commands) -> None:
    for command in (
        ["patients"],
        ["messages"],
        ["replies"],
        ["tasks"],
        ["simulate", "--days", "3"],
        ["clearance", "list"],
    ):
        ran = bonewise(*command, "--clinic", "rivre", "--json")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"bonewise: no clinic has the code 'rivre'; there are: {CLINIC}\n"


def test_a_patient_who_does_not_exist_has_nothing_and_that_is_said(bonewise: Commands) -> None:
    for command in ("patients", "messages", "replies", "tasks"):
        ran = bonewise(command, "--clinic", CLINIC, "--patient", "nobody", "--json")
        assert (ran.code, ran.json) == (0, [])
        assert (
            ran.err == f"bonewise: clinic {CLINIC} has no patient with MRN nobody; `bonewise patients` lists them\n"
        )


def test_debug_may_stand_anywhere_and_shows_where_it_failed(tmp_path: Path) -> None:
    for arguments in (["--debug", "tick"], ["tick", "--debug"]):
        with pytest.raises(Exception, match="has not been set up"):
            bare(tmp_path)(*arguments)
    assert bare(tmp_path)("tick").err.startswith("bonewise: the database ")


def test_tick_prints_one_json_object_with_the_counts_of_the_contract(bonewise: Commands) -> None:
    for arguments in (["tick"], ["tick", "--json"]):
        counts = bonewise.done(*arguments).json
        assert {"planned", "sent", "failed", "unknown", "skipped", "expired"} <= set(counts)
        assert all(isinstance(count, int) for count in counts.values())


def test_status_says_in_words_and_in_json_how_the_service_is_doing(bonewise: Commands) -> None:
    said = bonewise.done("status").out
    assert said.splitlines()[0] == "0 patients of 1 clinic."
    assert isinstance(bonewise.done("status", "--json").json, dict)


def test_what_a_patient_sent_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"body": "\x1b[2Jgone\r\n\u202etxet"}], ["body"], nothing="")
    shown = capsys.readouterr().out
    assert "gone" in shown
    assert not set(shown) & {"\x1b", "\r", "\u202e"}
