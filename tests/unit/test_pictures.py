"""The pictures in the documentation: each page that is named shows what there is, and what there is is shown."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.screenshots import IMAGES, MOST_BYTES, PICTURED
from tests.support.sights import SIGHTS

ROOT = IMAGES.parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
ALL_TOGETHER = 6_000_000  # bytes
NAMED = re.compile(r'(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)\s]+)')


def named_in(page: Path) -> set[Path]:
    """The pictures that a page shows, where they are kept in this folder."""
    found = (one or other for one, other in NAMED.findall(page.read_text("utf-8")))
    return {(page.parent / name).resolve() for name in found if "://" not in name}


def test_every_picture_that_a_page_names_is_there() -> None:
    missing = [f"{page.name}: {name.name}" for page in PAGES for name in named_in(page) if not name.exists()]
    assert missing == []


def test_every_picture_that_is_there_is_shown_somewhere() -> None:
    shown = set().union(*(named_in(page) for page in PAGES))
    assert sorted(picture.name for picture in IMAGES.iterdir() if picture not in shown) == []


def test_the_tour_shows_every_sight_that_has_a_picture_in_light_and_in_dark() -> None:
    shown = {picture.name for picture in named_in(ROOT / "docs" / "tour.md")}
    wanted = {f"{sight.name}-{scheme}.webp" for sight in PICTURED for scheme in ("light", "dark")}
    assert shown == wanted


def test_pictures_are_small() -> None:
    sizes = {picture.name: picture.stat().st_size for picture in IMAGES.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
    assert sum(sizes.values()) < ALL_TOGETHER


def test_no_two_sights_have_the_same_name() -> None:
    names = [sight.name for sight in SIGHTS]
    assert len(names) == len(set(names))


def test_a_picture_says_in_words_what_it_shows() -> None:
    silent = [page.name for page in PAGES if re.search(r"<img (?![^>]*alt=\"[^\"]{15,}\")", page.read_text("utf-8"))]
    assert silent == []
