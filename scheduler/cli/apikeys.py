"""`apikey`: keys by which other programs reach a clinic's data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.failures import Refused
from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table
from scheduler.cli.values import row_id

if TYPE_CHECKING:
    from scheduler.ports.api_keys import ApiKey


@click.group("apikey", cls=Group)
def apikey_command() -> None:
    """Make, list and revoke the keys of other programs."""


@apikey_command.command("add")
@clinic_option
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["read", "write", "hooks"]),
    help="What the key may do. May be repeated.",
)
@click.option("--name", default="command line", show_default=True, metavar="NAME", help="What will use the key.")
@json_option
def apikey_add(clinic_code: str, scopes: tuple[str, ...], name: str, as_json: bool) -> None:
    """Make a key and print it, this once: only a hash of it is kept."""
    from scheduler.services.accounts.api_keys import make_key

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        made, key = make_key(app.store, clinic, name=name, scopes=scopes, by="command line", now=_now())
    if as_json:
        print_json({**_row(made), "key": key})
    else:
        click.echo(key)


@apikey_command.command("list")
@clinic_option
@json_option
def apikey_list(clinic_code: str, as_json: bool) -> None:
    """List the clinic's keys, by what they begin with."""
    with opened() as app, app.store.reading() as unit:
        found = [_row(one) for one in unit.api_keys.of_clinic(clinic_of(unit, clinic_code).id)]
    if as_json:
        print_json(found)
    else:
        columns = ["id", "name", "prefix", "scopes", "created_by", "used_on", "revoked_at"]
        shown = [{**row, "scopes": " ".join(row["scopes"])} for row in found]
        print_table(shown, columns, nothing="No keys yet: `bonewise apikey add` makes one.")


@apikey_command.command("revoke")
@clinic_option
@click.argument("key_id", metavar="ID", type=row_id)
def apikey_revoke(clinic_code: str, key_id: int) -> None:
    """End a key, at once and for good."""
    from scheduler.services.accounts.api_keys import revoke_key

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        found = revoke_key(app.store, clinic, key_id, by="command line", now=_now())
    if found is None:
        raise Refused(f"clinic {clinic_code} has no key {key_id}; `bonewise apikey list` shows them")
    click.echo(f"The key of {found.name} is revoked.")


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "used_on": key.used_on,
        "revoked_at": key.revoked_at,
    }


def _now() -> datetime:
    return datetime.now(UTC)
