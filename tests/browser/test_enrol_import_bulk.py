"""Enrolling, importing and changing many patients, in a real browser, with a script and without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.browsing import SIZES, entered

LIST = """\
Patient No,Full name,Cell,Texts
B1,Ana Ruiz,+16175550191,yes
B2,Hugo Baum,12,yes
B3,Ida Wolf,+16175550193,yes
"""


def send_list(page: Any, site: str, folder: Path) -> None:
    path = folder / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    page.goto(f"{site}/patients/import")
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Which column is which?")).to_be_visible()


def match_columns(page: Any) -> None:
    page.get_by_label("Record number").select_option(label="Patient No: B1")
    page.get_by_label("Consent to texts").select_option(label="Texts: yes")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_patient_is_enrolled_in_their_language(chromium: Any, site: str, has_script: bool) -> None:
    context = chromium.new_context(java_script_enabled=has_script)
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients/new")
    mrn = f"NEW-{'A' if has_script else 'B'}"
    page.get_by_label("Record number (MRN)").fill(mrn)
    page.get_by_label("Name", exact=True).fill("Ana Ruiz")
    page.get_by_label("Mobile number").fill("12")
    page.keyboard.press("Tab")
    page.get_by_label("Language").select_option("es")
    if has_script:  # said while the form is filled in
        expect(page.locator("#phone-wrong")).to_contain_text("too short")
    else:
        page.get_by_role("button", name="Enrol").click()
        page.get_by_role("link", name=re.compile("too short")).click()
        expect(page.get_by_label("Mobile number")).to_be_focused()
    expect(page.locator("#sms-words")).to_contain_text("Acepto que")
    page.get_by_label("Mobile number").fill(f"+1 617 555 018{1 if has_script else 2}")
    page.get_by_label("The patient agrees to texts").check()
    page.get_by_role("radio", name="Face to face").check()
    page.get_by_role("button", name="Enrol").click()
    page.wait_for_url(f"{site}/patients/{mrn}?enrolled=yes")
    expect(page.get_by_role("heading", name="Ana Ruiz is enrolled")).to_be_visible()
    expect(page.locator(".coming li").first).to_contain_text("by text")
    context.close()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_list_is_imported_from_file_to_finish(
    chromium: Any,
    site: str,
    tmp_path: Path,
    has_script: bool,
) -> None:
    context = chromium.new_context(java_script_enabled=has_script, accept_downloads=True)
    page = entered(context, site, "Coordinator")
    send_list(page, site, tmp_path)
    if page.get_by_label("Record number").input_value() == "":
        match_columns(page)
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("heading", name="What importing it would do")).to_be_visible()
    expect(page.get_by_role("region", name="Rejected rows", exact=True)).to_contain_text("too short")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rejected rows").click()
    assert "B2,Hugo Baum,12,yes" in Path(download.value.path()).read_text("utf-8-sig")
    if page.get_by_role("button", name=re.compile("Import 2 patients")).count():
        page.get_by_role("button", name=re.compile("Import 2 patients")).click()
        expect(page.get_by_role("heading", name="What was imported")).to_be_visible()
    page.goto(f"{site}/patients/B1")
    expect(page.get_by_role("heading", name="Ana Ruiz")).to_be_visible()
    context.close()


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_reminders_of_many_are_paused_and_given_back(chromium: Any, site: str, has_script: bool) -> None:
    context = chromium.new_context(java_script_enabled=has_script, viewport=SIZES["phone"])
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/patients?status=active")
    names = page.locator("#rows th").all_inner_texts()[:2]
    for row in range(2):
        page.locator("#rows tr").nth(row).get_by_label("Choose").check()
    page.get_by_label("Do this").select_option(label="Pause all reminders")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pause all reminders of 2 patients")
    page.get_by_role("button", name="Yes, for 2 patients").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reminders of 2 patients are paused")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("It was undone")
    page.goto(f"{site}/patients?status=active")
    assert set(names) <= set(page.locator("#rows th").all_inner_texts())
    context.close()
