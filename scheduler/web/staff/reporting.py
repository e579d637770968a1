"""Reports: what was sent, delivered, answered and done, as charts, tables and files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from scheduler.domain.reporting import Period, PeriodError, ending
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.report_tables import tables
from scheduler.services.reports import Report, report
from scheduler.web.site import Here, Site
from scheduler.web.staff.csv_files import csv_file
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Reader

router = APIRouter(prefix="/reports")

SPANS = {"4w": ("4 weeks", 28), "12w": ("12 weeks", 84), "year": ("A year", 364)}
OWN = "own"

Span = Annotated[str, Query(alias="period", max_length=8)]
From = Annotated[str, Query(alias="from")]
To = Annotated[str, Query(alias="to")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The period that somebody asked for. `wrong` says why it is another than they typed."""

    span: str
    period: Period
    first: str
    last: str
    wrong: str | None = None

    @property
    def query(self) -> str:
        """The same period, in an address."""
        own = {"from": self.first, "to": self.last} if self.span == OWN else {}
        return urlencode({"period": self.span, **own})


@router.get("")
def reports(
    request: Request, site: Here, who: Reader, span: Span = "4w", first: From = "", last: To = ""
) -> Response:
    """All figures of a period."""
    asked = _asked(site, who, span, first, last)
    found = _report(site, who, asked)
    return _page(request, site, who, asked, found)


@router.get("/{name}.csv")
def report_file(site: Here, who: Reader, name: str, span: Span = "4w", first: From = "", last: To = "") -> Response:
    """One table as a file."""
    asked = _asked(site, who, span, first, last)
    if asked.wrong is not None:
        raise HTTPException(422, asked.wrong)
    found = tables(_report(site, who, asked)).get(name)
    if found is None:
        raise HTTPException(404, "There is no report of that name.")
    days = f"{asked.period.first}_{asked.period.last}"
    return csv_file(f"{who.clinic.code}-{found.name}-{days}", found.columns, found.rows)


def _page(request: Request, site: Site, who: SignedIn, asked: Asked, found: Report) -> HTMLResponse:
    return staff_page(
        request,
        site,
        who,
        "reports.html",
        status=200 if asked.wrong is None else 422,
        here="/reports",
        asked=asked,
        spans=SPANS,
        found=found,
        tables=tables(found),
        today=clinic_now(site, who).date(),
    )


def _report(site: Site, who: SignedIn, asked: Asked) -> Report:
    app = site.app
    return report(app.store, app.rules, who.clinic, asked.period, meaning=app.meaning_of_failure)


def _asked(site: Site, who: SignedIn, span: str, first: str, last: str) -> Asked:
    today = clinic_now(site, who).date()
    if span != OWN:
        known = span if span in SPANS else "4w"
        period = ending(today, days=SPANS[known][1])
        return Asked(known, period, period.first.isoformat(), period.last.isoformat())
    usual = ending(today, days=SPANS["4w"][1])
    try:
        return Asked(OWN, Period(_date(first), _date(last)), first, last)
    except PeriodError as error:
        return Asked(OWN, usual, first, last, str(error))


def _date(typed: str) -> date:
    try:
        found = date.fromisoformat(typed.strip())
    except ValueError as error:
        raise PeriodError("Write both days as YYYY-MM-DD, such as 2026-03-02.") from error
    if not 2000 <= found.year <= 2200:
        raise PeriodError("One of the days is too far off. Look for a wrong year.")
    return found
