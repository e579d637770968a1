"""Checks on the words of the pages: nothing is untranslated, uncertain or out of date, and no value gets lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Message

from scheduler.catalogue.ui_texts import UiText, ui_texts
from scheduler.catalogue.ui_words import FILE, LOCALE, UnreadableCatalogueError, catalogue_paths, read_catalogue
from scheduler.domain.faults import Fault
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language

_VALUE = re.compile(r"%\((\w+)\)s|%%|%(.?)")


def ui_faults(folders: Sequence[Path], code: Path, languages: Collection[str]) -> list[Fault]:
    """Everything that is wrong with the words of the pages in `languages` and in any other that has a catalogue.

    `folders` are those of templates, the installation's own first; `code` is the web program's. A region without a
    catalogue uses its language's.
    """
    found = catalogue_paths(folders)
    texts = ui_texts(_pages(folders), code)
    faults: list[Fault] = []
    for language in sorted({*languages, *found} - {DEFAULT_LANGUAGE}):
        path = found.get(language)
        if path is not None:
            faults += _catalogue_faults(path, language, texts)
        elif base_language(language) not in {DEFAULT_LANGUAGE, *found}:
            missing = f"{folders[0].name}/{LOCALE}/{language}/{FILE}"
            remedy = f"copy that of another language; it has {len(texts)} texts"
            faults.append(Fault(missing, 0, f"is missing, and the pages have no words for {language}; {remedy}"))
    return faults


def _pages(folders: Sequence[Path]) -> Path:
    """The shipped pages: an installation's own may replace some, and say the same."""
    return next((folder / "web" for folder in reversed(folders) if (folder / "web").is_dir()), folders[0] / "web")


def _catalogue_faults(path: Path, language: str, texts: Mapping[UiText, str]) -> Iterator[Fault]:
    shown = f"{path.parents[3].name}/{path.relative_to(path.parents[3]).as_posix()}"
    try:
        catalogue = read_catalogue(path, language)
    except UnreadableCatalogueError as error:
        yield Fault(shown, error.line, error.reason)
        return
    known = {_text(message): message for message in catalogue if message.id}
    for text, place in sorted(texts.items()):
        if text not in known:
            yield Fault(shown, 0, f"'{_brief(text.one)}' ({place}) has no translation; add it")
    for text, message in known.items():
        line = message.lineno or 0
        if text not in texts:
            yield Fault(shown, line, f"'{_brief(text.one)}' stands on no page any more; take it out")
        else:
            yield from (Fault(shown, line, said) for said in _message_faults(message, text))


def _message_faults(message: Message, text: UiText) -> Iterator[str]:
    if message.fuzzy:
        yield f"'{_brief(text.one)}' is marked as fuzzy, and English shows; check it and take the mark away"
    if not text.many:
        yield from _form_faults(text.one, text.one, str(message.string or ""))
        return
    forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    for number, form in enumerate(forms):
        # The form for one may do without the number; any other needs all values of the English plural.
        yield from _form_faults(text.one, text.one if number == 0 else text.many, form, may_omit=number == 0)


def _form_faults(name: str, english: str, translated: str, *, may_omit: bool = False) -> Iterator[str]:
    if not translated:
        yield f"'{_brief(name)}' is not translated, and English shows; write it"
        return
    wanted, has = _values(english), _values(translated)
    for value in sorted(has - wanted):
        yield f"'{_brief(translated)}' has {value}, which '{_brief(english)}' has not; take it out"
    if not may_omit:
        for value in sorted(wanted - has):
            yield f"'{_brief(translated)}' lacks {value}, which '{_brief(english)}' has; put it in"


def _values(text: str) -> set[str]:
    """The places for values, such as %(clinic)s; anything odd after a % as it stands."""
    found: set[str] = set()
    for match in _VALUE.finditer(text):
        if match[0] != "%%":
            found.add(match[0])
    return found


def _text(message: Message) -> UiText:
    return UiText(message.id) if isinstance(message.id, str) else UiText(message.id[0], message.id[1])


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
