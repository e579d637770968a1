"""The worklist: what waits for a person, and working on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.tasks import BY_PEOPLE, Resolution
from scheduler.records import Task
from scheduler.services import many_tasks, tasks
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.tasks import Act, TaskError
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Carer, Reader

router = APIRouter(prefix="/worklist")

MOST = 50  # tasks on a page
_LAST_ID = 2**31 - 1

_NOBODY = "nobody"

Kind = Annotated[str, Query(max_length=64)]
Address = Annotated[str, Query(max_length=254)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which open tasks are listed."""

    kind: str = ""
    mine: str = ""
    due: str = ""
    assignee: str = ""
    page: int = 1

    def query(self, **changed: object) -> str:
        """The filter as the query of an address, with something changed."""
        values = {**asdict(self), **changed}
        return urlencode({name: value for name, value in values.items() if value and (name, value) != ("page", 1)})


def _filter(kind: Kind = "", mine: Kind = "", due: Kind = "", assignee: Address = "", page: PageNumber = 1) -> Filter:
    return Filter(kind, mine, due, assignee, page)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("")
def worklist(request: Request, site: Here, who: Reader, wanted: Wanted) -> HTMLResponse:
    """Open tasks, the most pressing first: all, of one kind, somebody's, nobody's, urgent or overdue ones."""
    return _list_page(request, site, who, wanted)


@router.post("/several")
def several(request: Request, site: Here, who: Carer, wanted: Wanted, fields: OwnLongFields) -> Response:
    """Take, give back or close the tasks that were ticked, all or none."""
    app, by, now = site.app, who.account.email, site.app.clock.now()
    ids = [int(name[5:]) for name in fields if name.startswith("task-") and _is_id(name[5:])]
    ids = [task_id for task_id in ids if 0 < task_id <= _LAST_ID]
    chosen = fields.get("resolution", "")
    try:
        if "close" not in fields:
            to = None if "give_back" in fields else by
            many_tasks.assign_all(app.store, who.clinic, ids, to=to, by=by, now=now)
        elif chosen in list(BY_PEOPLE):
            many_tasks.close_all(
                app.store,
                who.clinic,
                ids,
                resolution=Resolution(chosen),
                words=fields.get("words", ""),
                by=by,
                now=now,
            )
        else:
            raise TaskError("choose how the tasks ended", field="resolution")
    except TaskError as error:
        return _list_page(
            request, site, who, wanted, wrong=error.on_page, field=error.field, ticked=ids, typed=fields
        )
    return RedirectResponse(f"/worklist?{wanted.query()}".rstrip("?"), status_code=303)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 11


def _list_page(
    request: Request,
    site: Site,
    who: SignedIn,
    wanted: Filter,
    *,
    wrong: str | None = None,
    field: str = "",
    ticked: Sequence[int] = (),
    typed: dict[str, str] | None = None,
) -> HTMLResponse:
    today = clinic_now(site, who).date()
    assignee = who.account.email if wanted.mine else wanted.assignee or None
    with site.app.store.reading() as unit:
        lines = unit.browsing.open_tasks(
            who.clinic.id,
            kind=wanted.kind or None,
            assignee=None if assignee == _NOBODY else assignee,
            is_free=assignee == _NOBODY,
            is_urgent=wanted.due == "urgent",
            due_before=today if wanted.due == "overdue" else None,
            limit=MOST + 1,
            offset=(wanted.page - 1) * MOST,
        )
        counts = unit.worklist.open_counts(who.clinic.id)
        there = [one.email for one in unit.accounts.of_clinic(who.clinic.id) if one.left_at is None]
    kinds: dict[str, int] = {}
    for each in counts:
        kinds[each.kind] = kinds.get(each.kind, 0) + each.count
    return staff_page(
        request,
        site,
        who,
        "worklist.html",
        status=422 if wrong else 200,
        here="/worklist",
        lines=lines[:MOST],
        is_more=len(lines) > MOST,
        wanted=wanted,
        kinds=sorted(kinds.items(), key=lambda pair: -pair[1]),
        total=sum(kinds.values()),
        titles=_titles(site),
        today=today,
        people=there,
        nobody=_NOBODY,
        resolutions=BY_PEOPLE,
        wrong=wrong,
        opened="several",
        wrong_field=field,
        ticked=ticked,
        typed=typed or {},
    )


@router.get("/{task_id}")
def task(request: Request, site: Here, who: Reader, task_id: int) -> HTMLResponse:
    """One task and all that happened to it."""
    return _task_page(request, site, who, task_id)


@router.post("/{task_id}/take")
def take(request: Request, site: Here, who: Carer, task_id: int, fields: OwnLongFields) -> Response:
    """Take the task on oneself, or give it back."""
    to = None if "give_back" in fields else who.account.email
    seen = fields.get("seen")
    return _do(request, site, who, task_id, lambda act: tasks.assign(site.app.store, act, to=to, seen=seen))


@router.post("/{task_id}/note")
def note(request: Request, site: Here, who: Carer, task_id: int, fields: OwnLongFields) -> Response:
    """Add a note."""
    words = fields.get("words", "")
    return _do(
        request, site, who, task_id, lambda act: tasks.note(site.app.store, act, words), part="note", typed=fields
    )


@router.post("/{task_id}/close")
def close(request: Request, site: Here, who: Carer, task_id: int, fields: OwnLongFields) -> Response:
    """End the task."""
    words, chosen = fields.get("words", ""), fields.get("resolution", "")
    if chosen not in list(BY_PEOPLE):
        wrong = TaskError("choose how the task ended", field="resolution")
        return _task_page(request, site, who, task_id, wrong=wrong, part="close", typed=fields)
    resolution = Resolution(chosen)
    return _do(
        request,
        site,
        who,
        task_id,
        lambda act: tasks.close(site.app.store, act, resolution=resolution, words=words),
        part="close",
        typed=fields,
    )


@router.post("/{task_id}/reopen")
def reopen(request: Request, site: Here, who: Carer, task_id: int, fields: OwnLongFields) -> Response:
    """Open a closed task again."""
    app, words = site.app, fields.get("words", "")
    return _do(request, site, who, task_id, lambda act: tasks.reopen(app.store, app.rules, act, words=words))


def _do(
    request: Request,
    site: Site,
    who: SignedIn,
    task_id: int,
    act: Callable[[Act], Task],
    *,
    part: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    """Do it, and show the task as it is then; a refusal stands beside what was typed."""
    _require(site, who, task_id)
    try:
        act(Act(clinic=who.clinic, task_id=task_id, by=who.account.email, now=site.app.clock.now()))
    except TaskError as error:
        return _task_page(request, site, who, task_id, wrong=error, part=part, typed=typed)
    return RedirectResponse(f"/worklist/{task_id}", status_code=303)


def _require(site: Site, who: SignedIn, task_id: int) -> None:
    if not 0 < task_id <= _LAST_ID:
        raise HTTPException(404, "This clinic has no such task.")
    with site.app.store.reading() as unit:
        if unit.worklist.task(who.clinic.id, task_id) is None:
            raise HTTPException(404, "This clinic has no such task.")


def _task_page(
    request: Request,
    site: Site,
    who: SignedIn,
    task_id: int,
    *,
    wrong: TaskError | None = None,
    part: str = "",
    typed: dict[str, str] | None = None,
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
        wrong=None if wrong is None else wrong.on_page,
        opened=part,
        wrong_field="" if wrong is None else wrong.field,
        typed=typed or {},
    )


def _titles(site: Site) -> dict[str, str]:
    return {name: kind.title for name, kind in site.app.rules.task_kinds.items()}
