"""`init`, `sample`, `status`."""

from __future__ import annotations

import click

from scheduler.cli.group import Group
from scheduler.cli.output import json_option, opened, print_json


@click.command("init")
def init_command() -> None:
    """Create or migrate the database, and make keys where there are none."""
    with opened() as app:
        changed = app.initialise()
        click.echo("The database is ready." if changed else "The database was ready already.")


@click.group("sample", cls=Group)
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
