"""Signing in and out, the second factor, and links to a new password."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from scheduler.domain.accounts import LinkKind, Role
from scheduler.services.accounts import sessions, signing_in, staffing
from scheduler.services.accounts.codes import setup_address
from scheduler.services.accounts.passwords import PasswordError
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.accounts.signing_in import Entered
from scheduler.web.access import simulated_visitor, visitor
from scheduler.web.forms import OwnFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import (
    OnTheWay,
    Reader,
    drop_session,
    keep_session,
    own_path,
    signed_in,
    wall_time,
)

router = APIRouter()

_WRONG = "That e-mail address and password do not fit together. After a few wrong tries, wait some minutes."
WRONG_CODE = "That code is not right, or it has been used. Wait for the next one, and type that."
_USED_UP = (
    "This link has been used, or its time has passed. Ask for a new one: an admin of your clinic can make it, or "
    "“Forgot your password?” where you sign in."
)

Target = Annotated[str, Query(alias="next", max_length=2000)]


async def link_kind(request: Request) -> LinkKind:
    """What the link in the address is for."""
    return LinkKind(request.url.path.split("/")[1])


ByLink = Annotated[LinkKind, Depends(link_kind)]


@router.get("/sign-in", dependencies=[Depends(visitor)])
def show_sign_in(request: Request, site: Here, target: Target = "/") -> HTMLResponse:
    """The form, and for a sample clinic the doors that stand open."""
    return sign_in_page(request, site, target=own_path(target))


@router.post("/sign-in", dependencies=[Depends(visitor)])
def enter(request: Request, site: Here, fields: OwnFields) -> Response:
    """Check the password, and go on."""
    email, target = fields.get("email", ""), own_path(fields.get("next", "/"))
    entered = signing_in.sign_in(site.app.store, email=email, password=fields.get("password", ""), now=wall_time())
    if entered is None:
        return sign_in_page(request, site, target=target, email=email, wrong=_WRONG, status=401)
    return go_on(request, site, entered, target)


@router.post("/sign-in/sample", dependencies=[Depends(simulated_visitor)])
def enter_sample(request: Request, site: Here, fields: OwnFields) -> RedirectResponse:
    """Sign in as somebody of the sample clinic, of which every visitor has the run."""
    with site.app.store.reading() as unit:
        sample = next((one for one in unit.installation.clinics().values() if one.is_sample), None)
        people = [] if sample is None else unit.accounts.of_clinic(sample.id)
    account = next((one for one in people if one.role == fields.get("role") and one.left_at is None), None)
    if account is None:
        raise HTTPException(404, "The sample clinic has nobody with that role.")
    entered = signing_in.sign_in_without_password(site.app.store, account, now=wall_time())
    return go_on(request, site, entered, own_path(fields.get("next", "/")))


@router.get("/sign-in/code")
def ask_code(request: Request, site: Here, who: OnTheWay, target: Target = "/") -> HTMLResponse:
    """Ask for a code; the first time, show what an authenticator app needs."""
    return _code_page(request, site, who, target=own_path(target))


@router.post("/sign-in/code")
def check_code(request: Request, site: Here, who: OnTheWay, fields: OwnFields) -> Response:
    """Make the session whole."""
    target = own_path(fields.get("next", "/"))
    entered = signing_in.confirm(site.app.store, who, fields.get("code", ""), now=wall_time())
    if entered is None:
        return _code_page(request, site, who, target=target, wrong=WRONG_CODE, status=401)
    return go_on(request, site, entered, target)


@router.post("/sign-out")
def sign_out(site: Here, who: Reader, fields: OwnFields) -> RedirectResponse:
    """End this session, or with `everywhere` all of this person's."""
    sessions.sign_out(site.app.store, who, everywhere="everywhere" in fields, now=wall_time())
    answer = RedirectResponse("/sign-in", status_code=303)
    drop_session(answer, site)
    return answer


@router.get("/forgot", dependencies=[Depends(visitor)])
def show_forgot(request: Request, site: Here) -> HTMLResponse:
    """Ask for the address."""
    return staff_page(request, site, None, "forgot.html", is_sent=False)


@router.post("/forgot", dependencies=[Depends(visitor)])
def forgot(request: Request, site: Here, fields: OwnFields) -> HTMLResponse:
    """Send a link, if somebody works here under that address. The answer does not tell."""
    app = site.app
    staffing.write_about_forgotten_password(
        app.store,
        fields.get("email", ""),
        public_url=app.settings.public_url,
        now=wall_time(),
        mail_at=app.clock.now(),
    )
    return staff_page(request, site, None, "forgot.html", is_sent=True)


@router.get("/invitation/{token}", dependencies=[Depends(visitor)])
@router.get("/reset/{token}", dependencies=[Depends(visitor)])
def show_choice(request: Request, site: Here, kind: ByLink, token: str) -> HTMLResponse:
    """Ask for a new password. Changes nothing: mail scanners open every link."""
    account = staffing.bearer_of(site.app.store, token, kind, now=wall_time())
    if account is None:
        raise HTTPException(404, _USED_UP)
    return staff_page(request, site, None, "choose_password.html", email=account.email, wrong=None)


@router.post("/invitation/{token}", dependencies=[Depends(visitor)])
@router.post("/reset/{token}", dependencies=[Depends(visitor)])
def choose(request: Request, site: Here, kind: ByLink, token: str, fields: OwnFields) -> Response:
    """Take the new password; then sign in with it."""
    now, store = wall_time(), site.app.store
    account = staffing.bearer_of(store, token, kind, now=now)
    wrong = None
    try:
        if account is not None:
            account = staffing.choose_password(store, token, kind, fields.get("password", ""), now=now)
    except PasswordError as error:
        wrong = str(error)
    if account is None:
        raise HTTPException(404, _USED_UP)
    if wrong is not None:
        return staff_page(request, site, None, "choose_password.html", email=account.email, wrong=wrong, status=422)
    return RedirectResponse("/sign-in", status_code=303)


def go_on(request: Request, site: Site, entered: Entered, target: str) -> RedirectResponse:
    """Give the browser the session that has begun; next comes the code, or `target`, a path of ours."""
    held = signed_in(request, site)
    if held is not None:  # a browser has one session; the one before ends
        sessions.sign_out(site.app.store, held, everywhere=False, now=wall_time())
    query = "" if target == "/" else f"?{urlencode({'next': target})}"
    answer = RedirectResponse(target if entered.is_whole else f"/sign-in/code{query}", status_code=303)
    keep_session(answer, site, entered.token)
    return answer


def sign_in_page(
    request: Request, site: Site, *, target: str, email: str = "", wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    """The form for the password, and the other ways in; `wrong` says what went wrong before."""
    return staff_page(
        request,
        site,
        None,
        "sign_in.html",
        status=status,
        target=target,
        email=email,
        wrong=wrong,
        sample_roles=_sample_roles(site),
        openid_label=None if site.app.openid is None else site.app.openid.label,
    )


def _sample_roles(site: Site) -> list[Role]:
    if not site.app.settings.is_simulated:
        return []
    with site.app.store.reading() as unit:
        samples = [one.id for one in unit.installation.clinics().values() if one.is_sample]
        people = [one for clinic_id in samples for one in unit.accounts.of_clinic(clinic_id)]
    there = {one.role for one in people if one.left_at is None}
    return [role for role in (Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN, Role.VIEWER) if role in there]


def picture_of(secret: str, who: SignedIn) -> Markup:
    """What an authenticator app scans to learn the secret."""
    address = setup_address(secret, account=who.account.email, issuer=f"Bonewise {who.clinic.name}")
    return Markup(segno.make(address, error="m").svg_inline(scale=5, border=3, omitsize=True))  # noqa: S704


def _code_page(
    request: Request, site: Site, who: SignedIn, *, target: str, wrong: str | None = None, status: int = 200
) -> HTMLResponse:
    secret = signing_in.second_factor_to_set_up(site.app.store, who)
    picture = None
    if secret is not None:
        picture = picture_of(secret, who)
    return staff_page(
        request,
        site,
        None,
        "code.html",
        status=status,
        target=target,
        wrong=wrong,
        secret=secret,
        picture=picture,
    )
