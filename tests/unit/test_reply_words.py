"""Reply words: how texts are compared, and the faults of a language's file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.catalogue.reply_words import LoadedReplyWords, load_reply_words
from scheduler.domain.calendar import Weekday
from scheduler.domain.folding import normalise
from scheduler.domain.pathway import Unit, Wait
from scheduler.domain.replies.words import CarrierMeaning, Command, Phrase, WordList, carrier_meaning
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
    assert "no mas (<estos>) <mensaje>" in words.phrases[Phrase.STOP]
    assert "mensajito" in words.groups["mensaje"]
    assert words.answer_words("dexa", "not_yet") >= {"todavia no", "aun no"}
    assert "densitometria" in words.topics["dexa"]
    assert "no" in words.answer_words("vitamin_d", "not_yet")
    assert words.units["semanas"] == Wait(7)
    assert words.units["mes"] == Wait(1, Unit.MONTHS)
    assert words.numbers["dos"] == 2
    assert words.weekdays["miercoles"] is Weekday.WED
    assert words.amounts["par"] == 2
    assert "por" in words.of(WordList.POLITE)
    assert "👍" in words.of(WordList.GESTURES)


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
        ("⑴ ⒈", "1 1"),
        ("𝐒𝐓𝐎𝐏", "stop"),
        ("e\u0301", "e"),
        ("İstanbul", "istanbul"),
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
    faults = faults_after(folder, "not_yet: [not yet,", "not_yet: [not yet, rather not,")
    assert any(
        "answers, no: 'rather not' is also a word for 'not_yet'" in fault and "pathway 'dexa', step 'ask'" in fault
        for fault in faults
    )


def test_one_word_for_answers_to_different_questions_is_no_fault(folder: ConfigFolder) -> None:
    words = load(folder).words["en"]
    assert "nope" in words.answer_words("dexa", "not_yet") & words.answer_words("supplement", "none")
    assert load(folder).faults == []


def test_an_answer_of_a_pathway_without_words_is_a_fault(folder: ConfigFolder) -> None:
    faults = faults_after(folder, "  booked: [", "  boked: [")
    assert any(
        "answers: no words for 'booked' of pathway 'dexa', step 'ask'; did you mean 'boked'?" in fault
        for fault in faults
    )


def test_a_command_without_words_is_a_fault(folder: ConfigFolder) -> None:
    (fault,) = faults_after(folder, "  time: [time, change time, new time]", "  time: []")
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
        ("  time: [time, change time, new time]", "  time: time", "commands, time: must be a list of words"),
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


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (
            "    - bus stop\n",
            "    - stop texting me in the night\n",
            "'stop texting me in the night' would swallow the wish to stop 'stop texting'",
        ),
        (
            "    - bus stop\n",
            "    - <dont> <contact>\n",
            "'<dont> <contact>' would swallow the wish to stop 'dont contact'",
        ),
        (
            "    - fell asleep\n",
            "    - fell down the stairs\n    - fell\n",
            "phrases, not_safety: 'fell' also stands under phrases, safety; it cannot be danger and none",
        ),
        (
            "done: [done,",
            "done: [done, i fell,",
            "answers, done: 'i fell' is heard as words of danger; choose another word",
        ),
        (
            "    - bus stop\n",
            "    - <bus> stop\n",
            "'<bus> stop' names the group 'bus', which is not under groups; add it there",
        ),
        ("    - bus stop\n", "    - ... stop\n", "'... stop' must begin and end with a word that is always there"),
        ("    - bus stop\n", "    - (bus stop\n", "'(bus stop' has a bracket without its partner"),
        ("    - bus stop\n", "    - a ... b ... c ... d\n", "has more than 2 gaps or 4 words in brackets"),
        ("  dexa: [dexa,", "  dxa: [dexa,", "topics: there is no pathway 'dxa'; did you mean 'dexa'?"),
        ("  dexa: [dexa,", "  dexa: [labs, dexa,", "topics, dexa: 'labs' also stands under topics, vitamin_d"),
        (
            "  vitamin_d.not_yet:",
            "  vitamind.not_yet:",
            "answers: there is no pathway 'vitamind'; did you mean 'vitamin_d'?",
        ),
        ("  tue: [tue,", "  tue: [monday, tue,", "weekdays, tue: 'monday' also stands under weekdays, mon"),
        (
            "date_order: month/day",
            "date_order: american",
            "date_order: 'american' must be one of month/day, day/month",
        ),
        ('"👍", "✅"', '"ok", "✅"', "gestures: 'ok' is not one emoji"),
        ("ordinary: [\n", "ordinary: [booked,\n", "ordinary: 'booked' also stands under answers, booked"),
    ],
)
def test_words_that_collide_hide_or_name_nothing_are_told_with_their_line(
    folder: ConfigFolder, was: str, now: str, told: str
) -> None:
    faults = faults_after(folder, was, now)
    assert any(told in fault and fault.startswith("config/replies/en.yaml:") for fault in faults), faults


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (
            "  not_stop:",
            "  nothing:",
            "phrases: 'not_stop' is missing; en.yaml has it, so give its words in this language",
        ),
        ("\ntopics:", "\nthemes:", "'topics' is missing; en.yaml has it"),
        ("\npolite: [", "\npolit: [", "'polite' is missing; en.yaml has it"),
        ("  vie: [", "  x: [", "weekdays: 'fri' is missing; en.yaml has it"),
    ],
)
def test_a_list_that_english_has_and_another_language_lacks_is_told(
    folder: ConfigFolder, was: str, now: str, told: str
) -> None:
    text = (SHIPPED / "replies" / "es.yaml").read_text(encoding="utf-8").replace("  fri: [", "  vie: [")
    assert was in text
    folder.write("replies/es.yaml", text.replace(was, now, 1))
    faults = [str(fault) for fault in load(folder).faults]
    assert any(told in fault and fault.startswith("config/replies/es.yaml:") for fault in faults), faults


def test_an_answer_in_one_language_that_is_stop_in_another_is_told(folder: ConfigFolder) -> None:
    text = (SHIPPED / "replies" / "es.yaml").read_text(encoding="utf-8")
    folder.write("replies/es.yaml", text.replace("  done: [hecho,", "  done: [knock it off, hecho,", 1))
    (fault,) = [str(fault) for fault in load(folder).faults]
    assert "answers, done: 'knock it off' is heard as a wish to stop" in fault


def test_words_for_a_pathway_whose_file_has_faults_are_no_fault_of_their_own(folder: ConfigFolder) -> None:
    folder.write("pathways/dexa.yaml", "nonsense")
    without = {name: pathway for name, pathway in PATHWAYS.items() if name != "dexa"}
    assert load_reply_words(folder.path, without).faults == []
