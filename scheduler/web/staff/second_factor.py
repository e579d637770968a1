"""Setting up codes from an app while signed in: for those whom the provider let in by more than one factor.

Whoever finds a browser that somebody left must not be able to sign in their name by an app of their own. So it can be
done only shortly after signing in.
"""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.services.accounts import signing_in
from scheduler.services.accounts.sessions import SignedIn
from scheduler.web.forms import OwnFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import Signer, own_path, wall_time
from scheduler.web.staff.signing import WRONG_CODE, Target, picture_of

router = APIRouter()

FRESH = timedelta(minutes=10)


@router.get("/second-factor")
def show(request: Request, site: Here, who: Signer, target: Target = "/") -> HTMLResponse:
    """What an authenticator app needs, where somebody has none yet and has just signed in."""
    return _page(request, site, who, target=own_path(target))


@router.post("/second-factor")
def confirm(request: Request, site: Here, who: Signer, fields: OwnFields) -> Response:
    """Take the first code; from then on codes of this app are good."""
    target, now = own_path(fields.get("next", "/")), wall_time()
    if who.account.code_step or not _is_fresh(who):
        return _page(request, site, who, target=target, status=422)
    if not signing_in.is_code_right(site.app.store, who.account, fields.get("code", ""), now=now):
        return _page(request, site, who, target=target, wrong=WRONG_CODE, status=422)
    with site.app.store.writing() as unit:
        unit.installation.audit([(who.clinic.id, "second factor set up", None, "")], actor=who.account.email, now=now)
    return RedirectResponse(target, status_code=303)


def _is_fresh(who: SignedIn) -> bool:
    return wall_time() - who.session.started_at <= FRESH


def _page(
    request: Request, site: Site, who: SignedIn, *, target: str, wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    may = _is_fresh(who) and not who.account.code_step
    secret = signing_in.second_factor_to_set_up(site.app.store, who) if may else None
    return staff_page(
        request,
        site,
        who,
        "second_factor.html",
        status=status,
        here="",
        target=target,
        wrong=wrong,
        secret=secret,
        picture=None if secret is None else picture_of(secret, who),
        minutes=int(FRESH.total_seconds() // 60),
    )
