"""Patients: the list, the search, and a page for each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from scheduler.domain.people import PatientStatus
from scheduler.services.chart import chart
from scheduler.web.site import Here
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Reader

router = APIRouter(prefix="/patients")

PAGE = 50  # patients

Words = Annotated[str, Query(alias="q", max_length=200)]
After = Annotated[str, Query(max_length=64)]


@router.get("")
def patients(
    request: Request, site: Here, who: Reader, words: Words = "", status: str = "", after: After = ""
) -> HTMLResponse:
    """The clinic's patients by MRN, or those that the search finds."""
    wanted = _status(status)
    typed = words.strip()
    with site.app.store.reading() as unit:
        counts = unit.browsing.patients_by_status(who.clinic.id)
        listed = (
            [] if typed else unit.browsing.patient_lines(who.clinic.id, status=wanted, after=after, limit=PAGE + 1)
        )
    found = site.app.finder.find(who.clinic, typed) if typed else listed[:PAGE]
    return staff_page(
        request,
        site,
        who,
        "patients.html",
        here="/patients",
        words=typed,
        wanted=wanted,
        counts={one: counts[one] for one in PatientStatus if counts.get(one)},
        found=found,
        after=after,
        next_after=found[-1].mrn if not typed and len(listed) > PAGE else None,
        now=clinic_now(site, who),
    )


@router.get("/found")
def found(request: Request, site: Here, who: Reader, words: Words = "") -> HTMLResponse:
    """The rows that the search finds, for the page to show while somebody types."""
    lines = site.app.finder.find(who.clinic, words)
    return staff_page(request, site, who, "_patient_rows.html", found=lines, words=words.strip(), wanted=None)


@router.get("/{mrn}")
def patient(request: Request, site: Here, who: Reader, mrn: str) -> HTMLResponse:
    """One patient: the conversation, the pathways, and what stands open."""
    app, now = site.app, site.app.clock.now()
    with app.store.writing() as unit:
        known = unit.patients.by_mrn(who.clinic.id, [mrn]).get(mrn)
        if known is None:
            raise HTTPException(404, "This clinic has no patient with that MRN.")
        # Who looked at whom is on record, as 45 CFR 164.312(b) asks.
        unit.installation.audit([(who.clinic.id, "patient viewed", known.id, "")], actor=who.account.email, now=now)
        seen = chart(unit, app.rules, who.clinic, known, now=now)
    return staff_page(
        request,
        site,
        who,
        "patient.html",
        here="/patients",
        chart=seen,
        one=seen.patient,
        titles={name: kind.title for name, kind in app.rules.task_kinds.items()},
    )


def _status(wanted: str) -> PatientStatus | None:
    return PatientStatus(wanted) if wanted in list(PatientStatus) else None
