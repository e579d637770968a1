"""Reading `content_rules.yaml`, and finding its words in texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.catalogue.content_rules import NO_RULES, ContentRules, read_content_rules, word_rule
from tests.support.template_trees import CONFIG_DIR

SOUND = """\
forbidden:
  any:
    - {why: is a unit, words: [mg]}
  en:
    - {why: is a diagnosis, words: [MS, bone loss]}
subjects:
  en:
    - {why: hints, words: [bone*]}
carrier_words:
  any: [STOP]
  es: [ALTO]
reply_words:
  en: [reply, reply with]
"""


def rules(root: Path, text: str = SOUND) -> tuple[ContentRules, list[str]]:
    config = root / "config"
    config.mkdir()
    (config / "content_rules.yaml").write_text(text, encoding="utf-8")
    read, faults = read_content_rules(config)
    return read, [str(fault) for fault in faults]


def hits(text: str, *words: str) -> list[str]:
    return list(word_rule("why", words).hits(text))


def test_the_shipped_rules_are_sound_and_cover_both_languages() -> None:
    shipped, faults = read_content_rules(CONFIG_DIR)
    assert faults == []
    assert shipped.missing_for("en") == shipped.missing_for("es-MX") == []


def test_a_language_has_its_own_words_and_those_of_any(tmp_path: Path) -> None:
    read, faults = rules(tmp_path)
    assert faults == []
    assert [rule.why for rule in read.forbidden_in("en-GB")] == ["is a unit", "is a diagnosis"]
    assert [rule.why for rule in read.forbidden_in("es")] == ["is a unit"]
    assert read.carrier_words_in("STOP o ALTO", "es") == ["STOP", "ALTO"]
    assert read.carrier_words_in("STOP o ALTO", "en") == ["STOP"]
    assert read.missing_for("es") == ["forbidden", "subjects", "reply_words"]


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["MS"], "MS, Ms. and items", ["MS"]),
        (["mg"], "50mg or 5 MG of omg mgs", ["mg", "MG"]),
        (["deficien*"], "Deficient, deficiency", ["Deficient", "deficiency"]),
        (["bone loss"], "bone\n loss, bone-loss", ["bone\n loss"]),
        (["depresion"], "Depresión", ["Depresion"]),
        (["depresión"], "depresion", ["depresion"]),
        (["100%"], "100% or 1100%", ["100%"]),
        (["a.b"], "axb", []),
    ],
)
def test_words_are_found_whole_in_any_case_and_without_accents(words: list[str], text: str, found: list[str]) -> None:
    assert hits(text, *words) == found


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Reply 1.", ["1"]),
        ("reply: 2", ["2"]),
        ("Reply with “3”", ["3"]),
        ("Reply 10", []),
        ("Walk 5 minutes", []),
    ],
)
def test_a_digit_behind_a_reply_word_is_offered(tmp_path: Path, text: str, digits: list[str]) -> None:
    assert rules(tmp_path)[0].offered_digits(text, "en") == digits


def test_a_language_without_reply_words_offers_nothing() -> None:
    assert NO_RULES.offered_digits("Reply 1", "en") == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "forbidden:",
            "forbiden:",
            "content_rules.yaml:1: 'forbiden' is not a word of this place; did you mean 'for",
        ),
        ("forbidden:", "forbiden:", "content_rules.yaml: 'forbidden' is missing"),
        (
            "  any: [STOP]\n  es: [ALTO]",
            "  - STOP",
            "content_rules.yaml:9: 'carrier_words' must be a mapping of",
        ),
        ("any: [STOP]", "any: STOP", "content_rules.yaml:10: words must be a list"),
        ("[STOP]", "[STOP, '']", "content_rules.yaml:10: a word of this list is empty"),
        ("[STOP]", "['*']", "content_rules.yaml:10: a word of this list is empty"),
        ("{why: hints, words: [bone*]}", "bone", "content_rules.yaml:8: a rule must be of the form"),
        ("why: hints, ", "", "content_rules.yaml:8: a rule must be of the form"),
        ("[mg]}", "[mg]", "is not valid YAML"),
    ],
)
def test_a_fault_of_the_file_is_named_with_its_line(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert any(fault in one for one in rules(tmp_path, SOUND.replace(old, new))[1])


def test_a_missing_file_is_a_fault_and_leaves_no_rules(tmp_path: Path) -> None:
    read, faults = read_content_rules(tmp_path / "config")
    assert read == NO_RULES
    assert [fault.path for fault in faults] == ["config/content_rules.yaml"]
