"""Shows sights in a browser, one after the other: each in a context of its own, in a clinic that they share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.browsing import listen_to, sign_in
from tests.support.sights.sight import Clinic, Sight
from tests.support.sights.site import Site, served

DESK, PHONE = 1280, 390  # pixels
PHONE_HEIGHT = 844
_PATIENCE = 180_000  # milliseconds: a sight is worth waiting for on a busy machine


class Theatre:
    """The clinics, each begun when it is first needed, and the browser."""

    def __init__(self, chromium: Any, folder: Path, *, sharpness: float = 1) -> None:
        """`sharpness` is how many pixels of a picture one pixel of the page has."""
        self._chromium = chromium
        self._folder = folder
        self._sharpness = sharpness
        self._stack = ExitStack()
        self._sites: dict[Clinic, Site] = {}
        self.said: list[str] = []  # what the sight shown last asked of others, and what the browser held against it

    def __enter__(self) -> Theatre:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def shows(self, sight: Sight, **context: Any) -> Iterator[Any]:
        """The page on which everything is as the sight says."""
        site = self._site(sight.clinic)
        width, height = (PHONE, PHONE_HEIGHT) if sight.is_small else (DESK, sight.height)
        opened = self._chromium.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=self._sharpness,
            reduced_motion="reduce",
            **context,
        )
        opened.set_default_timeout(_PATIENCE)
        page = opened.new_page()
        self.said = listen_to(page, site.address)
        try:
            self._go(page, site, sight)
            yield page
        finally:
            opened.close()

    def _site(self, clinic: Clinic) -> Site:
        if clinic not in self._sites:
            folder = self._folder / clinic.value
            folder.mkdir(parents=True, exist_ok=True)
            self._sites[clinic] = self._stack.enter_context(served(folder, clinic))
        return self._sites[clinic]

    def _go(self, page: Any, site: Site, sight: Sight) -> None:
        if sight.role:
            sign_in(page, site.address, sight.role)
        answer = page.goto(f"{site.address}{_path(page, site, sight)}")
        assert answer.status == sight.status, f"{sight.name}: {answer.status}"
        if sight.is_late:
            token = next(one["value"] for one in page.context.cookies() if one["name"] == "bonewise_session")
            site.end_session(token)
        if sight.do is not None:
            sight.do(page)
        page.mouse.move(0, 0)
        shown = urlsplit(page.url).path
        assert fnmatch(shown, sight.shows or "*"), f"{sight.name} leads to {shown}"


def _path(page: Any, site: Site, sight: Sight) -> str:
    """Where it is. A patient's own page is opened on the way."""
    if not sight.path.startswith("{"):
        return sight.path
    mrn, _, part = sight.path[1:].partition("}")
    own = site.own_pages[mrn]
    if not sight.is_shut:
        page.goto(f"{site.address}{own.path}")
        page.locator("#year").fill(own.year)
        page.keyboard.press("Enter")
        page.locator("#year").wait_for(state="detached")
    return f"{own.path}{part}"
