"""`result` and `clearance`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import click

from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table
from scheduler.cli.values import day, row_id, whole


@click.group("result", cls=Group)
def result_command() -> None:
    """Record a result for a patient, or void one."""


@result_command.command("add")
@clinic_option
@click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose result it is.")
@click.option("--kind", required=True, type=click.Choice(["vitamin_d", "dexa"]), help="What was measured.")
@click.option("--date", "taken", required=True, metavar="DATE", type=day, help="The day it was taken, YYYY-MM-DD.")
@click.option("--value", metavar="VALUE", help="As the laboratory wrote it.")
@click.option("--unit", metavar="UNIT", help="Such as ng/mL.")
@click.option("--next-months", metavar="N", type=whole(1, 120), help="Months until the next cycle, at most 120.")
def result_add(
    clinic_code: str,
    mrn: str,
    kind: str,
    taken: date,
    value: str | None,
    unit: str | None,
    next_months: int | None,
) -> None:
    """Record a result.

    It ends the cycle, voids what is pending and opens its review for a clinician. The same one again changes nothing.
    """
    from scheduler.services.facts import ResultKind, add_result

    if unit and not value:
        raise click.UsageError("--unit says nothing without --value; give both.", click.get_current_context())

    with opened() as app:
        with app.store.reading() as transaction:
            clinic = clinic_of(transaction, clinic_code)
        is_new = add_result(
            app.store,
            app.rules,
            clinic,
            mrn=mrn,
            kind=ResultKind(kind),
            taken_on=taken,
            value=value,
            unit=unit,
            next_months=next_months,
            by="command line",
            now=app.clock.now(),
        )
        done = "Recorded" if is_new else "On file already, nothing has changed:"
        click.echo(f"{done} the {kind} result of {taken} for {mrn}.")


@result_command.command("void")
@clinic_option
@click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose result it is.")
@click.option("--kind", required=True, type=click.Choice(["vitamin_d", "dexa"]), help="What was measured.")
@click.option("--date", "taken", required=True, metavar="DATE", type=day, help="The day it was taken, YYYY-MM-DD.")
@click.option("--reason", required=True, metavar="WORDS", help="Why it is void; kept on file with it.")
def result_void(clinic_code: str, mrn: str, kind: str, taken: date, reason: str) -> None:
    """Void a result that was recorded by mistake.

    It stays on file, with the reason. The pathways go back to where they would be without it, unless something else
    has happened there since.
    """
    from scheduler.services.care import Deciding
    from scheduler.services.facts import ResultKind
    from scheduler.services.voiding import void_result_of

    with opened() as app:
        with app.store.reading() as transaction:
            clinic = clinic_of(transaction, clinic_code)
        about = Deciding(clinic=clinic, mrn=mrn, by="command line", now=app.clock.now())
        came = void_result_of(app.store, app.rules, about, kind=ResultKind(kind), taken_on=taken, reason=reason)
    click.echo(f"Void: the {kind} result of {taken} for {mrn}.")
    for title in came.put_back:
        click.echo(f"{title}: as if it had not been recorded.")
    for title in came.left:
        click.echo(f"{title}: stays where it is, for something else has happened since. Look at the patient's page.")


@click.group("clearance", cls=Group)
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
@click.argument("case", type=row_id, metavar="ID")
@click.option(
    "--decision",
    required=True,
    type=click.Choice(["cleared", "not_cleared", "come_in"]),
    help="The patient gets the wording approved for it.",
)
@click.option("--by", required=True, metavar="EMAIL", help="The clinician who decides.")
def clearance_decide(case: int, decision: str, by: str) -> None:
    """Decide the supplement case ID, as `bonewise clearance list` shows it."""
    from scheduler.services.clearing import Decision
    from scheduler.services.decisions import outlooks
    from scheduler.services.facts import decide_clearance

    with opened() as app:
        now, chosen = app.clock.now(), Decision(decision)
        with app.store.reading() as unit:
            found = unit.worklist.clearances(case=case)
            clinics = unit.installation.clinics()
            foreseen = [
                outlooks(unit, app.rules, app.composer, clinics[one.clinic_id], [one], now=now)[one.id]
                for one in found
            ]
        decided = decide_clearance(app.store, app.rules, case=case, decision=chosen, by=by, now=now)
        click.echo(f"Case {decided.id} of {decided.patient}: {decided.decision}, signed by {by}.")
        for outlook in foreseen:
            if chosen not in outlook.texts:
                click.echo(f"N{outlook.after(chosen)[1:]}.")
            elif chosen in outlook.differs:
                click.echo("What the patient asked about with it was decided differently: they are asked to come in.")
