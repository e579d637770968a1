"""What staff see of one patient, and of those whom they look for."""

from __future__ import annotations

from typing import Any

from tests.support.sights.sight import Clinic, Sight, click, press

_RUTH, _JOAN, _LUPE = "/patients/HC-1001", "/patients/HC-1004", "/patients/HC-1005"
_WORDS = "Your appointment moves to Friday at 10:30. Please call us if that does not suit you."


def _story(page: Any) -> None:
    """Why a message went, opened."""
    story = page.locator("details.why").last
    story.locator("summary").click()
    story.evaluate("element => element.scrollIntoView({block: 'nearest'})")


def _preview(words: str) -> Any:
    def do(page: Any) -> None:
        page.get_by_label("Write to").fill(words)
        page.get_by_role("button", name="Preview").click()
        page.locator("#preview-title").wait_for()

    return do


def _wrong_contact(page: Any) -> None:
    page.get_by_label("Mobile number").fill("12")
    page.get_by_label("Time zone").fill("Bostn")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()


def _all_open(page: Any) -> None:
    """Every part that opens."""
    closed = page.locator("main details:not([open]) > summary")
    while closed.count():
        closed.first.click()


def _enrol_nothing(page: Any) -> None:
    page.get_by_label("Record number (MRN)").fill("HC-1001")
    page.get_by_label("Mobile number").fill("12")
    page.get_by_role("button", name="Enrol").click()
    page.get_by_role("alert").wait_for()


def _enrol(page: Any) -> None:
    page.get_by_label("Record number (MRN)").fill("HC-1020")
    page.get_by_label("Name", exact=True).fill("Ana Ruiz")
    page.get_by_label("Mobile number").fill("+1 617 555 0181")
    page.get_by_label("The patient agrees to texts").check()
    page.get_by_role("radio", name="Face to face").check()
    page.get_by_role("button", name="Enrol").click()
    page.wait_for_url("**/patients/HC-1020?enrolled=yes")


PATIENTS = (
    Sight(name="patients", path="/patients", role="Coordinator", clinic=Clinic.WEEKS),
    Sight(name="patients-narrow", path="/patients", role="Coordinator", clinic=Clinic.WEEKS, is_small=True),
    Sight(name="patients-narrowed", path="/patients?pathway=dexa&step=ask", role="Viewer", has_picture=False),
    Sight(name="patients-none", path="/patients?q=nobody+of+that+name", role="Coordinator"),
    Sight(name="patient", path=_RUTH, role="Coordinator", height=1000),
    Sight(name="patient-narrow", path=_RUTH, role="Coordinator", is_small=True),
    Sight(name="patient-opened", path=_JOAN, role="Clinician", do=_all_open, has_picture=False),
    Sight(name="patient-viewer", path=_LUPE, role="Viewer", has_picture=False),
    Sight(name="patient-unreached", path="/patients/HC-1009", role="Coordinator", has_picture=False),
    Sight(name="patient-weeks", path="/patients/HC-1004", role="Coordinator", clinic=Clinic.WEEKS, has_picture=False),
    Sight(name="story", path=_RUTH, role="Viewer", do=_story, height=1000),
    Sight(name="message", path=_RUTH, role="Coordinator", do=_preview(_WORDS), shows=f"{_RUTH}/message/preview"),
    Sight(
        name="message-doubted",
        path=_RUTH,
        role="Coordinator",
        do=_preview("Your result is abnormal."),
        has_picture=False,
    ),
    Sight(name="contact", path=f"{_LUPE}/contact", role="Coordinator"),
    Sight(name="contact-refused", path=f"{_LUPE}/contact", role="Coordinator", do=_wrong_contact),
    Sight(name="consent", path="/patients/HC-1011/consent", role="Coordinator"),
    Sight(name="carer", path=f"{_LUPE}/carer", role="Coordinator"),
    Sight(name="page-link", path=_RUTH, role="Coordinator", do=press("Make a link for the patient's page")),
    Sight(name="enrol", path="/patients/new", role="Coordinator"),
    Sight(name="enrol-narrow", path="/patients/new", role="Coordinator", is_small=True, has_picture=False),
    Sight(name="enrol-refused", path="/patients/new", role="Coordinator", do=_enrol_nothing),
    Sight(name="enrolled", path="/patients/new", role="Coordinator", do=_enrol),
    Sight(
        name="patients-filters", path="/patients", role="Coordinator", do=click(".sieve summary"), has_picture=False
    ),
)
