"""Values of options, with errors that say what to write. Each function is the `type` of a click option."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import click

_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 12, 31)


def day(text: str) -> date:
    """A date, `YYYY-MM-DD`, from 1900 to 2200. Raises `click.BadParameter`."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError as error:
        raise click.BadParameter(f"'{text}' is not a date; write YYYY-MM-DD, such as 2026-03-31.") from error
    if not _EARLIEST <= found <= _LATEST:
        raise click.BadParameter(f"{text} is too far off; look for a wrong year.")
    return found


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Reads whole numbers between the two, these included; what it makes raises `click.BadParameter`."""

    def number(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            found = lowest - 1
        if not lowest <= found <= highest:
            raise click.BadParameter(f"'{text}' is not a whole number from {lowest} to {highest}.")
        return found

    return number


def rate(text: str) -> float:
    """A number above 0. Raises `click.BadParameter`."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not found > 0:
        raise click.BadParameter(f"'{text}' is not a number above 0.")
    return found


row_id = whole(1, 2_147_483_647)  # what the column holds, on either database
