"""The patient's own page: who gets in, what it shows, and that looking at it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scheduler.domain.patient_page import IDLE, LONGEST
from scheduler.domain.people import PatientStatus
from scheduler.services.patient_page.linking import end_links
from scheduler.services.patient_page.opening import Bearer, Tried, try_year
from scheduler.store.tables import metadata
from scheduler.web.patient import answering, choices, knowing, opening
from tests.support.own_page import BORN, YEAR, OwnPage, deciding, link_path, opened
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at

SCREENS = (
    "",
    "?done=time",
    "/answer?about=vitamin_d&answer=1",
    "/answer?about=nothing",
    "/time",
    "/days",
    "/language",
    "/channel",
    "/wording",
    "/pause",
    "/go-on",
    "/stop",
    "/why",
    "/reminders.ics",
)
HEALTH = ("vitamin", "scan", "bone", "supplement", "exercise", "Ruth", "hueso", "prueba")
WALL = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def enrolled(world: World, **cells: str) -> None:
    """A patient who has been asked about vitamin D."""
    given = {"name": "Ruth Adler", "birth_date": BORN, "pathways": "vitamin_d;exercise", **cells}
    world.enrol_sms("P1", **given)
    world.run_until(new_york(3, 3, 12))


def dump(world: World) -> dict[str, list[Any]]:
    """Everything that is stored."""
    with world.app.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for name, table in metadata.tables.items()
        }


# The link


def test_a_link_that_was_made_up_or_altered_leads_nowhere(world: World) -> None:
    enrolled(world)
    path = link_path(world)
    client = browser(world.app)
    assert client.get(path).status_code == 200
    token = path.removeprefix("/p/")
    for at, letter in enumerate(token):
        altered = f"{token[:at]}{'A' if letter != 'A' else 'B'}{token[at + 1 :]}"
        assert client.get(f"/p/{altered}").status_code == 404, altered
    for made_up in ("x", token[:-1], f"{token}A", "A" * 24, "%00" * 8, "é" * 24, "🦴" * 24):
        assert client.get(f"/p/{made_up}").status_code == 404, made_up


def test_a_link_of_another_kind_does_not_open_the_page(world: World) -> None:
    enrolled(world)
    patient = world.patient()
    token = world.app.links.unsubscribe(world.clinic.id, patient.id).rpartition("/")[2]
    assert browser(world.app).get(f"/p/{token}").status_code == 404


def test_a_link_ends_after_thirty_days(world: World) -> None:
    enrolled(world)
    path = link_path(world)
    client = browser(world.app)
    made = world.clock.at
    world.clock.at = made + timedelta(days=30)
    assert client.get(path).status_code == 200
    world.clock.at = made + timedelta(days=31)
    assert client.get(path).status_code == 404


def test_links_that_staff_end_lead_nowhere_even_for_a_page_that_is_open(world: World) -> None:
    enrolled(world)
    page = opened(world)
    end_links(world.store, deciding(world))
    assert page.get().status_code == 404
    assert page.get("/why").status_code == 404
    again = opened(world)
    assert again.path != page.path
    assert page.get().status_code == 404


def test_a_link_that_leads_nowhere_says_so_in_the_language_of_the_browser(world: World) -> None:
    answer = browser(world.app).get("/p/nothing", headers={"Accept-Language": "es-MX"})
    assert answer.status_code == 404
    assert "Este enlace no funciona" in answer.text


# The year of birth


def test_before_the_year_of_birth_nothing_is_shown_of_the_patient_or_their_health(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    shown = page.text()
    assert "Year you were born" in shown
    for word in HEALTH:
        assert word not in shown, word
    for part in SCREENS[2:]:
        answer = page.get(part)
        assert (answer.status_code, answer.headers["location"]) == (303, page.path), part
        assert "vitamin" not in answer.text, part


def test_the_right_year_opens_the_page_and_a_wrong_one_does_not(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    wrong = page.give_year("1976")
    assert wrong.status_code == 422
    assert "4 tries are left" in wrong.text
    assert "vitamin D" in page.said(page.give_year())


@pytest.mark.parametrize(
    "typed", ["", "75", "19 7", "abcd", "1899", "2999", "١٩٧٥", "<script>", "1975; --", "9" * 60_000]
)
def test_what_is_no_year_is_refused_and_costs_no_try(world: World, typed: str) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    for _ in range(6):
        answer = page.give_year(typed)
        assert answer.status_code == 422
        assert "four digits" in answer.text
    assert page.give_year(f" {YEAR} ").status_code == 303


def test_after_five_wrong_years_none_is_taken_not_even_the_right_one(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    answers = [page.give_year(str(year)).status_code for year in range(1950, 1955)]
    assert answers == [422, 422, 422, 422, 429]
    assert "locked for now" in page.text()
    with world.store.reading() as unit:
        said = [(one[2], one[4]) for one in unit.installation.audit_entries(world.clinic.id)]
    assert ("page locked", "5 wrong years of birth in a row") in said
    form = form_token(page.get("").text)
    assert page.client.post(page.path, data={"year": YEAR, "form_token": form}).status_code == 429
    assert page.get("/why").status_code == 303


def test_a_lock_ends_after_an_hour_and_each_further_wrong_year_doubles_it(world: World) -> None:
    enrolled(world)
    bearer = Bearer(world.clinic, world.patient())

    def tried(year: int, at: datetime) -> Tried:
        return try_year(world.store, bearer, year, now=at).tried

    assert [tried(1950, WALL) for _ in range(5)] == [Tried.WRONG] * 4 + [Tried.LOCKED]
    assert tried(1975, WALL + timedelta(minutes=59)) is Tried.LOCKED
    assert tried(1951, WALL + timedelta(hours=1)) is Tried.LOCKED
    assert tried(1975, WALL + timedelta(hours=2, minutes=59)) is Tried.LOCKED
    assert tried(1975, WALL + timedelta(hours=3)) is Tried.RIGHT
    assert tried(1950, WALL + timedelta(hours=3)) is Tried.WRONG


def test_a_new_link_from_the_clinic_opens_a_locked_page(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    for year in range(1950, 1955):
        page.give_year(str(year))
    assert opened(world).get().status_code == 200


def test_without_a_date_of_birth_the_page_asks_to_call_the_clinic(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    world.store_patient(replace(world.patient(), birth_date=None))
    assert "Please call your clinic" in page.text()
    assert '<form method="post" action="' + page.path + '" class' not in page.get().text


# How long it stays open


def test_a_page_that_nobody_asks_for_closes_and_one_that_is_used_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(world)
    now = [WALL]
    for module in ("visit", "opening"):
        monkeypatch.setattr(f"scheduler.web.patient.{module}.wall_time", lambda: now[0])
    page = opened(world)
    for _ in range(5):
        now[0] += IDLE - timedelta(seconds=5)
        assert page.get("/why").status_code == 200
    now[0] += IDLE
    assert page.get("/why").status_code == 303
    assert "Year you were born" in page.text()
    assert page.give_year().status_code == 303
    begun = now[0]
    while now[0] < begun + LONGEST:
        now[0] += timedelta(minutes=10)
        page.get()
    assert page.get("/why").status_code == 303


def test_a_page_is_open_for_its_own_link_and_browser_alone(world: World) -> None:
    enrolled(world)
    world.enrol_sms("P2", name="Ben Baum", birth_date="1950-01-01")
    page = opened(world)
    cookie = page.client.cookies.get("bonewise_page")
    assert cookie
    assert OwnPage(world, page.path).get("/why").status_code == 303
    stranger = OwnPage(world, link_path(world, "P2"))
    stranger.client.cookies.set("bonewise_page", cookie)
    assert stranger.get("/why").status_code == 303
    world.clock.at += timedelta(days=1)
    other_link = link_path(world)
    assert other_link != page.path
    page.client.cookies.set("bonewise_page", cookie)
    assert page.client.get(f"{other_link}/why").status_code == 303


def test_a_page_is_closed_by_its_button(world: World) -> None:
    enrolled(world)
    page = opened(world)
    page.post("/close", {}, form="")
    assert page.get("/why").status_code == 303


def test_the_cookies_are_for_this_page_and_no_script(world: World) -> None:
    enrolled(world)
    page = OwnPage(world, link_path(world))
    set_cookie = page.give_year().headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", f"Path={page.path}"):
        assert part in set_cookie


# Looking


@pytest.mark.parametrize("language", ["en", "es"])
def test_looking_changes_nothing(world: World, language: str) -> None:
    enrolled(world, language=language)
    page = opened(world)
    before = dump(world)
    closed = OwnPage(world, page.path)
    for part in SCREENS:
        assert page.get(part).status_code in (200, 303), part
        closed.get(part)
    assert dump(world) == before


def test_every_get_of_the_page_is_among_those_that_are_looked_at() -> None:
    paths = {
        route.path.removeprefix("/p/{token}")
        for module in (opening, answering, choices, knowing)
        for route in module.router.routes
        if "GET" in route.methods
    }
    assert paths == {part.partition("?")[0] for part in SCREENS}


def test_every_change_needs_the_token_of_its_form(world: World) -> None:
    enrolled(world)
    page = opened(world)
    before = dump(world)
    for module in (opening, answering, choices, knowing):
        for route in module.router.routes:
            if "POST" in route.methods:
                path = route.path.replace("/p/{token}", page.path)
                answer = page.client.post(path, data={"span": "week", "what": "all", "year": YEAR})
                assert answer.status_code == 403, path
    assert dump(world) == before


def test_the_page_is_in_the_patients_language_and_can_be_looked_at_in_another(world: World) -> None:
    enrolled(world, language="es-MX")
    page = OwnPage(world, link_path(world))
    assert "Año en que nació" in page.text()
    page.post("/words", {"language": "en"}, form="")
    assert "Year you were born" in page.text()
    page.post("/words", {"language": "<xx>"}, form="")
    assert '<html lang="en">' in page.text()
    assert world.patient().language == "es-MX"


def test_the_first_screen_asks_what_the_clinic_asks_and_says_what_comes_next(world: World) -> None:
    enrolled(world)
    shown = opened(world).text()
    for words in ("A question for you", "Have you had it done?", "It is done", "It is booked", "Not yet"):
        assert words in shown, words
    assert "e-mail with" not in shown
    assert "Your next reminder comes on Wednesday, March 4 at 9:30 am." in shown


def test_it_says_why_messages_come_and_when_the_patient_agreed(world: World) -> None:
    enrolled(world, consent_date="2026-02-20")
    shown = opened(world).text("/why")
    for words in ("Harbor Clinic takes care of you", "February 20, 2026", "You agreed to texts.", "Vitamin D check"):
        assert words in shown, words
    assert "Tuesday, March 3, 9:30 am" in shown


@pytest.mark.parametrize("status", [PatientStatus.STOPPED, PatientStatus.DECEASED, PatientStatus.DISCHARGED])
def test_whose_messages_have_ended_sees_that_and_nothing_about_health(world: World, status: PatientStatus) -> None:
    enrolled(world)
    page = opened(world)
    world.store_patient(replace(world.patient(), status=status))
    shown = page.text()
    assert "Your messages have ended" in shown
    for word in HEALTH:
        assert word not in shown, word
    for part in SCREENS[2:]:
        answer = page.get(part)
        assert (answer.status_code, answer.headers["location"]) == (303, page.path), part
