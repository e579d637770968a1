"""A sample installation that runs, and a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.screens import ARGUMENTS, BROWSER


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The commands of an installation with the sample clinic."""
    folder = tmp_path_factory.mktemp("site")
    cli = Cli(folder, {"BONEWISE_DATA_DIR": str(folder / "var")})
    cli("init")
    cli("sample", "load")
    return cli


@pytest.fixture(scope="module")
def site(sample: Cli) -> Iterator[str]:
    """The address of a running sample installation."""
    process = sample.start("serve", "--port", "0")
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
