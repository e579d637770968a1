"""Pictures of every page, in light and dark, of a sample clinic at one fixed moment.

`python -m tests.support.screenshots` (or `make pictures`) takes them. They go to docs/images as WebP,
each under 150 kB. Names of pictures behind the command take those alone, and `--into FOLDER` puts them elsewhere.
Needs Chromium, as `make test` has it. What there is to see stands in `tests/support/sights`.
"""

from __future__ import annotations

import argparse
import base64
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browsing import SCHEMES
from tests.support.screens import ARGUMENTS, BROWSER
from tests.support.sights import SIGHTS
from tests.support.sights.theatre import Theatre

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
PICTURED = tuple(sight for sight in SIGHTS if sight.has_picture)
MOST_BYTES = 150_000
_QUALITIES = (74, 66, 50, 35)  # the best that keeps a picture small enough
_SHARPNESS = 1.5  # pixels of the picture per pixel of the page


def main(arguments: Sequence[str]) -> int:
    """Take the pictures. Returns what the process ends with."""
    asked = argparse.ArgumentParser(description="Take pictures of the pages.")
    asked.add_argument("names", nargs="*", help="which pictures; all unless named")
    asked.add_argument("--into", type=Path, default=IMAGES)
    options = asked.parse_args(arguments)
    unknown = set(options.names) - {sight.name for sight in SIGHTS}
    if unknown or BROWSER is None:
        why = f"no such picture: {', '.join(sorted(unknown))}" if unknown else "Chromium is not installed"
        sys.stderr.write(f"{why}\n")
        return 2
    options.into.mkdir(parents=True, exist_ok=True)
    wanted = [sight for sight in SIGHTS if sight.name in options.names] or list(PICTURED)
    with (
        tempfile.TemporaryDirectory() as folder,
        _chromium() as chromium,
        Theatre(chromium, Path(folder), sharpness=_SHARPNESS) as theatre,
    ):
        for sight in wanted:
            with theatre.shows(sight) as page:
                for scheme in SCHEMES:
                    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                    picture = _taken(page)
                    (options.into / f"{sight.name}-{scheme}.webp").write_bytes(picture)
                    sys.stdout.write(f"{sight.name}-{scheme}.webp {len(picture) // 1000} kB\n")
    return 0


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()


def _taken(page: Any) -> bytes:
    session = page.context.new_cdp_session(page)
    for quality in _QUALITIES:
        answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        picture = base64.b64decode(answer["data"])
        if len(picture) <= MOST_BYTES:
            break
    session.detach()
    return picture


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
