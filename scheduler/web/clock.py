"""Moving the clock of an installation from which nothing leaves: by a step, or fast until somebody says pause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import RedirectResponse

from scheduler.web.access import simulated_visitor
from scheduler.web.forms import OwnFields
from scheduler.web.site import Here, Site

router = APIRouter(prefix="/clock", dependencies=[Depends(simulated_visitor)])

STEPS = {
    "hour": timedelta(hours=1),
    "part": timedelta(hours=6),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
_BACK = {"phones": "/phones"}  # where the clock can be moved from, beside the first page
_HOURS_SAID = 24  # from here on days are said


@router.post("")
def move_clock(site: Here, fields: OwnFields) -> RedirectResponse:
    """Move the clock forward by a step, a day unless another is named, doing on the way all that falls due."""
    step = STEPS.get(fields.get("by", "day"))
    if step is None:
        raise HTTPException(
            422, "The clock moves forward by an hour, six hours, a day or a week. Press one of those."
        )
    if site.app.simulated_time is not None:
        site.app.simulated_time.move(step)
    return _back(fields)


@router.post("/play")
def play(site: Here, fields: OwnFields) -> RedirectResponse:
    """Let a month pass in two minutes, or go on with it."""
    if site.app.player is not None:
        site.app.player.play()
    return _back(fields)


@router.post("/pause")
def pause(site: Here, fields: OwnFields) -> RedirectResponse:
    """Hold a clock that runs fast."""
    if site.app.player is not None:
        site.app.player.pause()
    return _back(fields)


def _back(fields: dict[str, str]) -> RedirectResponse:
    return RedirectResponse(_BACK.get(fields.get("back", ""), "/"), status_code=303)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The clock as a page shows it. `now` is in the zone of the clinic."""

    now: datetime
    zone: str
    state: str  # running, paused, still
    said: str  # how it stands, in a few words
    day: int = 0  # of the run that is under way or paused
    days: int = 0  # that it lasts; 0: there is none


def face(site: Site) -> Face:
    """The service's time at its first clinic, and whether it runs fast."""
    app = site.app
    now = app.clock.now()
    with app.store.reading() as unit:
        clinics = unit.installation.clinics().values()
        play = app.player.state(unit) if app.player is not None else None
    zone = min(clinics, key=lambda clinic: (not clinic.is_sample, clinic.id)).timezone if clinics else "UTC"
    ahead = _ahead(now - datetime.now(UTC))
    shown = Face(now=now.astimezone(ZoneInfo(zone)), zone=zone, state="still", said=ahead)
    if play is None or app.player is None:
        return shown
    day, days = (now - play.began).days + 1, round((play.until - play.began) / timedelta(days=1))
    is_running = app.player.is_running(play)
    return Face(
        now=shown.now,
        zone=zone,
        state="running" if is_running else "paused",
        said=f"{'Day' if is_running else 'Paused on day'} {day} of {days}",
        day=day,
        days=days,
    )


def _ahead(by: timedelta) -> str:
    hours = round(by / timedelta(hours=1))
    if hours < 1:
        return "The real time"
    many, unit = (hours, "hour") if hours < _HOURS_SAID else (round(hours / 24), "day")
    return f"{many:,} {unit}{'' if many == 1 else 's'} ahead of the real time"
