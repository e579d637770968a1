"""docs/reference-cli.md, made from the commands: `python -m tests.support.cli_reference` writes it anew."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from scheduler.cli.group import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference-cli.md"

_INTRODUCTION = """\
# Commands

Made from the commands themselves by `python -m tests.support.cli_reference`; a test holds the two together.
`bonewise COMMAND --help` says the same in the terminal.

| exit code | means |
|---|---|
| 0 | done |
| 1 | failed, or something was rejected: a sentence on standard error names the thing, the place and the remedy |
| 2 | wrong usage: an unknown command or option, a missing one, or a value that cannot be read |

- `--json` prints exactly one JSON document on standard output. Everything else goes to standard error, notes
  included. A command that cannot do its work prints nothing on standard output. One that did it and found something
  wrong (`import` and `enrol` with rejected rows, `check` and `preview` with faults, `doctor`) prints its report and
  exits with 1.
- `--debug`, anywhere on the line, shows the traceback of a failure and logs more.
- Settings come from the environment, or from a file `.env` in the working folder; the README lists them. Before
  `init`, `check`, `preview` and `doctor` work; every other command says to run it.
- Dates are written YYYY-MM-DD; instants in JSON are ISO 8601 with their offset.
- Commands may run while the service does. On SQLite, one that has to write waits up to ten seconds for its turn.
"""


def page() -> str:
    """The whole page."""
    lines = [_INTRODUCTION]
    for path, command in _commands(click.Context(cli, info_name="bonewise", **cli.context_settings)):
        lines += _section(path, command)
    return "\n".join(lines).rstrip("\n") + "\n"


def _commands(context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None:
                found = click.Context(command, info_name=name, parent=context)
                if isinstance(command, click.Group):
                    yield from _commands(found)
                else:
                    yield found, command


def _section(context: click.Context, command: click.Command) -> Iterator[str]:
    usage = " ".join([context.command_path, *_arguments(context, command)])
    yield f"## `{usage}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    rows = [row for option in command.params if (row := _row(context, option))]
    if rows:
        yield "| option | |"
        yield "|---|---|"
        yield from rows
        yield ""


def _arguments(context: click.Context, command: click.Command) -> list[str]:
    return [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]


def _row(context: click.Context, option: click.Parameter) -> str | None:
    if not isinstance(option, click.Option) or option.hidden:
        return None
    record = option.get_help_record(context)
    if record is None:
        return None
    written, said = (text.replace("|", "\\|") for text in record)
    return f"| `{written}` | {said} |"


if __name__ == "__main__":
    PAGE.write_text(page())
