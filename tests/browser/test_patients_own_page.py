"""The patient's own page in a real browser: a phone, large targets, no script, the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browsing import SIZES, sign_in, width_needed

SCREENS = ("", "/time", "/days", "/language", "/channel", "/wording", "/pause", "/stop", "/why")
RUTH, LUIS = ("HC-1001", "1961"), ("HC-1002", "1958")


@pytest.fixture(scope="module")
def links(chromium: Any, site: str) -> Iterator[dict[str, str]]:
    """The path of each patient's page, as a coordinator makes the link."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, site, "Coordinator")
    found = {}
    for mrn, _ in (RUTH, LUIS):
        page.goto(f"{site}/patients/{mrn}")
        page.get_by_role("button", name="Make a link for the patient's page").click()
        found[mrn] = "/p/" + page.get_by_label("Link", exact=True).input_value().rpartition("/")[2]
    yield found
    context.close()


def enter(page: Any, address: str, year: str) -> None:
    page.goto(address)
    page.locator("#year").fill(year)
    page.keyboard.press("Enter")
    expect(page.locator("#next-title")).to_be_visible()


def test_with_letters_twice_as_large_and_spaced_nothing_is_lost(
    chromium: Any, site: str, links: dict[str, str]
) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, bypass_csp=True)
    page = context.new_page()
    address = f"{site}{links[LUIS[0]]}"
    enter(page, address, LUIS[1])
    for screen in SCREENS:
        page.goto(f"{address}{screen}")
        # WCAG 2.2, 1.4.12
        page.add_style_tag(
            content="* {line-height: 1.5 !important; letter-spacing: 0.12em !important}"
            "* {word-spacing: 0.16em !important} p {margin-bottom: 2em !important} html {font-size: 150% !important}"
        )
        assert width_needed(page) <= 320, screen
    context.close()


@pytest.mark.parametrize("width", [320, 360, 390, 430])
def test_the_clinics_number_is_whole_on_its_line_and_large_enough_to_press(
    chromium: Any, site: str, links: dict[str, str], width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    for mrn, year in (RUTH, LUIS):
        address = f"{site}{links[mrn]}"
        enter(page, address, year)
        for screen in SCREENS:
            page.goto(f"{address}{screen}")
            number = page.locator("footer a.call")
            expect(number).to_have_attribute("href", "tel:+16175550101")
            box = number.evaluate("e => [e.getClientRects().length, e.getBoundingClientRect().height]")
            assert box[0] == 1
            assert box[1] >= 44
            assert width_needed(page) <= width, screen
    context.close()


def test_without_javascript_and_by_keyboard_alone_a_patient_changes_the_time(
    chromium: Any, site: str, links: dict[str, str]
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=SIZES["phone"])
    page = context.new_page()
    address = f"{site}{links[LUIS[0]]}"
    page.goto(address)
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.locator("#year")).to_be_focused()
    page.keyboard.type("1900")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Ese no es el año")
    page.get_by_role("alert").get_by_role("link").focus()
    page.keyboard.press("Enter")
    page.locator("#year").focus()
    page.keyboard.type(LUIS[1])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Hora del día").focus()
    page.keyboard.press("Enter")
    page.locator("#at").focus()
    page.keyboard.type("14:30")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("nueva hora")
    page.goto(f"{address}/time")
    expect(page.locator("main")).to_contain_text("14:30")
    context.close()


def test_nothing_is_asked_of_anybody_else_and_the_page_names_only_the_clinic(
    chromium: Any, site: str, links: dict[str, str]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    enter(page, f"{site}{links[RUTH[0]]}", RUTH[1])
    assert [url for url in asked if not url.startswith(site)] == []
    assert said == []
    assert page.title().endswith("· Harbor Clinic")
    context.close()
