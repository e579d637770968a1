"""The words that patients get: each text says who writes and what to do, and tells others nothing.

The engine that loads and renders them has its own tests; these are about the words in `templates/`.
"""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, meta

from scheduler.catalogue.readability import longest_sentence, score
from scheduler.catalogue.template_tree import Piece
from scheduler.domain.sms import Encoding, segments
from tests.support.message_texts import (
    CLINIC,
    LANGUAGES,
    MESSAGES,
    NEVER,
    TEMPLATES,
    TEXTS,
    TOPICS,
    WORDY,
    capitals,
    digits_of,
    every_rendering,
    render,
    seen,
    source_of,
    steps_that_ask,
    values,
)

each_message = pytest.mark.parametrize("message", MESSAGES)
each_text = pytest.mark.parametrize("message", TEXTS)
each_language = pytest.mark.parametrize("language", LANGUAGES)

REPLY_WORDS = {
    "en": {"DONE", "LATER", "PAUSE", "RESUME", "TIME", "DIET"},
    "es": {"HECHO", "PAUSA", "SEGUIR", "HORA", "DIETA"},
}
CARRIER_WORDS = {  # they act at the carrier, so they stand only where that is what they are for
    "service/help": {"STOP"},
    "service/started": {"HELP", "STOP"},
    "service/stopped": {"START"},
    "service/topic_stopped": {"STOP"},
    "service/confirm_number": {"STOP", "WRONG", "EQUIVOCADO"},
}
DONE_WORD = {"en": "DONE", "es": "HECHO"}

SMS_LIMIT = 160
STOP_LINE_LIMIT = 20
ROOM_FOR_STOP_LINE = STOP_LINE_LIMIT + 2  # a space before it, and one character to spare
TELLS_STOP_ITSELF = {"service/help", "service/started", "service/topic_stopped", "service/confirm_number"}


@each_language
@each_message
def test_every_message_has_its_four_files(message: str, language: str) -> None:
    folder = TEMPLATES / "messages" / message
    assert {file.name for file in folder.glob(f"{language}.*")} == {f"{language}.{piece}" for piece in Piece}


def test_no_message_is_written_that_nothing_sends() -> None:
    written = {
        folder.relative_to(TEMPLATES / "messages").as_posix()
        for folder in (TEMPLATES / "messages").glob("*/*")
        if folder.is_dir()
    }
    assert written == {*TEXTS, "service/stop_line", "service/for_whom"}


@each_language
@each_message
def test_a_template_names_only_what_its_channel_and_message_have(message: str, language: str) -> None:
    allowed = {
        Piece.SMS: {"clinic", "clinic_phone"},
        Piece.SUBJECT: {"clinic"},
        Piece.TEXT: {"clinic", "clinic_phone", "first_name", "page_url", "unsubscribe_url"},
        Piece.HTML: {"clinic", "clinic_phone", "first_name", "page_url"},
    }
    extra = {
        "exercise/activity": {"activity"},
        "exercise/week": {"count"},
        "exercise/well_done": {"count"},
        "nutrition/idea": {"activity"},
        "service/who": {"choices"},
        "service/topic_stopped": {"topic"},
        "service/paused": {"when"},
        "service/time_set": {"when"},
        "service/days_set": {"days"},
        "service/discreet": {"page_url"},
        "service/discreet_answer": {"page_url"},
        "service/from_staff": {"words"},
    }.get(message, set())
    for piece in Piece:
        tree = Environment(autoescape=True).parse(source_of(message, language, piece))
        named = meta.find_undeclared_variables(tree)
        assert named <= allowed[piece] | (extra if piece is not Piece.SUBJECT else set()), piece


@each_language
@each_message
def test_a_template_uses_only_names_and_simple_ifs(message: str, language: str) -> None:
    for piece in Piece:
        source = source_of(message, language, piece)
        assert all(re.fullmatch(r"\w+", inside.strip()) for inside in re.findall(r"{{(.*?)}}", source))
        tags = {tag.split()[0] for tag in re.findall(r"{%(.*?)%}", source)}
        frame = {"extends", "block", "endblock"} if piece is Piece.HTML else set()
        assert tags <= {"if", "elif", "else", "endif"} | frame


@each_language
@each_message
def test_nothing_tells_a_diagnosis_a_drug_a_dose_a_result_or_fear(message: str, language: str) -> None:
    for piece in Piece:
        for text in every_rendering(message, language, piece):
            assert not NEVER.findall(seen(text, piece)), piece


@each_language
@each_text
def test_a_text_says_first_which_clinic_writes(message: str, language: str) -> None:
    for text in every_rendering(message, language, Piece.SMS):
        assert text.startswith(f"{CLINIC}: ")


@each_text
def test_an_english_text_is_one_segment_with_its_stop_line(message: str) -> None:
    limit = SMS_LIMIT if message in TELLS_STOP_ITSELF else SMS_LIMIT - ROOM_FOR_STOP_LINE
    for text in every_rendering(message, "en", Piece.SMS):
        length = segments(text)
        assert (length.encoding, length.odd) == (Encoding.GSM7, ())
        assert length.units <= limit, text


@each_text
def test_a_spanish_text_is_one_segment_without_its_stop_line_and_two_with_it(message: str) -> None:
    ending = render("service/stop_line", "es", Piece.SMS, values())
    for text in every_rendering(message, "es", Piece.SMS):
        length = segments(text)
        if length.odd == ("á",) and message == "service/days_set":  # nothing else says "sábado"
            assert length.segments <= 2, text
            continue
        assert (length.encoding, length.odd) == (Encoding.GSM7, ())
        assert length.segments == 1, text
        assert segments(f"{text} {ending}").segments <= 2


@each_language
def test_the_stop_line_fits_the_room_that_is_left_for_it(language: str) -> None:
    line = render("service/stop_line", language, Piece.SMS, values())
    assert "STOP" in line
    assert segments(line).encoding is Encoding.GSM7
    assert segments(line).units <= STOP_LINE_LIMIT


@each_language
@each_message
def test_no_carrier_word_is_offered_as_an_answer(message: str, language: str) -> None:
    allowed = REPLY_WORDS[language] | CARRIER_WORDS.get(message, set())
    for piece in Piece:
        for text in every_rendering(message, language, piece):
            assert capitals(seen(text, piece).replace(CLINIC, "")) <= allowed, piece


@each_language
@each_message
def test_the_digits_in_a_text_are_those_its_steps_understand(message: str, language: str) -> None:
    expected = [digits_of(step) for step in steps_that_ask(message)] or [set()]
    for piece in WORDY:
        source = re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>", " ", source_of(message, language, piece))
        for digits in expected:
            assert set(re.findall(r"\d+", source)) == digits, piece


@each_language
@pytest.mark.parametrize("message", ["exercise/activity", "exercise/stepped_down"])
def test_a_text_that_waits_for_done_says_so(message: str, language: str) -> None:
    assert all("done" in step["answers"] for step in steps_that_ask(message))
    for piece in WORDY:
        assert DONE_WORD[language] in source_of(message, language, piece)


@each_language
@each_message
def test_each_text_reads_easily(message: str, language: str) -> None:
    for piece in WORDY:
        for text in every_rendering(message, language, piece):
            words_seen = seen(text, piece).replace(CLINIC, "Harbor Clinic")
            found = score([words_seen], language)
            assert found is not None
            assert found.value <= 6 if language == "en" else found.value >= 70, (piece, found, words_seen)


@each_language
@each_message
def test_no_sentence_is_longer_than_fifteen_words(message: str, language: str) -> None:
    for piece in WORDY:
        for text in every_rendering(message, language, piece):
            words, sentence = longest_sentence(seen(text, piece).replace(CLINIC, "Harbor Clinic"))
            assert words <= 15, sentence


@each_language
@each_message
def test_a_text_without_a_phone_has_no_gap_where_it_would_stand(message: str, language: str) -> None:
    for piece in WORDY:
        words_seen = seen(render(message, language, piece, values(activity="Walk.", phone="")), piece)
        assert not re.search(r" {2}| [.,:?!]|\b(?:at|al)\.| at$| al$", words_seen), words_seen


@each_language
def test_the_text_that_asks_about_a_number_tells_whoever_has_it_nothing(language: str) -> None:
    for text in every_rendering("service/confirm_number", language, Piece.SMS):
        assert set(re.findall(r"\d+", text)) == {"1"}
        assert capitals(text.replace(CLINIC, "")) <= CARRIER_WORDS["service/confirm_number"]
        assert not re.search(r"Ana|health|care|salud|remind|aviso", text.replace(CLINIC, ""), re.IGNORECASE)
        words, sentence = longest_sentence(text.replace(f"{CLINIC}: ", ""))
        assert words <= 15, sentence


@each_language
def test_what_a_topic_is_called_is_known_for_every_pathway_that_is_shipped(language: str) -> None:
    said = {topic: render("service/topic_stopped", language, Piece.SMS, values(topic=topic)) for topic in TOPICS}
    other = render("service/topic_stopped", language, Piece.SMS, values(topic="one that a clinic has added"))
    assert len({*said.values(), other}) == len(TOPICS) + 1
    assert all("STOP" in text for text in said.values())


@pytest.mark.parametrize(
    ("message", "language", "when", "said"),
    [
        ("service/time_set", "en", "19:00", "come at 7:00 pm"),
        ("service/time_set", "es", "19:00", "a las 19:00"),
        ("service/paused", "en", "2026-12-06", "The last day is December 6, 2026."),
        ("service/paused", "es", "2026-12-06", "hasta el 6 de diciembre de 2026."),
        ("service/paused", "en", "", "until you "),
        ("service/paused", "es", "", "hasta que "),
    ],
)
def test_a_confirmation_says_which_time_or_day_was_understood(
    message: str, language: str, when: str, said: str
) -> None:
    pieces = [Piece.SMS, Piece.TEXT, Piece.HTML]
    texts = [seen(render(message, language, piece, values(when=when)), piece) for piece in pieces]
    assert all(said in text for text in texts), texts


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("en", "mon wed fri", "Your days are now Monday, Wednesday, Friday."),
        ("es", "mon wed sat", "cada lunes, miércoles, sábado."),
        ("en", "sun", "are now Sunday."),
        ("en", "", "come on the days you chose."),
        ("en", "days_set", "come on the days you chose."),
    ],
)
def test_a_confirmation_of_days_says_which(language: str, days: str, said: str) -> None:
    for piece in (Piece.SMS, Piece.TEXT, Piece.HTML):
        assert said in seen(render("service/days_set", language, piece, values(days=days)), piece)
