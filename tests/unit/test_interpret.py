"""What replies mean: one behaviour a test, with the shipped words and pathways."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.catalogue.reply_words import load_reply_words
from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Unit, Wait
from scheduler.domain.replies.dates import Until
from scheduler.domain.replies.interpret import Interpretation, Meaning, OpenQuestion, interpret
from scheduler.domain.replies.words import CARRIER_WORDS, CarrierMeaning
from tests.support.config_folder import SHIPPED

PATHWAYS = load_pathways(SHIPPED).pathways
WORDS = load_reply_words(SHIPPED, PATHWAYS).words


def question(pathway: str, step: str) -> OpenQuestion:
    asked = PATHWAYS[pathway].steps[step]
    return OpenQuestion(pathway=pathway, answers=asked.answers, takes_text=asked.free_text is not None)


NUDGE = question("exercise", "daily")
WEEKLY = question("exercise", "weekly")
VITAMIN_D = question("vitamin_d", "ask")
DEXA = question("dexa", "ask")
SUPPLEMENT = question("supplement", "ask")
NAMING = question("supplement", "naming")
ALL = [NUDGE, VITAMIN_D, DEXA, SUPPLEMENT, NAMING, WEEKLY]


def hear(text: str, *asked: OpenQuestion, language: str = "en") -> Interpretation:
    return interpret(text, asked, WORDS, languages=(language, "en"))


def brief(text: str, *asked: OpenQuestion, language: str = "en") -> tuple[str, str | None, str | None]:
    heard = hear(text, *asked, language=language)
    return (heard.meaning.value, heard.pathway, heard.answer)


# STOP


@pytest.mark.parametrize(
    "text",
    [word for word, meaning in CARRIER_WORDS.items() if meaning is CarrierMeaning.OPT_OUT]
    + [
        "STOP",
        " Stop. ",
        "stop please",
        "S.T.O.P",
        "ＳＴＯＰ",
        "please stop texting me",
        "Stop! wrong number",
        "I want you to stop",
        "Don't text me again",
        "do not contact me",
        "take me off your list",
        "no more texts please",
        "cancel, thanks",
        "alto",
        "no me manden más mensajes",
        "déjenme en paz",
    ],
)
def test_any_wish_to_be_left_alone_is_stop_in_any_language_whatever_was_asked(text: str) -> None:
    assert hear(text, *ALL).meaning is Meaning.STOP
    assert hear(text, *ALL, language="es").meaning is Meaning.STOP


@pytest.mark.parametrize("text", ["I had to stop halfway", "don't stop", "should I stop taking my pills?"])
def test_stopping_something_else_is_not_stop(text: str) -> None:
    assert hear(text, NUDGE).meaning is Meaning.UNCLEAR


def test_a_tap_on_a_message_that_quotes_stop_is_not_stop() -> None:
    assert hear("Liked “Bonewise: time to move. Reply STOP to end”", NUDGE).meaning is Meaning.UNCLEAR
    assert hear('Le gustó "Bonewise: STOP para no recibir"', NUDGE, language="es").meaning is Meaning.UNCLEAR


def test_stop_works_without_any_words_loaded() -> None:
    assert interpret("Stop", [], {}).meaning is Meaning.STOP


def test_danger_is_told_beside_stop_and_a_wrong_number() -> None:
    assert hear("stop, I fell and can't get up").speaks_of_danger
    assert hear("wrong number. my wife has chest pain").speaks_of_danger
    assert not hear("stop").speaks_of_danger


# Other commands


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("START", "en", Meaning.START),
        ("yes", "en", Meaning.START),
        ("unstop", "es", Meaning.START),
        ("HELP", "es", Meaning.HELP),
        ("info", "en", Meaning.HELP),
        ("Ayuda", "es", Meaning.HELP),
        ("resume", "en", Meaning.RESUME),
        ("later", "en", Meaning.LATER),
        ("Más tarde", "es", Meaning.LATER),
        ("You have the wrong number", "en", Meaning.WRONG_NUMBER),
        ("Número equivocado", "en", Meaning.WRONG_NUMBER),
        ("I fell down yesterday", "en", Meaning.SAFETY),
        ("me caí", "en", Meaning.SAFETY),
    ],
)
def test_commands_are_understood_whatever_was_asked(text: str, language: str, meaning: Meaning) -> None:
    assert hear(text, *ALL, language=language).meaning is meaning


@pytest.mark.parametrize(
    ("text", "language", "pause"),
    [
        ("PAUSE", "en", None),
        ("pause 2 weeks", "en", Wait(14)),
        ("Pause for 10 days please", "en", Wait(10)),
        ("pause a month", "en", Wait(1, Unit.MONTHS)),
        ("pause 3wks", "en", Wait(21)),
        ("pausa dos semanas", "es", Wait(14)),
        ("pause 2 weeks", "es", Wait(14)),
        ("pause, I have a fever", "en", None),
        ("pause 0 days", "en", None),
        ("pause 999999999999999999 weeks", "en", Wait(366)),
    ],
)
def test_a_pause_may_say_how_long(text: str, language: str, pause: Wait | None) -> None:
    heard = hear(text, *ALL, language=language)
    assert (heard.meaning, heard.pause) == (Meaning.PAUSE, pause)


@pytest.mark.parametrize(
    ("text", "name"),
    [("SUPP Magnesium 400", "Magnesium 400"), ("supp: Té verde", "Té verde"), ("Supplement", "")],
)
def test_supp_names_a_supplement_as_the_patient_wrote_it(text: str, name: str) -> None:
    heard = hear(text, *ALL)
    assert (heard.meaning, heard.text) == (Meaning.SUPPLEMENT, name)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("TIME 18:30", time(18, 30)),
        ("time 6:30 pm", time(18, 30)),
        ("time 12 am", time(0, 0)),
        ("time 12 p.m.", time(12, 0)),
        ("time 9", time(9, 0)),
        ("time", None),
    ],
)
def test_time_asks_for_another_time_of_day(text: str, at: time | None) -> None:
    heard = hear(text)
    assert (heard.meaning, heard.at) == (Meaning.TIME, at)


@pytest.mark.parametrize("text", ["time flies", "time 25:00", "time 13 pm", "days gone by"])
def test_a_command_word_with_something_else_after_it_is_no_command(text: str) -> None:
    assert hear(text).meaning is Meaning.UNCLEAR


def test_days_asks_for_other_days_of_the_week() -> None:
    assert hear("DAYS mon, Wed & friday").weekdays == {Weekday.MON, Weekday.WED, Weekday.FRI}
    assert hear("días lunes y sábado", language="es").weekdays == {Weekday.MON, Weekday.SAT}


def test_a_referral_names_the_kind_of_task() -> None:
    assert brief("PT") == ("referral", None, "referral_pt")
    assert brief("dietista", language="es") == ("referral", None, "referral_diet")


def test_a_stop_for_a_time_says_how_long() -> None:
    heard = hear("please stop texting me until Monday")
    assert (heard.meaning, heard.pause) == (Meaning.STOP, Until(weekday=Weekday.MON))
    assert hear("I have had 2 weeks of this. Stop").pause is None


def test_a_pause_until_a_day_ends_on_the_next_such_day() -> None:
    pause = hear("pause until Friday").pause
    assert pause is not None
    assert pause.after(date(2026, 6, 5)) == date(2026, 6, 12)


def test_what_a_patient_s_languages_leave_unclear_is_understood_in_another() -> None:
    assert interpret("pausa dos semanas", [], WORDS, languages=("en",)).pause == Wait(14)
    assert interpret("hecho", [NUDGE], WORDS, languages=("en",)).meaning is Meaning.DONE


def test_stop_and_danger_are_heard_far_down_in_a_long_text() -> None:
    story = "the weather was nice and we had tea in the garden with the neighbours. " * 60
    assert hear(story + "please stop texting me").meaning is Meaning.STOP
    assert hear(story + "then I fell").meaning is Meaning.SAFETY
    assert hear(story + "my leg did not stop shaking").meaning is Meaning.UNCLEAR


def test_an_answer_above_a_long_story_counts_and_the_story_is_for_a_person() -> None:
    heard = hear("2\n\n" + "the weather was nice and we had tea in the garden. " * 60, VITAMIN_D)
    assert (heard.pathway, heard.answer, heard.has_more) == ("vitamin_d", "booked", True)


def test_the_text_is_what_the_patient_typed_without_what_a_mail_program_added() -> None:
    assert hear("K2 drops\n\nOn Monday Clinic wrote:\n> Reply with its name.", NAMING).text == "K2 drops"
    assert hear("what is this for\n-- \nJane Roe").text == "what is this for"


def test_a_text_of_quotation_alone_says_nothing() -> None:
    assert hear("> Reply STOP to stop.", NUDGE) == Interpretation(meaning=Meaning.UNCLEAR)


# Answers


@pytest.mark.parametrize("text", ["2", "2.", " (2) ", "２", "2️⃣", "2 thanks", "2 booked", "Booked!", "scheduled"])
def test_a_digit_or_a_word_answers_the_open_question(text: str) -> None:
    assert brief(text, DEXA) == ("answer", "dexa", "booked")


def test_a_digit_that_two_questions_have_answers_the_one_asked_last() -> None:
    assert brief("1", DEXA, VITAMIN_D) == ("answer", "dexa", "talked")
    assert brief("1", VITAMIN_D, DEXA) == ("answer", "vitamin_d", "done")


def test_a_digit_that_only_an_older_question_has_answers_that_one() -> None:
    assert brief("4", NUDGE, VITAMIN_D, DEXA) == ("answer", "dexa", "no")


def test_a_word_means_what_the_question_asked_last_makes_of_it() -> None:
    assert brief("no", VITAMIN_D, DEXA) == ("answer", "vitamin_d", "not_yet")
    assert brief("no", DEXA, SUPPLEMENT) == ("answer", "dexa", "not_yet")
    assert brief("no", SUPPLEMENT, DEXA) == ("answer", "supplement", "none")


def test_a_digit_that_no_open_question_has_is_unclear() -> None:
    assert brief("7", VITAMIN_D, DEXA) == ("unclear", None, None)
    assert brief("1") == ("unclear", None, None)


def test_spanish_words_and_english_ones_are_both_understood_from_a_spanish_patient() -> None:
    assert brief("Todavía no", VITAMIN_D, language="es") == ("answer", "vitamin_d", "not_yet")
    assert brief("booked", VITAMIN_D, language="es") == ("answer", "vitamin_d", "booked")


def test_done_counts_the_day_when_the_nudge_was_asked_last() -> None:
    assert brief("DONE", NUDGE, VITAMIN_D) == ("done", "exercise", "done")


def test_done_answers_a_question_asked_after_the_nudge_that_has_it() -> None:
    assert brief("DONE", VITAMIN_D, NUDGE) == ("answer", "vitamin_d", "done")
    assert brief("DONE", DEXA, NUDGE) == ("done", "exercise", "done")


def test_done_without_a_question_is_still_done() -> None:
    assert brief("Done!") == ("done", None, "done")
    assert brief("hecho", DEXA, language="es") == ("done", None, "done")


def test_free_text_goes_to_the_question_that_takes_it_unless_it_is_an_answer() -> None:
    heard = hear("Vitamin K2, 100 µg", NAMING, DEXA)
    assert (heard.meaning, heard.pathway, heard.answer) == (Meaning.ANSWER, "supplement", None)
    assert heard.text == "Vitamin K2, 100 µg"
    assert brief("booked", NAMING, DEXA) == ("answer", "dexa", "booked")


def test_any_takes_whatever_nothing_else_understands() -> None:
    assert brief("feeling better", WEEKLY) == ("answer", "exercise", "any")
    assert brief("done", WEEKLY) == ("done", "exercise", "done")
    assert brief("magnesium", WEEKLY, NAMING) == ("answer", "supplement", None)


@pytest.mark.parametrize("text", ["", "   ", "?!", "👍", "\u200b"])
def test_a_reply_without_a_word_is_unclear_even_where_anything_counts(text: str) -> None:
    assert hear(text, WEEKLY, NAMING).meaning is Meaning.UNCLEAR


@given(st.text(max_size=60), st.lists(st.sampled_from(ALL), max_size=4), st.sampled_from(["en", "es", "fr"]))
def test_every_text_has_a_meaning_and_an_answer_is_one_that_was_open(
    text: str, asked: list[OpenQuestion], language: str
) -> None:
    heard = interpret(text, asked, WORDS, languages=(language,))
    if heard.meaning is Meaning.ANSWER:
        open_answers = {(each.pathway, answer.name) for each in asked for answer in each.answers}
        takes_text = {each.pathway for each in asked if each.takes_text}
        assert (heard.pathway, heard.answer) in open_answers or heard.pathway in takes_text


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_word_unsubscribe_stops_wherever_it_stands(before: str, after: str) -> None:
    text = f"x{before} unsubscribe {after}x"  # ends without a quote, so that it is no tap on a message
    assert interpret(text, ALL, WORDS).meaning is Meaning.STOP
