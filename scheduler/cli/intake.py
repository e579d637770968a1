"""What `import` and `enrol` share."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.records import Clinic
    from scheduler.services.importing import ImportReport
    from scheduler.services.intake.draft import IntakeDefaults

BY = "command line"

phone_check_option = click.option(
    "--phone-check",
    type=click.Choice(["valid", "possible"]),
    default="valid",
    show_default=True,
    help="How sure a number must be to exist; 'possible' lets test numbers through.",
)


def intake_defaults(app: App, clinic: Clinic, phone_check: str) -> IntakeDefaults:
    """What reading a patient's record takes from the clinic."""
    from scheduler.domain.when import local_date
    from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck

    return IntakeDefaults(
        country=clinic.country,
        phone_check=PhoneCheck(phone_check),
        pathway_names=frozenset(app.rules.pathways),
        today=local_date(app.clock.now(), ZoneInfo(clinic.timezone)),
    )


def report_as_json(report: ImportReport) -> dict[str, Any]:
    """The report as `--json` shows it."""
    return asdict(report)
