"""`import` and `enrol`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from scheduler.cli.output import FAILED, clinic_of, clinic_option, json_option, opened, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.bootstrap import App
    from scheduler.records import Clinic
    from scheduler.services.importing import ImportReport
    from scheduler.services.intake.csv_rows import CsvRows
    from scheduler.services.intake.draft import IntakeDefaults, Rejected
    from scheduler.services.intake.fhir_patients import FhirRows

BY = "command line"
_SHOWN_ERRORS = 20  # on a terminal; --json and --errors have them all

_phone_check = click.option(
    "--phone-check",
    type=click.Choice(["valid", "possible"]),
    default="valid",
    show_default=True,
    help="How sure a number must be to exist; 'possible' lets test numbers through.",
)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@clinic_option
@click.option("--format", "form", type=click.Choice(["csv", "fhir"]), help="Found from the file's name unless given.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--errors", "errors_path", type=click.Path(path_type=Path), help="Write the rejected rows here.")
@_phone_check
@click.option("--grant-consent", is_flag=True, help="FHIR: the clinic holds these patients' consent.")
@json_option
def import_command(
    file: Path,
    clinic_code: str,
    form: str | None,
    errors_path: Path | None,
    phone_check: str,
    dry_run: bool,
    grant_consent: bool,
    as_json: bool,
) -> int:
    """Enrol patients from FILE: CSV, FHIR NDJSON or a FHIR Bundle. The same file again changes nothing."""
    from scheduler.services.importing import import_rows

    with opened() as app, ExitStack() as open_files:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        rows = _reader(app, clinic, file, form or _form_of(file), phone_check, grant_consent=grant_consent)
        keep = _keeper(open_files, rows, file, errors_path)
        report = import_rows(
            app.store,
            app.rules,
            clinic,
            rows,
            now=app.clock.now(),
            by=BY,
            dry_run=dry_run,
            on_rejected=keep,
            on_progress=_progress(open_files, file),
        )
    if as_json:
        print_json(_as_json(report))
    else:
        _show(report, dry_run=dry_run, errors_path=errors_path)
    return FAILED if report.rejected else 0


def _form_of(file: Path) -> str:
    return "fhir" if file.suffix.lower() in (".ndjson", ".json") else "csv"


def _defaults(app: App, clinic: Clinic, phone_check: str) -> IntakeDefaults:
    from scheduler.domain.when import local_date
    from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck

    return IntakeDefaults(
        country=clinic.country,
        phone_check=PhoneCheck(phone_check),
        pathway_names=frozenset(app.rules.pathways),
        today=local_date(app.clock.now(), ZoneInfo(clinic.timezone)),
    )


def _reader(
    app: App, clinic: Clinic, file: Path, form: str, phone_check: str, *, grant_consent: bool
) -> CsvRows | FhirRows:
    defaults = _defaults(app, clinic, phone_check)
    if form == "fhir":
        from scheduler.services.intake.fhir_patients import read_fhir

        return read_fhir(file, defaults=defaults, grant_consent=grant_consent)
    if grant_consent:
        raise click.UsageError(
            "--grant-consent is for FHIR; in CSV the columns sms_consent and email_consent say it."
        )
    from scheduler.services.intake.csv_rows import read_csv

    return read_csv(file, defaults=defaults)


def _keeper(
    open_files: ExitStack, rows: CsvRows | FhirRows, source: Path, errors_path: Path | None
) -> Callable[[Rejected], None]:
    if errors_path is None:
        return lambda _: None
    from scheduler.services.intake.csv_rows import CsvRows
    from scheduler.services.intake.errors_file import csv_errors_file, fhir_errors_file

    if isinstance(rows, CsvRows):
        return open_files.enter_context(csv_errors_file(errors_path, source=source, header=rows.header)).write
    return open_files.enter_context(fhir_errors_file(errors_path, source=source)).write


def _progress(open_files: ExitStack, file: Path) -> Callable[[int], None]:
    """A bar on a terminal's standard error, nothing elsewhere."""
    if not click.get_text_stream("stderr").isatty():
        return lambda _: None
    with file.open("rb") as stream:
        lines = sum(1 for _ in stream)
    bar = click.progressbar(length=lines, label="Importing", file=click.get_text_stream("stderr"))
    return open_files.enter_context(bar).update


def _as_json(report: ImportReport) -> dict[str, Any]:
    shown = asdict(report)
    for name in ("errors", "warnings"):
        shown[name] = [
            {"line": one["line"], "column": one["column"], "value": one["value"], "reason": one["reason"]}
            for one in shown[name]
        ]
    return shown


def _show(report: ImportReport, *, dry_run: bool, errors_path: Path | None) -> None:
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.created} {would}created, {report.updated} {would}updated, {report.unchanged} unchanged, "
        f"{report.rejected} rejected, {report.excluded} excluded."
    )
    for error in report.errors[:_SHOWN_ERRORS]:
        click.echo(f"  line {error.line}, {error.column or 'row'}: {error.reason}", err=True)
    if len(report.errors) > _SHOWN_ERRORS:
        click.echo(f"  and {len(report.errors) - _SHOWN_ERRORS} more; --errors FILE keeps them all", err=True)
    if report.rejected and errors_path is not None:
        click.echo(f"The rejected rows are in {errors_path}: correct them there and import that file.", err=True)
    if report.warnings:
        first = report.warnings[0]
        click.echo(
            f"{len(report.warnings)} notes, such as line {first.line}, {first.column}: {first.reason}", err=True
        )


@click.command("enrol")
@clinic_option
@click.option("--mrn", required=True, help="Medical record number; unique in the clinic.")
@click.option("--name", required=True)
@click.option("--birth-date", help="YYYY-MM-DD.")
@click.option("--phone", help="With + and country code, or as written in the clinic's country.")
@click.option("--email")
@click.option("--language", help="BCP 47, such as en or es-MX; the clinic's unless given.")
@click.option("--timezone", help="IANA zone; the clinic's unless given.")
@click.option("--contact-time", help="HH:MM; 09:30 unless given.")
@click.option("--channel", help="sms or email.")
@click.option("--mobility", help="walking, limited, wheelchair or standing_frame.")
@click.option("--sms-consent", help="yes or no.")
@click.option("--email-consent", help="yes or no.")
@click.option("--consent-date", help="YYYY-MM-DD; today unless given.")
@click.option("--pathways", help="Separated by ; - all unless given.")
@click.option("--exercise-days", help="Such as mon;wed;fri - every day unless given.")
@click.option("--risk-factors", help="Separated by ;.")
@_phone_check
@json_option
def enrol_command(clinic_code: str, phone_check: str, as_json: bool, **given: str | None) -> int:
    """Enrol one patient, or update the one with this MRN. Nobody is contacted without recorded consent."""
    from scheduler.services.importing import import_rows
    from scheduler.services.intake.assemble import draft_from_cells

    cells = {name: value for name, value in given.items() if value is not None}
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        row = draft_from_cells(cells, defaults=_defaults(app, clinic, phone_check))
        report = import_rows(app.store, app.rules, clinic, [row], now=app.clock.now(), by=BY)
    if as_json:
        print_json(_as_json(report))
    else:
        for error in report.errors:
            click.echo(f"--{error.column.replace('_', '-')}: {error.reason}", err=True)
        done = next((word for word in ("created", "updated", "unchanged") if getattr(report, word)), None)
        if done is not None:
            click.echo(f"{done.capitalize()}: {cells['mrn']}.")
        for warning in report.warnings:
            click.echo(f"Note: {warning.reason}", err=True)
    return FAILED if report.rejected else 0
