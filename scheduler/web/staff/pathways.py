"""Pathways: each as a drawing made from its file, with how many of the clinic's patients stand where."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from scheduler.domain.outline import Way, outline
from scheduler.domain.pathway import Pathway
from scheduler.services import pathway_words
from scheduler.services.accounts.sessions import SignedIn
from scheduler.web.diagrams import draw
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import Reader

router = APIRouter(prefix="/pathways")


@router.get("")
def first(request: Request, site: Here, who: Reader) -> HTMLResponse:
    """The pathway that has the first say, and the way to the others."""
    known = _by_priority(site)
    if not known:
        return staff_page(request, site, who, "pathways.html", here="/pathways", pathways=[], shown=None)
    return _page(request, site, who, known[0])


@router.get("/{pathway}")
def one(request: Request, site: Here, who: Reader, pathway: str) -> HTMLResponse:
    """One pathway."""
    found = site.app.rules.pathways.get(pathway)
    if found is None:
        raise HTTPException(404, "There is no pathway of that name.")
    return _page(request, site, who, found)


def _page(request: Request, site: Site, who: SignedIn, shown: Pathway) -> HTMLResponse:
    with site.app.store.reading() as unit:
        counts = unit.browsing.patients_by_step(who.clinic.id)
    on_each: dict[str, int] = {}
    for (name, _), count in counts.items():
        on_each[name] = on_each.get(name, 0) + count
    found = outline(shown)
    elsewhere = {
        step: count
        for (name, step), count in sorted(counts.items())
        if name == shown.name and step not in shown.steps
    }
    return staff_page(
        request,
        site,
        who,
        "pathways.html",
        here="/pathways",
        pathways=_by_priority(site),
        on_each=on_each,
        shown=shown,
        is_off=shown.name in site.app.rules.off_by_default,
        outline=found,
        diagram=draw(found),
        counts={step: counts.get((shown.name, step), 0) for step in shown.steps},
        elsewhere=elsewhere,
        say=_Words(site),
    )


def _by_priority(site: Site) -> list[Pathway]:
    return sorted(site.app.rules.pathways.values(), key=lambda one: one.priority)


class _Words:
    """How a page says what a pathway does."""

    titled = staticmethod(pathway_words.titled)
    plainly = staticmethod(pathway_words.plainly)
    cause = staticmethod(pathway_words.cause)
    purpose = staticmethod(pathway_words.purpose)
    wait = staticmethod(pathway_words.wait_words)

    def __init__(self, site: Site) -> None:
        self._kinds = site.app.rules.task_kinds

    def consequences(self, way: Way) -> list[str]:
        return pathway_words.consequences(way, self._kinds)

    def task(self, kind: str) -> str:
        return self._kinds[kind].title if kind in self._kinds else pathway_words.plainly(kind)
