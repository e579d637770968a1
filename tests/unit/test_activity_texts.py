"""What the daily text suggests: short, plain, fit for how the patient moves, strength never twice running."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from scheduler.domain.people import Mobility
from scheduler.domain.sms import Encoding, segments
from tests.support.message_texts import (
    LANGUAGES,
    NEVER,
    activities,
    activity_texts,
    capitals,
)

each_language = pytest.mark.parametrize("language", LANGUAGES)


@each_language
def test_every_way_of_moving_has_eight_activities_or_more_without_repeats(language: str) -> None:
    groups = activities(language)
    assert set(groups) == {mobility.value for mobility in Mobility}
    for items in groups.values():
        assert len(items) >= 8
        assert len({name for name, _ in items}) == len({text for _, text in items}) == len(items)


def test_both_languages_turn_through_the_sameactivities() -> None:
    english, spanish = activities("en"), activities("es")
    for group, items in english.items():
        assert [name for name, _ in items] == [name for name, _ in spanish[group]]


@each_language
def test_an_activity_is_short_plain_and_ends_its_sentence(language: str) -> None:
    for text in activity_texts(language):
        length = segments(text)
        assert length.encoding is Encoding.GSM7, text
        assert length.units <= 60, text
        assert text.endswith(".")
        assert not NEVER.search(text)
        assert not capitals(text)


@each_language
def test_strength_never_comes_two_days_running(language: str) -> None:
    for group, items in activities(language).items():
        names = [name for name, _ in items]
        strength = [name.endswith("_strength") for name in names]
        assert any(strength), group
        assert not any(one and other for one, other in pairwise([*strength, strength[0]])), group


@each_language
def test_work_against_a_load_is_always_marked_as_strength(language: str) -> None:
    loaded = re.compile(r"\bband|raise|push up|stand up from|\bbanda|talones|ponerse de pie", re.IGNORECASE)
    for items in activities(language).values():
        for name, text in items:
            assert bool(loaded.search(text)) == name.endswith("_strength"), text


@each_language
@pytest.mark.parametrize(
    ("mobility", "unfit"),
    [
        (Mobility.LIMITED, r"stair|flight|escalera|jump|salte"),
        (Mobility.WHEELCHAIR, r"stair|walk|\bstand|on your feet|escalera|camine|de pie|jump|salte"),
        (Mobility.STANDING_FRAME, r"stair|walk|balance|escalera|camine|equilibrio|jump|salte"),
    ],
)
def test_no_group_is_asked_for_what_it_cannot_do_safely(language: str, mobility: Mobility, unfit: str) -> None:
    for _, text in activities(language)[mobility]:
        assert not re.search(unfit, text, re.IGNORECASE), text


@each_language
def test_nobody_stands_in_a_frame_without_a_helper(language: str) -> None:
    frame = re.compile(r"\bframe\b|\bstand\b|bipedestador|de pie", re.IGNORECASE)
    helper = {"en": "with your helper", "es": "con su ayudante"}[language]
    in_frame = [text for _, text in activities(language)[Mobility.STANDING_FRAME] if frame.search(text)]
    assert in_frame
    assert all(helper in text.lower() for text in in_frame)


@each_language
def test_standing_and_stairs_always_come_with_something_to_hold(language: str) -> None:
    upright = re.compile(
        r"stand tall|both heels|flight|de pie \d+ minuto|talones|escalera|junte los pies", re.IGNORECASE
    )
    support = re.compile(r"\bhold\b|apoyo|pasamanos", re.IGNORECASE)
    for mobility in (Mobility.WALKING, Mobility.LIMITED):
        matching = [text for _, text in activities(language)[mobility] if upright.search(text)]
        assert matching
        assert all(support.search(text) for text in matching)
