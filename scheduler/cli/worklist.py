"""`tasks` and `task`: the clinic's worklist, and what people do with one item of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from scheduler.cli.failures import say
from scheduler.cli.group import Group
from scheduler.cli.output import (
    clinic_of,
    clinic_option,
    json_option,
    opened,
    patient_option,
    print_json,
    print_table,
)
from scheduler.cli.values import row_id
from scheduler.domain.tasks import BY_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.bootstrap import App
    from scheduler.records import Task
    from scheduler.services.tasks import Act

F = TypeVar("F", bound=Callable[..., Any])

_COLUMNS = ["id", "kind", "patient", "priority", "due", "status", "assignee", "note"]


@click.command("tasks")
@clinic_option
@patient_option
@click.option("--open", "only_open", is_flag=True, help="Only what waits for somebody.")
@json_option
def tasks_command(clinic_code: str, mrn: str | None, only_open: bool, as_json: bool) -> None:
    """List the clinic's worklist; `bonewise task show` has more of one task."""
    from scheduler.services.listing import tasks

    with opened() as app, app.store.reading() as unit:
        clinic = clinic_of(unit, clinic_code)
        if mrn is not None and not unit.patients.by_mrn(clinic.id, [mrn]):
            say(f"clinic {clinic.code} has no patient with MRN {mrn}; `bonewise patients` lists them")
        rows = tasks(unit, clinic, mrn=mrn, only_open=only_open)
    if as_json:
        print_json(rows)
    else:
        print_table(rows, _COLUMNS, nothing="Nothing needs a person.")


@click.group("task", cls=Group)
def task_command() -> None:
    """Look at one task, and work on it."""


def _of_task(command: F) -> F:
    """A command about one task of a clinic."""
    numbered = click.argument("task_id", type=row_id, metavar="ID")
    return cast("F", numbered(clinic_option(command)))


def _by_staff(command: F) -> F:
    """A command of somebody on the clinic's staff that changes a task."""
    by = click.option("--by", required=True, metavar="EMAIL", help="The member of staff who does this.")
    return _of_task(by(command))


def _words(what: str) -> Callable[[F], F]:
    return click.option("--words", default="", metavar="TEXT", help=what)


@task_command.command("show")
@_of_task
@json_option
def task_show(task_id: int, clinic_code: str, as_json: bool) -> None:
    """Show the task ID with all that happened to it."""
    from scheduler.services.listing import task_row
    from scheduler.services.tasks import find

    with opened() as app, app.store.reading() as unit:
        task, events = find(unit, clinic_of(unit, clinic_code), task_id)
        kind = app.rules.task_kinds.get(task.kind)
    history = [
        {"at": event.at, "by": event.by, "step": event.step.value, "detail": event.detail, "words": event.words}
        for event in events
    ]
    row = {**task_row(task), "title": kind.title if kind else task.kind, "for": kind.role.value if kind else None}
    if as_json:
        print_json({**row, "history": history})
        return
    shown = [{"task": name.replace("_", " "), "": value} for name, value in row.items() if value not in (None, "")]
    print_table(shown, ["task", ""], nothing="")
    click.echo()
    print_table(history, ["at", "by", "step", "detail", "words"], nothing="")


@task_command.command("assign")
@_by_staff
@click.option("--to", required=True, metavar="EMAIL", help="Who is to act, or 'nobody'.")
def task_assign(task_id: int, clinic_code: str, by: str, to: str) -> None:
    """Give the open task ID to a member of staff, or to nobody again."""
    from scheduler.services.tasks import assign

    with _acting(task_id, clinic_code, by) as (app, act):
        task = assign(app.store, act, to=None if to.strip().lower() == "nobody" else to)
        click.echo(f"Task {task.id}: {f'assigned to {task.assignee}' if task.assignee else 'assigned to nobody'}.")


@task_command.command("note")
@_by_staff
@click.option("--words", required=True, metavar="TEXT", help="What is to be remembered.")
def task_note(task_id: int, clinic_code: str, by: str, words: str) -> None:
    """Add a note to the task ID, open or closed."""
    from scheduler.services.tasks import note

    with _acting(task_id, clinic_code, by) as (app, act):
        task = note(app.store, act, words)
        click.echo(f"Task {task.id}: noted.")


@task_command.command("close")
@_by_staff
@click.option(
    "--resolution",
    type=click.Choice([resolution.value for resolution in BY_PEOPLE]),
    default="done",
    show_default=True,
    help="How it ended.",
)
@_words("How it ended, in words; 'other' needs them.")
def task_close(task_id: int, clinic_code: str, by: str, resolution: str, words: str) -> None:
    """Close the task ID."""
    from scheduler.domain.tasks import Resolution
    from scheduler.services.tasks import close

    with _acting(task_id, clinic_code, by) as (app, act):
        task = close(app.store, act, resolution=Resolution(resolution), words=words)
        click.echo(f"Task {task.id}: closed ({task.resolution}).")


@task_command.command("reopen")
@_by_staff
@_words("Why, in words.")
def task_reopen(task_id: int, clinic_code: str, by: str, words: str) -> None:
    """Open the closed task ID again, due as if it were new."""
    from scheduler.services.tasks import reopen

    with _acting(task_id, clinic_code, by) as (app, act):
        task: Task = reopen(app.store, app.rules, act, words=words)
        click.echo(f"Task {task.id}: open again, due {task.due}.")


@contextmanager
def _acting(task_id: int, clinic_code: str, by: str) -> Iterator[tuple[App, Act]]:
    from scheduler.services.tasks import Act

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        yield app, Act(clinic, task_id, by, app.clock.now())
