"""The pages about the command line say what the commands do."""

from __future__ import annotations

import re

from scheduler.domain.people import Mobility, RiskFactor
from scheduler.services.intake.fields import COLUMNS
from tests.support.cli_reference import PAGE, page

IMPORTING = PAGE.with_name("importing.md").read_text()


def test_the_reference_is_what_the_commands_say_of_themselves() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.support.cli_reference`"


def test_the_page_about_importing_has_every_column_and_every_word_that_may_stand_in_one() -> None:
    table = IMPORTING.split("| column |")[1].split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)))) == COLUMNS
    for word in (*RiskFactor, *Mobility):
        assert f"`{word}`" in table
