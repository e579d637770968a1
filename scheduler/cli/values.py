"""Values of options, with errors that say what to write."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

_EARLIEST, _LATEST = date(1900, 1, 1), date(2200, 12, 31)


class Day(click.ParamType):
    """A date, `YYYY-MM-DD`, from 1900 to 2200."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            self.fail(f"'{value}' is not a date; write YYYY-MM-DD, such as 2026-03-31.", param, ctx)
        if not _EARLIEST <= day <= _LATEST:
            self.fail(f"{value} is too far off; look for a wrong year.", param, ctx)
        return day

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "DATE"


class Whole(click.ParamType):
    """A whole number between two others, these included."""

    name = "number"

    def __init__(self, lowest: int, highest: int) -> None:
        self._lowest = lowest
        self._highest = highest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            number = self._lowest - 1
        if not self._lowest <= number <= self._highest:
            self.fail(f"'{value}' is not a whole number from {self._lowest} to {self._highest}.", param, ctx)
        return number

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "N"


DAY = Day()
ROW_ID = Whole(1, 2_147_483_647)  # what the column holds, on either database
