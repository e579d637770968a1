"""What every page of the staff has: the frame, who is signed in, and the token of its forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse

from scheduler.domain.accounts import IDLE, WARNED, Role
from scheduler.services.accounts.sessions import SignedIn
from scheduler.web.forms import keep_cookie, token_for
from scheduler.web.site import Site
from scheduler.web.staff.drafts import waiting


def staff_page(
    request: Request, site: Site, who: SignedIn | None, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The page `staff/<template>`. `who` is None where nobody is signed in yet."""
    cookie, token = token_for(site.app, request)
    html = site.pages.html(
        f"staff/{template}",
        who=who,
        can_change=who is not None and who.account.role is not Role.VIEWER,
        form_token=token,
        idle_seconds=int(IDLE.total_seconds()),
        warned_seconds=int(WARNED.total_seconds()),
        is_simulated=site.app.settings.is_simulated,
        seen_at=None if who is None else clinic_now(site, who),
        drafts=waiting(request, site, who),
        **values,
    )
    answer = HTMLResponse(html, status_code=status)
    if who is not None:  # whose session ends over a form is led back to its page; nothing secret is in its address
        answer.headers["Referrer-Policy"] = "same-origin"
    keep_cookie(answer, request, cookie)
    return answer


def clinic_now(site: Site, who: SignedIn) -> datetime:
    """The service's time at the clinic."""
    return site.app.clock.now().astimezone(ZoneInfo(who.clinic.timezone))
