"""Rendering: language fallback, white space, escaping, the stop line, versions, and what is missing."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from jinja2 import TemplateError

from scheduler.catalogue.templates import VALUE_NAMES, TemplateLibrary, TemplateMissingError
from scheduler.domain.languages import language_chain
from scheduler.domain.people import Mobility
from scheduler.ports import MessageValues, RenderedEmail, RenderedSms, Renderer
from tests.support.template_trees import activities_yaml, template_tree, values

MEXICAN = ("es-MX", "es", "en")
MAIL = "messages/falls/ask/{}.email.txt"


def library(root: Path, changes: dict[str, str | None] | None = None) -> TemplateLibrary:
    return TemplateLibrary(template_tree(root, changes))


def sms(root: Path, text: str, *, stop_line: bool = False, **changes: str | int) -> RenderedSms:
    templates = library(root, {"messages/falls/ask/en.sms.txt": text})
    return templates.sms("falls", "ask", ("en",), values(**changes), stop_line=stop_line)


def email(root: Path, changes: dict[str, str | None], **given: str | int) -> RenderedEmail:
    return library(root, changes).email("falls", "ask", MEXICAN, values(**given))


def test_the_library_is_a_renderer(tmp_path: Path) -> None:
    renderer: Renderer = library(tmp_path)
    body = renderer.sms("falls", "ask", ("en",), values(), stop_line=False).body
    assert body == "Elm Clinic: How is your step? Reply 1 or 2."


def test_a_template_may_name_every_field_of_the_values() -> None:
    assert set(VALUE_NAMES) == {field.name for field in fields(MessageValues)}


@pytest.mark.parametrize(
    ("languages", "used"),
    [
        (("es-MX", "es", "en"), "es"),
        (("fr", "en"), "en"),
        (("en",), "en"),
        (language_chain("ES_mx", "en"), "es"),
    ],
)
def test_a_text_falls_back_to_the_first_language_that_has_it(
    tmp_path: Path, languages: tuple[str, ...], used: str
) -> None:
    assert library(tmp_path).sms("falls", "ask", languages, values(), stop_line=True).language == used


@pytest.mark.parametrize("blank", ["", " \n ", "{% if clinic_phone == 'x' %}Hello{% endif %}"])
def test_a_template_that_comes_out_blank_counts_as_missing(tmp_path: Path, blank: str) -> None:
    templates = library(tmp_path, {"messages/falls/ask/es.sms.txt": blank})
    assert templates.sms("falls", "ask", MEXICAN, values(), stop_line=False).language == "en"


@pytest.mark.parametrize("missing", ["subject.txt", "email.txt", "email.html"])
@pytest.mark.parametrize("content", [None, " "])
def test_the_parts_of_a_mail_come_from_one_language(tmp_path: Path, missing: str, content: str | None) -> None:
    mail = email(tmp_path, {f"messages/falls/ask/es.{missing}": content})
    assert mail.language == "en"
    assert mail.subject == "A note from Elm Clinic"
    assert "How is your step?" in mail.text
    assert "How is your step?" in mail.html


def test_each_channel_falls_back_on_its_own(tmp_path: Path) -> None:
    templates = library(tmp_path, {"messages/falls/ask/es.email.txt": None})
    assert templates.email("falls", "ask", MEXICAN, values()).language == "en"
    assert templates.sms("falls", "ask", MEXICAN, values(), stop_line=False).language == "es"


def test_a_message_that_no_language_has_is_named_with_the_file_to_write(tmp_path: Path) -> None:
    templates = library(tmp_path)
    with pytest.raises(TemplateMissingError) as caught:
        templates.sms("falls", "aks", MEXICAN, values(), stop_line=False)
    assert isinstance(caught.value, LookupError)
    assert "falls/aks is missing or blank in es-MX, es, en" in str(caught.value)
    assert str(caught.value).endswith("templates/messages/falls/aks/en.sms.txt")
    with pytest.raises(TemplateMissingError):
        templates.email("falls", "aks", MEXICAN, values())


def test_a_name_that_climbs_out_of_the_folder_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "en.sms.txt").write_text("outside", encoding="utf-8")
    with pytest.raises(TemplateMissingError):
        library(tmp_path).sms("..", "..", ("en",), values(), stop_line=False)


def test_a_text_has_single_spaces_and_no_line_breaks(tmp_path: Path) -> None:
    assert sms(tmp_path, "{{ clinic }}:\n\tHow  is\u00a0it?\r\n").body == "Elm Clinic: How is it?"


def test_a_text_is_not_escaped_and_its_typographic_signs_become_plain(tmp_path: Path) -> None:
    rendered = sms(tmp_path, "{{ clinic }}: “1 < 2”", clinic="Smith & Sons’ Clinic")
    assert rendered.body == 'Smith & Sons\' Clinic: "1 < 2"'
    assert rendered.segments == 1


def test_a_byte_order_mark_never_reaches_a_phone(tmp_path: Path) -> None:
    assert sms(tmp_path, "\ufeff{{ clinic }}: Hello").body == "Elm Clinic: Hello"


def test_segments_count_the_text_with_its_stop_line(tmp_path: Path) -> None:
    text = "{{ clinic }}: " + "a" * 140
    assert sms(tmp_path, text).segments == 1
    assert sms(tmp_path, text, stop_line=True).segments == 2


def test_the_stop_line_is_in_the_language_of_the_text(tmp_path: Path) -> None:
    templates = library(tmp_path, {"messages/falls/ask/es.sms.txt": None})
    english = templates.sms("falls", "ask", MEXICAN, values(), stop_line=True).body
    spanish = templates.sms("falls", "again", MEXICAN, values(), stop_line=True).body
    assert english == "Elm Clinic: How is your step? Reply 1 or 2. Reply STOP to stop."
    assert spanish.endswith(" 2. Mande STOP para parar.")


def test_a_stop_line_in_another_language_is_better_than_none(tmp_path: Path) -> None:
    templates = library(tmp_path, {"messages/service/stop_line/es.sms.txt": None})
    body = templates.sms("falls", "ask", MEXICAN, values(), stop_line=True).body
    assert body.endswith("Responda 1 o 2. Reply STOP to stop.")


def test_a_reminder_that_needs_a_stop_line_does_not_go_without_one(tmp_path: Path) -> None:
    gone: dict[str, str | None] = {f"messages/service/stop_line/{one}.sms.txt": None for one in ("en", "es")}
    with pytest.raises(TemplateMissingError, match="service/stop_line"):
        library(tmp_path, gone).sms("falls", "ask", MEXICAN, values(), stop_line=True)


def test_a_mail_keeps_its_paragraphs_and_drops_stray_space(tmp_path: Path) -> None:
    text = (
        "\nHello {{ first_name }},  \n\n\n\n{% if clinic_phone %}\nCall {{ clinic_phone }}.\n{% endif %}\nBye.\n \n"
    )
    assert email(tmp_path, {MAIL.format("es"): text}).text == "Hello Ada,\n\nCall (617) 555-0199.\nBye."
    assert email(tmp_path, {MAIL.format("es"): text}, clinic_phone="").text == "Hello Ada,\n\nBye."


def test_a_subject_is_one_line_whatever_the_values_hold(tmp_path: Path) -> None:
    assert email(tmp_path, {}, clinic="Elm\r\nBcc: x@y.example").subject == "Un aviso de Elm Bcc: x@y.example"


def test_only_html_is_escaped(tmp_path: Path) -> None:
    mail = email(tmp_path, {MAIL.format("es"): "Hola {{ first_name }}"}, first_name="<b>A&B</b>", clinic="<i>E</i>")
    assert mail.text == "Hola <b>A&B</b>"
    assert "&lt;i&gt;E&lt;/i&gt;" in mail.html
    assert "<i>" not in mail.html


def test_html_knows_the_language_it_is_written_in(tmp_path: Path) -> None:
    assert '<html lang="es">' in email(tmp_path, {}).html
    assert '<html lang="en">' in email(tmp_path, {"messages/falls/ask/es.subject.txt": None}).html


def test_an_unknown_name_is_an_error_and_never_an_empty_word(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="clinc"):
        sms(tmp_path, "{{ clinc }}: Hello")


def test_a_template_that_was_never_checked_cannot_reach_into_python(tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        sms(tmp_path, "{{ clinic.__class__.__mro__ }}")


def test_the_version_follows_the_files_and_not_the_values(tmp_path: Path) -> None:
    first = sms(tmp_path / "a", "{{ clinic }}: Hello")
    same = sms(tmp_path / "b", "{{ clinic }}: Hello", clinic="Oak Clinic")
    other = sms(tmp_path / "c", "{{ clinic }}: Hello!")
    with_stop_line = sms(tmp_path / "d", "{{ clinic }}: Hello", stop_line=True)
    assert first.template_version == same.template_version
    assert len({first.template_version, other.template_version, with_stop_line.template_version}) == 3


@pytest.mark.parametrize("file", ["es.subject.txt", "es.email.txt", "es.email.html", "layout"])
def test_the_version_of_a_mail_follows_each_of_its_files(tmp_path: Path, file: str) -> None:
    name = "layouts/email.html" if file == "layout" else f"messages/falls/ask/{file}"
    before = email(tmp_path / "a", {})
    source = (tmp_path / "a" / "templates" / name).read_text(encoding="utf-8")
    after = email(tmp_path / "b", {name: source + "<!-- new -->"})
    assert before.template_version != after.template_version


def test_a_template_is_read_once_for_the_life_of_the_process(tmp_path: Path) -> None:
    templates = library(tmp_path)
    before = templates.sms("falls", "ask", ("en",), values(), stop_line=False)
    template_tree(tmp_path, {"messages/falls/ask/en.sms.txt": "{{ clinic }}: New."})
    assert templates.sms("falls", "ask", ("en",), values(), stop_line=False) == before


def test_a_broken_template_does_not_keep_the_others_from_being_sent(tmp_path: Path) -> None:
    templates = library(tmp_path, {"messages/falls/again/en.sms.txt": "{% if %}"})
    assert templates.sms("falls", "ask", ("en",), values(), stop_line=False).body


def test_activities_come_in_rotation_order_in_the_first_language_that_has_them(tmp_path: Path) -> None:
    templates = library(tmp_path)
    assert templates.activities("exercise", Mobility.WALKING, MEXICAN)[:2] == (
        "Camine a la puerta, vez 0.",
        "Camine a la puerta, vez 1.",
    )
    assert (
        templates.activities("exercise", Mobility.WHEELCHAIR, ("fr", "en"))[6] == "Walk to the door and back, time 6."
    )


def test_activities_of_a_mobility_fall_back_when_a_language_has_none(tmp_path: Path) -> None:
    spanish = activities_yaml("es").replace("walking:", "walkers:")
    templates = library(tmp_path, {"messages/exercise/activities.es.yaml": spanish})
    assert templates.activities("exercise", Mobility.WALKING, MEXICAN)[0].startswith("Walk")
    assert templates.activities("exercise", Mobility.LIMITED, MEXICAN)[0].startswith("Camine")


def test_missing_activities_are_named_with_their_file(tmp_path: Path) -> None:
    gone: dict[str, str | None] = {f"messages/exercise/activities.{one}.yaml": None for one in ("en", "es")}
    templates = library(tmp_path, gone)
    assert templates.activities("exercise", Mobility.LIMITED, MEXICAN) == ()
    with pytest.raises(TemplateMissingError, match=r"exercise has no activities .*activities\.en\.yaml"):
        templates.sms("exercise", "activity", MEXICAN, replace(values(), activity=""), stop_line=False)
    with pytest.raises(TemplateMissingError, match=r"exercise has no activities .*activities\.en\.yaml"):
        templates.email("exercise", "activity", MEXICAN, replace(values(), activity=""))


def test_what_suits_everybody_is_written_once(tmp_path: Path) -> None:
    one = "everybody:\n" + "".join(f"  - idea_{number}: 'Try this, {number}.'\n" for number in range(7))
    templates = library(tmp_path, {"messages/falls/activities.en.yaml": one})
    for mobility in Mobility:
        assert templates.activities("falls", mobility, ("en",))[2] == "Try this, 2."
