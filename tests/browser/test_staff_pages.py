"""The pages of staff in a real browser: signing in, finding a patient, closing a task, signing a decision."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from tests.support.browsing import SIZES, entered


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


def test_a_search_keeps_the_ticks_and_hides_what_is_about_the_whole_list(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients?status=active")
    box, rows = page.get_by_label("Name, MRN or number"), page.locator("#rows tr")
    whole = rows.count()
    page.get_by_label("Choose Ruth Adler").check()
    box.fill("nav")
    expect(rows).to_have_count(1)
    expect(page.locator("#matching")).to_be_hidden()
    page.get_by_label("Choose Guadalupe Navarro").check()
    expect(page.locator("#unseen")).to_contain_text("With 1 ticked before")
    box.fill("")
    expect(rows).to_have_count(whole)
    expect(page.locator("#matching")).to_be_visible()
    expect(page.locator("#rows input:checked")).to_have_count(2)
    box.fill("nav")
    expect(rows).to_have_count(1)
    page.get_by_label("Do this").select_option("pause")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 patients")
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
