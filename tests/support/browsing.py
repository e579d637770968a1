"""What tests in a real browser share: the sizes, signing in, and what a page is looked at for."""

from __future__ import annotations

from typing import Any

SIZES = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
    "narrow": {"width": 320, "height": 720},
}
SCHEMES = ("light", "dark")
LEAST_TARGET = 44  # px

# What can be pressed and is not 44 px high and wide. A link inside a sentence may be smaller (WCAG 2.2, 2.5.8).
SMALL_TARGETS = """least => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
  .filter(one => !one.matches(".skip"))
  .filter(one => !one.matches("p > a") || one.parentElement.textContent.trim() === one.textContent.trim())
  .map(one => (one.closest("label") || one))
  .map(one => [one.textContent.trim().slice(0, 40), one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < least || box.width < least))
  .map(([text, box]) => `${text}: ${Math.round(box.width)} x ${Math.round(box.height)}`)"""

# The same for the pages of staff, where links stand in lists and tables.
LOW_TARGETS = """least => [...document.querySelectorAll("button, summary, nav a, input, select, textarea")]
  .filter(one => one.type !== "hidden")
  .map(one => (one.closest("label") || one))
  .map(one => [one.textContent.trim().slice(0, 40), one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && box.height < least)
  .map(([text, box]) => `${text}: ${Math.round(box.width)} x ${Math.round(box.height)}`)"""

# The smallest text on the page.
TEXT_SIZE = """() => Math.min(...[...document.querySelectorAll("body *")]
  .filter(one => one.offsetParent && !one.matches("option"))
  .filter(one => [...one.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim()))
  .map(one => parseFloat(getComputedStyle(one).fontSize)))"""


def sign_in(page: Any, site: str, role: str) -> None:
    """Sign in as somebody of the sample clinic, who then stands at Today."""
    page.goto(f"{site}/sign-in")
    page.get_by_role("button", name=role, exact=True).click()
    page.wait_for_url(f"{site}/")


def entered(context: Any, site: str, role: str = "Viewer") -> Any:
    """A page of somebody of the sample clinic."""
    page = context.new_page()
    sign_in(page, site, role)
    return page


def violations(page: Any, *, least: tuple[str, ...] = (), within_frames: bool = True) -> list[str]:
    """What axe finds; with `least` only what has one of these impacts."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    options = {"resultTypes": ["violations"], "iframes": within_frames}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['target']})"
        for one in found
        if not least or one["impact"] in least
    ]


def width_needed(page: Any) -> int:
    """How wide the page is, in CSS pixels; more than the screen is scrolling sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def listen_to(page: Any, site: str) -> list[str]:
    """Fills with what the page asks of others, and what the browser holds against it."""
    said: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(site) else said.append(request.url))
    page.on("console", lambda message: None if message.type == "debug" else said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said
