"""The preview: what a patient would get, its length, its score and its faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.catalogue.preview import preview
from scheduler.domain.people import Channel
from scheduler.ports import TemplatePreview
from tests.support.template_trees import CONFIG_DIR, PATHWAYS, template_tree

CLINIC = "Maple Avenue Care Center"


def previews(
    root: Path, template: str, language: str = "en", changes: dict[str, str | None] | None = None
) -> list[TemplatePreview]:
    templates = template_tree(root, changes)
    return preview(templates, template, language, pathways=PATHWAYS, config_dir=CONFIG_DIR)


def test_a_reminder_is_shown_as_text_and_mail_with_its_stop_line(tmp_path: Path) -> None:
    text, mail = previews(tmp_path, "falls/ask")
    assert text.channel is Channel.SMS
    assert text.body == f"{CLINIC}: How is your step? Reply 1 or 2. Reply STOP to stop."
    assert (text.encoding, text.units, text.segments, text.odd) == ("GSM-7", len(text.body), 1, ())
    assert mail.channel is Channel.EMAIL
    assert mail.subject == f"A note from {CLINIC}"
    assert "How is your step?" in (mail.text or "")
    assert "<p>How is your step?" in (mail.html or "")
    assert text.faults == mail.faults == ()


def test_an_answer_to_the_patient_has_no_stop_line(tmp_path: Path) -> None:
    assert previews(tmp_path, "falls/thanks")[0].body == f"{CLINIC}: Thank you for your reply."


def test_text_and_mail_show_the_grade_of_the_whole_message(tmp_path: Path) -> None:
    text, mail = previews(tmp_path, "falls/ask")
    assert text.grade_formula == "Flesch-Kincaid grade"
    assert text.grade == mail.grade
    assert previews(tmp_path, "falls/ask", "es")[0].grade_formula == "Fernández-Huerta ease"


def test_the_characters_that_force_ucs_2_are_shown(tmp_path: Path) -> None:
    (text, _) = previews(tmp_path, "exercise/week", "es")
    assert (text.encoding, text.odd) == ("UCS-2", ("ó", "í"))


def test_a_language_falls_back_and_says_to_which(tmp_path: Path) -> None:
    assert [one.language for one in previews(tmp_path, "falls/ask", "es-MX")] == ["es", "es"]
    assert [one.language for one in previews(tmp_path, "falls/ask", "fr")] == ["en", "en"]
    gone: dict[str, str | None] = {"messages/falls/ask/es.subject.txt": None}
    assert [one.language for one in previews(tmp_path, "falls/ask", "es", gone)] == ["es", "en"]


def test_the_longest_activity_is_shown(tmp_path: Path) -> None:
    assert "Walk to the door and back" in (previews(tmp_path, "exercise/activity")[0].body or "")


def test_the_stop_line_is_shown_as_a_text_alone(tmp_path: Path) -> None:
    (text,) = previews(tmp_path, "service/stop_line")
    assert text.body == "Reply STOP to stop."


def test_faults_stand_with_the_channel_they_are_in(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        "messages/falls/ask/en.sms.txt": "{{ clinic }}: {{ nmae }}",
        "messages/falls/ask/en.email.txt": "Reply 1 or 2.",
        "layouts/email.html": "{% block body %}{% endblock %}{{ nmae }}",
    }
    text, mail = previews(tmp_path, "falls/ask", changes=changes)
    assert [fault.path for fault in text.faults] == ["templates/messages/falls/ask/en.sms.txt"]
    assert [fault.path for fault in mail.faults] == [
        "templates/layouts/email.html",
        "templates/messages/falls/ask/en.email.txt",
    ]
    assert text.body is None
    assert mail.text is None


def test_a_message_that_no_pathway_uses_yet_can_be_tried_out(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {"messages/falls/draft/en.sms.txt": "{{ clinic }}: A draft."}
    text, mail = previews(tmp_path, "falls/draft", changes=changes)
    assert text.body == f"{CLINIC}: A draft."
    assert mail.html is None
    assert any("is missing" in fault.message for fault in mail.faults)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("falls/aks", "did you mean falls/ask"),
        ("fals/ask", "did you mean falls/ask"),
        ("zzz", "write it as pathway/message, such as dexa/ask"),
    ],
)
def test_an_unknown_template_is_told_what_comes_close(tmp_path: Path, typed: str, hint: str) -> None:
    with pytest.raises(LookupError, match=f"there is no template '{typed}'; {hint}"):
        previews(tmp_path, typed)
