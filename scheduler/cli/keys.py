"""`rotate-keys`."""

from __future__ import annotations

from datetime import timedelta

import click

from scheduler.cli.output import opened

_RUNNING = timedelta(seconds=30)  # a heartbeat this young means that the service runs


@click.command("rotate-keys")
def rotate_keys_command() -> None:
    """Make a new secret key and seal everything in the database again under it.

    Stop the service first: what runs with the old keys alone could no longer read the data. May be interrupted and
    run again. The old keys stay in the key file, so that links in e-mails already sent still work; with keys from
    the environment, put the new one first in BONEWISE_SECRET_KEYS yourself.
    """
    with opened() as app:
        with app.store.reading() as unit:
            beat = unit.installation.latest_beat()
        if beat is not None and app.clock.now() - beat < _RUNNING:
            raise click.ClickException("the service is running; stop it, rotate the keys, and start it again")
        done = app.rotate_keys(lambda _: None)
        click.echo(f"Sealed {done} rows again under key {app.vault.newest_key_id}. Back up the keys now.")
