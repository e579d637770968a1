"""The matrix of messages, languages and files: what is missing, what is too much, what the layouts lack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.catalogue.message_uses import Question, message_uses
from scheduler.catalogue.template_faults import template_faults
from scheduler.domain.pathway import Action, Silence, Step, Wait
from tests.support.template_trees import (
    CONFIG_DIR,
    FALLS,
    LANGUAGES,
    LAYOUT,
    PATHWAYS,
    activities_yaml,
    faults,
    only_fault,
    template_tree,
)


def test_a_sound_folder_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path) == []


@pytest.mark.parametrize("ending", ["sms.txt", "subject.txt", "email.txt", "email.html"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_cell_names_the_file_to_create_and_who_needs_it(tmp_path: Path, language: str, ending: str) -> None:
    name = f"messages/falls/thanks/{language}.{ending}"
    fault = only_fault(tmp_path, {name: None})
    assert fault.path == f"templates/{name}"
    assert "is missing" in fault.message
    assert "the falls pathway (answer steady of step ask, answer fell of step ask)" in fault.message


def test_a_message_of_the_service_may_not_be_missing_either(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"messages/service/help/es.sms.txt": None})
    assert "the service itself uses 'help'" in fault.message


def test_the_stop_line_is_a_text_only(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"messages/service/stop_line/en.email.txt": "Bye."})
    assert fault.path == "templates/messages/service/stop_line/en.email.txt"
    assert "names here end in .sms.txt" in fault.message


def test_every_place_that_can_send_or_say_a_message_counts() -> None:
    said = {name: Action(say=f"said_{name}") for name in ("answer", "text", "silence", "then", "fact", "begin")}
    step = Step(
        name="ask",
        send="send",
        first="first",
        on_sunday="sunday",
        answers=(replace(FALLS.steps["ask"].answers[0], action=said["answer"]),),
        free_text=said["text"],
        silence=(Silence(Wait(1), send="reminded", action=said["silence"]),),
        then=said["then"],
    )
    pathway = replace(FALLS, begin=said["begin"], steps={"ask": step}, facts={"fact": said["fact"]})
    uses = {use.name: use for use in message_uses({"falls": pathway}) if not use.is_service}
    reminders = {"send", "first", "sunday", "reminded"}
    assert set(uses) == reminders | {f"said_{name}" for name in said}
    assert {name for name, use in uses.items() if use.is_reminder} == reminders
    assert uses["reminded"].questions == (Question("ask", frozenset("1")),)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "messages/falls/thank/en.sms.txt",
            "the falls pathway uses no message 'thank'; did you mean 'thanks'?",
        ),
        (
            "messages/service/hlep/en.sms.txt",
            "the service itself uses no message 'hlep'; did you mean 'help'?",
        ),
        ("messages/fals/ask/en.sms.txt", "no pathway is called 'fals'; did you mean 'falls'?"),
        ("messages/eyes/ask/en.sms.txt", "no pathway is called 'eyes'; remove the folder"),
        (
            "messages/falls/ask/en.sms.text",
            "names here end in .sms.txt, .subject.txt, .email.txt, .email.html",
        ),
        ("messages/falls/ask/en_US.sms.txt", "rename it, as in en-US.sms.txt"),
        ("messages/falls/ask/+.sms.txt", "names here begin with a language tag"),
        ("messages/falls/notes.txt", "only folders named after a message belong here"),
        ("messages/falls/activities.en.yaml", "no text of falls has a place for {{ activity }}; remove the file"),
        ("messages/notes.txt", "only folders named after a pathway belong here"),
    ],
)
def test_a_file_that_nothing_reads_is_a_fault(tmp_path: Path, name: str, hint: str) -> None:
    assert hint in only_fault(tmp_path, {name: "{{ clinic }}: Hello."}).message


def test_names_with_a_leading_dot_are_left_alone(tmp_path: Path) -> None:
    assert faults(tmp_path, {"messages/.DS_Store": "", "messages/falls/ask/.en.sms.txt.swp": ""}) == []


def test_messages_of_a_pathway_that_could_not_be_read_are_not_called_unused(tmp_path: Path) -> None:
    templates = template_tree(tmp_path, {"messages/eyes/ask/en.sms.txt": "{{ clinic }}: Hello."})
    assert template_faults(templates, PATHWAYS, config_dir=CONFIG_DIR, unread=("eyes",)) == []


def test_another_language_must_be_complete_too(tmp_path: Path) -> None:
    found = faults(tmp_path, {"messages/falls/ask/es-MX.sms.txt": "{{ clinic }}: Hola. Responda 1 o 2."})
    missing = [fault.path for fault in found]
    assert "templates/messages/falls/ask/es-MX.email.txt" in missing
    assert "templates/messages/service/stop_line/es-MX.sms.txt" in missing
    assert "templates/messages/exercise/activities.es-MX.yaml" in missing
    assert all("es-MX" in path for path in missing)


def test_a_language_without_content_rules_cannot_be_checked(tmp_path: Path) -> None:
    found = faults(tmp_path, {"messages/falls/ask/fr.sms.txt": "{{ clinic }}: Bonjour 1 2"})
    rules = [fault.message for fault in found if fault.path == "config/content_rules.yaml"]
    assert [message.split()[0] for message in rules] == ["'forbidden'", "'reply_words'", "'subjects'"]
    assert all("no words for fr" in message for message in rules)


def test_a_folder_without_messages_is_one_fault(tmp_path: Path) -> None:
    found = template_faults(tmp_path / "nowhere", PATHWAYS, config_dir=CONFIG_DIR)
    assert [fault.path for fault in found] == [f"{tmp_path}/nowhere/messages"]
    assert "BONEWISE_TEMPLATES_DIR" in found[0].message


def test_all_faults_come_at_once_and_in_order(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "messages/falls/ask/en.sms.txt": "{{ clinc }}: Hello.\n{{ nmae }}",
            "messages/falls/again/es.subject.txt": None,
            "layouts/email.html": "{% for x in y %}{% endfor %}",
        },
    )
    assert found == sorted(found)
    assert {fault.path for fault in found} >= {
        "templates/layouts/email.html",
        "templates/messages/falls/ask/en.sms.txt",
        "templates/messages/falls/again/es.subject.txt",
    }
    assert [fault.line for fault in found if fault.path.endswith("ask/en.sms.txt")] == [1, 2]


def test_a_file_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    templates = template_tree(tmp_path)
    (templates / "messages/falls/thanks/es.sms.txt").write_bytes(b"{{ clinic }}:\nGracias, se\xf1or.")
    fault, *others = template_faults(templates, PATHWAYS, config_dir=CONFIG_DIR)
    assert (fault.path, fault.line, others) == ("templates/messages/falls/thanks/es.sms.txt", 2, [])
    assert "save the file as UTF-8" in fault.message


def test_a_layout_that_chooses_words_by_language_must_know_every_language(tmp_path: Path) -> None:
    layout = LAYOUT.replace("<p>", '<p>\n{% if language == "fr" %}Adieu{% else %}Bye{% endif %}')
    fault = only_fault(tmp_path, {"layouts/email.html": layout})
    assert fault.path == "templates/layouts/email.html"
    assert fault.message == 'has no words for es; add {% elif language == "es" %}'


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        (LAYOUT.replace(' lang="{{ language }}"', ""), "does not name its language"),
        (LAYOUT.replace('{{ language }}"', 'en"'), "does not name its language"),
        (LAYOUT.replace("{{ unsubscribe_url }}", "#"), "does not say how to end these mails"),
    ],
)
def test_every_html_mail_names_its_language_and_the_way_out(tmp_path: Path, layout: str, problem: str) -> None:
    found = faults(tmp_path, {"layouts/email.html": layout})
    assert "templates/messages/falls/ask/es.email.html" in {fault.path for fault in found}
    assert all(problem in fault.message for fault in found)


def test_a_broken_layout_is_told_once_and_not_for_every_mail(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"layouts/email.html": LAYOUT + "{% if clinic %}\n"})
    assert fault.path == "templates/layouts/email.html"
    assert "is no valid template" in fault.message


def test_a_text_mail_says_how_to_end_the_mails(tmp_path: Path) -> None:
    fault = only_fault(tmp_path, {"messages/falls/thanks/en.email.txt": "Thank you for your reply."})
    assert "add {{ unsubscribe_url }}" in fault.message


def test_too_few_activities_are_counted(tmp_path: Path) -> None:
    short = activities_yaml("en", count=6)
    found = faults(tmp_path, {f"messages/exercise/activities.{language}.yaml": short for language in LANGUAGES})
    assert len(found) == 8  # four mobilities in two languages
    assert all("has 6 activities; write at least 7" in fault.message for fault in found)


def test_activities_have_the_same_ids_in_the_same_order_in_every_language(tmp_path: Path) -> None:
    swapped = activities_yaml("es").replace("walk_0", "x").replace("walk_1", "walk_0").replace("x:", "walk_1:")
    found = faults(tmp_path, {"messages/exercise/activities.es.yaml": swapped})
    assert {fault.path for fault in found} == {"templates/messages/exercise/activities.es.yaml"}
    assert all("walk_0, walk_1, walk_2" in fault.message for fault in found)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("walking:", "walkin:", 1, "'walkin' is no mobility"),
        (
            "  - walk_3: 'Walk to the door and back, time 3.'",
            "  - just words",
            5,
            "one line of the form '- id: text'",
        ),
        (
            "  - walk_3: 'Walk to the door and back, time 3.'",
            "  - a: Sit.\n    b: Stand.",
            5,
            "one line of the form",
        ),
        ("- walk_3", "- walk_2", 5, "has the id 'walk_2' twice"),
        ("time 3.'", "time 3, safe to take.'", 5, "says 'safe to take'"),
    ],
)
def test_a_faulty_activity_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    changed = activities_yaml("en").replace(old, new, 1)
    found = faults(tmp_path, {"messages/exercise/activities.en.yaml": changed})
    here = [f for f in found if f.path == "templates/messages/exercise/activities.en.yaml" and f.line == line]
    assert any(problem in fault.message for fault in here), found
