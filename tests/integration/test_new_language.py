"""A new language is a folder of templates, a file of reply words and a few lists: no program is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.bootstrap import App
from scheduler.catalogue.ui_checks import ui_faults
from scheduler.catalogue.ui_words import WEB
from scheduler.settings import load_settings
from tests.support.made_up_language import MARK, TAG, add_language, catalogue_of, make_folders
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(config, templates) with the language in them."""
    config, templates = make_folders(tmp_path_factory.mktemp("whole"))
    add_language(config, templates)
    for path in templates.glob(f"messages/*/*/{TAG}.sms.txt"):  # one letter more, to be told from English
        path.write_text(path.read_text(encoding="utf-8").replace("Hello", f"Hello{MARK}"), encoding="utf-8")
    return config, templates


@pytest.fixture
def world(tmp_path: Path, folders: tuple[Path, Path]) -> Iterator[World]:
    config, templates = folders
    settings = {"BONEWISE_CONFIG_DIR": str(config), "BONEWISE_TEMPLATES_DIR": str(templates)}
    url = f"sqlite:///{tmp_path / 'b.db'}"
    with world_at(MONDAY, database_url=url, folder=tmp_path, settings=settings) as made:
        yield made


def faults(config: Path, templates: Path, tmp_path: Path) -> list[str]:
    """What `bonewise check` names, without the folders above."""
    app = App(
        load_settings(
            {
                "BONEWISE_CONFIG_DIR": str(config),
                "BONEWISE_TEMPLATES_DIR": str(templates),
                "BONEWISE_DATA_DIR": str(tmp_path / "var"),
            }
        )
    )
    try:
        return [str(fault).replace(f"{config.parent.as_posix()}/", "") for fault in app.faults()]
    finally:
        app.close()


def test_a_whole_language_has_no_faults(folders: tuple[Path, Path], tmp_path: Path) -> None:
    assert faults(*folders, tmp_path) == []


def test_a_patient_is_served_in_it_for_a_week(world: World) -> None:
    world.enrol_sms(language=TAG)
    world.run_until(new_york(3, 4, 12, 0))
    world.receive("P1", "1")
    world.run_until(new_york(3, 9, 12, 0))
    sent = [row for row in world.ledger("P1") if row.sent_at]
    assert len(sent) >= 7
    assert {row.body is not None for row in sent} == {True}
    assert world.enrolment("vitamin_d").step == "awaiting_result"
    with world.store.reading() as unit:
        assert [reply.meaning for reply in unit.inbox.replies(world.clinic.id)] == ["answer"]
    assert world.open_tasks() == set()


def test_the_pages_speak_it(world: World) -> None:
    patient = world.enrol_email("E1", language=TAG)
    client = browser(world.app)
    page = client.get(world.app.links.unsubscribe(world.clinic.id, patient.id).partition("8000")[2]).text
    assert f'<html lang="{TAG}">' in page
    assert f">{MARK}Stop the e-mails</button>" in page
    lost = client.get("/u/no-such-link", headers={"Accept-Language": f"fr, {TAG};q=0.5, en;q=0.1"}).text
    assert f"{MARK}This link is not complete." in lost


@pytest.mark.parametrize(
    ("piece", "told"),
    [
        (
            f"templates/messages/dexa/ask/{TAG}.sms.txt",
            f"templates/messages/dexa/ask/{TAG}.sms.txt: this text message is missing, and ",
        ),
        (
            f"templates/messages/service/stopped/{TAG}.subject.txt",
            f"templates/messages/service/stopped/{TAG}.subject.txt: this e-mail subject is missing, and ",
        ),
        (f"templates/messages/exercise/activities.{TAG}.yaml", f"templates/messages/exercise/activities.{TAG}.yaml"),
        (
            f"config/replies/{TAG}.yaml",
            f"config/replies/{TAG}.yaml: is missing, and nobody who writes in {TAG} would",
        ),
        (
            f"templates/locale/{TAG}/LC_MESSAGES/bonewise.po",
            f"templates/locale/{TAG}/LC_MESSAGES/bonewise.po: is missing, and the pages have no words for {TAG}",
        ),
    ],
)
def test_a_piece_that_is_missing_is_named(tmp_path: Path, piece: str, told: str) -> None:
    config, templates = make_folders(tmp_path)
    add_language(config, templates)
    (tmp_path / piece).unlink()
    found = faults(config, templates, tmp_path)
    assert found
    assert [one for one in found if not one.startswith(told)] == []


def test_a_language_that_has_only_its_reply_words_lacks_everything_else(tmp_path: Path) -> None:
    config, templates = make_folders(tmp_path)
    words = (config / "replies" / "en.yaml").read_text(encoding="utf-8")
    (config / "replies" / f"{TAG}.yaml").write_text(
        re.sub(r"^language: en$", f"language: {TAG}", words, flags=re.MULTILINE), encoding="utf-8"
    )
    found = faults(config, templates, tmp_path)
    english = len(list(templates.glob("messages/*/*/en.*")))
    assert sum(f"/{TAG}." in one and "messages" in one for one in found) >= english
    assert any("bonewise.po: is missing" in one for one in found)
    assert any(one.startswith("config/content_rules.yaml") for one in found)


SPANISH = "templates/locale/es/LC_MESSAGES/bonewise.po"


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('msgstr "Ir al contenido"', 'msgstr ""', ":13: 'Skip to the content' is not translated, and English shows"),
        ('msgid "Skip to the content"', '#, fuzzy\nmsgid "Skip to the content"', "is marked as fuzzy"),
        ("%(clinic)s ya no", "Ya no", "lacks %(clinic)s, which"),
        ("llame al %(phone)s", "llame al %(phone)s y %(fax)s", "has %(fax)s, which"),
        ("llame al %(phone)s", "llame al %phone)s", "lacks %(phone)s"),
        ('msgid "Skip to the content"', 'msgid "Skip to the end"', "'Skip to the end' stands on no page any more"),
        ('msgid "Skip to the content"', 'msgid "Skip to the end"', "'Skip to the content' (web/base.html:"),
        ("plural=(n != 1)", "plural=(n gets 1)", "correct the lines at the top of the file"),
        ('msgid "Skip to the content"', 'nonsense "Skip"', ":13: "),
    ],
)
def test_what_is_wrong_in_a_catalogue_is_named_with_its_line(tmp_path: Path, was: str, now: str, told: str) -> None:
    _, templates = make_folders(tmp_path)
    path = catalogue_of(templates, "es")
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, now, 1), encoding="utf-8")
    found = [str(fault) for fault in ui_faults((templates,), WEB, ("en", "es"))]
    assert any(one.startswith(SPANISH) and told in one for one in found), found
    assert all(one.startswith(SPANISH) for one in found)
