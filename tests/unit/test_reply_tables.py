"""Every text of the published tables is understood as the tables say."""

from __future__ import annotations

from itertools import groupby

import pytest

from scheduler.domain.replies.interpret import Meaning
from tests.support.reply_tables import Row, rows, told

LANGUAGES = ("en", "es")
GROUPS = [
    pytest.param(list(group), id=f"{language}: {name}")
    for language in LANGUAGES
    for name, group in groupby(rows(language), key=lambda row: row.group)
]


@pytest.mark.parametrize("group", GROUPS)
def test_each_text_is_understood_as_the_table_says(group: list[Row]) -> None:
    wrong = [(row.say, row.asked, told(heard)) for row in group if told(heard := row.hear()) != row.expected]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_at_least_200_different_texts(language: str) -> None:
    assert len({(row.say, row.asked) for row in rows(language)}) >= 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_texts_for_every_meaning(language: str) -> None:
    assert {row.means for row in rows(language)} == {meaning.value for meaning in Meaning}
