"""Language tags and the order in which languages are tried."""

from __future__ import annotations

import pytest

from scheduler.domain.languages import base_language, language_chain, normalise_language


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("en", "en"),
        ("ES_mx", "es-MX"),
        (" fr-ca ", "fr-CA"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("en-x-gb", "en-x-gb"),  # what follows a single letter is private: its case says nothing
        ("de-1996", "de-1996"),
    ],
)
def test_a_tag_is_written_in_its_usual_case(written: str, normal: str) -> None:
    assert normalise_language(written) == normal


@pytest.mark.parametrize("nonsense", ["", " ", "e", "../secrets", "es/mx", "english!", "es-", "español", "en\0"])
def test_what_is_no_language_tag_never_becomes_one(nonsense: str) -> None:
    assert normalise_language(nonsense) is None


@pytest.mark.parametrize(
    ("patient", "clinic", "chain"),
    [
        ("es-MX", "fr-CA", ("es-MX", "es", "fr-CA", "fr", "en")),
        ("es", "es-MX", ("es", "es-MX", "en")),
        ("en-GB", "en-US", ("en-GB", "en", "en-US")),
        (None, "es", ("es", "en")),
        ("", "", ("en",)),
        ("../../etc", None, ("en",)),
        ("ES_mx", "EN", ("es-MX", "es", "en")),
        ("zh-Hant-TW", "en", ("zh-Hant-TW", "zh-Hant", "zh", "en")),
        ("es-u-nu-latn", "en", ("es-u-nu-latn", "es-u-nu", "es", "en")),
    ],
)
def test_languages_fall_back_from_region_to_base_to_clinic_to_english(
    patient: str | None, clinic: str | None, chain: tuple[str, ...]
) -> None:
    assert language_chain(patient, clinic) == chain


def test_the_base_of_a_region_is_its_language() -> None:
    assert base_language("es-MX") == "es"
    assert base_language("en") == "en"
