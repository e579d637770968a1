"""The words of the web pages in other languages, from gettext catalogues that are read as people write them.

`templates/locale/<language>/LC_MESSAGES/bonewise.po`; nothing is compiled. English stands in the pages themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from gettext import c2py
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from scheduler.domain.languages import DEFAULT_LANGUAGE, normalise_language

_PACKAGE = Path(__file__).resolve().parents[1]
SHIPPED = (_PACKAGE.parent / "templates", _PACKAGE / "_shipped" / "templates")
WEB = _PACKAGE / "web"  # the program that makes the pages
LOCALE = "locale"  # the folder below `templates`
FILE = "LC_MESSAGES/bonewise.po"


class UnreadableCatalogueError(ValueError):
    """The catalogue at `path` cannot be read; the text says where and why."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}: line {line}: {reason}" if line else f"{path}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(frozen=True, slots=True)
class _Words:
    """One language. `form` gives the place of the plural form that a number wants."""

    single: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by the English singular
    form: Callable[[int], int] = int


class UiWords:
    """What the pages say, by language. What a catalogue lacks or has as fuzzy is said in English."""

    def __init__(self, catalogues: Mapping[str, _Words]) -> None:
        self._catalogues = {DEFAULT_LANGUAGE: _Words(), **catalogues}

    @property
    def languages(self) -> frozenset[str]:
        """The languages that pages are written in."""
        return frozenset(self._catalogues)

    def choose(self, wanted: Iterable[str]) -> str:
        """The first of the wanted languages that there is, else English."""
        return next((one for one in wanted if one in self._catalogues), DEFAULT_LANGUAGE)

    def one(self, language: str, text: str) -> str:
        """`text` in that language."""
        return self._of(language).single.get(text, text)

    def some(self, language: str, one: str, many: str, number: int) -> str:
        """`one` or `many` in that language, in the form that its number wants."""
        words = self._of(language)
        forms = words.forms.get(one)
        if forms is None:
            return one if number == 1 else many
        return forms[words.form(number)]

    def _of(self, language: str) -> _Words:
        return self._catalogues.get(language) or self._catalogues[DEFAULT_LANGUAGE]


def load_ui_words(folders: Sequence[Path]) -> UiWords:
    """The catalogues below `folders` of templates; of one language that of the first folder counts.

    Raises `UnreadableCatalogueError`.
    """
    found = catalogue_paths(folders)
    return UiWords({language: _words(read_catalogue(path, language)) for language, path in found.items()})


def catalogue_paths(folders: Sequence[Path]) -> dict[str, Path]:
    """Where the catalogue of each language is."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / LOCALE).glob(f"*/{FILE}")):
            language = normalise_language(path.parents[1].name)
            if language is not None:
                found.setdefault(language, path)
    return found


def read_catalogue(path: Path, language: str) -> Catalog:
    """The catalogue at `path`. Raises `UnreadableCatalogueError`."""
    try:
        with path.open("rb") as file:
            read = read_po(file, charset="utf-8", abort_invalid=True)
        c2py(read.plural_expr)  # what cannot be computed is found now
        return read
    except PoFileError as error:
        reason = str(error).rpartition(" on ")[0]
        raise UnreadableCatalogueError(path, error.lineno + 1, f"{reason}; see a catalogue that is sound") from error
    except UnicodeDecodeError as error:
        raise UnreadableCatalogueError(path, 0, "is not UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise UnreadableCatalogueError(
            path, 0, f"cannot be read ({error.strerror}); check who may read the words of '{language}'"
        ) from error
    except ValueError as error:
        raise UnreadableCatalogueError(path, 0, f"{error}; correct the lines at the top of the file") from error


def _words(catalogue: Catalog) -> _Words:
    single: dict[str, str] = {}
    forms: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.string:
            single[message.id] = message.string
        elif not isinstance(message.id, str):
            own = tuple(message.string or ())
            if len(own) == catalogue.num_plurals and all(own):
                forms[message.id[0]] = own
    return _Words(single, forms, c2py(catalogue.plural_expr))
