"""A patient at their own page, with a browser of theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from scheduler.catalogue.ui_words import load_ui_words
from scheduler.services.care import Deciding
from scheduler.services.patient_page.linking import make_link, set_discreet
from scheduler.services.patient_page.words import Speech
from scheduler.web.patient.page import speech
from scheduler.web.patient.saying import Saying
from tests.support.template_trees import CONFIG_DIR
from tests.support.web import browser
from tests.support.worlds import BY, World

BORN = "1975-04-12"
YEAR = "1975"


def speech_in(language: str) -> Speech:
    """How mails of a shipped language ask for an answer, and what the page says instead."""
    return speech(Saying(language, load_ui_words([Path(CONFIG_DIR).parent / "templates"])))


def deciding(world: World, mrn: str = "P1", *, now: datetime | None = None) -> Deciding:
    """What staff of the clinic decide about a patient."""
    return Deciding(clinic=world.clinic, mrn=mrn, by=BY, now=now or world.clock.at)


def link_path(world: World, mrn: str = "P1") -> str:
    """The path of a new link to the patient's page."""
    return urlsplit(make_link(world.store, world.app.links, deciding(world, mrn)).url).path


def make_discreet(world: World, mrn: str = "P1") -> None:
    """From now on the patient's messages say only that there is one."""
    set_discreet(world.store, deciding(world, mrn), discreet=True)


class OwnPage:
    """A browser that came by a link."""

    def __init__(self, world: World, path: str) -> None:
        self.world = world
        self.path = path
        self.client: TestClient = browser(world.app)

    def give_year(self, year: str = YEAR) -> Any:
        """Try a year of birth."""
        return self.post("", {"year": year})

    def get(self, part: str = "") -> Any:
        return self.client.get(f"{self.path}{part}")

    def text(self, part: str = "") -> str:
        """The words of a screen."""
        answer = self.get(part)
        assert answer.status_code == 200, (part, answer.status_code, answer.headers.get("location"))
        return unescape(re.sub(r"<link [^>]*>", "", answer.text))

    def post(self, part: str, fields: Mapping[str, str], *, form: str | None = None) -> Any:
        """Send a form as the screen at `form` would, with what is hidden in it."""
        hidden = self.hidden(part if form is None else form)
        return self.client.post(f"{self.path}{part}", data={**hidden, **fields})

    def hidden(self, part: str) -> dict[str, str]:
        """What is hidden in the forms of a screen."""
        page = self.client.get(f"{self.path}{part}").text
        found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        assert found, "the page has no form"
        return {name: unescape(value) for name, value in found.items()}

    def said(self, answer: Any) -> str:
        """The first screen, to which an answer leads."""
        assert answer.status_code == 303, (answer.status_code, answer.text)
        found = self.client.get(answer.headers["location"])
        assert found.status_code == 200
        return unescape(found.text)


def opened(world: World, mrn: str = "P1") -> OwnPage:
    """The patient's page after the right year."""
    page = OwnPage(world, link_path(world, mrn))
    assert page.give_year().status_code == 303
    return page
