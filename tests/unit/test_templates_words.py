"""What a rendered message may say, how long it may be, and which answers it may offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.template_trees import faults, only_fault

ASK = "messages/falls/ask/en.sms.txt"
THANKS = "messages/falls/thanks/en.sms.txt"
THANKS_ES = "messages/falls/thanks/es.sms.txt"
CLINIC_LENGTH = 24  # of the sample name
STOP_LENGTH = len(" Reply STOP to stop.")


def padded(length: int, *, start: str, end: str) -> str:
    """A text of short sentences that has `length` characters once the clinic's name stands in it."""
    room = length - CLINIC_LENGTH - len(start) - len(end)
    filler = ("It is so now. " * 20)[:room]
    return "{{ clinic }}" + start + filler[:-1] + "a" + end


def test_a_text_opens_with_the_name_of_the_clinic(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {THANKS: "Thank you, says {{ clinic }}."})
    assert (fault.line, "begin it with {{ clinic }}:" in fault.message) == (1, True)


def test_an_english_reminder_with_its_stop_line_fits_one_segment(tmp_path: Path) -> None:
    fits = padded(160 - STOP_LENGTH, start=": ", end=" Reply 1 or 2.")
    assert faults(tmp_path, {ASK: fits}) == []
    fault = only_fault(tmp_path, {ASK: fits + "."})
    assert fault.path == f"templates/{ASK}"
    assert "takes 161 units of GSM-7 in 2 segments, at most one segment (160)" in fault.message


def test_an_answer_to_the_patient_has_the_whole_segment(tmp_path: Path) -> None:
    assert faults(tmp_path, {THANKS: padded(160, start=": ", end=".")}) == []
    assert "161 units" in only_fault(tmp_path, {THANKS: padded(161, start=": ", end=".")}).message


def test_a_text_is_measured_in_its_longest_case(tmp_path: Path) -> None:
    long = padded(150, start=": ", end=".") + "{% if clinic_phone %} Call {{ clinic_phone }}.{% endif %}"
    assert "2 segments" in only_fault(tmp_path, {THANKS: long}).message


def test_the_activity_text_is_measured_with_the_longest_activity(tmp_path: Path) -> None:
    name = "messages/exercise/activities.en.yaml"
    groups = ("walking", "limited", "wheelchair", "standing_frame")
    rows = [[f"  - walk_{n}: Walk to the door." for n in range(7)] for _ in groups]
    rows[2][4] = "  - walk_4: " + "Go on and on. " * 9
    text = "\n".join(f"{group}:\n" + "\n".join(row) for group, row in zip(groups, rows, strict=True))
    fault = only_fault(tmp_path, {name: text})
    assert fault.path == "templates/messages/exercise/activity/en.sms.txt"
    assert "Go on and on. Go on and on." in fault.message


def test_typographic_signs_do_not_count_because_they_are_replaced(tmp_path: Path) -> None:
    assert faults(tmp_path, {THANKS: "{{ clinic }}: “Thanks” – we’re glad…"}) == []


def test_an_english_text_with_a_sign_outside_gsm_7_names_it(tmp_path: Path) -> None:
    assert "holds ☺, which halves" in only_fault(tmp_path, {THANKS: "{{ clinic }}: Thanks ☺."}).message


def test_another_language_may_take_two_segments_and_is_told_what_makes_it_long(tmp_path: Path) -> None:
    accented = "{{ clinic }}: " + "Está muy bien así. " * 5
    assert faults(tmp_path, {THANKS_ES: accented}) == []
    fault = only_fault(tmp_path, {THANKS_ES: accented + "Está bien. " * 3})
    assert "UCS-2 in 3 segments, at most 2 segments; without á í it would be shorter" in fault.message


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("We hope your MS is calm.", "'MS', which names a diagnosis"),
        ("Is your osteoporosis calm?", "'osteoporosis', which names a diagnosis"),
        ("Take 50mg of it.", "'mg', which gives a dose"),
        ("Take it with Prednisone.", "'Prednisone', which names a drug"),
        ("You need a scan.", "'You need a scan', which tells the patient"),
        ("It is so very URGENT.", "'URGENT', which presses"),
        ("We guarantee it.", "'guarantee', which promises"),
    ],
)
def test_a_forbidden_word_is_named_with_its_line_and_reason(tmp_path: Path, text: str, hit: str) -> None:
    fault = only_fault(tmp_path, {THANKS: f"{{{{ clinic }}}}:\n{text}"})
    assert (fault.line, hit in fault.message) == (2, True), fault


def test_accents_do_not_hide_a_forbidden_word(tmp_path: Path) -> None:
    assert "'diagnostico'" in only_fault(tmp_path, {THANKS_ES: "{{ clinic }}: Su diagnóstico."}).message


@pytest.mark.parametrize("text", ["Ms. Lee says thanks.", "All items are in.", "It is a fine image."])
def test_a_word_that_only_looks_like_a_forbidden_one_may_stand(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, {THANKS: f"{{{{ clinic }}}}: {text}"}) == []


def test_a_forbidden_word_is_found_in_html_but_not_in_its_style(tmp_path: Path) -> None:
    name = "messages/falls/thanks/en.email.html"
    body = "<style>p{--dose:1}</style>\n<p>A DOSE</p>"
    html = f'{{% extends "layouts/email.html" %}}{{% block body %}}{body}{{% endblock %}}'
    fault = only_fault(tmp_path, {name: html})
    assert "'DOSE', which speaks of a dose" in fault.message


@pytest.mark.parametrize("word", ["YES", "CANCEL", "END", "STOP", "START", "HELP"])
def test_a_carrier_word_is_never_offered_on_a_pathway(tmp_path: Path, word: str) -> None:
    fault = only_fault(tmp_path, {THANKS: f"{{{{ clinic }}}}: Thanks. Or {word}."})
    assert f"the word {word}, which carriers act on" in fault.message


def test_the_same_word_in_small_letters_or_in_a_service_message_may_stand(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        THANKS: "{{ clinic }}: We will start to help, yes.",
        "messages/service/stopped/en.sms.txt": "{{ clinic }}: Text START to start.",
    }
    assert faults(tmp_path, changes) == []


@pytest.mark.parametrize(
    ("text", "listed"),
    [("Reply 1 or 3.", "1, 3"), ("Reply 1.", "1"), ("Reply 1, 2 or 3.", "1, 2, 3"), ("Tell us.", "no digit")],
)
def test_a_question_lists_the_digits_of_its_step(tmp_path: Path, text: str, listed: str) -> None:
    fault = only_fault(tmp_path, {ASK: f"{{{{ clinic }}}}: {text}"})
    assert f"lists {listed}, but step ask of falls understands 1, 2" in fault.message


def test_a_silence_asks_with_the_digits_of_the_step_it_belongs_to(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"messages/falls/again/es.sms.txt": "{{ clinic }}: Responda 1."})
    assert "lists 1, but step ask of falls understands 1, 2" in fault.message


@pytest.mark.parametrize("text", ["1: fine, 2: not. Come at 9:30.", "1) or 2), by 5/7 or 10.", "1=fine\n2=not"])
def test_times_dates_and_longer_numbers_are_no_digits_to_answer_with(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, {ASK: f"{{{{ clinic }}}}: {text}"}) == []


def test_a_message_that_no_digit_answers_offers_none(tmp_path: Path) -> None:
    assert "offers 1 as an answer" in only_fault(tmp_path, {THANKS: "{{ clinic }}: Reply 1."}).message
    assert faults(tmp_path, {THANKS: "{{ clinic }}: Walk 5 minutes."}) == []


def test_a_subject_does_not_hint_at_health(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"messages/falls/ask/es.subject.txt": "Sus huesos"})
    assert "says 'huesos', which hints at health" in fault.message


def test_a_subject_is_short(tmp_path: Path) -> None:
    subject = "messages/falls/ask/en.subject.txt"
    assert faults(tmp_path, {subject: "{{ clinic }}" + " news" * 7}) == []
    assert "has 64 characters, at most 60" in only_fault(tmp_path, {subject: "{{ clinic }}" + " news" * 8}).message


def test_a_sentence_has_at_most_twenty_words(tmp_path: Path) -> None:
    twenty = "We " + "go " * 18 + "on"
    assert faults(tmp_path, {THANKS: f"{{{{ clinic }}}}: {twenty}."}) == []
    assert "a sentence of 21 words" in only_fault(tmp_path, {THANKS: f"{{{{ clinic }}}}: {twenty} on."}).message


def test_a_hard_message_is_told_its_grade_and_its_long_words(tmp_path: Path) -> None:
    hard = "Communicate anticipated individual circumstances."
    name = "messages/falls/thanks/en.email.txt"
    fault = only_fault(tmp_path, {name: f"{hard}\n\n{{{{ unsubscribe_url }}}}"})
    assert fault.path == f"templates/{THANKS}"
    assert "should be 6.0 or less" in fault.message
    assert "Long words: anticipated, individual, circumstances" in fault.message


def test_a_text_may_not_come_out_empty_in_any_case(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {THANKS: "{% if clinic_phone %}{{ clinic }}: Call {{ clinic_phone }}.{% endif %}"})
    assert "comes out empty (with count 2, no clinic phone" in fault.message


def test_a_condition_that_fails_on_some_value_is_found_before_it_is_sent(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {THANKS: "{{ clinic }}: {% if clinic_phone > 1 %}Hm.{% endif %}"})
    assert "cannot be filled in" in fault.message
