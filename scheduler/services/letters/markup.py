"""The words of an HTML mail: without its styles, and without what it quotes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LONGEST = 64 * 1024  # characters of markup that are read; words come first, and pictures and styles are elsewhere

# A tag that never ends: html.parser would look for its end, from each of them, to the end of the mail.
_OPEN_END = re.compile(r"<(?![^<>]{1,2000}>)")
_BODY = re.compile(r"<body\b[^<>]{0,2000}>", re.IGNORECASE)
# Taken out before the markup is read: they come first, and are often longer than the words.
_BULK = (("<!--", "-->"), ("<style", "</style"), ("<script", "</script"), ("<title", "</title"))
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "object"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_LINES = re.compile(
    r"address|article|blockquote|br|center|d[dlt]|div|fig(?:ure|caption)|footer|form|h[1-6r]|header|li|main|[ou]l|p|pre"
    r"|section|table|t[dhr]"
)
# How mail programs mark what they quote: Gmail, Yahoo, Thunderbird, Proton, Outlook, Zoho, and Apple's own.
_QUOTE_CLASSES = re.compile(
    r"(?:^|\s)(?:gmail_quote(?:_container)?|gmail_attr|gmail_extra|yahoo_quoted|yahoo-quoted-begin|moz-cite-prefix"
    r"|protonmail_quote|zmail_extra|tutanota_quote)(?:\s|$)",
    re.IGNORECASE,
)
# From here to the end Outlook repeats the mail that is answered.
_QUOTE_TO_END = frozenset(
    {"appendonsend", "divrplyfwdmsg", "olk_src_body_section", "mail-editor-reference-message-container"}
)
_QUOTE_BORDER = re.compile(r"border-left(?:-width)?\s*:\s*(?!none|0|medium none)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)


def words_of_html(markup: str) -> str:
    """What somebody who opens the mail reads, in lines, without what it quotes. Never raises."""
    seen = markup[: 4 * LONGEST]
    for opening, closing in _BULK:
        seen = _without(seen, opening, closing)
    body = _BODY.search(seen)
    reader = _Reader()
    try:
        reader.feed(_OPEN_END.sub("&lt;", seen[body.end() if body else 0 :][:LONGEST]))
        reader.close()
    except Exception:  # noqa: BLE001 - what has been read so far counts; html.parser raises AssertionError and others
        return reader.words()
    return reader.words()


def _without(markup: str, opening: str, closing: str) -> str:
    """The markup without what stands between these; without an end, it goes on to the end of the mail."""
    lower = markup.lower()
    if len(lower) != len(markup):  # some letters are two in lower case
        return markup
    kept: list[str] = []
    at = 0
    while (start := lower.find(opening, at)) >= 0:
        kept.append(markup[at:start])
        end = lower.find(closing, start)
        if end < 0:
            return "".join(kept)
        at = end + len(closing)
        if closing.startswith("</"):
            at = max(at, lower.find(">", at) + 1)
    return "".join([*kept, markup[at:]])


class _Reader(HTMLParser):
    """Gathers the words. Elements may be left open or closed twice: only a skipped one is kept track of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._skipping = ""  # the element whose content is left out
        self._depth = 0  # how many elements of that name are open inside it, with it
        self._is_over = False  # the rest is a quotation

    def words(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            self._depth += tag == self._skipping
            return
        given = {name: value or "" for name, value in attrs}
        if given.get("id", "").lower().removeprefix("x_") in _QUOTE_TO_END:
            self._is_over = True
        elif tag not in _VOID and _is_left_out(tag, given):
            self._skipping, self._depth = tag, 1
        if _LINES.fullmatch(tag):
            self._pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if _LINES.fullmatch(tag) and not self._skipping:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._depth -= tag == self._skipping
            if self._depth == 0:
                self._skipping = ""
        if _LINES.fullmatch(tag):
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not (self._skipping or self._is_over):
            # A line break in the markup is a space; those of elements are added as they come.
            self._pieces.append(re.sub(r"\s+", " ", data))


def _is_left_out(tag: str, given: dict[str, str]) -> bool:
    """Whether nobody reads the element, or it is somebody else's words."""
    style = given.get("style", "")
    if tag in _UNSEEN or "hidden" in given or _HIDDEN.search(style):
        return True
    if _QUOTE_CLASSES.search(given.get("class", "").replace("x_", "")):
        return True
    # People indent with the same element: only a mark of quoting makes it a quotation.
    return tag == "blockquote" and (
        "cite" in (given.get("type", "").lower(), *given) or bool(_QUOTE_BORDER.search(style))
    )
