"""`carer`: a patient's contact person, who gets the reminders instead of or beside the patient."""

from __future__ import annotations

from datetime import date

import click

from scheduler.cli.group import Group
from scheduler.cli.intake import phone_check_option
from scheduler.cli.languages import note_untranslated
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json
from scheduler.cli.values import day

_of_patient = click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose carer it is.")
_by = click.option("--by", required=True, metavar="EMAIL", help="The member of staff who does this.")


@click.group("carer", cls=Group)
def carer_command() -> None:
    """Name, show and remove a patient's carer."""


@carer_command.command("set")
@clinic_option
@_of_patient
@click.option("--name", required=True, metavar="NAME", help="The carer's name.")
@click.option("--phone", metavar="NUMBER", help="Where texts go; or else --email.")
@click.option("--email", metavar="ADDRESS", help="Where e-mails go; or else --phone.")
@click.option(
    "--mode",
    required=True,
    type=click.Choice(["instead", "beside"]),
    help="instead: the carer gets what the patient would get. beside: a copy of each reminder.",
)
@click.option("--language", metavar="TAG", help="The carer's (BCP 47); the patient's unless given.")
@click.option("--consent-date", required=True, metavar="DATE", type=day, help="When the carer agreed, YYYY-MM-DD.")
@_by
@phone_check_option
@json_option
def carer_set(
    clinic_code: str,
    mrn: str,
    name: str,
    phone: str | None,
    email: str | None,
    mode: str,
    language: str | None,
    consent_date: date,
    by: str,
    phone_check: str,
    as_json: bool,
) -> None:
    """Make somebody the carer of a patient, or change what is on record of them.

    The carer's own consent is recorded. Another number or address is another carer.
    """
    from scheduler.domain.people import CarerMode
    from scheduler.services.carer_records import CarerWish, set_carer
    from scheduler.services.intake.draft import PhoneCheck

    wish = CarerWish(
        name=name,
        mode=CarerMode(mode),
        consented_on=consent_date,
        phone=phone,
        email=email,
        language=language,
        phone_check=PhoneCheck(phone_check),
    )
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        outcome = set_carer(app.store, app.rules, clinic, mrn, wish, by=by, now=app.clock.now())
        if language:
            note_untranslated(app, language, instead=clinic.language)
    if as_json:
        print_json({"patient": mrn, "outcome": outcome.value})
    else:
        click.echo(f"{outcome.value.capitalize()}: the carer of {mrn}.")


@carer_command.command("show")
@clinic_option
@_of_patient
@json_option
def carer_show(clinic_code: str, mrn: str, as_json: bool) -> None:
    """Show a patient's carer, and who recorded which consent when. With --json, null when there is none."""
    from scheduler.services.carer_records import carer_row

    with opened() as app, app.store.reading() as unit:
        row = carer_row(unit, clinic_of(unit, clinic_code), mrn)
    if as_json:
        print_json(row)
    elif row is None:
        click.echo(f"{mrn} has no carer; `bonewise carer set` names one.")
    else:
        for name, value in row.items():
            if name != "history":
                shown = {None: "none", True: "yes", False: "no"}.get(value, value)
                click.echo(f"{name}: {shown}")
        for one in row["history"]:
            what = "agreed" if one["granted"] else "took it back"
            click.echo(f"{one['given_on']}: {what} ({one['channel']}, {one['source']}, by {one['recorded_by']})")


@carer_command.command("remove")
@clinic_option
@_of_patient
@_by
def carer_remove(clinic_code: str, mrn: str, by: str) -> None:
    """Take a patient's carer away. The record of their consent stays."""
    from scheduler.services.carer_records import remove_carer

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        was_there = remove_carer(app.store, app.rules, clinic, mrn, by=by, now=app.clock.now())
    click.echo(f"{mrn} has no carer any more." if was_there else f"{mrn} has no carer; nothing changed.")
