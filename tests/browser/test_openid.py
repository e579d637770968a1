"""Signing in by a provider in a real browser: away to another site and back, with what the browser kept."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.cli import Cli
from tests.support.openid_provider import Provider, provider_running, rsa_key

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
EMAIL = "coordinator@harbor-clinic.example"
DOCTOR = {"sub": "doctor", "email": "doctor@lake.example", "amr": ["mfa"]}
OF_TWO_CLINICS = {"sub": "coordinator", "email": EMAIL}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provider_running(rsa_key()) as running:
        running.host = "localhost"  # another site than 127.0.0.1, as browsers see it
        running.asks_first = True
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("openid")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = f"http://127.0.0.1:{port}"
    settings = {"BONEWISE_DATA_DIR": str(folder / "var"), "BONEWISE_PUBLIC_URL": here, **provider.settings}
    cli = Cli(folder, settings)
    cli("init")
    cli("sample", "load")
    cli("clinic", "add", "--code", "lake", "--name", "Lake Clinic", "--timezone", "America/Chicago")
    for email, role in ((EMAIL, "coordinator"), ("doctor@lake.example", "clinician"), ("new@lake.example", "admin")):
        cli("staff", "add", "--clinic", "lake", "--email", email, "--role", role)
    process = cli.start("serve", "--port", str(port))
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip().endswith(here)
        yield here
    finally:
        process.terminate()
        process.communicate(timeout=15)


@pytest.fixture(autouse=True)
def _honest(provider: Provider) -> None:
    provider.claims = DOCTOR


def begun(page: Any, site: str, path: str = "/") -> None:
    page.goto(f"{site}{path}")
    if path == "/":
        page.goto(f"{site}/sign-in")
    page.get_by_role("link", name="Sign in with the clinic’s account").click()


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
def test_somebody_goes_to_the_provider_and_comes_back_to_where_they_wanted_to_be(
    chromium: Any, site: str, has_script: bool
) -> None:
    context = chromium.new_context(java_script_enabled=has_script)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.location["url"].startswith(site) else None)
    begun(page, site, "/patients?status=active")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: url == f"{site}/patients?status=active")
    expect(page.get_by_role("heading", name="Patients")).to_be_visible()
    page.locator(".me summary").click()
    expect(page.locator(".me")).to_contain_text("doctor@lake.example")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{site}/worklist")
    assert "/sign-in?next=%2Fworklist" in page.url
    assert said == []
    context.close()


def test_somebody_of_two_clinics_chooses_by_keyboard(page: Any, site: str, provider: Provider) -> None:
    provider.claims = OF_TWO_CLINICS
    begun(page, site)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="At which clinic?")).to_be_visible()
    page.get_by_role("button", name="Lake Clinic").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")
    page.locator(".me summary").click()
    expect(page.locator(".me")).to_contain_text("Lake Clinic")


def test_an_admin_without_a_second_factor_there_is_asked_for_ours(page: Any, site: str, provider: Provider) -> None:
    provider.claims = {"sub": "new", "email": "new@lake.example"}
    begun(page, site)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_and_every_page_fits(
    chromium: Any, site: str, provider: Provider, scheme: str, size: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    context = chromium.new_context(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page = context.new_page()

    def looks_right(what: str) -> None:
        found = [f"{one['id']}: {one['help']}" for one in Axe().run(page).response["violations"]]
        assert found == [], f"{what} in {scheme} on a {size}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], what

    page.goto(f"{site}/sign-in")
    looks_right("the way in")
    page.goto(f"{site}/sign-in/openid/back?state=x&code=y")
    looks_right("somebody who did not leave from here")
    provider.claims = OF_TWO_CLINICS
    begun(page, site)
    page.get_by_role("button", name="Continue").click()
    looks_right("the choice of a clinic")
    provider.claims = DOCTOR
    begun(page, site)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/second-factor")
    looks_right("codes from an app")
    context.close()


def test_a_button_is_large_enough_for_a_finger(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    box = page.get_by_role("link", name="Sign in with the clinic’s account").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    context.close()
