"""What a patient chooses: time, days, language, way, wording, a pause. One screen each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel
from scheduler.services.care import CareError
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.fields import parse_time
from scheduler.services.patient_page import choosing
from scheduler.services.patient_page.choosing import Span, Way
from scheduler.web.access import anyone
from scheduler.web.bodies import Fields, read_fields
from scheduler.web.forms import OwnFields
from scheduler.web.patient.opening import home_of
from scheduler.web.patient.page import home_again, is_in, languages, screen
from scheduler.web.patient.visit import WORDS, Entered, Visit
from scheduler.web.site import Here, Site
from scheduler.web.tongues import N_

router = APIRouter(prefix="/p/{token}", dependencies=[Depends(anyone)])

_CHOOSE_TIME = N_("Choose one of the times in the list.")
_CHOOSE_DAY = N_("Choose at least one day.")
_CHOOSE_LANGUAGE = N_("Choose one of these languages.")
_CHOOSE_WAY = N_("Choose one of these ways.")
_AGREE = N_("Tick the box to agree, or keep the way you have.")
_CHOOSE_WORDING = N_("Choose one of the two.")
_CHOOSE_SPAN = N_("Choose how long.")
_BY_CLINIC = N_("Your clinic has paused your reminders. Call the clinic if they should go on.")
_ENDED = N_("Your reminders have ended. Nothing was changed.")

_Change = Callable[[], object]


class Wrong(ValueError):  # noqa: N818 - what somebody chose, not a fault
    """What was chosen cannot be. The text is marked for translation."""


@router.get("/time")
def time_screen(request: Request, site: Here, visit: Entered) -> Response:
    """The times of day at which the clinic writes."""
    return _time(request, site, visit)


@router.post("/time")
def choose_time(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Reminders come at another time."""

    def change() -> None:
        try:
            at = parse_time(fields.get("at", ""))
        except FieldError as error:
            raise Wrong(_CHOOSE_TIME) from error
        if at not in choosing.times_of(visit.clinic):
            raise Wrong(_CHOOSE_TIME)
        choosing.choose_time(site.app.store, site.app.rules, visit.bearer, at, now=site.app.clock.now())

    return _changed(request, site, visit, change, "time", _time)


@router.get("/days")
def days_screen(request: Request, site: Here, visit: Entered) -> Response:
    """The days of the week."""
    return _days(request, site, visit)


@router.post("/days")
def choose_days(
    request: Request, site: Here, visit: Entered, _: OwnFields, fields: Annotated[Fields, Depends(read_fields)]
) -> Response:
    """What repeats comes on other days."""
    named = {day.name.lower(): day for day in Weekday}

    def change() -> None:
        days = frozenset(named[value] for name, value in fields if name == "day" and value in named)
        if not days:
            raise Wrong(_CHOOSE_DAY)
        choosing.choose_days(site.app.store, site.app.rules, visit.bearer, days, now=site.app.clock.now())

    return _changed(request, site, visit, change, "days", _days)


@router.get("/language")
def language_screen(request: Request, site: Here, visit: Entered) -> Response:
    """The languages that everything is written in."""
    return _language(request, site, visit)


@router.post("/language")
def choose_language(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Messages come in another language, and the page with them."""

    def change() -> None:
        chosen = fields.get("language", "")
        if chosen not in languages(site):
            raise Wrong(_CHOOSE_LANGUAGE)
        if not is_in(visit.patient.language, chosen):
            choosing.choose_language(site.app.store, site.app.rules, visit.bearer, chosen, now=site.app.clock.now())

    answer = _changed(request, site, visit, change, "language", _language)
    answer.delete_cookie(WORDS, path=visit.path)
    return answer


@router.get("/channel")
def channel_screen(request: Request, site: Here, visit: Entered) -> Response:
    """Text or e-mail."""
    return _channel(request, site, visit)


@router.post("/channel")
def choose_channel(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Reminders come another way; one that the patient has not agreed to needs a tick beside the words."""

    def change() -> None:
        chosen = fields.get("channel", "")
        way = next((one for one in choosing.ways_of(visit.patient, visit.clinic) if one.channel == chosen), None)
        if way is None:
            raise Wrong(_CHOOSE_WAY)
        if way.needs_consent and fields.get(f"agree_{chosen}") != "yes":
            raise Wrong(_AGREE)
        wording = _wording(site, visit, way) if way.needs_consent else None
        choosing.choose_way(
            site.app.store, site.app.rules, visit.bearer, way.channel, wording=wording, now=site.app.clock.now()
        )

    return _changed(request, site, visit, change, "channel", _channel, chosen=fields.get("channel", ""))


@router.get("/wording")
def wording_screen(request: Request, site: Here, visit: Entered) -> Response:
    """In full, or discreet."""
    return _discreet(request, site, visit)


@router.post("/wording")
def choose_wording(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """How much a message says."""
    chosen = fields.get("wording", "")

    def change() -> None:
        if chosen not in ("discreet", "in_full"):
            raise Wrong(_CHOOSE_WORDING)
        choosing.choose_wording(
            site.app.store, site.app.rules, visit.bearer, discreet=chosen == "discreet", now=site.app.clock.now()
        )

    return _changed(request, site, visit, change, chosen, _discreet)


@router.get("/pause")
def pause_screen(request: Request, site: Here, visit: Entered) -> Response:
    """How long, or going on."""
    return _pause(request, site, visit)


@router.post("/pause")
def pause(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Hold all reminders."""

    def change() -> None:
        chosen = fields.get("span", "")
        if chosen not in list(Span):
            raise Wrong(_CHOOSE_SPAN)
        choosing.pause(site.app.store, site.app.rules, visit.bearer, Span(chosen), now=site.app.clock.now())

    return _changed(request, site, visit, change, "paused", _pause)


@router.post("/resume")
def resume(request: Request, site: Here, visit: Entered, _: OwnFields) -> Response:
    """Lift one's own pause. Lifted already, it stays so."""

    def change() -> None:
        if home_of(site, visit).is_paused:
            choosing.resume(site.app.store, site.app.rules, visit.bearer, now=site.app.clock.now())

    return _changed(request, site, visit, change, "resumed", _pause)


def _changed(
    request: Request,
    site: Site,
    visit: Visit,
    change: _Change,
    done: str,
    again: Callable[..., Response],
    **values: Any,
) -> Response:
    """Do it and go back to the first screen; a refusal stands on the same screen."""
    try:
        change()
    except Wrong as error:
        return again(request, site, visit, wrong=visit.saying.one(str(error)), **values)
    except CareError:
        shown = home_of(site, visit)
        return again(
            request, site, visit, wrong=visit.saying.one(_ENDED if shown.has_ended else _BY_CLINIC), **values
        )
    return home_again(site, visit, done)


def _time(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    now = visit.patient.contact_time or visit.clinic.contact_time
    times = {f"{at:%H:%M}": visit.saying.clock(at) for at in choosing.times_of(visit.clinic)}
    chosen, said = f"{now:%H:%M}", visit.saying.clock(now)
    return _screen(request, site, visit, "time.html", wrong, times=times, chosen=chosen, said=said)


def _days(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    days = {day.name.lower(): visit.saying.weekday(day) for day in Weekday}
    chosen = {day.name.lower() for day in visit.patient.exercise_days}
    has_days = home_of(site, visit).has_days
    return _screen(request, site, visit, "days.html", wrong, days=days, chosen=chosen, has_days=has_days)


def _language(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    chosen = next((tag for tag in languages(site) if is_in(visit.patient.language, tag)), visit.language)
    return _screen(request, site, visit, "language.html", wrong, chosen=chosen)


def _channel(request: Request, site: Site, visit: Visit, *, wrong: str = "", chosen: str = "") -> Response:
    ways = choosing.ways_of(visit.patient, visit.clinic)
    values = {"ways": ways, "chosen": chosen or visit.patient.channel.value, "masked": _masked}
    return _screen(request, site, visit, "channel.html", wrong, **values)


def _discreet(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    return _screen(request, site, visit, "wording.html", wrong, is_discreet=visit.patient.is_discreet)


def _pause(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    return _screen(request, site, visit, "pause.html", wrong, home=home_of(site, visit), spans=[*Span])


def _screen(request: Request, site: Site, visit: Visit, template: str, wrong: str, **values: Any) -> Response:
    return screen(request, site, visit, template, status=422 if wrong else 200, wrong=wrong, **values)


def _wording(site: Site, visit: Visit, way: Way) -> str:
    """The words that the patient agreed to, in the language they saw, for the record of consent."""
    block = "agree_sms" if way.channel is Channel.SMS else "agree_email"
    return f"{visit.language}: {site.pages.block('patient/channel.html', block, language=visit.language)}"


def _masked(way: Way) -> str:
    """So much of a number or address that its owner knows it, and whoever looks over a shoulder does not."""
    if way.channel is Channel.SMS:
        return f"…{way.address[-4:]}"
    name, _, domain = way.address.partition("@")
    return f"{name[:1]}…@{domain}"
