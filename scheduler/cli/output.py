"""Running commands: what they print, how they fail, with which exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.ports import Unit
    from scheduler.records import Clinic

FAILED = 1


def run(command: click.Command) -> int:
    """Run the command line; a failure becomes one sentence on standard error, without a traceback."""
    debug = "--debug" in sys.argv[1:]
    try:
        result = command.main(standalone_mode=False, prog_name="bonewise")
    except click.exceptions.Abort:
        return _fail("stopped")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if debug:
            raise
        return _fail(_sentence(error))
    return result if isinstance(result, int) else 0


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) if not _is_listing(error) else str(error)
    if _is_ours(error) or isinstance(error, OSError):
        return text
    return f"{type(error).__name__}: {text[:300]}; run again with `bonewise --debug ...` to see where"


def _is_ours(error: Exception) -> bool:
    return type(error).__module__.startswith("scheduler.") or type(error) is ValueError


def _is_listing(error: Exception) -> bool:
    return hasattr(error, "faults")


def _fail(text: str) -> int:
    click.echo(f"bonewise: {text}", err=True)
    return FAILED


@contextmanager
def opened(*, is_worker: bool = False) -> Iterator[App]:
    """The configured installation."""
    from scheduler.bootstrap import App
    from scheduler.settings import load_settings

    app = App(load_settings(), is_worker=is_worker)
    try:
        yield app
    finally:
        app.close()


class UnknownClinicError(click.ClickException):
    """No clinic has that code."""

    def __init__(self, code: str, known: Sequence[str]) -> None:
        there = f"there are: {', '.join(known)}" if known else "there are none yet: `bonewise clinic add` makes one"
        super().__init__(f"no clinic has the code {code}; {there}")


def clinic_of(unit: Unit, code: str) -> Clinic:
    """The clinic with this code."""
    clinic = unit.installation.clinic(code)
    if clinic is None:
        raise UnknownClinicError(code, [one.code for one in unit.installation.clinics().values()])
    return clinic


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, nothing: str) -> None:
    """Rows as a table for people; `nothing` when there are none."""
    if not rows:
        click.echo(nothing)
        return
    cells = [["" if row[name] is None else _cell(row[name]) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(columns)]
    for line in (list(columns), *cells):
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    return " ".join(_plain(value).split())


json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
clinic_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--clinic", "clinic_code", required=True, metavar="CODE", help="The clinic's code."
)
patient_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--patient", "mrn", metavar="MRN", help="Only this patient."
)
