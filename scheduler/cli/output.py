"""Running commands: what they share, what they print, how they end."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.failures import FAILED, Refused, say, say_all, usage

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.ports import Unit
    from scheduler.records import Clinic

_DEBUG = "--debug"
_NARROWEST = 24  # columns that the last column of a table keeps on a narrow terminal


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a failure becomes one sentence on standard error.

    `--debug` may stand anywhere; with it a failure is raised, for its traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = _DEBUG in given
    given = [*([_DEBUG] if debug else []), *(argument for argument in given if argument != _DEBUG)]
    try:
        result = command.main(given, standalone_mode=False, prog_name="bonewise")
    except click.exceptions.Abort:
        return _fail("stopped")
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        say(usage(error))
        return error.exit_code
    except click.ClickException as error:
        return _fail(error.format_message())
    except BrokenPipeError:  # `| head` has seen enough; nothing may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if debug:
            raise
        say_all(error)
        return FAILED
    return result if isinstance(result, int) else 0


def _fail(text: str) -> int:
    say(text)
    return FAILED


@contextmanager
def opened(*, is_worker: bool = False) -> Iterator[App]:
    """The configured installation."""
    from scheduler.bootstrap import App
    from scheduler.cli.logs import speak
    from scheduler.settings import load_settings

    settings = load_settings()
    speak(settings.log)
    for note in settings.notes:
        say(note)
    app = App(settings, is_worker=is_worker)
    try:
        yield app
    finally:
        app.close()


def clinic_of(unit: Unit, code: str) -> Clinic:
    """The clinic with this code. Raises `Refused`, with the codes that there are."""
    clinic = unit.installation.clinic(code)
    if clinic is not None:
        return clinic
    known = [one.code for one in unit.installation.clinics().values()]
    there = f"there are: {', '.join(known)}" if known else "there are none yet: `bonewise clinic add` makes one"
    raise Refused(f"no clinic has the code '{code}'; {there}")


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, nothing: str) -> None:
    """Rows as a table for people; `nothing` when there are none. A terminal's lines are not overrun."""
    if not rows:
        click.echo(nothing)
        return
    cells = [["" if row[name] is None else _cell(row[name]) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(columns)]
    if sys.stdout.isatty():
        before = sum(widths[:-1]) + 2 * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(_NARROWEST, shutil.get_terminal_size().columns - before))
    for line in (list(columns), *cells):
        cut = [
            text if len(text) <= width else f"{text[: width - 1]}…" for text, width in zip(line, widths, strict=True)
        ]
        click.echo("  ".join(text.ljust(width) for text, width in zip(cut, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    """On one line, and without what a terminal would obey: a patient may have sent it."""
    text = " ".join(_plain(value).split())
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)


json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
clinic_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--clinic", "clinic_code", required=True, metavar="CODE", help="The clinic's code."
)
patient_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--patient", "mrn", metavar="MRN", help="Only this patient."
)
