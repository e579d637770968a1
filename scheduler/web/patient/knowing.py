"""Why a message came, and the calendar of those that will."""

from __future__ import annotations

import hashlib
from datetime import UTC
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from scheduler.domain.people import ConsentSource
from scheduler.records import Consent
from scheduler.services.patient_page.calendar_file import Entry, calendar_file
from scheduler.services.patient_page.home import reminders_ahead
from scheduler.web.access import anyone
from scheduler.web.patient.page import screen
from scheduler.web.patient.topics import title_of
from scheduler.web.patient.visit import Entered, Visit, keep_open
from scheduler.web.site import Here, Site
from scheduler.web.tongues import N_

router = APIRouter(prefix="/p/{token}", dependencies=[Depends(anyone)])

_MESSAGES = 5
_DAYS_AHEAD = 60
_ENTRIES = 7
_TITLE = N_("Reminder from %(clinic)s")
_WORDS = N_("A message from %(clinic)s comes at this time.")
_GIVEN = {
    ConsentSource.IMPORT: N_("Your clinic put it on record."),
    ConsentSource.REPLY: N_("You wrote it to us."),
    ConsentSource.UNSUBSCRIBE: N_("You pressed the link in an e-mail."),
    ConsentSource.PROVIDER: N_("Your phone or mail company told us."),
    ConsentSource.PAGE: N_("You chose it on this page."),
}
_TOLD = N_("You told somebody at your clinic.")


@router.get("/why")
def why(request: Request, site: Here, visit: Entered) -> Response:
    """Who asked, what the patient agreed to and when, and what the latest messages were about. Changes nothing."""
    clinic_id, patient = visit.clinic.id, visit.patient
    with site.app.store.reading() as unit:
        history = unit.patients.consent_history(clinic_id, patient.id)
        latest = unit.pages.messages(clinic_id, patient.id, until=site.app.clock.now(), limit=_MESSAGES)
        enrolled = unit.patients.enrolments([patient.id]).get(patient.id, ())
    zone = ZoneInfo(patient.timezone)
    return screen(
        request,
        site,
        visit,
        "why.html",
        clinic_name=visit.clinic.name,
        consents=[(one, visit.saying.full_date(one.given_on), visit.saying.one(_given(one))) for one in history],
        topic_of=lambda pathway: title_of(site, visit, pathway),
        topics=[title_of(site, visit, one.state.pathway) for one in enrolled if not one.state.is_stopped],
        latest=[(one.at.astimezone(zone), title_of(site, visit, one.pathway), one.channel.value) for one in latest],
    )


@router.get("/reminders.ics")
def calendar(request: Request, site: Here, visit: Entered) -> Response:
    """The coming reminders for the patient's own calendar, without a word about health. Changes nothing."""
    now = site.app.clock.now()
    ahead = reminders_ahead(site.app.store, site.app.rules, visit.bearer, now=now, days=_DAYS_AHEAD, most=_ENTRIES)
    if not ahead:
        return screen(request, site, visit, "no_calendar.html")
    clinic = visit.clinic.message_name
    text = calendar_file(
        [Entry(_uid(site, visit, f"{at.astimezone(UTC):%Y%m%d}"), at) for at in ahead],
        title=visit.saying.one(_TITLE, clinic=clinic),
        words=visit.saying.one(_WORDS, clinic=clinic),
        language=visit.language,
        now=now,
    )
    answer = Response(
        text,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="reminders.ics"'},
    )
    keep_open(answer, site, visit)
    return answer


def _given(consent: Consent) -> str:
    return _GIVEN.get(consent.source, _TOLD)


def _uid(site: Site, visit: Visit, day: str) -> str:
    """The same for one patient and day whenever the file is made, and telling nothing of either."""
    made = hashlib.sha256(f"calendar:{visit.patient.id.hex}:{day}".encode()).hexdigest()[:32]
    return f"{made}@{urlsplit(site.app.settings.public_url).hostname or 'localhost'}"
