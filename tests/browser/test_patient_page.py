"""A patient's page in a real browser: writing to them, what a message's story says, correcting what is on file."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browsing import SIZES, entered

PATIENT = "HC-1005"


@pytest.mark.parametrize("size", SIZES)
def test_without_javascript_a_message_is_previewed_changed_and_sent(chromium: Any, site: str, size: str) -> None:
    context = chromium.new_context(viewport=SIZES[size], java_script_enabled=False)
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients/{PATIENT}")
    page.get_by_label("Write to").fill("Your result is abnormal")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("main")).to_contain_text("abnormal")
    expect(page.locator("main")).to_contain_text("Read it once more.")
    page.get_by_label("What you want to say").fill(f"Please call us, thank you ({size})")
    page.get_by_role("button", name="Preview again").click()
    expect(page.locator("#drawn-body")).to_contain_text(f": Please call us, thank you ({size})")
    expect(page.locator("main")).to_contain_text(re.compile("segment|An e-mail"))
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    page.get_by_role("button", name="Send it").click()
    page.wait_for_url(re.compile(rf"/patients/{PATIENT}#latest$"))
    expect(page.locator(".chat")).to_contain_text(f"Please call us, thank you ({size})")
    expect(page.locator(".chat")).to_contain_text("coordinator@harbor-clinic.example")
    context.close()


def test_segments_are_counted_while_somebody_types(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients/{PATIENT}")
    page.get_by_label("Write to").type("See you on Friday")
    expect(page.locator("#words-count")).to_contain_text(re.compile("segment|An e-mail"))
    context.close()


def test_a_message_opens_and_says_why_it_went(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"], java_script_enabled=False)
    page = entered(context, site, "Viewer")
    page.goto(f"{site}/patients/{PATIENT}")
    story = page.locator("details.why").filter(has_text=re.compile("· (sent|delivered)")).last
    story.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(story).to_contain_text("Try 1: the provider took it.")
    context.close()


def test_without_javascript_contact_data_is_corrected_beside_the_field(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"], java_script_enabled=False)
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients/{PATIENT}")
    page.get_by_role("link", name="Change contact data").click()
    page.get_by_label("Time zone").fill("Bostn")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#timezone-wrong")).to_be_visible()
    page.get_by_label("Time zone").fill("America/Chicago")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".when")).to_contain_text("Chicago time")
    context.close()


def test_several_tasks_are_taken_at_once(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"])
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/worklist")
    page.locator(".tick input").nth(0).check()
    page.locator(".tick input").nth(1).check()
    page.locator(".several summary").click()
    expect(page.locator("[data-ticked]")).to_have_text("2 ticked")
    page.get_by_role("button", name="I take them").click()
    page.goto(f"{site}/worklist?mine=1")
    expect(page.locator(".task")).to_have_count(2)
    context.close()
