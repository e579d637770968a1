"""What staff see of the clinic as a whole."""

from __future__ import annotations

from typing import Any

from tests.support.sights.sight import Clinic, Sight, at, click

_NOWHERE_NEAR = "from=2025-01-06&to=2025-01-12"


def _numbers(page: Any) -> None:
    """Every table behind a chart, opened."""
    closed = page.locator(".numbers:not([open]) > summary")
    while closed.count():
        closed.first.click()


def _several(page: Any) -> None:
    for number in (0, 1, 2):
        page.locator(".tick input").nth(number).check()
    page.locator(".several summary").click()


def _nothing_ticked(page: Any) -> None:
    page.locator(".several summary").click()
    page.get_by_role("button", name="I take them").click()
    page.get_by_role("alert").wait_for()


def _wrong_hours(page: Any) -> None:
    page.get_by_label("Until").fill("23:30")
    page.get_by_role("button", name="Save how patients are written to").click()
    page.locator("#messages").evaluate("element => element.scrollIntoView()")


def _key(page: Any) -> None:
    page.get_by_label("What will use the key?").fill("The hospital’s records")
    page.get_by_role("checkbox", name="read patients").check()
    page.get_by_role("button", name="Make a key").click()
    page.locator("#keys").evaluate("element => element.scrollIntoView()")


def _menu(page: Any) -> None:
    """Where the screen is narrow, the pages are behind a button."""
    button = page.locator(".to-menu")
    if button.is_visible():
        button.click()


OFFICE = (
    Sight(name="today", path="/", role="Coordinator", clinic=Clinic.WEEKS),
    Sight(name="today-narrow", path="/", role="Coordinator", clinic=Clinic.WEEKS, is_small=True),
    Sight(name="menu-narrow", path="/", role="Admin", clinic=Clinic.WEEKS, is_small=True, do=_menu),
    Sight(name="who-i-am", path="/", role="Admin", do=click(".me summary"), has_picture=False),
    Sight(name="today-went", path="/today/messages?status=went", role="Viewer", clinic=Clinic.WEEKS),
    Sight(
        name="today-held-back",
        path="/today/messages?status=held_back",
        role="Viewer",
        clinic=Clinic.WEEKS,
        has_picture=False,
    ),
    Sight(name="today-answers", path="/today/messages?status=answers", role="Viewer", has_picture=False),
    Sight(name="today-due", path="/today/messages?status=due", role="Viewer", has_picture=False),
    Sight(name="today-nothing", path="/today/messages?status=unknown", role="Viewer"),
    Sight(name="worklist", path="/worklist", role="Coordinator", clinic=Clinic.WEEKS),
    Sight(name="worklist-narrow", path="/worklist", role="Coordinator", clinic=Clinic.WEEKS, is_small=True),
    Sight(name="worklist-several", path="/worklist", role="Coordinator", clinic=Clinic.WEEKS, do=_several),
    Sight(name="worklist-refused", path="/worklist", role="Coordinator", do=_nothing_ticked, has_picture=False),
    Sight(name="worklist-empty", path="/worklist?mine=1", role="Admin"),
    Sight(name="task", path="/worklist/1", role="Coordinator"),
    Sight(
        name="task-first",
        path="/worklist",
        role="Viewer",
        clinic=Clinic.WEEKS,
        do=click(".what a"),
        has_picture=False,
    ),
    Sight(name="supplements", path="/supplements", role="Clinician"),
    Sight(name="supplements-viewer", path="/supplements", role="Viewer", has_picture=False),
    Sight(name="messages", path="/messages?pathway=dexa", role="Viewer", height=1000),
    Sight(name="messages-all", path="/messages", role="Viewer", has_picture=False),
    Sight(name="messages-spanish", path="/messages?pathway=exercise&language=es", role="Viewer", has_picture=False),
    Sight(name="messages-service", path="/messages?pathway=service", role="Viewer", has_picture=False),
    Sight(name="pathways", path="/pathways/dexa", role="Viewer", clinic=Clinic.WEEKS, height=1100),
    Sight(name="pathways-first", path="/pathways", role="Viewer", has_picture=False),
    Sight(name="pathways-supplement", path="/pathways/supplement", role="Viewer", has_picture=False),
    Sight(name="pathways-narrow", path="/pathways/vitamin_d", role="Viewer", clinic=Clinic.WEEKS, is_small=True),
    Sight(name="reports", path="/reports", role="Viewer", clinic=Clinic.WEEKS, height=1200),
    Sight(name="reports-weeks", path="/reports", role="Viewer", clinic=Clinic.WEEKS, do=at("#weeks"), height=1200),
    Sight(
        name="reports-narrow", path="/reports", role="Viewer", clinic=Clinic.WEEKS, is_small=True, do=at("#funnel")
    ),
    Sight(
        name="reports-numbers", path="/reports", role="Viewer", clinic=Clinic.WEEKS, do=_numbers, has_picture=False
    ),
    Sight(name="reports-empty", path=f"/reports?period=own&{_NOWHERE_NEAR}", role="Viewer"),
    Sight(
        name="reports-refused", path="/reports?period=own&from=x&to=y", role="Viewer", status=422, has_picture=False
    ),
    Sight(name="settings", path="/settings", role="Admin"),
    Sight(name="settings-refused", path="/settings", role="Admin", do=_wrong_hours),
    Sight(name="settings-key", path="/settings", role="Admin", do=_key, has_picture=False),
    # Looking is on record by the machine's clock, which is not that of the pictures.
    Sight(name="audit", path="/audit?to=2026-03-05", role="Admin", clinic=Clinic.WEEKS),
    Sight(name="audit-narrow", path="/audit?to=2026-03-05", role="Admin", clinic=Clinic.WEEKS, is_small=True),
    Sight(name="audit-empty", path="/audit?who=nobody%40clinic.example", role="Admin", has_picture=False),
)
