"""One change for many patients of the list: whom, what, whether really, and back again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.bulk import BulkAction, BulkWish, MemberFate
from scheduler.ports.bulk_changes import BulkChange
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.bulk_changing import MOST, UNDO_FOR, BulkChanging, BulkError
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.choosing import filter_from
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.patients import list_page
from scheduler.web.staff.session import Carer, wall_time

router = APIRouter(prefix="/patients")

CHOSEN = "chosen:"  # before the MRN of somebody who was ticked


def changing(site: Site, who: SignedIn) -> BulkChanging:
    """Changes for many, by whoever is signed in."""
    app = site.app
    return BulkChanging(app.store, app.rules, who.clinic, by=who.account.email, clock=app.clock, wall=wall_time)


@router.post("/chosen")
def choose(request: Request, site: Here, who: Carer, fields: OwnLongFields) -> Response:
    """Note who was chosen and what for; nothing is changed before it is confirmed."""
    try:
        wish = _wish(fields)
        bulk_id = changing(site, who).choose(wish, _mrns(site, who, fields))
    except BulkError as error:
        return list_page(request, site, who, filter_from(fields), wrong=str(error), field=error.field, typed=fields)
    return RedirectResponse(f"/patients/bulk/{bulk_id}", status_code=303)


def _noted(site: Here, who: Carer, bulk_id: int) -> BulkChange:
    """The change that a request is about. Raises 404."""
    found = changing(site, who).find(bulk_id)
    if found is None:
        raise HTTPException(404, "This clinic has no such change. Choose the patients again.")
    return found


Noted = Annotated[BulkChange, Depends(_noted)]


@router.get("/bulk/{bulk_id}")
def one(request: Request, site: Here, who: Carer, change: Noted) -> HTMLResponse:
    """Before it is done: whom it is about. Afterwards: what became of each."""
    return _page(request, site, who, change)


@router.post("/bulk/{bulk_id}/do")
def do(request: Request, site: Here, who: Carer, change: Noted, fields: OwnLongFields) -> Response:
    """Do it."""
    changing(site, who).do(change)
    return RedirectResponse(f"/patients/bulk/{change.id}", status_code=303)


@router.post("/bulk/{bulk_id}/undo")
def undo(request: Request, site: Here, who: Carer, change: Noted, fields: OwnLongFields) -> Response:
    """Give back what each had before."""
    try:
        changing(site, who).undo(change)
    except BulkError as error:
        return _page(request, site, who, change, wrong=str(error))
    return RedirectResponse(f"/patients/bulk/{change.id}", status_code=303)


def _wish(fields: Mapping[str, str]) -> BulkWish:
    action, typed = fields.get("action", ""), fields.get("until", "").strip()
    if action not in list(BulkAction):
        raise BulkError("Choose what is to be done.")
    kind = BulkAction(action)
    pathway = fields.get("to_pathway", "") or None if kind.is_about_pathway else None
    return BulkWish(action=kind, pathway=pathway, until=_day(typed) if kind is BulkAction.PAUSE and typed else None)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise BulkError(
            f"The date {typed[:20]!r}: write it as YYYY-MM-DD, such as 2026-03-02.", field="until"
        ) from error


def _mrns(site: Site, who: SignedIn, fields: Mapping[str, str]) -> list[str]:
    if fields.get("everybody"):
        with site.app.store.reading() as unit:
            return unit.choosing.mrns(who.clinic.id, filter_from(fields), limit=MOST + 1)
    ticked = (name.removeprefix(CHOSEN) for name in fields if name.startswith(CHOSEN))
    return [mrn for mrn in ticked if "\0" not in mrn]  # which PostgreSQL would not take


def _page(
    request: Request, site: Site, who: SignedIn, change: BulkChange, *, wrong: str | None = None
) -> HTMLResponse:
    desk = changing(site, who)
    preview = desk.preview(change) if change.done_at is None else None
    members = desk.members(change) if preview is None else []
    pathway = site.app.rules.pathways.get(change.wish.pathway or "")
    return staff_page(
        request,
        site,
        who,
        "bulk.html",
        status=200 if wrong is None else 422,
        here="/patients",
        change=change,
        wish=change.wish,
        pathway=pathway.title if pathway else change.wish.pathway,
        preview=preview,
        by_fate={fate.value: [one for one in members if one.fate is fate] for fate in MemberFate},
        can_undo=desk.can_undo(change),
        undo_minutes=int(UNDO_FOR.total_seconds() // 60),
        undo_until=change.done_at + UNDO_FOR if change.done_at else None,
        wrong=wrong,
        now=clinic_now(site, who),
        zone=who.clinic.timezone,
    )
