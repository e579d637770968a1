"""A coordinator's morning without a mouse, with script and without: every step by Tab, Space, Enter and letters."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.cli import MAIN, Cli

EMAIL, PASSWORD = "keys@harbor-clinic.example", "four words of their own"
MOST = 400  # presses of Tab to reach anything

# What has the focus: its kind, what it is called, and whether one can see that it has the focus.
_FOCUSED = """() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  const label = it.labels?.length ? it.labels[0].innerText : it.getAttribute("aria-label") ?? it.innerText;
  return {
    what: `${it.tagName.toLowerCase()}${it.type ? "." + it.type : ""}`,
    name: (label || "").trim().replace(/\\s+/g, " "),
    shows: style.outlineStyle !== "none" || style.boxShadow !== "none",
    isThere: box.bottom > 0 && box.top < innerHeight,
  };
}"""


@pytest.fixture(scope="module", autouse=True)
def _somebody(sample: Cli) -> None:
    """Somebody works there who has a password."""
    who = ("--clinic", "sample", "--email", EMAIL, "--role", "coordinator")
    subprocess.run(
        [sys.executable, "-c", MAIN, "staff", "add", *who],
        cwd=sample.folder,
        env=sample.environment,
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


class Keyboard:
    """Somebody who has nothing else."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def to(self, what: str, name: str) -> None:
        """Go on with Tab to the next of this kind whose name matches; all on the way can be seen."""
        passed = []
        for _ in range(MOST):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(_FOCUSED)
            passed.append(f"{found['what']} {found['name'][:30]!r}")
            assert found["what"] == "body" or (found["shows"] and found["isThere"]), (
                f"nothing shows where one is: {found}"
            )
            if found["what"].startswith(what) and re.search(name, found["name"]):
                return
        raise AssertionError(f"no {what} called {name} within {MOST} presses; there were {passed}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def write(self, what: str, name: str, words: str) -> None:
        """Go to a field and write into it."""
        self.to(what, name)
        self.page.keyboard.type(words)

    def choose(self, name: str) -> None:
        """Go to a group of radio buttons and on to the one with this name, or to a box, and tick it."""
        self.to("input", name)
        self.press("Space")

    def follow(self, what: str, name: str) -> None:
        """Go to a link or button and press it."""
        self.to(what, name)
        self.press("Enter")

    def unfold(self, name: str) -> None:
        """Open a part of the page that is folded away."""
        self.follow("summary", name)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_morning_by_keyboard_alone(chromium: Any, site: str, has_script: bool) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    if not has_script:  # the page's own; looking at what has the focus needs ours
        context.route("**/static/*.js*", lambda route: route.abort())
    page = context.new_page()
    keys = Keyboard(page)
    mrn = "KB-1" if has_script else "KB-2"

    page.goto(f"{site}/sign-in")
    page.keyboard.type(EMAIL)  # the first field has the focus by itself
    keys.write("input", "Password", PASSWORD)
    keys.press("Enter")
    page.wait_for_url(f"{site}/")

    # The most urgent task, and a note on it
    task = page.locator(".what a").first.inner_text()
    keys.follow("a", f"^{re.escape(task.strip())}")
    page.wait_for_url(re.compile(r"/worklist/\d+$"))
    keys.write("textarea", "Note for others", f"Called at nine ({mrn})")
    keys.follow("button", "Keep the note")
    expect(page.locator("#history ~ ol")).to_contain_text(f"Called at nine ({mrn})")

    # The patient whom it is about, and a result
    patient = page.locator(".heading a").inner_text()
    keys.follow("a", f"^{re.escape(patient)}$")
    expect(page.get_by_role("heading", level=1)).to_have_text(patient)
    keys.unfold("Record a result")
    keys.choose("Bone-density scan|Vitamin D level")
    keys.to("input.date", "^On$")
    page.keyboard.type("01152026")
    keys.write("input.text", "^Value", "-1.5" if has_script else "-1.6")
    keys.follow("button", "^Record$")
    expect(page.locator("main")).to_contain_text("The result is recorded.")

    # It was a mistake
    keys.unfold("Recorded by mistake\\?")
    keys.write("input.text", "Why it is void", "Of somebody else")
    keys.follow("button", "Void this result")
    expect(page.locator("main")).to_contain_text("The result is void.")
    expect(page.locator("#results-title ~ ul")).to_contain_text("Of somebody else")

    # Somebody else is found
    keys.follow("a", "^Patients$")
    page.wait_for_url(f"{site}/patients")
    keys.write("input", "Name, MRN or number", "nav")
    keys.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    keys.follow("a", "Guadalupe Navarro")
    expect(page.get_by_role("heading", level=1)).to_have_text("Guadalupe Navarro")

    # And somebody new is enrolled
    keys.follow("a", "^Patients$")
    page.wait_for_url(f"{site}/patients")
    keys.follow("a", "Enrol a patient")
    page.wait_for_url(f"{site}/patients/new")
    keys.write("input", "Record number", mrn)
    keys.write("input", "^Name", "Ida Keys")
    keys.write("input", "Mobile number", "+1617555019" + ("1" if has_script else "2"))
    keys.choose("The patient agrees to texts")
    keys.choose("By phone")
    keys.follow("button", "Enrol")
    page.wait_for_url(re.compile(rf"/patients/{mrn}\?"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Ida Keys")

    keys.unfold(EMAIL)
    keys.follow("button", "^Sign out$")
    page.wait_for_url(f"{site}/sign-in")
    context.close()


def test_without_script_a_reason_that_is_missing_is_said_beside_its_field(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{site}/patients/HC-1005")
    page.get_by_text("Add a note").click()
    page.get_by_label("For the clinic").fill("  ")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_label("For the clinic")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#notes-words-wrong")).to_contain_text("write what is to be remembered")
    context.close()


def test_what_was_typed_is_forgotten_when_it_is_discarded(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/patients/HC-1005")
    box = page.get_by_role("textbox", name=re.compile("^Write to"))
    box.type("Please call us")
    page.get_by_role("button", name="Preview").click()
    again = page.get_by_label("What you want to say")
    again.fill("Please call us today")
    page.get_by_role("link", name="Discard it").first.click()
    page.wait_for_url(re.compile(r"/patients/HC-1005$"))
    expect(box).to_have_value("")
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('draft:'))") == []
    context.close()
