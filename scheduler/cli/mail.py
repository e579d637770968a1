"""`receive-mail`, and `bounce`, which is the same: whichever of them a mail server was told, nothing is lost."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from scheduler.cli.failures import FAILED, say, say_all
from scheduler.cli.output import json_option, opened, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.services.letters.verdicts import Handled

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and asks again later
_OF_THE_SETTINGS = "-"
_CHUNK = 1024 * 1024  # bytes

_mailbox_option = click.option(
    "--mailbox",
    metavar="URL",
    is_flag=False,
    flag_value=_OF_THE_SETTINGS,
    help="Read the new mails of this mailbox, imaps://user:password@host/INBOX; without a URL, of "
    "BONEWISE_BOUNCE_MAILBOX, where no other user of the machine sees the password.",
)


@click.command("receive-mail")
@_mailbox_option
@json_option
def receive_mail_command(mailbox: str | None, as_json: bool) -> int:
    """Take in mail: what patients answer, and mail that came back undelivered.

    Reads one mail from standard input, as a mail server hands it to a command, or with --mailbox all new mails of
    a mailbox. A patient's letter is their reply; a letter of somebody else is a task for the clinic. A message that
    did not arrive becomes undelivered; a complaint takes consent to e-mail back. Automatic mail is only counted, and
    never answered. The same mail again changes nothing.

    A mail that is not understood, or a notification about no mail of ours, changes nothing and is said on standard
    error (exit code 1); in a mailbox it stays unread. From standard input, exit code 75 asks the mail server to try
    again later, because the database could not be reached or the settings are wrong.
    """
    return _receive(mailbox, as_json=as_json)


@click.command("bounce")
@_mailbox_option
@json_option
def bounce_command(mailbox: str | None, as_json: bool) -> int:
    """The same as `receive-mail`.

    For a mail server that hands over only mail that came back. A letter of a person among it is taken in as well.
    """
    return _receive(mailbox, as_json=as_json)


def _receive(mailbox: str | None, *, as_json: bool) -> int:
    if mailbox is not None:
        return _from_mailbox("" if mailbox == _OF_THE_SETTINGS else mailbox, as_json=as_json)
    if sys.stdin.isatty():
        raise click.UsageError("there is no mail on standard input; pipe one in, or name a --mailbox.")
    return _from_input(as_json=as_json)


def _from_input(*, as_json: bool) -> int:
    try:
        from scheduler.services.letters.reading import LARGEST

        raw = _read_input(LARGEST + 1)
        with opened() as app:
            handled = app.mail_in.take(raw)
    except Exception as error:
        if click.get_current_context().find_root().params.get("debug"):
            raise
        say_all(error)  # whatever it is, it is not the mail's fault, which would else be lost
        return TRY_AGAIN
    return _report([handled], as_json=as_json)


def _read_input(most: int) -> bytes:
    """The beginning of standard input. The rest is read too: some mail servers take a broken pipe for a failure."""
    raw = sys.stdin.buffer.read(most)
    while sys.stdin.buffer.read(_CHUNK):
        continue
    return raw


def _from_mailbox(url: str, *, as_json: bool) -> int:
    with opened() as app, app.bounce_mailbox(url) as mailbox:
        return _report(app.mail_in.take_all(mailbox), as_json=as_json)


def _report(handled: Iterable[Handled], *, as_json: bool) -> int:
    """Say what was made of each mail, as it is known, then how many there were of each kind."""
    from scheduler.services.letters.verdicts import Verdict

    counts: Counter[Verdict] = Counter()
    for one in handled:
        counts[one.verdict] += 1
        if one.verdict.is_left_over or one.verdict is Verdict.KEPT:
            say(one.said)
        elif not as_json:
            click.echo(f"{one.said[:1].upper()}{one.said[1:]}.")
    if as_json:
        print_json({"mails": counts.total()} | {verdict.value: counts[verdict] for verdict in Verdict})
    elif not counts:
        click.echo("There is no new mail.")
    return FAILED if any(verdict.is_left_over for verdict in counts) else 0
