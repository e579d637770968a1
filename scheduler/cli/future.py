"""`simulate`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from scheduler.cli.failures import Refused, say
from scheduler.cli.output import (
    clinic_of,
    clinic_option,
    json_option,
    opened,
    patient_option,
    print_json,
    print_table,
)
from scheduler.cli.values import day, whole

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.records import Clinic
    from scheduler.services.simulate import Script


@click.command("simulate")
@clinic_option
@patient_option
@click.option(
    "--days", required=True, metavar="N", type=whole(1, 3660), help="How many days to look ahead, at most 3660."
)
@click.option("--from", "start", metavar="DATE", type=day, help="First day; now unless given.")
@click.option(
    "--answers",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CSV with columns patient, date, reply and, if you like, time (local, HH:MM; noon unless given).",
)
@json_option
def simulate_command(
    clinic_code: str,
    mrn: str | None,
    days: int,
    start: date | None,
    answers: Path | None,
    as_json: bool,
) -> None:
    """Show what would be sent, to whom, when, by the rules that send.

    Sends nothing, writes nothing.
    """
    from scheduler.services.simulate import simulate

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        zone = ZoneInfo(clinic.timezone)
        begins = datetime.combine(start, time(), zone) if start is not None else app.clock.now()
        script = _script(app, clinic, answers, begins.astimezone(zone).date(), days) if answers is not None else {}
        found = simulate(app.store, app.rules, app.composer, clinic, days=days, start=begins, mrn=mrn, script=script)
        rows = [_row(asdict(message)) for message in found]
    rows.sort(key=lambda row: (row["date"], row["patient"], row["at"]))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["time"] = datetime.fromisoformat(row["at"]).strftime("%H:%M")
    columns = ["date", "time", "patient", "channel", "pathway", "step", "body"]
    print_table(rows, columns, nothing=f"Nothing would be sent in {days} days.")


def _script(app: App, clinic: Clinic, path: Path, first: date, days: int) -> Script:
    """The answers in the file. Raises `Refused` for a patient whom the clinic does not have."""
    from scheduler.services.answers_file import read_answers

    script = read_answers(path)
    with app.store.reading() as unit:
        known = unit.patients.by_mrn(clinic.id, list(script))
    if unknown := sorted(set(script) - set(known)):
        raise Refused(f"{path}: clinic {clinic.code} has no patient with MRN {unknown[0]}; correct the file")
    end = first + timedelta(days=days)
    outside = sum(not first <= answer.day <= end for answers in script.values() for answer in answers)
    if outside:
        say(f"{path}: answers on days that are not simulated are not used; there are {outside}")
    return script


def _row(message: dict[str, Any]) -> dict[str, Any]:
    message["date"] = message.pop("day").isoformat()
    message["at"] = message["at"].isoformat()
    order = ("patient", "date", "at", "channel", "pathway", "step", "template", "body", "segments")
    return {name: message[name] for name in order}
