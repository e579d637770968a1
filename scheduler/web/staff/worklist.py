"""The worklist: what waits for a person, and working on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.tasks import BY_PEOPLE, Resolution
from scheduler.records import Task
from scheduler.services import tasks
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.tasks import Act, TaskError
from scheduler.web.forms import OwnFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Carer, Reader

router = APIRouter(prefix="/worklist")

MOST = 50  # tasks on a page
_LAST_ID = 2**31 - 1

Kind = Annotated[str, Query(max_length=64)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]


@router.get("")
def worklist(
    request: Request, site: Here, who: Reader, kind: Kind = "", mine: str = "", due: Kind = "", page: PageNumber = 1
) -> HTMLResponse:
    """Open tasks, the most pressing first: all, of one kind, one's own, or those that are overdue."""
    assignee = who.account.email if mine else None
    today = clinic_now(site, who).date()
    is_overdue = due == "overdue"
    with site.app.store.reading() as unit:
        lines = unit.browsing.open_tasks(
            who.clinic.id,
            kind=kind or None,
            assignee=assignee,
            due_before=today if is_overdue else None,
            limit=MOST + 1,
            offset=(page - 1) * MOST,
        )
        counts = unit.worklist.open_counts(who.clinic.id)
    kinds: dict[str, int] = {}
    for each in counts:
        kinds[each.kind] = kinds.get(each.kind, 0) + each.count
    return staff_page(
        request,
        site,
        who,
        "worklist.html",
        here="/worklist",
        lines=lines[:MOST],
        is_more=len(lines) > MOST,
        page=page,
        kind=kind,
        is_mine=bool(mine),
        is_overdue=is_overdue,
        kinds=sorted(kinds.items(), key=lambda pair: -pair[1]),
        total=sum(kinds.values()),
        titles=_titles(site),
        today=today,
    )


@router.get("/{task_id}")
def task(request: Request, site: Here, who: Reader, task_id: int) -> HTMLResponse:
    """One task and all that happened to it."""
    return _task_page(request, site, who, task_id)


@router.post("/{task_id}/take")
def take(request: Request, site: Here, who: Carer, task_id: int, fields: OwnFields) -> Response:
    """Take the task on oneself, or give it back."""
    to = None if "give_back" in fields else who.account.email
    return _do(request, site, who, task_id, lambda act: tasks.assign(site.app.store, act, to=to))


@router.post("/{task_id}/note")
def note(request: Request, site: Here, who: Carer, task_id: int, fields: OwnFields) -> Response:
    """Add a note."""
    words = fields.get("words", "")
    return _do(request, site, who, task_id, lambda act: tasks.note(site.app.store, act, words), words=words)


@router.post("/{task_id}/close")
def close(request: Request, site: Here, who: Carer, task_id: int, fields: OwnFields) -> Response:
    """End the task."""
    words, chosen = fields.get("words", ""), fields.get("resolution", "")
    if chosen not in list(BY_PEOPLE):
        return _task_page(request, site, who, task_id, wrong="Choose how the task ended.", words=words)
    resolution = Resolution(chosen)
    return _do(
        request,
        site,
        who,
        task_id,
        lambda act: tasks.close(site.app.store, act, resolution=resolution, words=words),
        words=words,
    )


@router.post("/{task_id}/reopen")
def reopen(request: Request, site: Here, who: Carer, task_id: int, fields: OwnFields) -> Response:
    """Open a closed task again."""
    app, words = site.app, fields.get("words", "")
    return _do(request, site, who, task_id, lambda act: tasks.reopen(app.store, app.rules, act, words=words))


def _do(
    request: Request, site: Site, who: SignedIn, task_id: int, act: Callable[[Act], Task], *, words: str = ""
) -> Response:
    """Do it, and show the task as it is then; a refusal stands beside what was typed."""
    _require(site, who, task_id)
    try:
        act(Act(clinic=who.clinic, task_id=task_id, by=who.account.email, now=site.app.clock.now()))
    except TaskError as error:
        return _task_page(request, site, who, task_id, wrong=str(error), words=words)
    return RedirectResponse(f"/worklist/{task_id}", status_code=303)


def _require(site: Site, who: SignedIn, task_id: int) -> None:
    if not 0 < task_id <= _LAST_ID:
        raise HTTPException(404, "This clinic has no such task.")
    with site.app.store.reading() as unit:
        if unit.worklist.task(who.clinic.id, task_id) is None:
            raise HTTPException(404, "This clinic has no such task.")


def _task_page(
    request: Request, site: Site, who: SignedIn, task_id: int, *, wrong: str | None = None, words: str = ""
) -> HTMLResponse:
    _require(site, who, task_id)
    with site.app.store.reading() as unit:
        found, history = tasks.find(unit, who.clinic, task_id)
        name = None
        if found.patient is not None:
            (line,) = unit.browsing.patients_of(who.clinic.id, [found.patient])
            name = line.name
    return staff_page(
        request,
        site,
        who,
        "task.html",
        status=200 if wrong is None else 422,
        here="/worklist",
        task=found,
        name=name,
        history=history,
        title=_titles(site).get(found.kind, found.kind),
        resolutions=BY_PEOPLE,
        now=clinic_now(site, who),
        wrong=wrong,
        words=words,
    )


def _titles(site: Site) -> dict[str, str]:
    return {name: kind.title for name, kind in site.app.rules.task_kinds.items()}
