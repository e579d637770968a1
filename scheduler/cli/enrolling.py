"""`enrol`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import FAILED, say
from scheduler.cli.intake import BY, intake_defaults, phone_check_option, report_as_json
from scheduler.cli.languages import note_untranslated
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.services.importing import ImportReport


@click.command("enrol")
@clinic_option
@click.option("--mrn", required=True, metavar="MRN", help="Medical record number; unique in the clinic.")
@click.option("--name", required=True, metavar="NAME", help="The patient's name.")
@click.option("--birth-date", metavar="DATE", help="YYYY-MM-DD.")
@click.option("--phone", metavar="NUMBER", help="With + and country code, or as written in the clinic's country.")
@click.option("--email", metavar="ADDRESS", help="The patient's e-mail address.")
@click.option("--language", metavar="TAG", help="BCP 47, such as en or es-MX; the clinic's unless given.")
@click.option("--timezone", metavar="ZONE", help="IANA zone; the clinic's unless given.")
@click.option("--contact-time", metavar="HH:MM", help="When to write, local time; 09:30 unless given.")
@click.option("--channel", metavar="CHANNEL", help="sms or email; by the addresses unless given.")
@click.option("--mobility", metavar="GROUP", help="walking, limited, wheelchair or standing_frame.")
@click.option("--sms-consent", metavar="YES|NO", help="The patient agreed to texts.")
@click.option("--email-consent", metavar="YES|NO", help="The patient agreed to e-mails.")
@click.option("--consent-date", metavar="DATE", help="When they agreed, YYYY-MM-DD; today unless given.")
@click.option("--pathways", metavar="NAMES", help="With ; between them; all unless given.")
@click.option("--exercise-days", metavar="DAYS", help="Such as mon;wed;fri; every day unless given.")
@click.option("--risk-factors", metavar="NAMES", help="With ; between them, such as steroids;falls.")
@click.option(
    "--discreet",
    is_flag=False,
    flag_value="yes",
    metavar="[YES|NO]",
    help="Messages say only that there is one, with a link to the patient's page; needs --birth-date.",
)
@phone_check_option
@json_option
def enrol_command(clinic_code: str, phone_check: str, as_json: bool, **given: str | None) -> int:
    """Enrol one patient, or update the one with this MRN.

    Nobody is contacted without recorded consent.
    """
    from scheduler.services.importing import import_rows
    from scheduler.services.intake.assemble import draft_from_cells

    cells = {name: value for name, value in given.items() if value is not None}
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        row = draft_from_cells(cells, defaults=intake_defaults(app, clinic, phone_check))
        report = import_rows(app.store, app.rules, clinic, [row], now=app.clock.now(), by=BY)
        if not report.rejected and "language" in cells:
            note_untranslated(app, cells["language"], instead=clinic.language)
    if as_json:
        print_json(report_as_json(report))
    else:
        _show(report, cells["mrn"])
    return FAILED if report.rejected else 0


def _show(report: ImportReport, mrn: str) -> None:
    for error in report.errors:
        say(f"--{error.column.replace('_', '-')}: {error.reason}")
    done = next((word for word in ("created", "updated", "unchanged") if getattr(report, word)), None)
    if done is not None:
        click.echo(f"{done.capitalize()}: {mrn}.")
    for warning in report.warnings:
        say(warning.reason)
