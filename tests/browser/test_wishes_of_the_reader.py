"""What readers ask of a page: larger letters, a narrow screen, no motion, their own colours, the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browsing import SIZES, entered, width_needed
from tests.support.sights import OWN_PAGE, Sight
from tests.support.sights.theatre import Theatre

SCREENS = tuple(sight for sight in OWN_PAGE if sight.has_picture)
PAGES = ("Today", "Worklist", "Patients", "Supplements", "Messages", "Pathways", "Reports")
# What moves, or would.
MOVING = """() => [...document.querySelectorAll("*")].filter(one => {
  const style = getComputedStyle(one);
  const lengths = `${style.transitionDuration},${style.animationDuration}`;
  return lengths.split(",").some(each => parseFloat(each) > 0);
}).length"""
FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return [style.outlineStyle, parseFloat(style.outlineWidth)];
}"""


@pytest.fixture(scope="module")
def theatre(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with Theatre(chromium, tmp_path_factory.mktemp("theatre")) as theatre:
        yield theatre


@pytest.mark.parametrize("screen", SCREENS, ids=lambda sight: sight.name)
def test_with_letters_twice_as_large_a_screen_of_the_patients_page_fits(theatre: Theatre, screen: Sight) -> None:
    with theatre.shows(screen, bypass_csp=True) as page:
        page.add_style_tag(content="html {font-size: 200% !important}")
        assert width_needed(page) <= SIZES["phone"]["width"]
        page.set_viewport_size({"width": 640, "height": 450})  # 1280 x 900 at 200 %
        assert width_needed(page) <= 640


def test_nothing_moves_for_who_wants_no_motion(theatre: Theatre) -> None:
    for screen in SCREENS[:2]:
        with theatre.shows(screen) as page:
            assert page.evaluate(MOVING) == 0
            page.emulate_media(reduced_motion="no-preference")
            assert page.evaluate(MOVING) > 0


def test_by_keyboard_everything_on_the_patients_page_shows_where_one_is(theatre: Theatre) -> None:
    home = next(screen for screen in SCREENS if screen.name == "own-home")
    with theatre.shows(home) as page:
        seen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
            seen.append(page.evaluate(FOCUS))
    assert len(seen) > 12
    assert all(style == "solid" and width >= 3 for style, width in seen)


def test_in_colours_of_the_reader_the_present_page_is_marked_and_bars_are_seen(chromium: Any, site: str) -> None:
    context = chromium.new_context(forced_colors="active")
    page = entered(context, site)
    page.goto(f"{site}/reports")
    bottom = "element => getComputedStyle(element).borderBottomColor"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.locator(".top nav a[aria-current]").evaluate(bottom) != ground
    assert page.locator(".top nav a:not([aria-current])").first.evaluate(bottom) == ground
    fills = page.locator(".bar").evaluate_all("bars => bars.map(bar => getComputedStyle(bar).fill)")
    assert fills
    assert ground not in fills
    context.close()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_on_a_phone_the_pages_are_behind_a_button(chromium: Any, site: str, has_script: bool) -> None:
    context = chromium.new_context(viewport=SIZES["phone"], java_script_enabled=has_script)
    page = entered(context, site)
    menu, reports = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="Reports")
    expect(reports).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(reports).to_be_visible()
    page.keyboard.press("Escape")
    expect(reports).to_be_hidden()
    menu.click()
    expect(page.locator("nav a[aria-current]")).to_have_text("Today")
    for name in PAGES:
        box = page.locator("nav").get_by_role("link", name=name).bounding_box()
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= SIZES["phone"]["width"]
    reports.click()
    page.wait_for_url("**/reports")
    context.close()


def test_on_a_desk_the_pages_stand_in_one_row_without_a_button(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["desktop"])
    page = entered(context, site, "Coordinator")
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    links = [page.locator("nav").get_by_role("link", name=name) for name in PAGES]
    assert len({link.bounding_box()["y"] for link in links}) == 1
    header = page.locator(".top").bounding_box()
    assert header["height"] <= 64
    context.close()
