"""The words of the pages: plural forms, fallbacks, and the language that a browser asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.catalogue.ui_checks import ui_faults
from scheduler.catalogue.ui_texts import UiText, ui_texts
from scheduler.catalogue.ui_words import UnreadableCatalogueError, load_ui_words
from scheduler.web.pages import Pages
from scheduler.web.tongues import language_for

PAGE = """\
<html lang="{{ language }}"><p>{% trans name=name %}Hello, {{ name }}!{% endtrans %}</p>
<p>{% trans count=count %}{{ count }} task is open{% pluralize %}{{ count }} tasks are open{% endtrans %}</p></html>
"""
HEAD = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);\\n"

"""
HELLO = 'msgid "Hello, %(name)s!"\nmsgstr "<Ahoj>, %(name)s!"\n\n'
TASKS = """\
msgid "%(count)s task is open"
msgid_plural "%(count)s tasks are open"
msgstr[0] "%(count)s one"
msgstr[1] "%(count)s few"
msgstr[2] "%(count)s many"
"""


def folder(root: Path, texts: str = HELLO + TASKS, *, language: str = "xx") -> Path:
    """A folder of templates with one page and the words of one language."""
    (root / "web").mkdir(parents=True)
    (root / "web" / "page.html").write_text(PAGE, encoding="utf-8")
    path = root / "locale" / language / "LC_MESSAGES"
    path.mkdir(parents=True)
    (path / "bonewise.po").write_text(HEAD + texts, encoding="utf-8")
    return root


def page(templates: Path, language: str, *, count: int = 1, name: str = "Ann") -> str:
    pages = Pages(templates, public_url="http://127.0.0.1", words=load_ui_words([templates]))
    return pages.html("page.html", language=language, count=count, name=name)


@pytest.mark.parametrize(("count", "form"), [(1, "one"), (21, "one"), (3, "few"), (11, "many"), (5, "many")])
def test_a_number_has_the_plural_form_of_its_language(tmp_path: Path, count: int, form: str) -> None:
    assert f"<p>{count} {form}</p>" in page(folder(tmp_path), "xx", count=count)


def test_a_language_without_words_and_a_text_without_translation_are_in_english(tmp_path: Path) -> None:
    templates = folder(tmp_path, "#, fuzzy\n" + HELLO)
    assert "Hello, Ann!" in page(templates, "yy")
    assert "Hello, Ann!" in page(templates, "xx")  # fuzzy is as good as none
    assert ">2 tasks are open<" in page(templates, "xx", count=2)


def test_a_value_is_escaped_in_every_language(tmp_path: Path) -> None:
    templates = folder(tmp_path)
    assert "Ahoj" in page(templates, "xx")
    for language in ("en", "xx"):
        assert "<script>" not in page(templates, language, name="<script>")


def test_of_one_language_the_installations_own_words_count(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", HELLO.replace("Ahoj", "Servus"))
    shipped = folder(tmp_path / "shipped")
    assert load_ui_words([own, shipped]).one("xx", "Hello, %(name)s!") == "<Servus>, %(name)s!"


def test_the_texts_are_found_with_their_places(tmp_path: Path) -> None:
    templates = folder(tmp_path)
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text('\nTITLE = N_("Not here")\nOTHER = "Not marked"\n', encoding="utf-8")
    assert ui_texts(templates / "web", code) == {
        UiText("Hello, %(name)s!"): "web/page.html:1",
        UiText("%(count)s task is open", "%(count)s tasks are open"): "web/page.html:2",
        UiText("Not here"): "code/a.py:2",
    }


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('msgstr[2] "%(count)s many"\n', "", "is not translated"),
        ('%(count)s many"\n', '%(count)s many"\nmsgstr[3] "%(count)s too many"\n', "has more translations"),
        ("%(count)s few", "few", "lacks %(count)s"),
        ("%(count)s one", "just one", ""),  # the form for one may do without its number
        ('"%(count)s many"', '""', "is not translated"),
    ],
)
def test_every_plural_form_is_checked(tmp_path: Path, was: str, now: str, told: str) -> None:
    assert was in TASKS
    templates = folder(tmp_path, HELLO + TASKS.replace(was, now))
    found = [str(fault) for fault in ui_faults([templates], tmp_path / "none", ["xx"])]
    assert [told in one for one in found] == ([True] if told else [])


def test_a_catalogue_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    templates = folder(tmp_path, HELLO.replace("msgstr", "msgtsr"))
    with pytest.raises(UnreadableCatalogueError, match=r"bonewise\.po: line 7"):
        load_ui_words([templates])


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("xx", "xx"),
        ("xx-YY, en", "xx"),
        ("en, xx", "en"),
        ("en-GB;q=0.5, xx;q=0.7", "xx"),
        ("fr, de", "en"),
        ("fr, xx;q=0.1", "xx"),
        ("xx;q=0", "en"),
        ("*", "en"),
        ("xx;q=lots, ;;;,", "en"),
        (",".join(["fr"] * 1000), "en"),
    ],
)
def test_a_browser_gets_what_it_likes_best_of_what_there_is(tmp_path: Path, accepted: str, language: str) -> None:
    assert language_for(accepted, load_ui_words([folder(tmp_path)])) == language
