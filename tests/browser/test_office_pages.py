"""Reports, settings, the audit trail and drafts in a real browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.support.browsing import SIZES, entered

NOTE = "Called; her sister will ring back on Monday."


def test_a_chart_has_its_numbers_and_its_file(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Viewer")
    page.goto(f"{site}/reports")
    page.locator(".numbers > summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").first.click()
    assert download.value.suggested_filename.startswith("sample-funnel-")
    context.close()


def test_a_setting_is_changed_and_stands_in_the_audit_trail(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = entered(context, site, "Admin")
    page.goto(f"{site}/settings")
    page.get_by_label("Number that patients may call").fill("call us")
    page.get_by_role("button", name="Save the clinic").click()
    expect(page.locator("#wrong-phone")).to_contain_text("a number that patients can call")
    expect(page.get_by_label("Number that patients may call")).to_have_value("call us")
    page.get_by_label("Number that patients may call").fill("617-555-0123")
    page.get_by_role("button", name="Save the clinic").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.goto(f"{site}/audit?action=clinic+changed")
    expect(page.locator("tbody tr").first).to_contain_text("617-555-0123")
    context.close()


def test_a_key_is_shown_once_and_revoked(chromium: Any, site: str) -> None:
    context = chromium.new_context(viewport=SIZES["phone"])
    page = entered(context, site, "Admin")
    page.goto(f"{site}/settings")
    page.get_by_label("What will use the key?").fill("The hospital's records")
    page.get_by_role("checkbox", name="read patients").check()
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("code.key").inner_text()
    assert key.startswith("bw_")
    answer = page.request.get(f"{site}/api/v1/patients/HC-1005", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["mrn"] == "HC-1005"
    page.get_by_role("button", name="Revoke the key of The hospital's records").click()
    expect(page.locator("code.key")).to_have_count(0)
    assert (
        page.request.get(f"{site}/api/v1/patients/HC-1005", headers={"Authorization": f"Bearer {key}"}).status == 401
    )
    context.close()


def test_what_was_typed_is_there_again_after_signing_in_and_gone_after_sending(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/worklist/1")
    note = page.get_by_label("Note for others")
    note.fill(NOTE)
    context.clear_cookies(name="bonewise_session")  # the session is over
    page.get_by_role("button", name="Keep the note").click()
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_role("button", name="Viewer").click()
    page.wait_for_url(f"{site}/worklist/1")
    assert page.evaluate("Object.keys(sessionStorage).length") == 0, "nothing of somebody else's is kept"
    context.close()

    context = chromium.new_context()
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/worklist/1")
    note = page.get_by_label("Note for others")
    note.fill(NOTE)
    context.clear_cookies(name="bonewise_session")
    page.get_by_role("button", name="Keep the note").click()
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_role("button", name="Coordinator").click()
    page.wait_for_url(f"{site}/worklist/1")
    expect(note).to_have_value(NOTE)
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator("main")).to_contain_text(NOTE)
    expect(note).to_have_value("")
    assert page.evaluate("Object.keys(sessionStorage).length") == 0
    context.close()


def test_signing_out_leaves_no_draft_behind(chromium: Any, site: str) -> None:
    context = chromium.new_context()
    page = entered(context, site, "Coordinator")
    page.goto(f"{site}/worklist/1")
    page.get_by_label("Note for others").fill(NOTE)
    assert page.evaluate("Object.keys(sessionStorage).length") == 1
    page.locator(".me summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("Object.keys(sessionStorage).length") == 0
    context.close()
