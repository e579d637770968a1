"""`init`, `sample`."""

from __future__ import annotations

import click

from scheduler.cli.group import Group
from scheduler.cli.output import opened


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
