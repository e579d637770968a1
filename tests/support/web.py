"""A browser without a screen, and a Twilio that signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Mapping

from starlette.testclient import TestClient

from scheduler.bootstrap import App
from scheduler.web.app import create_app
from scheduler.web.site import Liveness

HERE = "http://127.0.0.1:8000"
ACCOUNT = "AC" + "1" * 32
TOKEN = "12345"
TWILIO = {
    "BONEWISE_SMS": "twilio",
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "BONEWISE_PUBLIC_URL": "https://reminders.clinic.example",
}
SMTP = {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": "smtp://127.0.0.1:2525"}


def browser(app: App, *, scheduler: Liveness | None = None) -> TestClient:
    """A client of the installation's pages; it keeps cookies and does not follow redirects."""
    return TestClient(
        create_app(app, scheduler=scheduler), base_url=HERE, follow_redirects=False, raise_server_exceptions=False
    )


def words_of(page: str) -> str:
    """A page, or a part of one, as people read it: without its marks, among them the random tokens of its forms."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def form_token(page: str) -> str:
    """The token of the forms on a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None, "the page has no form"
    return found[1]


def signature(url: str, fields: Mapping[str, str], *, token: str = TOKEN) -> str:
    """As https://www.twilio.com/docs/usage/security says: the address, then names and values in order of name."""
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
