"""Every page in every state that matters, in a real browser: axe in light and dark, large and small.

What there is to see stands in `tests/support/sights`. What people do on the pages is in the files beside this one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.browsing import (
    LEAST_TARGET,
    LOW_TARGETS,
    SIZES,
    SMALL_TARGETS,
    TEXT_SIZE,
    violations,
    width_needed,
)
from tests.support.sights import DOORS, MANY, OFFICE, OWN_PAGE, PATIENTS, Sight
from tests.support.sights.theatre import Theatre

GROUPS = {"doors": DOORS, "office": OFFICE, "patients": PATIENTS, "many": MANY, "own page": OWN_PAGE}
# What Chromium says of answers that are refusals, and of what is no date and stays in its field as it was typed.
OF_THE_BROWSER = ("Failed to load resource: the server responded with a status of 4", "The specified value")
SMALLEST_TEXT = 16  # px
GRAVE = ("serious", "critical")
# Where axe finds nothing at all; of the other pages of staff, nothing grave.
SPOTLESS = ("/messages", "/pathways")
COLOURS = {"desktop": "light", "phone": "dark"}  # each is seen once: what is laid out and what is coloured do not mix


@pytest.mark.timeout(900)
@pytest.mark.parametrize("group", GROUPS)
def test_axe_finds_nothing_and_a_page_fits_and_asks_nobody_else(chromium: Any, tmp_path: Path, group: str) -> None:
    with Theatre(chromium, tmp_path) as theatre:
        faults = {sight.name: found for sight in GROUPS[group] if (found := faults_of(theatre, sight))}
    assert faults == {}


def faults_of(theatre: Theatre, sight: Sight) -> list[str]:
    """What is wrong with a page; each fault with the size and the colours in which it was seen."""
    least = GRAVE if sight.role and not sight.path.startswith(SPOTLESS) else ()
    with theatre.shows(sight) as page:
        faults = [one for one in theatre.said if not one.startswith(OF_THE_BROWSER)]
        if page.locator("h1").count() != 1:
            faults.append("not one heading of the first level")
        if (smallest := page.evaluate(TEXT_SIZE)) < SMALLEST_TEXT:
            faults.append(f"text of {smallest} px")
        for size, viewport in SIZES.items():
            page.set_viewport_size(viewport)
            if (width := width_needed(page)) > viewport["width"]:
                faults.append(f"{size}: {width} px wide")
            small = SMALL_TARGETS if sight.path.startswith("{") else LOW_TARGETS
            faults.extend(f"{size}: {one}" for one in page.evaluate(small, LEAST_TARGET))
            if size in COLOURS:
                page.emulate_media(color_scheme=COLOURS[size], reduced_motion="reduce")
                faults.extend(f"{size}: {one}" for one in violations(page, least=least, within_frames=False))
    return faults
