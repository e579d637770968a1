"""`clinic`: the tenants of an installation."""

from __future__ import annotations

import click

from scheduler.cli.clinic_office import clinic_set, office_options
from scheduler.cli.failures import say
from scheduler.cli.group import Group
from scheduler.cli.languages import note_untranslated
from scheduler.cli.output import json_option, opened, print_json, print_table
from scheduler.cli.values import rate


@click.group("clinic", cls=Group)
def clinic_command() -> None:
    """Add, change and list clinics."""


clinic_command.add_command(clinic_set)


@clinic_command.command("add")
@click.option("--code", required=True, metavar="CODE", help="A short code, used in commands.")
@click.option("--name", required=True, metavar="NAME", help="The clinic's name.")
@click.option("--timezone", required=True, metavar="ZONE", help="IANA zone, such as America/New_York.")
@click.option("--sms-from", metavar="NUMBER", help="The number texts come from, such as +16175550100.")
@click.option("--messaging-service", metavar="SID", help="Twilio Messaging Service (MG...) in place of a number.")
@click.option("--email-from", metavar="ADDRESS", help="The address e-mails come from.")
@click.option("--phone", metavar="NUMBER", help="The number patients may call; shown in messages.")
@click.option("--mps", type=rate, metavar="R", help="At most so many segments a second per sender.")
@click.option("--message-name", metavar="NAME", help="Neutral name that opens every message; --name unless given.")
@click.option("--language", default="en", show_default=True, metavar="TAG", help="The clinic's language (BCP 47).")
@click.option("--country", metavar="CODE", help="ISO 3166 country of numbers without +; else by number or zone.")
@office_options
@json_option
def clinic_add(as_json: bool, **given: str | float | None) -> None:
    """Add a clinic: a tenant and its senders."""
    from scheduler.services.clinics import NewClinic, add_clinic

    with opened() as app:
        new = NewClinic(**given)  # type: ignore[arg-type]
        added = add_clinic(app.store, new, now=app.clock.now(), calendars=app.calendars, doubts=app.doubts_about_name)
        note_untranslated(app, added.clinic.language, instead="en")
    for warning in added.warnings:
        say(warning)
    if as_json:
        print_json({"code": added.clinic.code, "name": added.clinic.name, "timezone": added.clinic.timezone})
    else:
        click.echo(f"Added clinic {added.clinic.code}: {added.clinic.name} ({added.clinic.timezone}).")


@clinic_command.command("list")
@json_option
def clinic_list(as_json: bool) -> None:
    """List the clinics."""
    with opened() as app, app.store.reading() as unit:
        found = [
            {"code": one.code, "name": one.name, "timezone": one.timezone, "patients": unit.patients.count(one.id)}
            for one in unit.installation.clinics().values()
        ]
    if as_json:
        print_json(found)
    else:
        print_table(
            found,
            ["code", "name", "timezone", "patients"],
            nothing="There are no clinics yet: `bonewise clinic add` makes one.",
        )
