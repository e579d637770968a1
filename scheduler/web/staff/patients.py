"""Patients: the list, the search, and a page for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.background import BackgroundTask

from scheduler.domain.people import PatientStatus
from scheduler.ports.choosing import PatientFilter
from scheduler.services import care
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.bulk_changing import MOST, UNDO_FOR
from scheduler.services.care import CareError, Deciding
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.fields import parse_time
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.choosing import filter_from, languages_of, named, query_of
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.patient_page import DONE, date_from, do, patient_page
from scheduler.web.staff.session import Carer, Reader, wall_time

router = APIRouter(prefix="/patients")

PAGE = 50  # patients

LONGEST_SEARCH = 200  # characters; nobody's name has more

Words = Annotated[str, Query(alias="q")]
After = Annotated[str, Query(max_length=64)]


@router.get("")
def patients(request: Request, site: Here, who: Reader, words: Words = "", after: After = "") -> HTMLResponse:
    """The clinic's patients by MRN, those with something in common, or those that the search finds."""
    which = filter_from(request.query_params)
    page = list_page(
        request, site, who, which, words=words.strip()[:LONGEST_SEARCH], after=after if after.isprintable() else ""
    )
    page.background = BackgroundTask(site.app.finder.warm_up, who.clinic, now=site.app.clock.now())
    return page


def list_page(
    request: Request,
    site: Site,
    who: SignedIn,
    which: PatientFilter,
    *,
    words: str = "",
    after: str = "",
    wrong: str | None = None,
    field: str = "",
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The list; with `wrong`, why what was wanted of those chosen was refused, beside `field`."""
    app = site.app
    titles = {name: pathway.title for name, pathway in app.rules.pathways.items()}
    with app.store.reading() as unit:
        counts = unit.browsing.patients_by_status(who.clinic.id)
        listed = [] if words else unit.choosing.lines(who.clinic.id, which, after=after, limit=PAGE + 1)
        matching = unit.choosing.count(who.clinic.id, which, most=MOST + 1)
        latest = unit.bulk_changes.latest_done(who.clinic.id, who.account.email, since=wall_time() - UNDO_FOR)
    found = app.finder.find(who.clinic, words, now=app.clock.now(), which=which) if words else listed[:PAGE]
    return staff_page(
        request,
        site,
        who,
        "patients.html",
        status=200 if wrong is None else 422,
        here="/patients",
        words=words,
        wanted=which.status,
        at=(which.pathway, which.step) if which.step else None,
        at_title=titles.get(which.pathway, which.pathway),
        which=which,
        fields=named(which),
        query_of=query_of,
        counts={one: counts[one] for one in PatientStatus if counts.get(one)},
        found=found,
        matching=matching,
        most=MOST,
        after=after,
        next_after=found[-1].mrn if not words and len(listed) > PAGE else None,
        now=clinic_now(site, who),
        pathway_titles=titles,
        languages=languages_of(site),
        latest=latest,
        wrong=wrong,
        wrong_field=field,
        typed=typed or {},
    )


@router.get("/found")
def found(request: Request, site: Here, who: Reader, words: Words = "") -> HTMLResponse:
    """The rows that the search finds, for the page to show while somebody types."""
    sought = words.strip()[:LONGEST_SEARCH]
    which = filter_from(request.query_params)
    lines = site.app.finder.find(who.clinic, sought, now=site.app.clock.now(), which=which)
    return staff_page(request, site, who, "_patient_rows.html", found=lines, words=sought, which=which, typed={})


@router.get("/{mrn}")
def patient(
    request: Request, site: Here, who: Reader, mrn: str, whole: str = "", enrolled: str = "", done: str = ""
) -> HTMLResponse:
    """One patient: the conversation (its latest part, or the `whole`), the pathways, and what stands open.

    After enrolling also what comes next, and after other things that they were `done`.
    """
    said = DONE.get(done, "")
    return patient_page(request, site, who, mrn, said=said, is_whole=bool(whole), is_new=bool(enrolled))


@router.post("/{mrn}/pause")
def pause(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Hold all reminders, until a day or until further notice."""
    until = fields.get("until", "").strip()
    return do(
        request,
        site,
        who,
        mrn,
        lambda about: care.pause(site.app.store, site.app.rules, about, until=date_from(until) if until else None),
        opened="pause",
        field="until",
        typed={"until": until},
    )


@router.post("/{mrn}/resume")
def resume(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Lift a pause."""
    return do(request, site, who, mrn, lambda about: care.resume(site.app.store, site.app.rules, about))


@router.post("/{mrn}/time")
def contact_time(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Write at another time of the patient's day."""
    typed = fields.get("at", "")

    def change(about: Deciding) -> None:
        try:
            at = parse_time(typed)
        except FieldError as error:
            raise CareError(f"the time {typed[:20]!r}: {error}") from error
        care.set_contact_time(site.app.store, site.app.rules, about, at)

    return do(request, site, who, mrn, change, opened="time", field="at", typed={"at": typed})
