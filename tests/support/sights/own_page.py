"""The patient's own page: every screen, in English and in Spanish."""

from __future__ import annotations

from typing import Any

from tests.support.sights.sight import Sight

JOAN, LUPE, RUTH = "{HC-1004}", "{HC-1005}", "{HC-1001}"


def _wrong_year(page: Any) -> None:
    page.locator("#year").fill("1900")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()


def _locked(page: Any) -> None:
    for _ in range(5):
        page.locator("#year").fill("1900")
        with page.expect_navigation():
            page.keyboard.press("Enter")


def _answer(page: Any) -> None:
    page.locator(".answers .button").first.click()
    page.locator(".chosen").wait_for()


def _no_days(page: Any) -> None:
    for box in page.locator("[name=day]").all():
        box.uncheck()
    page.locator("main button[type=submit]").click()
    page.get_by_role("alert").wait_for()


def _paused(page: Any) -> None:
    page.locator("main button[type=submit]").click()
    page.get_by_role("status").wait_for()


def _stopped(page: Any) -> None:
    page.locator("button.danger").click()
    page.wait_for_load_state()


def _screens(patient: str, ending: str) -> tuple[Sight, ...]:
    def sight(name: str, part: str = "", **more: Any) -> Sight:
        return Sight(name=f"own-{name}{ending}", path=f"{patient}{part}", is_small=True, **more)

    return (
        sight("gate", is_shut=True),
        sight("home"),
        sight("answer", do=_answer, shows="/p/*/answer"),
        sight("time", "/time"),
        sight("days", "/days"),
        sight("channel", "/channel"),
        sight("wording", "/wording"),
        sight("language", "/language"),
        sight("pause", "/pause"),
        sight("why", "/why"),
        sight("stop", "/stop"),
    )


def _more(name: str, patient: str, part: str = "", **more: Any) -> Sight:
    return Sight(name=f"own-{name}", path=f"{patient}{part}", is_small=True, has_picture=False, **more)


OWN_PAGE = (
    *_screens(JOAN, ""),
    *_screens(LUPE, "-es"),
    Sight(name="own-home-wide", path=JOAN, has_picture=False),
    _more("days-refused", JOAN, "/days", do=_no_days),
    _more("gate-refused", RUTH, is_shut=True, do=_wrong_year),
    _more("nothing-asked", RUTH),
    _more("paused", RUTH, "/pause", do=_paused),
    _more("pause-ends", RUTH, "/pause"),
    _more("stopped", RUTH, "/stop", do=_stopped),
    _more("locked", LUPE, is_shut=True, do=_locked),
    Sight(name="own-unknown", path="/p/no-such-link", status=404, is_small=True, has_picture=False),
)
