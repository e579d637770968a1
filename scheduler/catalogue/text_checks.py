"""What a rendered message may say, and how long it may be. Each check names what is wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from scheduler.catalogue.content_rules import ContentRules, WordRule, fold
from scheduler.catalogue.message_uses import MessageUse
from scheduler.catalogue.readability import longest_sentence, score
from scheduler.catalogue.samples import SAMPLE_CLINIC, TYPICAL
from scheduler.catalogue.spoken import sentences, without_addresses
from scheduler.catalogue.syllables import english_syllables, spanish_syllables
from scheduler.catalogue.template_rules import Finding
from scheduler.catalogue.template_tree import Piece
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language
from scheduler.domain.sms import Encoding, SmsLength, segments, to_gsm7_lookalikes

MAX_SUBJECT = 60  # characters; a phone shows about as many
MAX_SENTENCE = 20  # words
MAX_SEGMENTS = 2  # outside English, where an accent turns a text into UCS-2
_HARD_WORD = 4  # syllables
_HARD_WORDS_NAMED = 3

# A lone digit: not part of a word, a longer number, a time, a date or a phone number.
_LONE_DIGIT = re.compile(r"(?<![\w$€£+(])(?<!\d[.,:/-])(\d)(?!\w)(?![.,:/-]\d)")


@dataclass(frozen=True, slots=True)
class Texts:
    """One file of a message, and every text that it can become."""

    piece: Piece
    source: str
    texts: tuple[str, ...]
    visible: tuple[str, ...]  # the same as a reader sees them, without mark-up
    languages: frozenset[str | None]  # of an HTML mail: what its root says

    def line_of(self, words: str) -> int:
        """The first line of the file with `words`, whatever their case and accents; 0 when none has them."""
        wanted = fold(words).lower()
        lines = fold(self.source).lower().splitlines()
        return next((number for number, line in enumerate(lines, 1) if wanted in line), 0)


def sms_findings(texts: Texts, language: str, *, stop_line: str | None) -> Iterator[Finding]:
    """A text opens with the clinic, and fits: one GSM-7 segment in English, two in any other language.

    `stop_line` is what may stand behind it; it counts. Typographic signs count as what they are sent as.
    """
    for body in texts.texts:
        if not body.startswith(SAMPLE_CLINIC):
            yield Finding(1, "a text must open with the clinic's name; begin it with {{ clinic }}:")
            break
    ending = f" {stop_line}" if stop_line else ""
    longest = max((to_gsm7_lookalikes(body + ending) for body in texts.texts), key=_cost)
    yield from _length_findings(longest, language)


def _cost(text: str) -> tuple[int, int]:
    length = segments(text)
    return length.segments, length.units


def _length_findings(text: str, language: str) -> Iterator[Finding]:
    length = segments(text)
    odd = " ".join(length.odd)
    if base_language(language) != DEFAULT_LANGUAGE:
        if length.segments > MAX_SEGMENTS:
            hint = f"; without {odd} it would be shorter" if odd else ""
            yield Finding(0, f"takes {_size(length)}, at most {MAX_SEGMENTS} segments{hint}; shorten it: {text}")
    elif length.encoding is not Encoding.GSM7:
        yield Finding(0, f"holds {odd}, which halves what fits in a text; write plain letters and signs")
    elif length.segments > 1:
        yield Finding(0, f"takes {_size(length)}, at most one segment (160); shorten it: {text}")


def _size(length: SmsLength) -> str:
    return f"{length.units} units of {length.encoding} in {length.segments} segments"


def subject_findings(texts: Texts, language: str, rules: ContentRules) -> Iterator[Finding]:
    """A subject is short, and does not hint at health."""
    longest = max(texts.texts, key=len)
    if len(longest) > MAX_SUBJECT:
        yield Finding(0, f"has {len(longest)} characters, at most {MAX_SUBJECT}; shorten it: {longest}")
    yield from _rule_findings(texts, rules.subject_rules(language))


def word_findings(texts: Texts, use: MessageUse, language: str, rules: ContentRules) -> Iterator[Finding]:
    """No forbidden word in any message; no carrier word in a message of a pathway."""
    yield from _rule_findings(texts, rules.forbidden_in(language))
    if use.is_service:
        return
    offered = {word for text in texts.visible for word in rules.carrier_words_in(text, language)}
    for word in sorted(offered):
        yield Finding(
            texts.line_of(word),
            f"holds the word {word}, which carriers act on themselves; offer a digit or another word",
        )


def _rule_findings(texts: Texts, rules: Iterable[WordRule]) -> Iterator[Finding]:
    seen = "\n\n".join(texts.visible)
    for rule in rules:
        for hit in dict.fromkeys(rule.hits(seen)):
            yield Finding(texts.line_of(hit), f"says '{hit}', which {rule.why}; say it another way")


def digit_findings(texts: Texts, use: MessageUse, language: str, rules: ContentRules) -> Iterator[Finding]:
    """The digits a question lists are those that its steps understand; elsewhere none is offered."""
    plain = [without_addresses(text) for text in texts.visible]
    for question in use.questions:
        if not question.digits:
            continue
        for text in plain:
            listed = set(_LONE_DIGIT.findall(text))
            if listed != question.digits:
                yield Finding(
                    0,
                    f"lists {_digits(listed)}, but step {question.step} of {use.pathway} understands "
                    f"{_digits(question.digits)}; make them agree, and write other numbers as words",
                )
                break
    if not any(question.digits for question in use.questions):
        for digit in sorted({digit for text in plain for digit in rules.offered_digits(text, language)}):
            yield Finding(0, f"offers {digit} as an answer, but nothing there understands a digit; leave it out")


def _digits(digits: Iterable[str]) -> str:
    return ", ".join(sorted(digits)) or "no digit"


def mail_findings(texts: Texts, language: str) -> Iterator[Finding]:
    """A mail says how to end the mails, and an HTML mail says which language it is in."""
    if any(TYPICAL.unsubscribe_url not in text for text in texts.texts):
        yield Finding(0, "does not say how to end these mails; add {{ unsubscribe_url }} at its end")
    if texts.piece is Piece.HTML and texts.languages != {language}:
        yield Finding(
            0,
            'does not name its language for screen readers; write <html lang="{{ language }}"> in its layout',
        )


def sentence_findings(texts: Texts) -> Iterator[Finding]:
    """No sentence is longer than 20 words. The clinic's name before a text is no part of a sentence."""
    for text in texts.texts:
        words, sentence = longest_sentence(text.removeprefix(f"{SAMPLE_CLINIC}:"))
        if words > MAX_SENTENCE:
            yield Finding(
                texts.line_of(" ".join(sentence.split()[-3:])),
                f"has a sentence of {words} words, at most {MAX_SENTENCE}; make it two: {sentence}",
            )
            return


def reading_texts(parts: Iterable[Texts]) -> list[str]:
    """What the reading score looks at: all that the text and the mail can become, taken together."""
    return [text for part in parts if part.piece in (Piece.SMS, Piece.TEXT) for text in part.texts]


def reading_findings(parts: Iterable[Texts], language: str) -> Iterator[Finding]:
    """A message is easy to read: text and mail together, as the formulas are unstable on a single text."""
    texts = reading_texts(parts)
    result = score(texts, language)
    if result is not None and not result.plain:
        hard = _hard_words(texts, language)
        hint = f" Long words: {', '.join(hard)}." if hard else ""
        yield Finding(
            0,
            f"text and mail together have a {result.formula} of {result.value}, should be {result.limit}; "
            f"use shorter sentences and words.{hint}",
        )


def _hard_words(texts: Iterable[str], language: str) -> list[str]:
    syllables = english_syllables if base_language(language) == DEFAULT_LANGUAGE else spanish_syllables
    words = {
        word.lower(): syllables(word)
        for text in texts
        for sentence in sentences(text.replace(SAMPLE_CLINIC, ""))
        for word in re.findall(r"[^\W\d_]+", sentence)
    }
    hard = sorted((word for word in words if words[word] >= _HARD_WORD), key=lambda word: (-words[word], word))
    return hard[:_HARD_WORDS_NAMED]


def texts_of(piece: Piece, source: str, texts: tuple[str, ...]) -> Texts:
    """The texts that one file can become, ready to be checked."""
    if piece is not Piece.HTML:
        return Texts(piece, source, texts, visible=texts, languages=frozenset())
    pages = [_read_html(html) for html in texts]
    visible = tuple("".join(page.parts) for page in pages)
    return Texts(piece, source, texts, visible, frozenset(page.language for page in pages))


def _read_html(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Collects the text of a page, a line for each block, and the language of its root."""

    _HIDDEN = frozenset({"style", "script", "title"})
    _INLINE = frozenset({"a", "abbr", "b", "em", "i", "small", "span", "strong", "u"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.language: str | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs).get("lang")
        self._hidden += tag in self._HIDDEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _break(self, tag: str) -> None:
        if tag not in self._INLINE:
            self.parts.append("\n")
