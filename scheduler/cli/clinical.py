"""`result` and `clearance`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table

_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.group("result")
def result_command() -> None:
    """Record a result for a patient."""


@result_command.command("add")
@clinic_option
@click.option("--patient", "mrn", required=True, metavar="MRN")
@click.option("--kind", required=True, type=click.Choice(["vitamin_d", "dexa"]))
@click.option("--date", "taken", required=True, type=_DATE, help="The date it was taken, YYYY-MM-DD.")
@click.option("--value", help="As the laboratory wrote it.")
@click.option("--unit", help="Such as ng/mL.")
@click.option("--next-months", type=click.IntRange(1, 120), help="Months until the next cycle.")
def result_add(
    clinic_code: str,
    mrn: str,
    kind: str,
    taken: datetime,
    value: str | None,
    unit: str | None,
    next_months: int | None,
) -> None:
    """Record a result: it ends the cycle, voids what is pending and opens its review for a clinician."""
    from scheduler.services.facts import ResultKind, add_result

    with opened() as app:
        with app.store.reading() as transaction:
            clinic = clinic_of(transaction, clinic_code)
        add_result(
            app.store,
            app.rules,
            clinic,
            mrn=mrn,
            kind=ResultKind(kind),
            taken_on=taken.date(),
            value=value,
            unit=unit,
            next_months=next_months,
            by="command line",
            now=app.clock.now(),
        )
        click.echo(f"Recorded the {kind} result of {taken:%Y-%m-%d} for {mrn}.")


@click.group("clearance")
def clearance_command() -> None:
    """List and decide supplement cases."""


@clearance_command.command("list")
@click.option("--clinic", "clinic_code", metavar="CODE", help="Only this clinic.")
@json_option
def clearance_list(clinic_code: str | None, as_json: bool) -> None:
    """List the supplement cases, decided or not."""
    with opened() as app, app.store.reading() as unit:
        clinic_id = clinic_of(unit, clinic_code).id if clinic_code else None
        rows = [
            {key: value for key, value in asdict(case).items() if key not in ("clinic_id", "patient_id")}
            for case in unit.worklist.clearances(clinic_id)
        ]
    if as_json:
        print_json(rows)
    else:
        columns = ["id", "patient", "named", "opened_at", "decision", "decided_by"]
        print_table(rows, columns, nothing="There are no supplement cases.")


@clearance_command.command("decide")
@click.argument("case", type=int, metavar="ID")
@click.option("--decision", required=True, type=click.Choice(["cleared", "not_cleared", "come_in"]))
@click.option("--by", required=True, metavar="EMAIL", help="The clinician who decides.")
def clearance_decide(case: int, decision: str, by: str) -> None:
    """Decide a supplement case; the patient gets that decision's approved wording."""
    from scheduler.services.facts import Decision, decide_clearance

    with opened() as app:
        decided = decide_clearance(
            app.store, app.rules, case=case, decision=Decision(decision), by=by, now=app.clock.now()
        )
        click.echo(f"Case {decided.id} of {decided.patient}: {decided.decision}, signed by {by}.")
