"""Answering what the clinic asks, and ending the messages: both are replies, as if they had come by text."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from scheduler.services.patient_page.answering import (
    LONGEST_ANSWER,
    RESUME,
    STOP,
    Outcome,
    say,
    topics_to_stop,
)
from scheduler.services.patient_page.home import Choice, Home, Question
from scheduler.web.access import anyone
from scheduler.web.forms import OwnFields
from scheduler.web.patient.opening import home_of
from scheduler.web.patient.page import home_again, screen
from scheduler.web.patient.topics import title_of
from scheduler.web.patient.visit import Entered, Visit
from scheduler.web.site import Here, Site
from scheduler.web.tongues import N_

router = APIRouter(prefix="/p/{token}", dependencies=[Depends(anyone)])

EVERYTHING = "all"
_LONGEST_ONCE = 64
_NO_WORDS = N_("Write your answer first.")
_TOO_LONG = N_("This is too long. Write at most 500 characters.")
_NOTHING_CHOSEN = N_("Choose one of the answers.")

Short = Annotated[str, Query(max_length=40)]


@router.get("/answer")
def look(request: Request, site: Here, visit: Entered, about: Short = "", answer: Short = "") -> Response:
    """Ask whether this is the answer; where the patient writes it in words, ask for them. Changes nothing."""
    question = _open(home_of(site, visit), about)
    if question is None:
        return home_again(site, visit, "answered")
    choice = question.choice(answer)
    if choice is None and not question.takes_text:
        return home_again(site, visit)
    return _confirm(request, site, visit, question, choice)


@router.post("/answer")
def answer(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Take the answer in. Words are shown once more before."""
    question = _open(home_of(site, visit), fields.get("about", ""))
    if question is None or (question.step, str(question.cycle)) != (fields.get("step"), fields.get("cycle")):
        return home_again(site, visit, "answered")
    choice = question.choice(fields.get("answer", ""))
    words = fields.get("words", "").strip()
    if choice is None:
        wrong = _fault(question, words)
        if wrong or "sure" not in fields:
            return _confirm(request, site, visit, question, None, words=words, wrong=wrong)
    said = choice.text if choice is not None else words
    outcome = _say(site, visit, said, once=fields.get("once", ""), about=question.pathway)
    if outcome is Outcome.DANGER:
        return screen(request, site, visit, "danger.html")
    return home_again(site, visit, "" if outcome is Outcome.STOPPED else outcome.value)


@router.get("/go-on")
def ask_to_go_on(request: Request, site: Here, visit: Entered) -> Response:
    """Ask whether activities should start again after words of danger paused them. Changes nothing."""
    rest = home_of(site, visit).rest
    if rest is None or not rest.may_resume:
        return home_again(site, visit)
    return screen(request, site, visit, "go_on.html")


@router.post("/go-on")
def go_on(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """Lift the pause of what repeats, which the patient's own words began; the clinic's is not theirs to lift."""
    rest = home_of(site, visit).rest
    if rest is not None and not rest.may_resume:
        return home_again(site, visit, "held")
    if rest is not None:
        _say(site, visit, RESUME, once=fields.get("once", ""), about=None)
    return home_again(site, visit, "resumed")


@router.get("/stop")
def stop(request: Request, site: Here, visit: Entered) -> Response:
    """Ask whether the messages should end, all of them or one topic. Changes nothing."""
    return _stop_screen(request, site, visit)


@router.post("/stop")
def end(request: Request, site: Here, visit: Entered, fields: OwnFields) -> Response:
    """End them: a STOP, confirmed once, as any other."""
    if home_of(site, visit).has_ended:
        return home_again(site, visit)
    chosen = fields.get("what", EVERYTHING)
    topics = topics_to_stop(site.app.rules, visit.clinic, _pathways(site, visit))
    words = STOP if chosen == EVERYTHING else topics.get(chosen)
    if words is None:
        return _stop_screen(request, site, visit, wrong=_NOTHING_CHOSEN)
    _say(site, visit, words, once=fields.get("once", ""), about=None)
    return home_again(site, visit, "" if chosen == EVERYTHING else "topic_stopped")


def _say(site: Site, visit: Visit, words: str, *, once: str, about: str | None) -> Outcome:
    app = site.app
    return say(
        app.store,
        app.rules,
        visit.bearer,
        words,
        once=once[:_LONGEST_ONCE] or secrets.token_urlsafe(12),
        about=about,
        now=app.clock.now(),
    )


def _open(shown: Home, about: str) -> Question | None:
    return next((one for one in shown.questions if one.pathway == about), None)


def _fault(question: Question, words: str) -> str:
    if not question.takes_text:
        return _NOTHING_CHOSEN
    if not words:
        return _NO_WORDS
    return _TOO_LONG if len(words) > LONGEST_ANSWER else ""


def _confirm(
    request: Request,
    site: Site,
    visit: Visit,
    question: Question,
    choice: Choice | None,
    *,
    words: str = "",
    wrong: str = "",
) -> Response:
    return screen(
        request,
        site,
        visit,
        "answer.html",
        status=422 if wrong else 200,
        question=question,
        choice=choice,
        words=words,
        wrong=visit.saying.one(wrong) if wrong else "",
        is_sure=bool(words) and not wrong,
        longest=LONGEST_ANSWER,
        once=secrets.token_urlsafe(12),
    )


def _stop_screen(request: Request, site: Site, visit: Visit, *, wrong: str = "") -> Response:
    topics = topics_to_stop(site.app.rules, visit.clinic, _pathways(site, visit))
    return screen(
        request,
        site,
        visit,
        "stop.html",
        status=422 if wrong else 200,
        topics={pathway: title_of(site, visit, pathway) for pathway in topics},
        everything=EVERYTHING,
        wrong=visit.saying.one(wrong) if wrong else "",
        once=secrets.token_urlsafe(12),
    )


def _pathways(site: Site, visit: Visit) -> tuple[str, ...]:
    """The pathways that the patient is on and has not ended."""
    with site.app.store.reading() as unit:
        enrolled = unit.patients.enrolments([visit.patient.id]).get(visit.patient.id, ())
    return tuple(one.state.pathway for one in enrolled if not one.state.is_stopped)
