"""Discreet wording: what goes out says that there is a message, and where; nothing in it speaks of health."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scheduler.catalogue.content_rules import ContentRules, read_content_rules
from scheduler.domain.people import Channel
from scheduler.records import LedgerEntry
from scheduler.services.care import CareError
from scheduler.services.patient_page.linking import end_links
from scheduler.services.simulate import simulate
from tests.support.own_page import BORN, OwnPage, deciding, make_discreet
from tests.support.worlds import MONDAY, World, days_later, new_york, world_at

EVERYTHING = "vitamin_d;dexa;exercise;supplement;falls;nutrition"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def rules() -> ContentRules:
    found, faults = read_content_rules(Path(__file__).parents[2] / "config")
    assert faults == []
    return found


def health_words(rules: ContentRules, text: str, language: str) -> list[str]:
    """What a text says of health: what no message may hold, and what no subject may."""
    lists = (*rules.forbidden_in(language), *rules.subject_rules(language))
    return [hit for one in lists for hit in one.hits(text)]


def sent(world: World) -> list[LedgerEntry]:
    return [row for row in world.ledger() if row.sent_at]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("channel", list(Channel))
def test_a_month_of_messages_says_nothing_of_health(
    world: World, rules: ContentRules, language: str, channel: Channel
) -> None:
    enrol = world.enrol_sms if channel is Channel.SMS else world.enrol_email
    enrol("P1", name="Ruth Adler", birth_date=BORN, pathways=EVERYTHING, language=language)
    make_discreet(world)
    simulated = list(
        simulate(world.store, world.rules, world.app.composer, world.clinic, days=20, start=world.clock.at)
    )
    world.run_until(days_later(world.clock.at, 20))
    rows = sent(world)
    assert len(rows) > 10
    assert [row.body for row in rows] == [one.body for one in simulated]
    for row in rows:
        assert row.body is not None
        words = re.sub(r"https?://\S+", "", row.body)
        assert health_words(rules, words, language) == [], row.body
        assert "/p/" in row.body
        if channel is Channel.SMS:
            assert row.segments == 1


def test_the_first_text_says_how_to_stop(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d")
    make_discreet(world)
    world.run_until(new_york(3, 3, 12))
    (row,) = sent(world)
    assert (row.body or "").endswith("Reply STOP to stop.")


def test_the_link_in_a_text_opens_the_page_with_the_message_in_full(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d")
    make_discreet(world)
    world.run_until(new_york(3, 3, 12))
    (row,) = sent(world)
    link = next(word for word in (row.body or "").split() if "/p/" in word)
    world.clock.at += timedelta(days=29)
    page = OwnPage(world, urlsplit(link).path)
    assert page.give_year().status_code == 303
    assert "Have you had it done?" in page.text()
    end_links(world.store, deciding(world))
    assert page.get().status_code == 404
    world.receive("P1", "3")
    world.tick()
    latest = sent(world)[-1].body or ""
    fresh = next(word for word in latest.split() if "/p/" in word)
    assert OwnPage(world, urlsplit(fresh).path).get().status_code == 200


def test_the_answer_to_an_answer_is_discreet_too(world: World, rules: ContentRules) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="dexa")
    make_discreet(world)
    world.run_until(new_york(3, 6, 12))
    world.receive("P1", "2")
    world.tick()
    (reply,) = [row for row in sent(world) if row.kind == "reply"]
    assert (reply.template, "we have your answer" in (reply.body or "")) == ("thanks_booked", True)
    assert health_words(rules, reply.body or "", "en") == []


@pytest.mark.parametrize(
    ("words", "says"), [("STOP", "no more texts"), ("HELP", "emergency"), ("I fell and cannot get up", "emergency")]
)
def test_what_must_stand_in_the_message_itself_does(world: World, words: str, says: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d")
    make_discreet(world)
    world.receive("P1", words)
    world.tick()
    assert says in (sent(world)[-1].body or "")


def test_other_patients_get_messages_in_full(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d")
    world.enrol_sms("P2", birth_date=BORN, pathways="vitamin_d")
    make_discreet(world, "P1")
    world.run_until(new_york(3, 3, 12))
    bodies = {row.patient: row.body or "" for row in sent(world)}
    assert "vitamin" not in bodies["P1"]
    assert "vitamin" in bodies["P2"]


def test_without_a_date_of_birth_there_is_no_discreet_wording(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    with pytest.raises(CareError, match="no date of birth"):
        make_discreet(world)
    assert not world.patient().is_discreet
