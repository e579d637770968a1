"""Reply words: how texts are compared, and the faults of a language's file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.catalogue.reply_words import LoadedReplyWords, load_reply_words
from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Unit, Wait
from scheduler.domain.reply_words import CarrierMeaning, Command, Phrase, carrier_meaning, normalise
from tests.support.config_folder import SHIPPED, ConfigFolder, config_folder

PATHWAYS = load_pathways(SHIPPED).pathways


@pytest.fixture
def folder(tmp_path: Path) -> ConfigFolder:
    return config_folder(tmp_path)


def load(folder: ConfigFolder) -> LoadedReplyWords:
    return load_reply_words(folder.path, PATHWAYS)


def faults_after(folder: ConfigFolder, was: str, now: str) -> list[str]:
    """The faults of en.yaml after one change to the shipped file."""
    text = (SHIPPED / "replies" / "en.yaml").read_text(encoding="utf-8")
    assert was in text
    folder.write("replies/en.yaml", text.replace(was, now, 1))
    return [str(fault) for fault in load(folder).faults]


def test_each_part_of_a_file_becomes_its_part_of_the_words() -> None:
    words = load_reply_words(SHIPPED, PATHWAYS).words["es"]
    assert "alto" in words.commands[Command.STOP]
    assert "no mas mensajes" in words.phrases[Phrase.STOP]
    assert words.answer_words("dexa", "not_yet") == {"todavia no", "aun no", "no todavia", "no aun"}
    assert "no" in words.answer_words("vitamin_d", "not_yet")
    assert words.units["semanas"] == Wait(7)
    assert words.units["mes"] == Wait(1, Unit.MONTHS)
    assert words.numbers["dos"] == 2
    assert words.weekdays["miercoles"] is Weekday.WED
    assert "gracias" in words.polite


# Normalising


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  Done!! ", "done"),
        ("DON'T stop", "dont stop"),
        ("don’t", "dont"),
        ("Más tarde…", "mas tarde"),
        ("１", "1"),
        ("1️⃣", "1"),
        ("①", "1"),
        ("١", "1"),
        ("1.", "1"),
        ("(2)", "2"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("opt-out", "opt out"),
        ("st\u200bop", "stop"),
        ("done 👍🏽", "done"),
        ("ｓｔｏｐ", "stop"),
        ("a\nb\tc", "a b c"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_texts_are_compared_without_case_accents_or_punctuation(text: str, same: str) -> None:
    assert normalise(text) == same


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("Stop", CarrierMeaning.OPT_OUT),
        ("opt_out", CarrierMeaning.OPT_OUT),
        ("YES", CarrierMeaning.OPT_IN),
        ("info", CarrierMeaning.HELP),
        ("done", None),
        ("later", None),
    ],
)
def test_carriers_words_are_known_in_any_spelling(word: str, meaning: CarrierMeaning | None) -> None:
    assert carrier_meaning(word) is meaning


# Faults


@pytest.mark.parametrize("word", ["stop", "quit", "cancel", "opt out", "'YES'", "start", "help", "Info"])
def test_a_carrier_s_word_is_no_word_for_an_answer(folder: ConfigFolder, word: str) -> None:
    faults = faults_after(folder, "done: [done,", f"done: [done, {word},")
    assert len(faults) == 1 or (len(faults) == 2 and "one meaning only" in "".join(faults))
    assert any("answers, done: phone carriers treat" in fault for fault in faults)


def test_a_carrier_s_word_is_no_word_for_another_command(folder: ConfigFolder) -> None:
    faults = faults_after(folder, "later: [later,", "later: [later, unstop,")
    assert any("commands, later: phone carriers treat 'unstop' as opt-in" in fault for fault in faults)


def test_an_answer_that_is_heard_as_a_wish_to_stop_is_a_fault(folder: ConfigFolder) -> None:
    (fault,) = faults_after(folder, "done: [done,", "done: [done, i want to stop now,")
    assert "'i want to stop now' is heard as a wish to stop; choose another word" in fault


def test_a_word_of_two_commands_is_a_fault(folder: ConfigFolder) -> None:
    (fault,) = faults_after(folder, "later: [later,", "later: [later, pausing,")
    assert "commands, later: 'pausing' also stands under commands, pause (line " in fault


def test_a_command_s_word_is_no_word_for_an_answer(folder: ConfigFolder) -> None:
    (fault,) = faults_after(folder, "done: [done,", "done: [done, Later!,")
    assert "answers, done: 'later' also stands under commands, later" in fault


def test_one_word_for_two_answers_to_one_question_is_a_fault(folder: ConfigFolder) -> None:
    faults = faults_after(folder, "not_yet: [not yet,", "not_yet: [not yet, nope,")
    assert any(
        "answers, no: 'nope' is also a word for 'not_yet'" in fault and "pathway 'dexa', step 'ask'" in fault
        for fault in faults
    )


def test_one_word_for_answers_to_different_questions_is_no_fault(folder: ConfigFolder) -> None:
    words = load(folder).words["en"]
    assert "nope" in words.answer_words("dexa", "no") & words.answer_words("supplement", "none")
    assert load(folder).faults == []


def test_an_answer_of_a_pathway_without_words_is_a_fault(folder: ConfigFolder) -> None:
    faults = faults_after(folder, "  booked: [", "  boked: [")
    assert any(
        "answers: no words for 'booked' of pathway 'dexa', step 'ask'; did you mean 'boked'?" in fault
        for fault in faults
    )


def test_a_command_without_words_is_a_fault(folder: ConfigFolder) -> None:
    (fault,) = faults_after(folder, "  time: [time]", "  time: []")
    assert fault.endswith("commands: 'time' has no words; give at least one")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (
            "  resume: [",
            "  resum: [",
            "commands: 'resum' is not a word of this place; did you mean 'resume'?",
        ),
        ("language: en", "language: es", "language: 'es' differs from the file's name"),
        ("language: en", "language: '??'", "'??' is not a language tag"),
        ("polite: [", "polit: [", "'polit' is not a word of this place; did you mean 'polite'?"),
        ("  time: [time]", "  time: time", "commands, time: must be a list of words"),
        ("done: [done,", "done: [done, '!!',", "answers, done: '!!' is not a word"),
        ("done: [done,", "done: [done, 3,", "answers, done: '3' is a digit; digits are the pathway's"),
        ("  mon: [", "  mond: [", "weekdays: 'mond' is not a word of this place; did you mean 'mon'?"),
        ("language: en", "language: [", "is not valid YAML"),
    ],
)
def test_a_faulty_file_is_told_with_its_line(folder: ConfigFolder, was: str, now: str, told: str) -> None:
    faults = faults_after(folder, was, now)
    assert any(told in fault and fault.startswith("config/replies/en.yaml:") for fault in faults), faults


def test_english_must_be_there(folder: ConfigFolder) -> None:
    (folder.path / "replies" / "en.yaml").unlink()
    assert [str(fault) for fault in load(folder).faults] == [
        "config/replies/en.yaml: is missing; every patient falls back to English, so add it"
    ]
