"""`patients`, `messages`, `replies`, `tasks`: what is stored, for people and programs to read."""

from __future__ import annotations

from typing import Any

import click

from scheduler.cli.output import (
    clinic_of,
    clinic_option,
    json_option,
    opened,
    patient_option,
    print_json,
    print_table,
)


@click.command("patients")
@clinic_option
@patient_option
@json_option
def patients_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List patients and where they stand on each pathway."""
    from scheduler.services.listing import patients

    with opened() as app, app.store.reading() as unit:
        rows = patients(unit, app.rules, clinic_of(unit, clinic_code), mrn=mrn)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        dates = [one["next_date"] for one in row["pathways"] if one["next_date"]]
        row["next"] = min(dates, default=None)
    columns = ["mrn", "name", "status", "channel", "language", "timezone", "next"]
    print_table(rows, columns, nothing="There are no patients: `bonewise import` or `bonewise enrol` adds some.")


@click.command("messages")
@clinic_option
@patient_option
@json_option
def messages_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List the ledger: every message, and why each went or did not go."""
    from scheduler.services.listing import messages

    with opened() as app, app.store.reading() as unit:
        rows = messages(unit, clinic_of(unit, clinic_code), mrn=mrn)
    columns = ["due_date", "patient", "direction", "channel", "pathway", "step", "status", "reason", "body"]
    _print(rows, columns, as_json=as_json, nothing="There are no messages yet.")


@click.command("replies")
@clinic_option
@patient_option
@json_option
def replies_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List what patients sent and what it was taken to mean."""
    from scheduler.services.listing import replies

    with opened() as app, app.store.reading() as unit:
        rows = replies(unit, clinic_of(unit, clinic_code), mrn=mrn)
    columns = ["received_at", "patient", "body", "meaning", "pathway", "answer"]
    _print(rows, columns, as_json=as_json, nothing="There are no replies yet.")


@click.command("tasks")
@clinic_option
@patient_option
@json_option
def tasks_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List the clinic's worklist."""
    from scheduler.services.listing import tasks

    with opened() as app, app.store.reading() as unit:
        rows = tasks(unit, clinic_of(unit, clinic_code), mrn=mrn)
    columns = ["id", "kind", "patient", "priority", "due", "status", "note"]
    _print(rows, columns, as_json=as_json, nothing="Nothing needs a person.")


def _print(rows: list[dict[str, Any]], columns: list[str], *, as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns, nothing=nothing)
