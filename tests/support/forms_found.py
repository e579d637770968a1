"""The forms of a page as a browser without script has them: what stands in them, and what it would send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes

_TYPED = frozenset({"text", "search", "tel", "email", "url", "number", "date", "time", "password", "textarea"})
_NOTHING_TO_SEND = frozenset({"submit", "button", "reset", "image", "file"})
_FILLED = {
    "date": "2026-03-02",
    "time": "10:00",
    "number": "3",
    "email": "ann@clinic.example",
    "tel": "+16175550143",
}

Pair = tuple[str, bytes]


@dataclass(slots=True)
class Field:
    """One control. `options` are the values of a select or of radio buttons of one name."""

    name: str
    kind: str
    value: str = ""
    required: bool = False
    checked: bool = False
    options: list[str] = field(default_factory=list)
    is_wrong: bool = False  # marked as such, with a sentence beside it

    @property
    def is_typed(self) -> bool:
        """Whether somebody writes into it."""
        return self.kind in _TYPED

    def usual(self) -> str | None:
        """What a browser sends when somebody fills in what has to be filled in; None: nothing."""
        if self.kind in ("radio", "select"):
            return self.value or (next((one for one in self.options if one), "") if self.required else "") or None
        if self.kind == "checkbox":
            return (self.value or "on") if self.checked or self.required else None
        if self.value or self.kind == "hidden" or not self.required:
            return self.value
        return _FILLED.get(self.kind, "Something")


@dataclass(slots=True)
class Form:
    """A form, by the page that it stands on."""

    page: str
    action: str
    method: str
    fields: dict[str, Field] = field(default_factory=dict)
    has_file: bool = False

    def filled(self, given: Mapping[str, str]) -> list[Pair]:
        """All fields as usual; in empty ones that have to be filled in, what is `given` for them."""
        found: list[Pair] = []
        for one in self.fields.values():
            said = one.usual() if one.value else given.get(one.name, one.usual())
            if said is not None:
                found.append((one.name, said.encode()))
        return found


def body(pairs: list[Pair]) -> bytes:
    """URL-encoded, whatever bytes the values have."""
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in pairs).encode()


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page
        self._form: Form | None = None
        self._select: Field | None = None
        self._area: Field | None = None
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.described: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        match tag:
            case "a" if given.get("href", "").startswith("/"):
                self.links.append(given["href"].partition("#")[0])
            case "form":
                method = given.get("method", "get").lower()
                self._form = Form(self._page, given.get("action", self._page), method)
                self.forms.append(self._form)
            case "input" | "textarea" | "select" | "button":
                self._control(tag, given)
            case "option" if self._select is not None:
                self._select.options.append(given.get("value", ""))
                if "selected" in given:
                    self._select.value = given.get("value", "")

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form, name = self._form, given.get("name", "")
        kind = given.get("type", "text").lower() if tag == "input" else tag
        if form is None:
            return
        form.has_file = form.has_file or kind == "file"
        if not name or kind in _NOTHING_TO_SEND or tag == "button":
            return
        is_wrong = given.get("aria-invalid") == "true"
        if is_wrong:
            self.described += given.get("aria-describedby", "").split()
        found = form.fields.get(name)
        if found is None or kind not in ("radio", "checkbox"):
            found = form.fields[name] = Field(name, kind)
        found.is_wrong = found.is_wrong or is_wrong
        found.required = found.required or "required" in given
        if kind == "radio":
            found.options.append(given.get("value", ""))
            if "checked" in given:
                found.value = given.get("value", "")
        else:
            found.value = given.get("value", "")
            found.checked = "checked" in given
        self._select = found if tag == "select" else None
        self._area = found if tag == "textarea" else None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = None
            case "textarea":
                if self._area is not None:  # the first line break after the tag is the page's own
                    self._area.value = self._area.value.removeprefix("\n")
                self._area = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a page has for the one who looks at it. `described`: the ids of the sentences about wrong fields."""

    forms: list[Form]
    links: list[str]
    ids: frozenset[str]
    described: list[str]


def read_page(html: str, page: str) -> Found:
    """The forms and links of a page at the path `page`."""
    reader = _Reader(page)
    reader.feed(html)
    reader.close()
    return Found(reader.forms, reader.links, frozenset(reader.ids), reader.described)
