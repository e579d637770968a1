"""What every screen of a patient's page has: the frame, the token of its forms, and how a refusal is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.languages import base_language
from scheduler.domain.patient_page import IDLE
from scheduler.services.patient_page.words import Speech
from scheduler.web.forms import keep_cookie, token_for
from scheduler.web.patient.calling import call_link, with_call_links
from scheduler.web.patient.saying import Saying
from scheduler.web.patient.visit import Visit, keep_open
from scheduler.web.site import Site
from scheduler.web.tongues import N_

# How e-mails ask for an answer, and what the page says in place of it. They stand inside sentences.
_MAIL = N_("e-mail")
_TO_MAIL = N_("to this e-mail")
_HERE = N_("here")
_ELSEWHERE = N_("to one of our messages")
_REPLY_DONE = N_("reply to this e-mail with the word DONE")
_PRESS = N_("press the button below")
_OWN_NAMES = {"en": "English", "es": "Español"}  # a language calls itself the same on every page

# What the first screen says after something was done there.
DONE: Mapping[str, str] = {
    "taken": N_("Thank you. Your clinic has your answer."),
    "passed_on": N_("Thank you. A person at your clinic will read this."),
    "answered": N_("This was answered already, or your clinic has asked something new since."),
    "time": N_("Done. Your reminders will come at the new time."),
    "days": N_("Done. Your reminders will come on the new days."),
    "language": N_("Done. Your messages will come in this language."),
    "channel": N_("Done. Your reminders will come this way."),
    "discreet": N_("Done. Your messages will say only that there is one."),
    "in_full": N_("Done. Your messages will say what they are about."),
    "paused": N_("Done. Your reminders are paused."),
    "resumed": N_("Done. Your reminders go on."),
    "held": N_("Your clinic has paused your activities. Call the clinic if they should go on."),
    "topic_stopped": N_("Done. You will get no more messages about this."),
}


def screen(
    request: Request, site: Site, visit: Visit, template: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The screen `patient/<template>`; shown to somebody who has given the year, it keeps the page open."""
    cookie, token = token_for(site.app, request)
    html = site.pages.html(
        f"patient/{template}",
        language=visit.language,
        clinic=visit.clinic.message_name,
        phone=call_link(visit.clinic),
        with_links=partial(with_call_links, visit.clinic),
        here=visit.path,
        say=visit.saying,
        form_token=token,
        is_open=visit.started_at is not None,
        idle_minutes=int(IDLE.total_seconds()) // 60,
        languages=languages(site),
        **values,
    )
    answer = HTMLResponse(html, status_code=status)
    keep_cookie(answer, request, cookie)
    keep_open(answer, site, visit)
    return answer


def home_again(site: Site, visit: Visit, done: str = "") -> RedirectResponse:
    """Back to the first screen, which says what was done."""
    answer = RedirectResponse(f"{visit.path}?done={done}" if done else visit.path, status_code=303)
    keep_open(answer, site, visit)
    return answer


def languages(site: Site) -> dict[str, str]:
    """The languages that both pages and messages are written in, each as it calls itself."""
    both = sorted(site.pages.words.languages & site.app.languages)
    return {tag: _OWN_NAMES.get(tag, tag) for tag in both}


def speech(saying: Saying) -> Speech:
    """How mails ask for an answer in the language of the page."""
    one = saying.one
    return Speech(
        mail=one(_MAIL).lower(),
        to_mail=one(_TO_MAIL),
        here=one(_HERE),
        elsewhere=one(_ELSEWHERE),
        reply_done=one(_REPLY_DONE),
        press=one(_PRESS),
    )


def is_in(language: str, tag: str) -> bool:
    """Whether somebody whose language is `language` is written to in that of `tag`."""
    return tag in (language, base_language(language))
