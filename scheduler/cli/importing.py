"""`import`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import FAILED, say
from scheduler.cli.intake import BY, intake_defaults, phone_check_option, report_as_json
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.services.importing import ImportReport
    from scheduler.services.intake.csv_rows import CsvRows
    from scheduler.services.intake.draft import IntakeDefaults, Rejected
    from scheduler.services.intake.fhir_patients import FhirRows

_SHOWN_ERRORS = 20  # on a terminal; --json and --errors have them all


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@clinic_option
@click.option("--format", "form", type=click.Choice(["csv", "fhir"]), help="Found from the file unless given.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--errors", "errors_path", metavar="FILE", type=click.Path(path_type=Path), help="Write the rejected rows here."
)
@phone_check_option
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
    """Enrol patients from FILE: CSV, FHIR NDJSON or a FHIR Bundle.

    The good rows load; each bad one is named with its line, column and reason. The same file again changes nothing.
    """
    from scheduler.services.importing import import_rows
    from scheduler.services.intake.form import form_of

    if str(file) == "-":
        raise click.UsageError("FILE is a file on disk, for it is read twice.", click.get_current_context())
    form = form or form_of(file)
    if form == "csv" and grant_consent:
        raise click.UsageError(
            "--grant-consent is for FHIR; in CSV the columns sms_consent and email_consent say it.",
            click.get_current_context(),
        )
    with opened() as app, ExitStack() as open_files:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        rows = _reader(file, form, intake_defaults(app, clinic, phone_check), grant_consent=grant_consent)
        keep = _keeper(open_files, rows, file, errors_path)
        progress = open_files.enter_context(_progress(rows.lines, dry_run=dry_run))
        report = import_rows(
            app.store,
            app.rules,
            clinic,
            rows,
            now=app.clock.now(),
            by=BY,
            dry_run=dry_run,
            expected=rows.lines if form == "csv" else 0,  # a FHIR reader counts what it passes over as it reads
            on_rejected=keep,
            on_progress=progress,
        )
    ignored = _ignored(rows)
    if as_json:
        print_json(report_as_json(report) | {"ignored": ignored})
    else:
        _show(report, dry_run=dry_run, errors_path=errors_path)
    _explain_nothing(report, file, ignored)
    return FAILED if report.rejected else 0


def _reader(file: Path, form: str, defaults: IntakeDefaults, *, grant_consent: bool) -> CsvRows | FhirRows:
    if form == "fhir":
        from scheduler.services.intake.fhir_patients import read_fhir

        return read_fhir(file, defaults=defaults, grant_consent=grant_consent)
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
        kept = csv_errors_file(errors_path, source=source, header=rows.header)
    else:
        kept = fhir_errors_file(errors_path, source=source)
    return open_files.enter_context(kept).write


@contextmanager
def _progress(lines: int, *, dry_run: bool) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; and when the import ends early, how far it came."""
    done = 0
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=lines, label="Importing", file=sys.stderr, hidden=hidden) as bar:

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            bar.update(rows)

        try:
            yield count
        except BaseException:
            if done and not dry_run:
                say(f"{done} rows were done before this; import the same file again to finish")
            raise
        bar.update(max(0, lines - done))  # the header, and cells over several lines


def _ignored(rows: CsvRows | FhirRows) -> dict[str, int]:
    """Resources in a FHIR file that are no Patients, by type; also says what the reader noticed."""
    for notice in getattr(rows, "notices", ()):
        say(notice)
    return dict(getattr(rows, "ignored", {}))


def _explain_nothing(report: ImportReport, file: Path, ignored: dict[str, int]) -> None:
    if ignored:
        passed_over = ", ".join(f"{count} {kind}" for kind, count in sorted(ignored.items()))
        say(f"passed over, because only Patients are imported: {passed_over}")
    if not (report.created or report.updated or report.unchanged or report.rejected or report.excluded):
        say(f"{file} holds no patient")


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
        say(f"the rejected rows are in {errors_path}: correct them there and import that file")
    if report.warnings:
        first, count = report.warnings[0], len(report.warnings)
        notes = "note" if count == 1 else "notes, the first"
        say(f"{count} {notes}: line {first.line}, {first.column}: {first.reason}")
