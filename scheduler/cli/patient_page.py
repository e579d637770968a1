"""`page`: the patient's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import Refused
from scheduler.cli.group import Group
from scheduler.cli.output import clinic_of, clinic_option, json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.bootstrap import App
    from scheduler.services.care import Deciding

_of_patient = click.option("--patient", "mrn", required=True, metavar="MRN", help="Whose page it is.")
_by = click.option("--by", required=True, metavar="EMAIL", help="The member of staff who does this.")


@click.group("page", cls=Group)
def page_command() -> None:
    """Give patients the link to their own page."""


@page_command.command("link")
@clinic_option
@_of_patient
@_by
@json_option
def page_link(clinic_code: str, mrn: str, by: str, as_json: bool) -> None:
    """Print a link to the patient's own page.

    It leads there for 30 days. The page asks for the year of birth before it shows anything.
    """
    from scheduler.services.patient_page.linking import make_link

    with opened() as app:
        link = make_link(app.store, app.links, _deciding(app, clinic_code, mrn, by))
    if as_json:
        print_json({"patient": mrn, "link": link.url, "expires_on": link.expires_on.isoformat()})
    else:
        click.echo(f"{link.url}\nIt leads there until {link.expires_on}.")


@page_command.command("end")
@clinic_option
@_of_patient
@_by
def page_end(clinic_code: str, mrn: str, by: str) -> None:
    """End all links to the patient's own page."""
    from scheduler.services.patient_page.linking import end_links

    with opened() as app:
        end_links(app.store, _deciding(app, clinic_code, mrn, by))
    click.echo(f"No link of {mrn} leads anywhere any more.")


@page_command.command("wording")
@clinic_option
@_of_patient
@_by
@click.option(
    "--discreet",
    required=True,
    type=click.Choice(["yes", "no"]),
    help="yes: messages say only that there is one, with a link to the page.",
)
def page_wording(clinic_code: str, mrn: str, by: str, discreet: str) -> None:
    """Choose how much the patient's messages say.

    Answers to STOP and HELP, and words for an emergency, always come in full.
    """
    from scheduler.services.patient_page.linking import set_discreet

    with opened() as app:
        set_discreet(app.store, _deciding(app, clinic_code, mrn, by), discreet=discreet == "yes")
    said = "only that there is one" if discreet == "yes" else "what they are about"
    click.echo(f"Messages to {mrn} say {said}.")


def _deciding(app: App, clinic_code: str, mrn: str, by: str) -> Deciding:
    from scheduler.services.care import Deciding

    with app.store.reading() as unit:
        clinic = clinic_of(unit, clinic_code)
        present = {one.email for one in unit.accounts.of_clinic(clinic.id) if one.left_at is None}
    if by.strip().lower() not in present:
        raise Refused(f"--by {by}: nobody with that address works at clinic {clinic_code}; see `bonewise staff list`")
    return Deciding(clinic=clinic, mrn=mrn, by=by.strip().lower(), now=app.clock.now())
