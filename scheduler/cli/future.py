"""`simulate`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

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


@click.command("simulate")
@clinic_option
@patient_option
@click.option("--days", required=True, type=click.IntRange(1, 3660), help="How many days to look ahead.")
@click.option("--from", "start", type=click.DateTime(formats=["%Y-%m-%d"]), help="First day; now unless given.")
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with columns patient, date, reply and, if you like, time (local, HH:MM; noon unless given).",
)
@json_option
def simulate_command(
    clinic_code: str,
    mrn: str | None,
    days: int,
    start: datetime | None,
    answers: Path | None,
    as_json: bool,
) -> None:
    """Show what would be sent, to whom, when, by the rules that send. Sends nothing, writes nothing."""
    from scheduler.services.answers_file import read_answers
    from scheduler.services.simulate import simulate

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        begins = (
            datetime.combine(start.date(), time(), ZoneInfo(clinic.timezone))
            if start is not None
            else app.clock.now()
        )
        script = read_answers(answers) if answers is not None else {}
        found = simulate(app.store, app.rules, app.composer, clinic, days=days, start=begins, mrn=mrn, script=script)
        rows = [_row(asdict(message)) for message in found]
    rows.sort(key=lambda row: (row["date"], row["patient"], row["at"]))
    if as_json:
        print_json(rows)
    else:
        columns = ["date", "at", "patient", "channel", "pathway", "step", "body"]
        print_table(rows, columns, nothing=f"Nothing would be sent in {days} days.")


def _row(message: dict[str, Any]) -> dict[str, Any]:
    message["date"] = message.pop("day").isoformat()
    message["at"] = message["at"].isoformat()
    order = ("patient", "date", "at", "channel", "pathway", "step", "template", "body", "segments")
    return {name: message[name] for name in order}
