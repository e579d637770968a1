"""A sample installation that runs, and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cli import Cli

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running sample installation."""
    folder = tmp_path_factory.mktemp("site")
    cli = Cli(folder, {"BONEWISE_DATA_DIR": str(folder / "var")})
    cli("init")
    cli("sample", "load")
    process = cli.start("serve", "--port", "0")
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("Bonewise is at ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=15)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # .ci/run installs it: there a skip would hide that these tests did not run.
    if BROWSER is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
