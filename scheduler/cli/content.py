"""`check` and `preview`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import FAILED, say
from scheduler.cli.output import json_option, opened, print_json

if TYPE_CHECKING:
    from scheduler.ports import TemplatePreview


@click.command("check")
@json_option
def check_command(as_json: bool) -> int:
    """Check settings, pathways and templates; name every fault with its file and line."""
    with opened() as app:
        faults = app.faults()
        pathways = len(app.rules.pathways) if not faults else 0
    if as_json:
        print_json({"faults": [asdict(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo(
            f"{len(faults)} fault{'s' if len(faults) > 1 else ''} found."
            if faults
            else f"No faults: {pathways} pathways and all their messages are complete."
        )
    return FAILED if faults else 0


@click.command("preview")
@click.argument("template")
@click.option("--language", default="en", show_default=True, metavar="TAG", help="BCP 47; falls back as in sending.")
@json_option
def preview_command(template: str, language: str, as_json: bool) -> int:
    """Show TEMPLATE (such as dexa/ask) as a patient gets it.

    The text, its SMS encoding and segments, and how easily it reads.
    """
    from scheduler.domain.languages import normalise_language

    wanted = normalise_language(language)
    if wanted is None:
        raise click.BadParameter(
            f"'{language}' is not a language; write a BCP 47 tag such as en or es-MX.", param_hint="'--language'"
        )
    with opened() as app:
        previews = app.preview(template, wanted)
    used = {one.language for one in previews}
    if not used.intersection({wanted, wanted.partition("-")[0]}):
        say(f"{template} is not written in {wanted}; patients get it in {' and '.join(sorted(used))}")
    if as_json:
        print_json([asdict(one) for one in previews])
    else:
        for one in previews:
            _show(one)
    return FAILED if any(one.faults for one in previews) else 0


def _show(one: TemplatePreview) -> None:
    click.secho(f"{one.template} · {one.language} · {one.channel.value}", bold=True)
    if one.body is not None:
        click.echo(f"\n  {one.body}\n")
        click.echo(f"  {one.encoding}, {one.units} units, {one.segments} segment{'s' if one.segments != 1 else ''}")
        if one.odd:
            click.echo(f"  Sent as {one.encoding} because of: {' '.join(one.odd)}")
    if one.subject is not None:
        click.echo(f"\n  Subject: {one.subject}\n")
        for line in (one.text or "").splitlines():
            click.echo(f"  {line}")
    if one.grade is not None:
        click.echo(f"\n  Reading: {one.grade:.1f} ({one.grade_formula})")
    for fault in one.faults:
        click.echo(f"  Fault: {fault}")
    click.echo()
