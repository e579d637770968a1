"""`init`, `clinic`, `staff`, `sample`, `status`."""

from __future__ import annotations

import click

from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table


@click.command("init")
def init_command() -> None:
    """Create or migrate the database, and make keys where there are none."""
    with opened() as app:
        changed = app.initialise()
        click.echo("The database is ready." if changed else "The database was ready already.")


@click.group("clinic")
def clinic_command() -> None:
    """Add and list clinics."""


@clinic_command.command("add")
@click.option("--code", required=True, help="A short code, used in commands.")
@click.option("--name", required=True, help="The clinic's name.")
@click.option("--timezone", required=True, help="IANA zone, such as America/New_York.")
@click.option("--sms-from", help="The number texts come from, such as +16175550100.")
@click.option("--messaging-service", help="Twilio Messaging Service (MG...) in place of a number.")
@click.option("--email-from", help="The address e-mails come from.")
@click.option("--phone", help="The number patients may call; shown in messages.")
@click.option("--mps", type=float, default=1.0, show_default=True, help="Messages a second per sender, at most.")
@click.option("--message-name", help="Neutral name that opens every message; the name unless given.")
@click.option("--language", default="en", show_default=True, help="The clinic's language (BCP 47).")
@click.option("--country", help="ISO 3166 country of numbers without +; found from the numbers or the zone.")
@json_option
def clinic_add(as_json: bool, **given: str | float | None) -> None:
    """Add a clinic: a tenant and its senders."""
    from scheduler.services.clinics import NewClinic, add_clinic

    with opened() as app:
        added = add_clinic(app.store, NewClinic(**given), now=app.clock.now())  # type: ignore[arg-type]
    for warning in added.warnings:
        click.echo(f"Note: {warning}", err=True)
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


@click.group("staff")
def staff_command() -> None:
    """Add members of staff."""


@staff_command.command("add")
@clinic_option
@click.option("--email", required=True)
@click.option("--role", required=True, type=click.Choice(["admin", "coordinator", "clinician", "viewer"]))
def staff_add(clinic_code: str, email: str, role: str) -> None:
    """Add a member of staff, who may then sign decisions by their role."""
    from scheduler.services.clinics import add_staff

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        add_staff(app.store, clinic, email=email, role=role, now=app.clock.now())
        click.echo(f"Added {email} as {role} of {clinic.code}.")


@click.group("sample")
def sample_command() -> None:
    """The sample clinic."""


@sample_command.command("load")
def sample_load() -> None:
    """Load the sample clinic and its invented patients; does nothing when it is there."""
    from scheduler.services.sample import load_sample

    with opened() as app:
        loaded = load_sample(
            app.store,
            app.rules,
            is_simulated=app.settings.is_simulated,
            now=app.clock.now(),
            ticker_at=app.ticker_at,
        )
        click.echo(f"Loaded {loaded} invented patients." if loaded else "The sample clinic is there already.")


@click.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Say in words how the service is doing."""
    from scheduler.services.overview import overview

    with opened() as app:
        seen = overview(app.store, now=app.clock.now())
    if as_json:
        print_json(seen.as_dict())
    else:
        for line in seen.sentences():
            click.echo(line)
