"""The first pages in a real browser: what they look like to assistive technology, with and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.browsing import SIZES, violations, width_needed


def unsubscribe_path(page: Any, site: str) -> str:
    page.goto(f"{site}/phones")
    href: str = page.locator(".mailbox .text a").first.get_attribute("href")
    return href


@pytest.mark.parametrize("path", ["/", "/phones"])
def test_text_is_large_enough_and_what_is_pressed_too(page: Any, site: str, path: str) -> None:
    page.goto(f"{site}{path}")
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('body *')].filter(e => e.offsetParent)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 16
    heights = page.evaluate(
        "[...document.querySelectorAll('button, summary, nav a, input:not([type=hidden])')]"
        ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= 44


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(page: Any, site: str) -> None:
    page.goto(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_without_javascript_a_patient_is_answered_and_the_clock_moves(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/phones")
    phone = page.locator("article", has=page.get_by_role("heading", name="Priya Raman"))
    before = phone.locator(".theirs").count()
    phone.get_by_label("Answer as Priya Raman").fill("HELP")
    phone.get_by_role("button", name="Send as Priya Raman").click()
    assert "#" in page.url
    assert phone.locator(".own").last.inner_text().endswith("HELP")
    assert phone.locator(".theirs").count() == before + 1
    page.goto(site)
    day = page.locator(".when strong").inner_text()
    page.get_by_role("button", name="Move the clock one day forward").click()
    assert page.locator(".when strong").inner_text() != day
    assert re.search(r"\d days? ahead of the real time", page.locator(".clock").inner_text())
    context.close()


def test_what_comes_in_appears_by_itself_and_leaves_what_is_being_written(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    watching, other = context.new_page(), context.new_page()
    watching.goto(f"{site}/phones")
    phone = watching.locator("article", has=watching.get_by_role("heading", name="Samuel Begay"))
    phone.get_by_label("Answer as Samuel Begay").fill("half a sen")
    other.goto(f"{site}/phones")
    theirs = other.locator("article", has=other.get_by_role("heading", name="Samuel Begay"))
    theirs.get_by_label("Answer as Samuel Begay").fill("HELP")
    theirs.get_by_role("button", name="Send as Samuel Begay").click()
    watching.bring_to_front()
    phone.locator(".own", has_text="HELP").wait_for(timeout=15_000)
    assert phone.get_by_label("Answer as Samuel Begay").input_value() == "half a sen"
    context.close()


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
def test_one_press_ends_the_mails_and_another_takes_that_back(chromium: Any, site: str, has_script: bool) -> None:
    context = chromium.new_context(viewport=SIZES["phone"], bypass_csp=True, java_script_enabled=has_script)
    page = context.new_page()
    page.goto(f"{site}{unsubscribe_path(page, site)}")
    for heading in ("no more e-mails|no recibirá correos", "go on getting|Seguirá recibiendo"):
        button = page.get_by_role("button")
        assert button.bounding_box()["height"] >= 44
        button.click()
        assert re.search(heading, page.get_by_role("heading").inner_text())
        if has_script:
            assert violations(page) == []
            assert width_needed(page) <= SIZES["phone"]["width"]
    assert page.get_by_role("button").count() == 0
    context.close()
