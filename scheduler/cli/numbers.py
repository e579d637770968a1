"""`number`: what staff know about a patient's number or address."""

from __future__ import annotations

import click

from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, opened

_NAMES = {"sms": "phone number", "email": "e-mail address"}


@click.group("number", cls=Group)
def number_command() -> None:
    """Say that a number or address is right after all."""


@number_command.command("confirm")
@clinic_option
@click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose number or address it is.")
@click.option("--channel", required=True, type=click.Choice(["sms", "email"]), help="sms: the phone number.")
@click.option("--by", required=True, metavar="EMAIL", help="The member of staff who knows.")
def number_confirm(clinic_code: str, mrn: str, channel: str, by: str) -> None:
    """Use a number or address again that nothing went to.

    It was marked because somebody wrote WRONG from it, or because the provider said that it does not work. A
    different number needs no such word: record it with `bonewise enrol` or `bonewise import`.
    """
    from scheduler.domain.people import Channel
    from scheduler.services.numbers import confirm_number

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        confirmed = confirm_number(
            app.store, app.rules, clinic, mrn=mrn, channel=Channel(channel), by=by, now=app.clock.now()
        )
    if confirmed:
        click.echo(f"The {_NAMES[channel]} of {mrn} is in use again.")
    else:
        click.echo(f"The {_NAMES[channel]} of {mrn} was in use already.")
