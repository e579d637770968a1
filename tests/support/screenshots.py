"""Pictures of every page, in light and dark, of a sample clinic at one fixed moment.

`python -m tests.support.screenshots` (or `make pictures`) takes them. They go to docs/images as WebP,
each under 150 kB. Names of pictures behind the command take those alone, and `--into FOLDER` puts them elsewhere.
Needs Chromium, as `make test` has it. A new page is a new line in `SHOTS`.
"""

from __future__ import annotations

import argparse
import base64
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from scheduler.bootstrap import App
from scheduler.runtime.server import address_of, listen
from scheduler.services.sample import load_sample
from scheduler.settings import load_settings
from scheduler.web.app import create_app
from tests.support.screens import ARGUMENTS, BROWSER
from tests.support.worlds import SetClock

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
AT = datetime(2026, 3, 5, 17, 40, tzinfo=UTC)  # a Thursday, 12:40 in New York
SCHEMES = ("light", "dark")
MOST_BYTES = 150_000
_QUALITIES = (86, 76, 66, 50, 35)  # the best that keeps a picture small enough
_PATIENCE = 180_000  # milliseconds: a picture is worth waiting for on a busy machine
_SHARPNESS = 1.5  # pixels of the picture per pixel of the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: what is seen at `path` by somebody signed in as `role`, or by anybody."""

    name: str
    path: str
    role: str | None = None  # as the buttons of the sample clinic call it
    width: int = 1280
    height: int = 900
    prepare: Callable[[Any], object] | None = None  # what is done on the page before the picture


def _open(selector: str) -> Callable[[Any], object]:
    return lambda page: page.locator(selector).first.click()


def _at(selector: str) -> Callable[[Any], object]:
    return lambda page: page.locator(selector).first.evaluate("element => element.scrollIntoView()")


SHOTS = (
    Shot(name="first-page", path="/"),
    Shot(name="phones", path="/phones", height=1000),
    Shot(name="phones-narrow", path="/phones", width=390, height=844, prepare=_at("#wall")),
    Shot(name="sign-in", path="/sign-in"),
    Shot(name="today", path="/", role="Coordinator"),
    Shot(name="today-narrow", path="/", role="Coordinator", width=390, height=844),
    Shot(name="worklist", path="/worklist", role="Coordinator"),
    Shot(name="task", path="/worklist/1", role="Coordinator"),
    Shot(name="patients", path="/patients", role="Coordinator"),
    Shot(name="patient", path="/patients/HC-1001", role="Coordinator", height=1000),
    Shot(name="supplements", path="/supplements", role="Clinician"),
    Shot(name="messages", path="/messages?pathway=dexa", role="Viewer", height=1000),
    Shot(name="pathways", path="/pathways/dexa", role="Viewer", height=1100),
    Shot(name="people", path="/staff", role="Admin"),
)


def main(arguments: Sequence[str]) -> int:
    """Take the pictures. Returns what the process ends with."""
    asked = argparse.ArgumentParser(description="Take pictures of the pages.")
    asked.add_argument("names", nargs="*", help="which pictures; all unless named")
    asked.add_argument("--into", type=Path, default=IMAGES)
    options = asked.parse_args(arguments)
    unknown = set(options.names) - {shot.name for shot in SHOTS}
    if unknown or BROWSER is None:
        why = f"no such picture: {', '.join(sorted(unknown))}" if unknown else "Chromium is not installed"
        sys.stderr.write(f"{why}\n")
        return 2
    options.into.mkdir(parents=True, exist_ok=True)
    wanted = [shot for shot in SHOTS if not options.names or shot.name in options.names]
    with tempfile.TemporaryDirectory() as folder, _site(Path(folder)) as site, _chromium() as chromium:
        for scheme in SCHEMES:
            for shot in wanted:
                picture = _taken(chromium, site, shot, scheme)
                (options.into / f"{shot.name}-{scheme}.webp").write_bytes(picture)
                sys.stdout.write(f"{shot.name}-{scheme}.webp {len(picture) // 1000} kB\n")
    return 0


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """The address of a sample clinic in which it is always `AT`, with its days before that lived through."""
    app = App(load_settings({"BONEWISE_DATABASE_URL": f"sqlite:///{folder}/b.db", "BONEWISE_DATA_DIR": str(folder)}))
    app.clock = SetClock(AT)
    app.initialise()
    load_sample(app.store, app.rules, is_simulated=True, now=AT, ticker_at=app.ticker_at)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(app), log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="site")
    thread.start()
    try:
        yield address_of(listening)
    finally:
        app.stopping.set()
        server.should_exit = True
        thread.join()
        app.close()


@contextmanager
def _chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()


def _taken(chromium: Any, site: str, shot: Shot, scheme: str) -> bytes:
    context = chromium.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=scheme,
        device_scale_factor=_SHARPNESS,
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    if shot.role is not None:
        page.goto(f"{site}/sign-in")
        page.get_by_role("button", name=shot.role).click()
        page.wait_for_url(f"{site}/")
    page.goto(f"{site}{shot.path}")
    if shot.prepare is not None:
        shot.prepare(page)
    page.mouse.move(0, 0)
    session = context.new_cdp_session(page)
    for quality in _QUALITIES:
        answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        picture = base64.b64decode(answer["data"])
        if len(picture) <= MOST_BYTES:
            break
    context.close()
    return picture


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
