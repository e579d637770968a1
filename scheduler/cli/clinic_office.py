"""`clinic set`: free days, the daily digest and where alerts go; the options that `clinic add` has as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.records import Clinic

F = TypeVar("F", bound=Callable[..., Any])

_OFFICE = (
    click.option(
        "--holidays",
        metavar="NAME",
        help="Calendar of config/holidays whose days are no working days, such as US-NY; 'none' for weekends alone. "
        "A new clinic has its country's.",
    ),
    click.option("--digest-to", metavar="ADDRESS", help="Who hears of open tasks by e-mail every working day."),
    click.option("--digest-at", metavar="HH:MM", help="When the digest goes, local time; 08:00 unless given."),
    click.option("--duty-email", metavar="ADDRESS", help="Who hears at once when a patient may need help."),
    click.option(
        "--name-on-shared",
        metavar="YES|NO",
        help="First names, not initials, tell apart the patients who share a phone; no unless given.",
    ),
)


def office_options(command: F) -> F:
    """The options that a clinic is added with and changed with."""
    for option in reversed(_OFFICE):
        command = option(command)
    return command


@click.command("set")
@clinic_option
@office_options
@click.option("--email-from", metavar="ADDRESS", help="The address e-mails come from.")
@click.option(
    "--stop-scope",
    type=click.Choice(["all", "topic"]),
    help="What a STOP that names one topic ends: all messages (unless set otherwise), or that topic alone.",
)
@click.option(
    "--confirm-numbers",
    type=click.Choice(["yes", "no"]),
    help="Whether a patient must first confirm that a number may be texted; no unless set otherwise.",
)
@click.option("--name", metavar="NAME", help="The clinic's name.")
@click.option("--message-name", metavar="NAME", help="Neutral name that opens every message.")
@click.option("--timezone", metavar="ZONE", help="IANA zone, such as America/New_York.")
@click.option("--language", metavar="TAG", help="The clinic's language (BCP 47).")
@click.option("--phone", metavar="NUMBER", help="The number patients may call; 'none' for none.")
@click.option("--window", metavar="FROM-TO", help="Hours in which patients are written to, such as 09:00-20:00.")
@click.option("--contact-time", metavar="HH:MM", help="When, for patients without a time of their own.")
@click.option("--sms-from", metavar="NUMBER", help="The number texts come from; 'none' for none.")
@click.option("--messaging-service", metavar="SID", help="Twilio Messaging Service in place of a number; or 'none'.")
@click.option("--mps", metavar="R", help="At most so many segments a second per sender; 'none' for no limit.")
@click.option("--pathways", metavar="NAMES", help="That new patients begin, with ; between them.")
@click.option("--closed", multiple=True, metavar="DAYS", help="Also closed: a date, or FROM..TO. May be repeated.")
@click.option("--not-closed", multiple=True, metavar="DAYS", help="Take closed days back. May be repeated.")
@json_option
def clinic_set(clinic_code: str, as_json: bool, **given: Any) -> None:
    """Change a clinic: its name, hours, senders, free days, daily digest, where alerts go, what it asks of consent.

    'none' takes an address away. Open tasks become overdue by the new working days; the dates they are due on stay.
    """
    from scheduler.services.clinic_settings import OfficeSettings, set_clinic

    if not any(given.values()):
        raise click.UsageError("nothing to change is given.", click.get_current_context())
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        names = given.pop("pathways")
        chosen = None if names is None else tuple(each.strip() for each in names.split(";") if each.strip())
        wanted = OfficeSettings(**given, pathways=chosen)
        follows = wanted.confirm_numbers or wanted.window or wanted.contact_time or chosen is not None
        rules = app.rules if follows else None
        changed = set_clinic(
            app.store,
            app.calendars,
            clinic,
            wanted,
            now=app.clock.now(),
            rules=rules,
            doubts=app.doubts_about_name,
        )
    if as_json:
        print_json(office_row(changed))
    else:
        for name, value in office_row(changed).items():
            click.echo(f"{name.replace('_', ' ')}: {_shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value or "none")


def office_row(clinic: Clinic) -> dict[str, Any]:
    """What can be changed of a clinic, as it is."""
    return {
        "code": clinic.code,
        "email_from": clinic.email_from,
        "holidays": clinic.holidays,
        "closed_days": sorted(clinic.closed_days),
        "digest_to": clinic.digest_to,
        "digest_at": f"{clinic.digest_at:%H:%M}",
        "duty_email": clinic.duty_email,
        "name_on_shared": clinic.name_on_shared,
        "stop_scope": clinic.stop_scope.value,
        "confirm_numbers": clinic.confirm_numbers,
        "name": clinic.name,
        "message_name": clinic.message_name,
        "timezone": clinic.timezone,
        "language": clinic.language,
        "phone": clinic.phone,
        "window": str(clinic.window),
        "contact_time": f"{clinic.contact_time:%H:%M}",
        "sms_from": clinic.sms_from,
        "messaging_service": clinic.messaging_service,
        "mps": clinic.messages_per_second,
        "pathways": None if clinic.pathways is None else sorted(clinic.pathways),
    }
