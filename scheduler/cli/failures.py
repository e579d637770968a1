"""How the command line says that something went wrong: one sentence on standard error, and an exit code."""

from __future__ import annotations

import logging

import click

from scheduler.cli.logs import says_json

_log = logging.getLogger("bonewise")

FAILED = 1
WRONG_USAGE = 2


class Refused(click.ClickException):
    """The command is understood, and cannot be done. The text says why and what to do."""


def say(text: str) -> None:
    """Something for the person at the terminal, beside what the command prints. In the log where that is JSON."""
    if says_json():
        _log.warning("%s", text)
    else:
        click.echo(f"bonewise: {text}", err=True)


def say_all(error: Exception) -> None:
    """The sentence of an error, or, of settings that have several faults, one for each."""
    faults = getattr(error, "faults", ())
    for text in faults if all(isinstance(fault, str) for fault in faults) and faults else [sentence(error)]:
        say(text)


def usage(error: click.UsageError) -> str:
    """What is wrong with the command as written, and where its help is."""
    message = error.format_message().strip()
    if message[1:2].islower():
        message = message[:1].lower() + message[1:]
    if isinstance(error, click.NoSuchOption) and error.ctx and error.ctx.parent is None:
        message = f"no such option '{error.option_name}' before the command; most options stand after it"
    path = error.ctx.command_path if error.ctx else "bonewise"
    return f"{message if message.endswith(('.', '?')) else f'{message}.'} See `{path} --help`."


def sentence(error: Exception) -> str:
    """What happened and what to do, for errors of ours and of the operating system; else a hint at `--debug`."""
    if hasattr(error, "faults"):
        return str(error)  # one line for each
    if type(error).__module__.startswith("scheduler."):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        reason = (error.strerror or str(error)).lower()
        return f"{error.filename}: {reason}" if error.filename else f"the system refused: {reason}"
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"this is a fault in Bonewise ({what[:200]}); please report it with what `--debug` shows"
