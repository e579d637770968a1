"""Showing the HTML part of a mail inside a page of ours: in a frame that may do nothing at all."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse

from scheduler.web.security import HEADERS

# A mail styles itself, and that is all it may do: no script, no picture, nothing from anywhere, no form, no way out
# of its frame. It is a page of no origin, so it could not read ours either.
_BODY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    )
)


def mail_body(html: str) -> HTMLResponse:
    """The HTML part of a mail as the content of a frame of ours."""
    return HTMLResponse(html, headers={"Content-Security-Policy": _BODY, "X-Frame-Options": "SAMEORIGIN"})


def with_frames(page: Response) -> None:
    """Let a page hold frames with pages of ours."""
    page.headers["Content-Security-Policy"] = f"{HEADERS['Content-Security-Policy']}; frame-src 'self'"
