"""A patient's page, as every route that does something about a patient shows it; and doing it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from urllib.parse import quote
from uuid import UUID

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.ports import Unit
from scheduler.records import Patient
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.care import CareError, Deciding
from scheduler.services.chart import MOST_SAID, Shelf, chart
from scheduler.services.coming import coming_messages
from scheduler.services.consent_desk import ConsentError
from scheduler.services.facts import ResultError
from scheduler.services.numbers import NumberError
from scheduler.services.situations import UnknownPatientError
from scheduler.services.writing import why_nobody
from scheduler.web.site import Site
from scheduler.web.staff.page import staff_page

NOBODY = "This clinic has no patient with that MRN."
DONE = {
    "result": "The result is recorded.",
    "same-result": "That result was on file already. Nothing has changed.",
    "void": "The result is void. It stays on file, with the reason.",
    "void-back": "The result is void. The pathway stands as if it had not been recorded.",
    "void-left": "The result is void. Something else has happened on the pathway since, so it stays where it is: "
    "look at “Pathways”, and change it where that is wrong.",
}
"""What the page says after something was done, by the word in its address."""


def patient_page(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    *,
    wrong: str | None = None,
    opened: str = "",
    field: str = "",
    typed: dict[str, str] | None = None,
    said: str = "",
    is_whole: bool = False,
    is_new: bool = False,
) -> HTMLResponse:
    """The page of a patient of the clinic; that somebody saw it goes on record. Raises 404.

    `wrong`: what was not done, and why; `opened`: the part of the page that it belongs to, `field`: the field there;
    `typed`: what stood there; `said`: what was done just now; `is_new`: they were enrolled just now.
    """
    app, now = site.app, site.app.clock.now()
    with app.store.writing() as unit:
        known = seen_by(unit, site, who, mrn)
        shelf = Shelf(app.rules, app.composer, app.meaning_of_failure)
        shown = chart(unit, shelf, who.clinic, known, now=now, most=None if is_whole else MOST_SAID)
    return staff_page(
        request,
        site,
        who,
        "patient.html",
        status=200 if wrong is None else 422,
        here="/patients",
        chart=shown,
        one=known,
        why_nobody=None if shown.ways else why_nobody(known, who.clinic),
        once=new_mark(),
        titles={name: kind.title for name, kind in app.rules.task_kinds.items()},
        wrong=wrong,
        opened=opened,
        wrong_field=field,
        typed=typed or {},
        said=said,
        coming=coming_messages(app.store, app.rules, app.composer, who.clinic, mrn=mrn, now=now) if is_new else None,
    )


def seen_by(unit: Unit, site: Site, who: SignedIn, mrn: str) -> Patient:
    """The patient; that somebody of the clinic looked at them goes on record. Raises 404."""
    known = unit.patients.by_mrn(who.clinic.id, [mrn]).get(mrn)
    if known is None:
        raise HTTPException(404, NOBODY)
    # Who looked at whom is on record, as 45 CFR 164.312(b) asks.
    entry = (who.clinic.id, "patient viewed", known.id, "")
    unit.installation.audit([entry], actor=who.account.email, now=site.app.clock.now())
    return known


def require(site: Site, who: SignedIn, mrn: str) -> Patient:
    """The patient, for what is not looking at them. Raises 404."""
    with site.app.store.reading() as unit:
        known = unit.patients.by_mrn(who.clinic.id, [mrn]).get(mrn)
    if known is None:
        raise HTTPException(404, NOBODY)
    return known


def do(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    act: Callable[[Deciding], object],
    *,
    opened: str = "",
    field: str = "",
    typed: dict[str, str] | None = None,
    done: str = "",
) -> Response:
    """Do it, and show the patient as they are then; a refusal stands on the same page, with what was typed.

    It stands beside the field that the error names, else beside `field`. `done` says on the page what was done.
    """
    require(site, who, mrn)
    try:
        act(deciding(site, who, mrn))
    except UnknownPatientError as error:
        raise HTTPException(404, NOBODY) from error
    except (CareError, ResultError, ConsentError, NumberError) as error:
        at = getattr(error, "field", "") or field
        wrong = getattr(error, "on_page", str(error))
        return patient_page(request, site, who, mrn, wrong=wrong, opened=opened, field=at, typed=typed)
    return to_patient(mrn, done=done)


def deciding(site: Site, who: SignedIn, mrn: str) -> Deciding:
    """Who decides now, about whom."""
    return Deciding(clinic=who.clinic, mrn=mrn, by=who.account.email, now=site.app.clock.now())


def to_patient(mrn: str, part: str = "", *, done: str = "") -> RedirectResponse:
    """Back to the patient's page, or to a part of it; `done` is one of `DONE`."""
    where = f"{f'?done={done}' if done else ''}{f'#{part}' if part else ''}"
    return RedirectResponse(f"/patients/{quote(mrn, safe='')}{where}", status_code=303)


def new_mark() -> str:
    """A mark for a form that must do one thing once."""
    return secrets.token_urlsafe(18)


def date_from(typed: str, *, field: str = "") -> date:
    """A date as browsers send it. Raises `CareError`."""
    says = f"the date {typed[:20]!r}: write it as YYYY-MM-DD, such as 2026-03-02"
    try:
        found = date.fromisoformat(typed.strip())
    except ValueError as error:
        raise CareError(says, field=field) from error
    if not 1900 <= found.year <= 2200:
        raise CareError(f"the date {found}: that is too far off; look for a wrong year", field=field)
    return found


def uuid_from(typed: str) -> UUID:
    """An id of a message. Raises 404."""
    try:
        return UUID(typed)
    except ValueError as error:
        raise HTTPException(404, "There is no such message.") from error
