"""The audit trail of a clinic: who saw and changed what. Looking at it is on record as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from scheduler.domain.when import instant
from scheduler.ports.auditing import AuditEntry, Place, Which
from scheduler.services.accounts.sessions import SignedIn
from scheduler.web.site import Here, Site
from scheduler.web.staff.audit_words import WORDS, in_words
from scheduler.web.staff.csv_files import csv_file
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Admin, wall_time

router = APIRouter(prefix="/audit")

PAGE = 50  # entries
_CHUNK = 1000  # entries of a file, read at once
_LONGEST_ADDRESS = 254  # characters
_COLUMNS = ("When", "Who", "What", "Patient (MRN)", "Detail", "Action")

Text = Annotated[str, Query(max_length=254)]


@dataclass(frozen=True, slots=True)
class Sought:
    """What somebody filters by, as typed."""

    who: str
    mrn: str
    action: str
    first: str
    last: str

    @property
    def query(self) -> str:
        """The same filters, in an address."""
        named = {"who": self.who, "mrn": self.mrn, "action": self.action, "from": self.first, "to": self.last}
        return urlencode({name: value for name, value in named.items() if value})


async def sought(
    who: str = "",
    mrn: str = "",
    action: Text = "",
    first: Annotated[str, Query(alias="from")] = "",
    last: Annotated[str, Query(alias="to")] = "",
) -> Sought:
    """The filters of a request."""
    return Sought(who.strip(), mrn.strip(), action.strip(), first.strip(), last.strip())


Filters = Annotated[Sought, Depends(sought)]


class _SearchError(ValueError):
    """Nothing can be looked for by these filters. The text says why; `field` is the one that is wrong."""

    def __init__(self, field: str, says: str) -> None:
        super().__init__(says)
        self.field = field


@router.get("")
def audit(request: Request, site: Here, who: Admin, by: Filters, before: Text = "") -> Response:
    """A page of the trail, newest first."""
    wrong, entries = None, []
    try:
        which = _which(site, who, by)
        entries = _page(site, who, which, before=_place(before), limit=PAGE + 1)
    except _SearchError as error:
        wrong = error
    else:
        _note(site, who, "audit viewed", which, by)
    with site.app.store.reading() as unit:
        people = [one.email for one in unit.accounts.of_clinic(who.clinic.id)]
    shown = entries[:PAGE]
    return staff_page(
        request,
        site,
        who,
        "audit.html",
        status=200 if wrong is None else 422,
        here="/audit",
        by=by,
        wrong=wrong,
        wrong_field=wrong.field if wrong else "",
        entries=shown,
        in_words=in_words,
        actions=WORDS,
        people=people,
        before=before,
        next_before=_written(shown[-1]) if len(entries) > PAGE else None,
        zone=who.clinic.timezone,
        today=clinic_now(site, who).date(),
    )


@router.get("/trail.csv")
def audit_file(request: Request, site: Here, who: Admin, by: Filters) -> Response:
    """The entries that the filters find, all of them, as a file."""
    try:
        which = _which(site, who, by)
    except _SearchError:
        return audit(request, site, who, by)
    _note(site, who, "audit exported", which, by)
    rows = (
        (
            entry.at.astimezone(ZoneInfo(who.clinic.timezone)).isoformat(),
            entry.actor,
            in_words(entry.action),
            entry.mrn,
            entry.detail,
            entry.action,
        )
        for entry in _all(site, who, which)
    )
    return csv_file(f"{who.clinic.code}-audit", _COLUMNS, rows)


def _all(site: Site, who: SignedIn, which: Which) -> Iterator[AuditEntry]:
    place: Place | None = None
    while found := _page(site, who, which, before=place, limit=_CHUNK):
        yield from found
        place = Place(found[-1].at, found[-1].id)


def _page(site: Site, who: SignedIn, which: Which, *, before: Place | None, limit: int) -> list[AuditEntry]:
    with site.app.store.reading() as unit:
        return unit.auditing.page(who.clinic.id, which, before=before, limit=limit)


def _note(site: Site, who: SignedIn, action: str, which: Which, by: Sought) -> None:
    """That somebody looked, and at whose entries; what else they looked for names nobody."""
    words = ", ".join(
        part for part in (by.action, by.first and f"from {by.first}", by.last and f"to {by.last}") if part
    )
    entry = (who.clinic.id, action, which.patient_id, words[:255])
    with site.app.store.writing() as unit:
        unit.installation.audit([entry], actor=who.account.email, now=wall_time())


def _which(site: Site, who: SignedIn, by: Sought) -> Which:
    if len(by.who) > _LONGEST_ADDRESS:
        raise _SearchError("who", f"An address has at most {_LONGEST_ADDRESS} characters.")
    patient_id = None
    if by.mrn:
        with site.app.store.reading() as unit:
            known = unit.patients.by_mrn(who.clinic.id, [by.mrn]).get(by.mrn)
        if known is None:
            raise _SearchError("mrn", "This clinic has no patient with that MRN.")
        patient_id = known.id
    zone = ZoneInfo(who.clinic.timezone)
    first, last = _date("from", by.first), _date("to", by.last)
    if first and last and first > last:
        raise _SearchError("from", "The first day is after the last. Put the earlier day first.")
    return Which(
        actor=by.who or None,
        action=by.action or None,
        patient_id=patient_id,
        since=None if first is None else instant(first, time.min, zone).astimezone(UTC),
        until=None if last is None else instant(last + timedelta(days=1), time.min, zone).astimezone(UTC),
    )


def _date(field: str, typed: str) -> date | None:
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError as error:
        raise _SearchError(field, "Write the day as YYYY-MM-DD, such as 2026-03-02.") from error
    if not 2000 <= found.year <= 2200:
        raise _SearchError(field, "That day is too far off. Look for a wrong year.")
    return found


def _written(entry: AuditEntry) -> str:
    return f"{entry.at.isoformat()}_{entry.id}"


def _place(written: str) -> Place | None:
    at, _, number = written.partition("_")
    try:
        found = Place(datetime.fromisoformat(at), int(number))
    except ValueError:
        return None
    return found if found.at.tzinfo is not None and 0 < found.id < 2**31 else None
