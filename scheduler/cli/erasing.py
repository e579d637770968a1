"""`erase`."""

from __future__ import annotations

import click

from scheduler.cli.failures import say
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json


@click.command("erase")
@clinic_option
@click.option("--patient", "mrn", required=True, metavar="MRN", help="Who is erased.")
@json_option
def erase_command(clinic_code: str, mrn: str, as_json: bool) -> None:
    """Erase a patient for good: record, conversation, results, notes, tasks, all of it.

    It cannot be undone, but from a backup. What stays says nothing about whom: the audit trail, when consent was
    given and taken back, and counts in reports. Lists that were uploaded are deleted by themselves within a day.
    """
    from scheduler.services.care import Deciding
    from scheduler.services.erasing import erase

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        about = Deciding(clinic=clinic, mrn=mrn, by="command line", now=app.clock.now())
        gone = erase(app.store, about)
    if as_json:
        print_json({"patient": mrn, "erased": dict(gone)})
    else:
        rows = ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in gone.items())
        click.echo(f"Erased: {mrn}{f' ({rows})' if rows else ''}.")
    say(f"a list that still has {mrn} enrols them anew: take them off it, and out of backups by your own rules")
