"""`consent`: what a patient has agreed to, and what they tell the clinic's people about it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json, print_table
from scheduler.cli.values import day
from scheduler.domain.people import TOLD_TO_STAFF, Channel, ConsentSource

if TYPE_CHECKING:
    from scheduler.services.consent_desk import Standing

_PATIENT = click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose consent it is.")
_COLUMNS = ["recorded_at", "on", "channel", "topic", "decision", "how", "by", "wording"]
_ALL = "all"


@click.group("consent", cls=Group)
def consent_command() -> None:
    """Show and record what a patient has agreed to."""


@consent_command.command("show")
@clinic_option
@_PATIENT
@json_option
def consent_show(clinic_code: str, mrn: str, as_json: bool) -> None:
    """Show all that is on record about a patient's consent, oldest first, and what holds now."""
    from scheduler.services.consent_desk import consent_of

    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        _print(consent_of(app.store, app.rules, clinic, mrn=mrn, now=app.clock.now()), as_json=as_json)


@consent_command.command("record")
@clinic_option
@_PATIENT
@click.option(
    "--channel",
    required=True,
    type=click.Choice([*(channel.value for channel in Channel), _ALL]),
    help="What it is about: texts, e-mails, or all of which a number or address is on file.",
)
@click.option("--decision", required=True, type=click.Choice(["given", "revoked"]), help="What the patient decided.")
@click.option(
    "--how",
    required=True,
    type=click.Choice([source.value for source in TOLD_TO_STAFF]),
    help="How the patient said so; 'staff' for any other way.",
)
@click.option("--on", metavar="DATE", type=day, help="The day the patient said so, YYYY-MM-DD; today unless given.")
@click.option("--by", required=True, metavar="EMAIL", help="The member of staff who records it.")
@click.option("--wording", metavar="V", help="Which version of the words the patient agreed to.")
@click.option("--topic", metavar="PATHWAY", help="Only this pathway, in a clinic with --stop-scope topic.")
@json_option
def consent_record(
    clinic_code: str,
    mrn: str,
    channel: str,
    decision: str,
    how: str,
    on: date | None,
    by: str,
    wording: str | None,
    topic: str | None,
    as_json: bool,
) -> None:
    """Record what a patient told the clinic about consent, by phone, by letter or in person.

    What is revoked ends at once, also what is on its way already. The patient gets no message about it.
    """
    from scheduler.services.consent_desk import Told, record_told

    told = Told(
        mrn=mrn,
        channels=() if channel == _ALL else (Channel(channel),),
        granted=decision == "given",
        source=ConsentSource(how),
        by=by,
        on=on,
        wording=wording,
        topic=topic,
    )
    with opened() as app:
        with app.store.reading() as unit:
            clinic = clinic_of(unit, clinic_code)
        _print(record_told(app.store, app.rules, clinic, told, now=app.clock.now()), as_json=as_json)


def _print(standing: Standing, *, as_json: bool) -> None:
    history = [
        {
            "recorded_at": one.recorded_at,
            "on": one.given_on,
            "channel": one.channel.value,
            "topic": one.topic,
            "decision": "given" if one.granted else "revoked",
            "how": one.source.value,
            "by": one.recorded_by,
            "wording": one.wording,
        }
        for one in standing.history
    ]
    patient = standing.patient
    now: dict[str, Any] = {
        "patient": patient.mrn,
        "status": patient.status.value,
        "sms_consent": patient.sms_consent,
        "email_consent": patient.email_consent,
        "number_to_confirm": standing.must_confirm,
        "stopped_topics": list(standing.stopped_topics),
    }
    if as_json:
        print_json({**now, "history": history})
        return
    print_table(history, _COLUMNS, nothing="Nothing is on record: nobody has asked, or the list did not say.")
    click.echo()
    click.echo("\n".join(_sentences(standing)))


def _sentences(standing: Standing) -> list[str]:
    """What holds now, for people."""
    patient = standing.patient
    said = [
        f"Texts: {'yes' if patient.sms_consent else 'no'}. E-mails: {'yes' if patient.email_consent else 'no'}. "
        f"The patient is {patient.status.value}."
    ]
    if standing.must_confirm:
        said.append("Nothing clinical is texted before the number is confirmed.")
    if standing.stopped_topics:
        said.append(f"Stopped by the patient: {', '.join(standing.stopped_topics)}.")
    return said
