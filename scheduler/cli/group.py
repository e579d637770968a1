"""The list of commands, each with the module it is in and its line of help."""

from __future__ import annotations

from importlib import import_module

import click

from scheduler import __version__

# command: (module, help). The help stands here so that listing the commands imports none of them.
_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("installation", "Create or migrate the database, and make keys where there are none."),
    "serve": ("running", "Run web and scheduler in one process."),
    "web": ("running", "Run the web half only, for many machines on PostgreSQL."),
    "worker": ("running", "Run the scheduler half only, for many machines on PostgreSQL."),
    "tick": ("running", "Do all work that is due now, once, and exit."),
    "check": ("content", "Check settings, pathways and templates; every fault with file and line."),
    "preview": ("content", "Show a message as a patient gets it: text, segments, reading grade."),
    "clinic": ("clinics", "Add, change and list clinics."),
    "staff": ("staff", "Add members of staff, and help them to sign in."),
    "apikey": ("apikeys", "Make, list and revoke the keys of other programs."),
    "sample": ("installation", "Load the sample clinic."),
    "import": ("importing", "Enrol patients from CSV or FHIR."),
    "enrol": ("enrolling", "Enrol one patient."),
    "carer": ("carers", "Name, show and remove a patient's carer."),
    "page": ("patient_page", "Give patients the link to their own page."),
    "number": ("numbers", "Say that a number or address is right after all."),
    "patients": ("lists", "List patients and where they stand on each pathway."),
    "messages": ("lists", "List the ledger of messages."),
    "replies": ("lists", "List what patients sent."),
    "orphans": ("orphans", "List texts that came in for no clinic."),
    "tasks": ("worklist", "List the clinic's worklist."),
    "task": ("worklist", "Look at one task, and work on it."),
    "simulate": ("future", "Show what would be sent, to whom, when. Sends and writes nothing."),
    "consent": ("consents", "Show and record what a patient has agreed to."),
    "result": ("clinical", "Record a result for a patient, or void one."),
    "clearance": ("clinical", "List and decide supplement cases."),
    "receive-mail": ("mail", "Take in mail: patients' answers, and mail that came back undelivered."),
    "bounce": ("mail", "The same as `receive-mail`."),
    "erase": ("erasing", "Erase a patient for good."),
    "rotate-keys": ("keys", "Seal everything again under a new key."),
    "status": ("care", "Say in words how the service is doing."),
    "doctor": ("care", "Say what is wrong, where, and what to do about it."),
}

_RUN_ON = ("serve", "web", "worker")  # their log is read later, so it has the time


class Group(click.Group):
    """A group that says which of its commands may have been meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with. Raises `click.UsageError`."""
        name, names = args[0], self.list_commands(ctx)
        if not name.startswith("-") and name not in names:
            from difflib import get_close_matches

            close = get_close_matches(name, names, n=1)
            hint = f"did you mean `{ctx.command_path} {close[0]}`?" if close else f"there are: {', '.join(names)}."
            raise click.UsageError(f"there is no command '{name}'; {hint}", ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"scheduler.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bonewise", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure, and log more.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Reminders and screening follow-up for people with MS at risk of osteoporosis.

    First `bonewise init`, then `bonewise clinic add`, `bonewise import` and `bonewise serve`. `make run` does it all
    with a sample clinic. Settings come from the environment or `.env`; see README.md.

    Exit codes: 0 done, 1 failed or something was rejected, 2 wrong usage.
    """
    from scheduler.cli.logs import begin

    begin(debug=debug, runs_on=ctx.invoked_subcommand in _RUN_ON)
