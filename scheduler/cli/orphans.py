"""`orphans`: texts that came in for no clinic, for the operator to read."""

from __future__ import annotations

import click

from scheduler.cli.output import json_option, opened, print_json, print_table

_MOST = 1000


@click.command("orphans")
@json_option
def orphans_command(as_json: bool) -> None:
    """List texts that came in for no clinic, the newest first.

    They were sent to a number that no clinic has, by somebody whom no clinic knows. `doctor` says when there are any.
    """
    with opened() as app, app.store.reading() as unit:
        _, texts = unit.orphans.latest(limit=_MOST)
    rows = [
        {
            "received_at": text.received_at.isoformat(),
            "from": text.sender,
            "to": text.recipient,
            "body": text.body,
            "media": text.media,
            "provider_id": text.provider_id,
        }
        for text in texts
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, ["received_at", "from", "to", "body"], nothing="There are no such texts.")
