"""The command line: `bonewise`. Commands are imported only when they are used, so that `--help` answers at once."""

from __future__ import annotations

import sys

from scheduler import garbage
from scheduler.cli.group import cli
from scheduler.cli.output import run


def main() -> None:
    """Entry point: exit 0 done, 1 failed or something was rejected, 2 wrong usage."""
    garbage.look_seldom()  # a short command mostly imports, and what is imported stays
    code = run(cli)
    garbage.never_look_again()  # all goes with the process
    sys.exit(code)
