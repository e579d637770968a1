"""The pages on messages and pathways, and what comes out of the printer, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browsing import entered


def test_a_number_in_the_drawing_leads_to_its_patients(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site)
    page.goto(f"{site}/pathways/dexa")
    number = page.locator(".stand").first
    count = int(number.locator("text").text_content())
    number.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/patients\?pathway=dexa&step="))
    expect(page.locator("#rows th")).to_have_count(count)
    context.close()


def test_words_in_the_drawing_stay_inside_their_boxes(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site)
    for pathway in ("dexa", "vitamin_d", "exercise", "supplement", "falls", "nutrition"):
        page.goto(f"{site}/pathways/{pathway}")
        outside = page.evaluate(
            """() => [...document.querySelectorAll('.step')].flatMap(step => {
                 const box = step.querySelector('.box').getBBox();
                 const isInside = ({ x, width }) => x >= box.x && x + width <= box.x + box.width;
                 return [...step.querySelectorAll('text')]
                   .filter(text => !isInside(text.getBBox()))
                   .map(text => text.textContent);
               })"""
        )
        assert outside == [], pathway
    context.close()


def test_the_drawn_mail_is_there_when_it_is_opened(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site)
    page.goto(f"{site}/messages?pathway=dexa")
    page.locator(".drawn-mail > summary").first.click()
    expect(page.frame_locator(".drawn-mail iframe >> nth=0").locator("h1")).to_have_text("Maple Avenue Care Center")
    context.close()


@pytest.mark.parametrize("path", ["/worklist", "/worklist/1", "/patients/HC-1001"])
def test_on_paper_there_is_what_is_to_be_read_and_nothing_to_press(chromium: Any, site: str, path: str) -> None:
    context = chromium.new_context(color_scheme="dark")
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}{path}")
    page.emulate_media(media="print")
    expect(page.locator(".printed")).to_be_visible()
    expect(page.locator(".printed")).to_contain_text("Harbor Clinic")
    for what in (".top", "main button", "nav", "form"):
        for each in page.locator(what).all():
            expect(each).to_be_hidden()
    colours = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.evaluate(
        "[...document.querySelectorAll('.task')].every(e => getComputedStyle(e).breakInside === 'avoid')"
    )
    context.close()
