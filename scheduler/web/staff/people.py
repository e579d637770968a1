"""Who works at the clinic: an admin invites people, gives them roles, and lets them go."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from scheduler.domain.accounts import LinkKind, Role
from scheduler.ports.accounts import Account
from scheduler.services.accounts import staffing
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.accounts.staffing import StaffingError
from scheduler.services.clinic_fields import ClinicFaultError
from scheduler.services.clinics import add_staff
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import Admin, wall_time

router = APIRouter(prefix="/staff")


@router.get("")
def people(request: Request, site: Here, who: Admin) -> Response:
    """Everybody with an account, and a form to invite somebody."""
    return _page(request, site, who)


@router.post("")
def invite(request: Request, site: Here, who: Admin, fields: OwnLongFields) -> Response:
    """Add somebody, and show the link by which they choose a password."""
    email, role = fields.get("email", ""), fields.get("role", "")
    if role not in list(Role):
        return _page(request, site, who, wrong="Choose what they are there for.", email=email, field="role")
    try:
        token = add_staff(site.app.store, who.clinic, email=email, role=role, now=wall_time(), by=who.account.email)
    except ClinicFaultError as error:
        return _page(request, site, who, wrong=str(error).removeprefix("--email: "), email=email, field="email")
    return _page(request, site, who, link=(email, _link(site, token or "")))


@router.post("/{staff_id}/link")
def link(request: Request, site: Here, who: Admin, staff_id: int, fields: OwnLongFields) -> Response:
    """Make a link to a new password; with `forget`, also to a new second factor."""
    account, now = _account(site, who, staff_id), wall_time()
    if "forget" in fields:
        staffing.forget_second_factor(site.app.store, account, by=who.account.email, now=now)
    with site.app.store.writing() as unit:
        token = staffing.make_link(unit, account, LinkKind.INVITATION, by=who.account.email, now=now)
    return _page(request, site, who, link=(account.email, _link(site, token)))


@router.post("/{staff_id}/role")
def role(request: Request, site: Here, who: Admin, staff_id: int, fields: OwnLongFields) -> Response:
    """Give somebody another role."""
    chosen = fields.get("role", "")
    account = _account(site, who, staff_id)
    if chosen not in list(Role):
        return _page(request, site, who, wrong="Choose what they are there for.")
    try:
        staffing.change_role(site.app.store, account, Role(chosen), by=who.account.email, now=wall_time())
    except StaffingError as error:
        return _page(request, site, who, wrong=str(error))
    return _page(request, site, who, said=f"{account.email} is now {chosen}, and signs in anew.")


@router.post("/{staff_id}/identity")
def identity(request: Request, site: Here, who: Admin, staff_id: int, fields: OwnLongFields) -> Response:
    """Let somebody sign in by another account of the clinic's provider."""
    account = _account(site, who, staff_id)
    staffing.forget_identity(site.app.store, account, by=who.account.email, now=wall_time())
    return _page(request, site, who, said=f"{account.email} may sign in by another account of the clinic’s sign-in.")


@router.post("/{staff_id}/leave")
def leave(request: Request, site: Here, who: Admin, staff_id: int, fields: OwnLongFields) -> Response:
    """Sign somebody out for good."""
    account = _account(site, who, staff_id)
    try:
        staffing.let_go(site.app.store, account, by=who.account.email, now=wall_time())
    except StaffingError as error:
        return _page(request, site, who, wrong=str(error))
    return _page(request, site, who, said=f"{account.email} no longer has a way in.")


def _account(site: Site, who: SignedIn, staff_id: int) -> Account:
    with site.app.store.reading() as unit:
        found = unit.accounts.get(who.clinic.id, staff_id) if 0 < staff_id < 2**31 else None
    if found is None or found.left_at is not None:
        raise HTTPException(404, "Nobody with that number works here.")
    return found


def _link(site: Site, token: str) -> str:
    return f"{site.app.settings.public_url.rstrip('/')}/invitation/{token}"


def _page(
    request: Request,
    site: Site,
    who: SignedIn,
    *,
    wrong: str | None = None,
    email: str = "",
    field: str = "",
    link: tuple[str, str] | None = None,
    said: str = "",
) -> Response:
    with site.app.store.reading() as unit:
        everybody = unit.accounts.of_clinic(who.clinic.id)
    return staff_page(
        request,
        site,
        who,
        "people.html",
        status=200 if wrong is None else 422,
        here="/staff",
        there=[one for one in everybody if one.left_at is None],
        gone=[one for one in everybody if one.left_at is not None],
        roles=list(Role),
        wrong=wrong,
        opened="invite",
        wrong_field=field,
        email=email,
        link=link,
        said=said,
    )
