"""`status`, `doctor`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import FAILED, sentence
from scheduler.cli.output import json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.services.findings import Finding
    from scheduler.services.vitals import Refused, Vitals
    from scheduler.settings import Settings

_SET_IT_RIGHT = "correct it in the environment or in .env; README.md lists the settings"
_LOOK = "`bonewise --debug status` shows where it comes from"


@click.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Say in words how the service is doing.

    Figures, then what of them is wrong. `doctor` looks at more, and fails when something is.
    """
    from scheduler.services.findings import Topic
    from scheduler.services.overview import overview
    from scheduler.services.vitals import take_vitals

    with opened() as app:
        now = app.clock.now()
        seen = overview(app.store, now=now)
        findings = _of_figures(app, take_vitals(app.store, now=now))
    if as_json:
        print_json(seen.as_dict() | {"findings": [asdict(one) for one in findings]})
        return
    for line in seen.sentences():
        click.echo(line)
    for one in findings:
        if one.topic not in (Topic.PLANNING, Topic.UNKNOWN, Topic.TASKS):  # the sentences have these
            click.echo(f"✗ {one}")


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> int:
    """Say what is wrong with the installation, where, and what to do about it.

    Looks at the settings, the keys, the database, its clock and disk, pathways and templates, the workers, senders
    that a provider refuses, what waits for too long or for a person. Changes nothing, and sends nothing.

    Exit code 1 when something is wrong; what may be meant so is said, and does not count.
    """
    findings = _examine()
    wrong = sum(not one.is_doubt for one in findings)
    if as_json:
        print_json({"ok": not wrong, "findings": [asdict(one) for one in findings]})
    else:
        for one in findings:
            click.echo(f"{'?' if one.is_doubt else '✗'} {one}")
        click.echo("Nothing is wrong." if not wrong else f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong.")
    return FAILED if wrong else 0


def _examine() -> list[Finding]:
    """Every finding, as far as one can look: without settings there is no database to look at."""
    from scheduler.services.findings import Finding, Topic
    from scheduler.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        return [
            Finding.from_sentence(fault, topic=Topic.SETTINGS, where="settings", remedy=_SET_IT_RIGHT)
            for fault in error.faults
        ]
    from scheduler.bootstrap import App
    from scheduler.cli.logs import speak

    speak(settings.log)
    app = App(settings)
    with closing(app):
        found = [*_of_settings(settings), *_of_content(app), *_of_disk(app), *_of_database(app)]
    said = {one.what: one for one in reversed(found)}  # the address of the database is looked at twice
    return [one for one in found if said[one.what] is one]


def _of_settings(settings: Settings) -> Iterator[Finding]:
    from scheduler.services.findings import Finding, Topic
    from scheduler.services.surroundings import public_url_findings

    for note in settings.notes:
        if not note.startswith("BONEWISE_PUBLIC_URL"):  # looked at more closely below
            yield Finding.from_sentence(
                note, topic=Topic.SETTINGS, where="settings", remedy=_SET_IT_RIGHT, is_doubt=True
            )
    yield from public_url_findings(
        settings.public_url,
        twilio_url=settings.twilio_api_url if settings.sms == "twilio" else None,
        mails_leave=settings.email == "smtp",
    )


def _of_content(app: App) -> Iterator[Finding]:
    from scheduler.services.findings import Finding, Topic

    for fault in app.faults():
        where = f"{fault.path}:{fault.line}" if fault.line else fault.path
        topic = Topic.SETTINGS if fault.path == "settings" else Topic.CONTENT
        yield Finding.from_sentence(
            fault.message, topic=topic, where=where, remedy="`bonewise check` lists all of these; correct it"
        )


def _of_disk(app: App) -> Iterator[Finding]:
    """Of the folder that a SQLite database is in, as far as there is one already."""
    from scheduler.services.surroundings import disk_findings

    file = _database_file(app)
    if file is None or not file.parent.is_dir():
        return
    is_writable = os.access(file.parent, os.W_OK | os.X_OK) and (not file.exists() or os.access(file, os.W_OK))
    yield from disk_findings(
        folder=str(file.parent.absolute()), free=shutil.disk_usage(file.parent).free, is_writable=is_writable
    )


def _database_file(app: App) -> Path | None:
    """None for another kind of database, and for one whose address is wrong, which is said elsewhere."""
    try:
        url = app.engine.url
    except ValueError:
        return None
    is_file = app.engine.dialect.name == "sqlite" and not str(url.database).startswith("file:")
    return Path(str(url.database)) if is_file else None


def _of_database(app: App) -> Iterator[Finding]:
    """Of the database and all that is in it; one that cannot be opened says nothing more."""
    from scheduler.domain.zones import tzdata_version
    from scheduler.services.findings import Finding, Topic
    from scheduler.services.surroundings import zone_findings
    from scheduler.services.vitals import take_vitals

    vitals = None
    try:
        with app.store.writing():
            pass  # on SQLite this takes the lock that writers share: a file that is read-only or held shows now
        if app.has_job_queue:
            app.job_queue()
        vitals = take_vitals(app.store, now=app.clock.now())
    except Exception as error:  # noqa: BLE001 - whatever keeps the database from being used is the finding
        topic = Topic.DATABASE if isinstance(error, app.store_unavailable) else Topic.KEYS
        yield Finding.from_sentence(sentence(error), topic=topic, where="database", remedy=_LOOK)
    else:
        yield from _of_figures(app, vitals)
        yield from _of_offices(app)
    yield from zone_findings(
        installed=tzdata_version(),
        planned_with=vitals.zone_data if vitals else None,
        today=datetime.now(UTC).date(),
    )


def _of_offices(app: App) -> list[Finding]:
    """Of how the clinics' own people are reached. Calendars with faults are content with faults, and said there."""
    from scheduler.bootstrap import FaultyContentError
    from scheduler.services.office_findings import office_findings

    try:
        calendars = app.calendars
    except FaultyContentError:
        return []
    with app.store.reading() as unit:
        return list(office_findings(unit, calendars, now=app.clock.now()))


def _of_figures(app: App, vitals: Vitals) -> list[Finding]:
    from scheduler.domain.people import Channel
    from scheduler.services.diagnosis import diagnose

    def explain(one: Refused) -> tuple[str, str] | None:
        try:
            return app.meaning_of_refusal(one.channel, one.breaker.code, of_account=one.is_account)
        except ValueError:  # the table itself has faults, which are said elsewhere
            return None

    leaves = {Channel.SMS: app.settings.sms == "twilio", Channel.EMAIL: app.settings.email == "smtp"}
    return diagnose(vitals, explain=explain, real={channel for channel, does in leaves.items() if does})
