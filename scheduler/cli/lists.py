"""`patients`, `messages`, `replies`: what is stored, for people and programs to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.failures import say
from scheduler.cli.output import (
    clinic_of,
    clinic_option,
    json_option,
    opened,
    patient_option,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.ports import Unit
    from scheduler.records import Clinic

    Reader = Callable[[App, Unit, Clinic, str | None], list[dict[str, Any]]]


@click.command("patients")
@clinic_option
@patient_option
@json_option
def patients_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List patients and where they stand on each pathway."""
    from scheduler.services.listing import patients

    rows = _read(lambda app, unit, clinic, mrn: patients(unit, app.rules, clinic, mrn=mrn), clinic_code, mrn)
    if not as_json:
        for row in rows:
            dates = [one["next_date"] for one in row["pathways"] if one["next_date"]]
            row["next"] = min(dates, default=None)
    columns = ["mrn", "name", "status", "channel", "language", "timezone", "next"]
    nothing = "There are no patients: `bonewise import` or `bonewise enrol` adds some."
    _print(rows, columns, as_json=as_json, nothing=nothing if mrn is None else f"Nothing to show for {mrn}.")


@click.command("messages")
@clinic_option
@patient_option
@json_option
def messages_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List the ledger: every message, and why each went or did not go."""
    from scheduler.services.listing import messages

    rows = _read(
        lambda app, unit, clinic, mrn: messages(unit, clinic, mrn=mrn, meaning=app.meaning_of_failure),
        clinic_code,
        mrn,
    )
    if not as_json:
        for row in rows:
            row["reason"] = "; ".join(part for part in (row["reason"], row["retry_why"]) if part) or None
    columns = ["due_date", "patient", "direction", "channel", "pathway", "step", "status", "reason", "body"]
    _print(rows, columns, as_json=as_json, nothing="There are no messages yet.")


@click.command("replies")
@clinic_option
@patient_option
@json_option
def replies_command(clinic_code: str, mrn: str | None, as_json: bool) -> None:
    """List what patients sent and what it was taken to mean."""
    from scheduler.services.listing import replies

    rows = _read(lambda _, unit, clinic, mrn: replies(unit, clinic, mrn=mrn), clinic_code, mrn)
    columns = ["received_at", "patient", "meaning", "pathway", "answer", "body"]
    _print(rows, columns, as_json=as_json, nothing="There are no replies yet.")


def _read(reader: Reader, clinic_code: str, mrn: str | None) -> list[dict[str, Any]]:
    """What `reader` finds in the clinic; a patient who does not exist has nothing, and that is said."""
    with opened() as app, app.store.reading() as unit:
        clinic = clinic_of(unit, clinic_code)
        if mrn is not None and not unit.patients.by_mrn(clinic.id, [mrn]):
            say(f"clinic {clinic.code} has no patient with MRN {mrn}; `bonewise patients` lists them")
        return reader(app, unit, clinic, mrn)


def _print(rows: list[dict[str, Any]], columns: list[str], *, as_json: bool, nothing: str) -> None:
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns, nothing=nothing)
