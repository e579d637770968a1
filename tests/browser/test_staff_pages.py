"""The pages of staff in a real browser: signing in, finding a patient, closing a task, signing a decision."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 320, "height": 720}}
PAGES = (
    "/",
    "/today/messages?status=went",
    "/worklist",
    "/worklist/1",
    "/patients",
    "/patients/HC-1005",
    "/patients/HC-1005/contact",
    "/patients/HC-1005/consent",
    "/patients/HC-1005/carer",
    "/supplements",
    "/staff",
)


def entered(context: Any, site: str, role: str) -> Any:
    """A page of somebody of the sample clinic."""
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_role("button", name=role).click()
    page.wait_for_url(f"{site}/")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_and_every_page_fits(chromium: Any, site: str, scheme: str, size: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    context = chromium.new_context(viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    signing = [one["id"] for one in Axe().run(page).response["violations"]]
    assert signing == []
    page = entered(context, site, "Admin")
    for path in PAGES:
        assert page.goto(f"{site}{path}").status == 200
        found = Axe().run(page).response["violations"]
        serious = [f"{one['id']}: {one['help']}" for one in found if one["impact"] in ("serious", "critical")]
        assert serious == [], f"{path} in {scheme} on a {size}"
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"], path
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_nobody_else_and_breaks_no_rule_of_its_own(chromium: Any, site: str, path: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Admin")
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{site}{path}")
    page.wait_for_load_state("load")
    assert [url for url in asked if not url.startswith(site)] == []
    assert said == []
    context.close()


def test_patients_are_found_while_typing(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Viewer")
    page.goto(f"{site}/patients")
    page.get_by_label("Name, MRN or number").type("nav")
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Guadalupe Navarro")
    page.get_by_label("Name, MRN or number").fill("")
    expect(rows).to_have_count(12)
    context.close()


def test_without_javascript_a_patient_is_found_and_a_task_closed_by_keyboard_alone(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients")
    page.get_by_label("Name, MRN or number").fill("adler")
    page.keyboard.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.goto(f"{site}/")
    task = page.locator(".what a").first
    task.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/worklist/\d+$"))
    page.get_by_role("radio", name="Done").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Called; all is well.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How it ended")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Called; all is well.")
    context.close()


def test_a_clinician_signs_a_decision(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"])
    page = entered(context, site, "Clinician")
    page.goto(f"{site}/supplements")
    page.get_by_role("radio", name="Come in").check()
    page.get_by_label("Sign with your password").fill("anything")
    page.get_by_role("button", name="Sign the decision").click()
    assert "signed by clinician@harbor-clinic.example" in page.locator("main").inner_text()
    context.close()


def test_signing_out_shuts_the_door(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Viewer")
    page.locator(".me summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{site}/worklist")
    assert "/sign-in?next=%2Fworklist" in page.url
    context.close()
