"""Messages: everything that patients are sent, in every language, on a drawn phone and as a mail."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.ports.gallery import ShownMessage, Written
from scheduler.services.pathway_words import titled
from scheduler.web.mail_frames import mail_body, with_frames
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import Reader

router = APIRouter(prefix="/messages")

SERVICE_TITLE = "What the service itself says"
_STEP = re.compile(r"step (\w+)$")

Name = Annotated[str, Query(max_length=64)]


@router.get("")
def messages(request: Request, site: Here, who: Reader, pathway: Name = "", language: Name = "") -> HTMLResponse:
    """The messages of one pathway, by the step that uses them; with `language`, in that one alone."""
    gallery = site.app.gallery
    shown = pathway if pathway in gallery.folders else gallery.folders[0]
    languages = dict(gallery.languages)
    wanted = language if language in languages else ""
    page = staff_page(
        request,
        site,
        who,
        "messages.html",
        here="/messages",
        folders=[(name, _title(site, name)) for name in gallery.folders],
        shown=shown,
        title=_title(site, shown),
        has_pathway=shown in site.app.rules.pathways,
        languages=languages,
        only=wanted,
        groups=_by_step(site, shown, gallery.messages(shown)),
        is_shown=lambda version: not wanted or version.language == wanted,
    )
    with_frames(page)
    return page


@router.get("/{pathway}/{message}/{language}")
def drawn(site: Here, who: Reader, pathway: str, message: str, language: str) -> HTMLResponse:
    """The HTML part of a mail, for the frame that shows it."""
    found = _written(site.app.gallery.messages(pathway), message, language)
    if found is None or found.mail is None or found.mail.html is None:
        raise HTTPException(404, "There is no such e-mail.")
    return mail_body(found.mail.html)


def _written(shown: Iterable[ShownMessage], name: str, language: str) -> Written | None:
    versions = (version for one in shown if one.name == name for version in one.versions)
    return next((version for version in versions if version.language == language), None)


def _title(site: Site, folder: str) -> str:
    known = site.app.rules.pathways.get(folder)
    return known.title if known is not None else SERVICE_TITLE if folder == SERVICE_MESSAGES else folder


def _by_step(site: Site, folder: str, shown: Iterable[ShownMessage]) -> list[tuple[str, list[ShownMessage]]]:
    """The messages under the step that uses each first, in the order of the steps; facts come last."""
    known = site.app.rules.pathways.get(folder)
    groups: dict[str, list[ShownMessage]] = {step: [] for step in (known.steps if known is not None else ())}
    for one in shown:
        found = next((match[1] for place in one.places if (match := _STEP.search(place))), "")
        groups.setdefault(found, []).append(one)
    last = "At any step" if known is not None else ""
    return [(titled(step) if step else last, those) for step, those in groups.items() if those]
