"""What is seen before somebody signs in: the first page, the simulated phones, and every way in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from scheduler.services.accounts.codes import code_at
from tests.support.sights.sight import Sight, at, click, follow

_PASSWORD = "harbor lantern violet spoon"
_NEWCOMER = "noor.haddad@harbor-clinic.example"


def _refused(page: Any) -> None:
    page.get_by_label("E-mail address").fill("noor@harbor-clinic.example")
    page.get_by_label("Password", exact=True).fill("a guess")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("alert").wait_for()


def _mail_asked(page: Any) -> None:
    page.get_by_label("E-mail address").fill(_NEWCOMER)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("status").wait_for()


def _invited(page: Any) -> None:
    page.get_by_label("E-mail address").fill(_NEWCOMER)
    page.get_by_role("radio", name=re.compile("^Clinician")).check()
    page.get_by_role("button", name="Make the link").click()
    page.locator(".notice code").wait_for()


def _invitation(page: Any) -> None:
    """As the newcomer sees it who follows the link."""
    _link_again(page)
    link = page.locator(".notice code").inner_text()
    page.context.clear_cookies(name="bonewise_session")
    page.goto(page.url.partition("/staff")[0] + "/invitation/" + link.rpartition("/")[2])


def _link_again(page: Any) -> None:
    person = page.locator(".task", has_text=_NEWCOMER)
    if not person.count():
        _invited(page)
        return
    person.locator("summary").click()
    person.get_by_role("button", name="Link to a new password").click()
    page.locator(".notice code").wait_for()


def _weak(page: Any) -> None:
    _invitation(page)
    page.get_by_label("New password").fill("password1234")
    page.get_by_role("button", name="Keep this password").click()
    page.get_by_role("alert").wait_for()


def _second_factor(page: Any) -> None:
    """As the newcomer sees it who has chosen a password."""
    _invitation(page)
    page.get_by_label("New password").fill(_PASSWORD)
    page.get_by_role("button", name="Keep this password").click()
    _sign_in(page)
    page.locator(".key").wait_for()


def _sign_in(page: Any) -> None:
    page.get_by_label("E-mail address").fill(_NEWCOMER)
    page.get_by_label("Password", exact=True).fill(_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def _code(page: Any) -> None:
    """As they see it from then on."""
    _second_factor(page)
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(code_at(secret, datetime.now(UTC)))
    page.get_by_role("button", name="Go on").click()
    page.locator(".me summary").wait_for()
    page.context.clear_cookies(name="bonewise_session")
    page.goto(page.url.rstrip("/") + "/sign-in")
    _sign_in(page)
    page.get_by_role("heading", name="Type the code from your app").wait_for()


def _unsubscribed(page: Any) -> None:
    follow(".mailbox .text a[href*='/u/']")(page)
    page.get_by_role("button").first.click()


DOORS = (
    Sight(name="first-page", path="/"),
    Sight(name="phones", path="/phones", height=1000),
    Sight(name="phones-narrow", path="/phones", is_small=True, do=at("#wall")),
    Sight(name="phones-tries", path="/phones", do=click(".tries summary"), has_picture=False),
    Sight(name="phones-mail", path="/phones", do=follow("a.drawn"), shows="/phones/mails/*"),
    Sight(name="sign-in", path="/sign-in"),
    Sight(name="sign-in-refused", path="/sign-in", do=_refused, has_picture=False),
    Sight(name="forgot", path="/forgot"),
    Sight(name="forgot-sent", path="/forgot", do=_mail_asked, has_picture=False),
    Sight(name="people", path="/staff", role="Admin"),
    Sight(name="people-invited", path="/staff", role="Admin", do=_invited),
    Sight(name="invitation", path="/staff", role="Admin", do=_invitation, shows="/invitation/*"),
    Sight(name="invitation-refused", path="/staff", role="Admin", do=_weak, has_picture=False),
    Sight(name="code-set-up", path="/staff", role="Admin", do=_second_factor, shows="/sign-in/code"),
    Sight(name="code", path="/staff", role="Admin", do=_code, shows="/sign-in/code"),
    Sight(name="not-found", path="/nowhere", status=404),
    Sight(name="not-found-signed-in", path="/patients/NOBODY", role="Viewer", status=404, has_picture=False),
    Sight(name="not-allowed", path="/settings", role="Viewer", status=403, has_picture=False),
    Sight(
        name="unsubscribe", path="/phones", do=follow(".mailbox .text a[href*='/u/']"), shows="/u/*", is_small=True
    ),
    Sight(name="unsubscribed", path="/phones", do=_unsubscribed, has_picture=False),
)
