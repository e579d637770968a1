"""`staff`: who works at a clinic, and how they get in."""

from __future__ import annotations

import os
import select
import stat
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import Refused
from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.ports.accounts import Account
    from scheduler.records import Clinic

_ROLES = click.Choice(["admin", "coordinator", "clinician", "viewer"])
_COMES_WITHIN = 1.0  # seconds that another command has to begin writing a password
_MOST_READ = 1024  # characters of one

email_option = click.option("--email", required=True, metavar="ADDRESS", help="How they sign, and sign in.")


@click.group("staff", cls=Group)
def staff_command() -> None:
    """Add members of staff, and help them to sign in."""


@staff_command.command("add")
@clinic_option
@email_option
@click.option("--role", required=True, type=_ROLES, help="Only a clinician decides supplement cases.")
@json_option
def staff_add(clinic_code: str, email: str, role: str, as_json: bool) -> None:
    """Add a member of staff, who may then sign in and sign decisions by their role.

    The first line of standard input is their password. Without one a link is printed, with which they choose it
    themselves, once and within a week.
    """
    from scheduler.services.clinics import add_staff

    password = _piped()
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        token = add_staff(app.store, clinic, email=email, role=role, now=_now(), password=password)
        link = None if token is None else _address(app, "invitation", token)
    if as_json:
        print_json({"clinic": clinic.code, "email": email.strip().lower(), "role": role, "link": link})
        return
    click.echo(f"Added {email} as {role} of {clinic.code}.")
    if link is not None:
        click.echo(f"They choose a password here, once and within a week: {link}")


@staff_command.command("list")
@clinic_option
@json_option
def staff_list(clinic_code: str, as_json: bool) -> None:
    """List who works at the clinic, and who did."""
    with opened() as app, app.store.reading() as unit:
        found = [_row(one) for one in unit.accounts.of_clinic(clinic_of(unit, clinic_code).id)]
    if as_json:
        print_json(found)
    else:
        print_table(found, ["email", "role", "state"], nothing="Nobody yet: `bonewise staff add` adds somebody.")


@staff_command.command("link")
@clinic_option
@email_option
@click.option("--forget-second-factor", is_flag=True, help="They have lost their authenticator app too.")
def staff_link(clinic_code: str, email: str, forget_second_factor: bool) -> None:
    """Print a one-time link with which somebody chooses a new password."""
    from scheduler.domain.accounts import LinkKind
    from scheduler.services.accounts import staffing

    with opened() as app:
        account = _account(app, clinic_code, email)
        if forget_second_factor:
            staffing.forget_second_factor(app.store, account, by="command line", now=_now())
        with app.store.writing() as unit:
            token = staffing.make_link(unit, account, LinkKind.INVITATION, by="command line", now=_now())
        click.echo(_address(app, "invitation", token))


@staff_command.command("remove")
@clinic_option
@email_option
def staff_remove(clinic_code: str, email: str) -> None:
    """Sign somebody out for good. What they did keeps their name."""
    from scheduler.services.accounts import staffing

    with opened() as app:
        account = _account(app, clinic_code, email)
        staffing.let_go(app.store, account, by="command line", now=_now())
    click.echo(f"{account.email} no longer has a way in.")


def _account(app: App, clinic_code: str, email: str) -> Account:
    with app.store.reading() as unit:
        clinic: Clinic = clinic_of(unit, clinic_code)
        there = [one for one in unit.accounts.of_clinic(clinic.id) if one.left_at is None]
    account = next((one for one in there if one.email == email.strip().lower()), None)
    if account is None:
        raise Refused(f"{email} does not work at clinic {clinic_code}; `bonewise staff list` shows who does")
    return account


def _row(account: Account) -> dict[str, str]:
    state = "invited" if account.password is None else "has a password"
    return {
        "email": account.email,
        "role": account.role.value,
        "state": state if account.left_at is None else f"left on {account.left_at:%Y-%m-%d}",
    }


def _address(app: App, page: str, token: str) -> str:
    return f"{app.settings.public_url.rstrip('/')}/{page}/{token}"


def _now() -> datetime:
    return datetime.now(UTC)


def _piped() -> str | None:
    """The first line that another command or a file gives; None where nothing does."""
    stream = sys.stdin
    if stream.isatty():
        return None
    try:
        descriptor = stream.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):  # not a file of the system's: it can be read without waiting
        is_pipe = False
    if is_pipe and not select.select([descriptor], [], [], _COMES_WITHIN)[0]:
        return None
    return stream.readline(_MOST_READ).rstrip("\r\n") or None
