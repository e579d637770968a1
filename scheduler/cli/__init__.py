"""The command line: `bonewise`. Commands are imported only when they are used, so that `--help` answers at once."""

from __future__ import annotations

import gc
import sys

from scheduler.cli.group import cli
from scheduler.cli.output import run


def main() -> None:
    """Entry point: exit 0 done, 1 failed or something was rejected, 2 wrong usage."""
    # A short command mostly imports, and what is imported stays: looking for garbage after every 700 new objects,
    # as Python does unasked, is a tenth of its time.
    gc.set_threshold(50_000, 10, 10)
    code = run(cli)
    gc.freeze()  # all goes with the process: nothing needs to be looked through once more
    sys.exit(code)
