"""The wall of phones in a real browser: news as it comes, answers at a press, a month that passes while one looks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect


def phone_of(page: Any, owner: str) -> Any:
    return page.locator("article", has=page.get_by_role("heading", name=owner))


def moment(page: Any) -> str:
    """The date and time that the clinic's clock shows."""
    return str(page.locator("#clock-face .hand").inner_text())


def test_a_press_on_an_answer_is_answered_on_the_phone_without_leaving_the_page(page: Any, site: str) -> None:
    page.goto(f"{site}/phones")
    page.evaluate("window.stayed = true")
    phone = page.locator("article", has=page.locator(".offers:not([hidden])")).first
    before = phone.locator(".own").count()
    phone.get_by_role("textbox").fill("half a sen")
    pressed = phone.locator(".offers button").first
    said = pressed.get_attribute("value")
    pressed.click()
    expect(phone.locator(".own")).to_have_count(before + 1)
    assert phone.locator(".own").last.inner_text().endswith(said)
    assert phone.get_by_role("textbox").input_value() == "half a sen"
    assert page.evaluate("window.stayed")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_enter_sends_what_was_typed_not_the_first_answer_on_offer(chromium: Any, site: str, *, script: bool) -> None:
    with chromium.new_context(java_script_enabled=script) as context:
        page = context.new_page()
        page.goto(f"{site}/phones")
        key = page.locator("article", has=page.locator(".offers:not([hidden])")).first.get_attribute("id")
        phone = page.locator(f'[id="{key}"]')
        before = phone.locator(".own").count()
        words = phone.get_by_role("textbox")
        words.fill("half a sentence")
        words.press("Enter")
        expect(phone.locator(".own")).to_have_count(before + 1)
        assert phone.locator(".own").last.inner_text().endswith("half a sentence")
        if script:
            expect(words).to_be_focused()
            expect(words).to_have_value("")


def test_the_clock_steps_by_an_hour_and_by_a_day_and_the_page_follows(page: Any, site: str) -> None:
    page.goto(f"{site}/phones")
    page.evaluate("window.stayed = true")
    hour = page.locator("#clock-face .time").inner_text()[:2]
    page.get_by_role("button", name="Move the clock one hour forward").click()
    expect(page.locator("#clock-face .time")).not_to_have_text(re.compile(f"^{hour}"))
    day = page.locator("#clock-face .day").inner_text()
    page.get_by_role("button", name="Move the clock one day forward").click()
    expect(page.locator("#clock-face .day")).not_to_have_text(day)
    expect(page.locator(".reads")).to_contain_text("ahead of the real time")
    assert page.evaluate("window.stayed")


def test_a_month_plays_and_pauses_and_another_page_sees_it(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page, other = context.new_page(), context.new_page()
    other.goto(f"{site}/phones")
    page.goto(f"{site}/phones")
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name=re.compile("Play a month|Go on")).click()
    for each in (page, other):
        expect(each.get_by_role("button", name="Pause")).to_be_visible()
        expect(each.locator(".reads")).to_contain_text(re.compile(r"Day \d+ of 30"))
    expect(page.locator(".reads")).to_contain_text(re.compile(r"Day ([2-9]|\d\d) of 30"), timeout=30_000)
    other.get_by_role("button", name="Pause").click()
    for each in (page, other):
        expect(each.get_by_role("button", name="Go on")).to_be_visible()
    stood = moment(page)
    page.get_by_role("button", name="Move the clock one hour forward").click()
    expect(page.locator("#clock-face .hand")).not_to_have_text(stood)
    assert page.evaluate("window.stayed")
    context.close()


def test_without_javascript_the_clock_plays_pauses_and_steps(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/phones")
    page.get_by_role("button", name=re.compile("Play a month|Go on")).click()
    expect(page.locator(".reads")).to_contain_text(re.compile(r"Day \d+ of 30"))
    before = moment(page)
    page.reload()
    expect(page.locator("#clock-face .hand")).not_to_have_text(before)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".reads")).to_contain_text("Paused on day")
    day = moment(page)
    page.get_by_role("button", name="Move the clock one day forward").click()
    assert moment(page) != day
    phone = page.locator("article", has=page.locator(".offers:not([hidden])")).first
    owner = phone.get_by_role("heading").inner_text()
    before_count = phone.locator(".own").count()
    phone.locator(".offers button").first.click()
    assert phone_of(page, owner).locator(".own").count() == before_count + 1
    context.close()


def test_where_listening_is_refused_the_page_looks_by_itself(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/phones/events*", lambda route: route.fulfill(status=503))
    page.goto(f"{site}/phones")
    day = page.locator("#clock-face .day").inner_text()
    other = context.new_page()
    other.goto(f"{site}/phones")
    other.get_by_role("button", name="Move the clock one day forward").click()
    page.bring_to_front()
    expect(page.locator("#clock-face .day")).not_to_have_text(day, timeout=15_000)
    context.close()


def test_a_mail_opens_as_it_is_drawn(page: Any, site: str) -> None:
    page.goto(f"{site}/phones")
    page.get_by_role("link", name="See it as a mail program shows it").first.click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("main")).to_be_visible()
    expect(frame.locator("footer")).to_be_visible()


def test_text_is_large_enough_and_what_is_pressed_too(page: Any, site: str) -> None:
    page.goto(f"{site}/phones")
    page.locator(".tries summary").click()
    heights = page.evaluate(
        "[...document.querySelectorAll('button, summary, input:not([type=hidden])')]"
        ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44
