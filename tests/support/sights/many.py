"""What staff see when they import a list, change many patients at once, or come back to what they had typed."""

from __future__ import annotations

import re
from typing import Any

from tests.support.sights.sight import Sight

_LIST = """\
Patient No,Full name,Cell,Texts,Language
HC-1031,Marta Quiroga,+16175550191,yes,es
HC-1032,Hugo Baum,12,yes,en
HC-1033,Ida Wolf,+16175550193,yes,en
HC-1034,,+16175550194,yes,en
HC-1001,Ruth Adler-Stone,+16175550121,yes,en
HC-1036,Tomás Iglesias,+16175550196,no,es
"""
_NOTE = "Called; her sister will ring back on Monday."


def _send(page: Any) -> None:
    file = {"name": "neurology-march.csv", "mimeType": "text/csv", "buffer": _LIST.encode()}
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Which column is which?").wait_for()


def _check(page: Any) -> None:
    _send(page)
    for title, heading in (("Record number", "Patient No"), ("Consent to texts", "Texts")):
        page.get_by_label(title).select_option(page.get_by_label(title).evaluate(_VALUE_OF, heading))
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("heading", name="What importing it would do").wait_for()


_VALUE_OF = "(box, heading) => [...box.options].find(one => one.text.startsWith(heading)).value"


def _run(page: Any) -> None:
    _check(page)
    page.get_by_role("button", name=re.compile("^Import ")).click()
    page.get_by_role("heading", name="What was imported").wait_for()


def _unreadable(page: Any) -> None:
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n\x00\x00"}
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Send").click()
    page.locator(".notice.bad").first.wait_for()


def _ask(page: Any) -> None:
    for number in (0, 1, 2, 5):
        page.locator("#rows .pick input").nth(number).check()
    page.get_by_label("Do this").select_option(label="Pause all reminders")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", level=1, name=re.compile("^Pause all")).wait_for()


def _do(page: Any) -> None:
    _ask(page)
    page.get_by_role("button", name=re.compile("^Yes, for")).click()
    page.get_by_role("button", name="Undo").wait_for()


def _undo(page: Any) -> None:
    _do(page)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", level=1, name="It was undone").wait_for()


def _choose_nothing(page: Any) -> None:
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("alert").wait_for()


def _late(page: Any) -> None:
    """A note that is sent when the session is over, as a browser without a script sends it."""
    page.get_by_label("Note for others").fill(_NOTE)
    page.evaluate("document.querySelector('[data-draft]').submit()")
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_role("button", name="Coordinator").click()
    page.locator(".draft").wait_for()


MANY = (
    Sight(name="import", path="/patients/import", role="Coordinator"),
    Sight(name="import-columns", path="/patients/import", role="Coordinator", shows="/patients/import/*", do=_send),
    Sight(name="import-checked", path="/patients/import", role="Coordinator", shows="/patients/import/*", do=_check),
    Sight(name="import-done", path="/patients/import", role="Coordinator", shows="/patients/import/*", do=_run),
    Sight(name="import-refused", path="/patients/import", role="Coordinator", do=_unreadable, has_picture=False),
    Sight(name="imports", path="/patients/import", role="Admin", has_picture=False),
    Sight(name="many", path="/patients?status=active", shows="/patients/bulk/*", role="Coordinator", do=_ask),
    Sight(name="many-refused", path="/patients", role="Coordinator", do=_choose_nothing, has_picture=False),
    Sight(name="many-done", path="/patients?status=active", shows="/patients/bulk/*", role="Coordinator", do=_do),
    Sight(name="many-undone", path="/patients?status=active", shows="/patients/bulk/*", role="Clinician", do=_undo),
    Sight(name="draft", path="/worklist/1", role="Coordinator", is_late=True, do=_late),
)
