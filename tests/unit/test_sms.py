"""Segments of a text, against a reference that packs it character by character, and look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.domain.sms import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    Encoding,
    SmsLength,
    segments,
    to_gsm7_lookalikes,
)

# Written out here a second time on purpose, row by row of 3GPP TS 23.038 section 6.2.1, so that a slip shows.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


def packed(text: str) -> SmsLength:
    """The reference: each character's units put into the current part, or all of them into the next."""
    odd = []
    for character in text:
        if character not in TABLE + EXTENSION and character not in odd:
            odd.append(character)
    single, part = (70, 67) if odd else (160, 153)
    sizes = [
        (2 if character > "\uffff" else 1) if odd else (2 if character in EXTENSION else 1) for character in text
    ]
    parts = [0]
    for size in sizes:
        if parts[-1] + size > part:
            parts.append(0)
        parts[-1] += size
    total = sum(sizes)
    count = 0 if not text else 1 if total <= single else len(parts)
    return SmsLength(Encoding.UCS2 if odd else Encoding.GSM7, total, count, tuple(odd))


def texts(alphabet: str) -> st.SearchStrategy[str]:
    """Texts long enough to need several parts, of a few characters so that pairs meet part boundaries."""
    return st.lists(st.text(alphabet, max_size=40), max_size=25).map("".join)


def test_the_tables_are_those_of_the_standard() -> None:
    assert frozenset(TABLE) == GSM7_BASIC
    assert len(GSM7_BASIC) == 127  # 128 places, one of them the escape
    assert frozenset(EXTENSION) == GSM7_EXTENSION


@given(text=texts(TABLE) | texts(TABLE + EXTENSION) | texts("a€") | texts("aí😀") | texts("a€í😀’") | st.text())
@example(text="a" * 152 + "€" + "a" * 10)
@example(text="í" * 66 + "😀" + "í" * 10)
def test_length_and_segments_are_those_of_the_reference(text: str) -> None:
    assert segments(text) == packed(text)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        pytest.param("", Encoding.GSM7, 0, 0, id="nothing to send"),
        pytest.param("a" * 160, Encoding.GSM7, 160, 1, id="a full segment"),
        pytest.param("a" * 161, Encoding.GSM7, 161, 2, id="one over"),
        pytest.param("a" * 306, Encoding.GSM7, 306, 2, id="two full parts"),
        pytest.param("a" * 307, Encoding.GSM7, 307, 3, id="one over two"),
        pytest.param("€" * 80, Encoding.GSM7, 160, 1, id="each euro sign is two"),
        pytest.param("€" * 81, Encoding.GSM7, 162, 2, id="eighty-one euro signs"),
        pytest.param("a" * 152 + "€" + "a" * 152, Encoding.GSM7, 306, 3, id="an escape is not split off"),
        pytest.param("í" * 70, Encoding.UCS2, 70, 1, id="a full segment in UCS-2"),
        pytest.param("í" * 71, Encoding.UCS2, 71, 2, id="one over in UCS-2"),
        pytest.param("í" * 134, Encoding.UCS2, 134, 2, id="two full parts in UCS-2"),
        pytest.param("í" * 66 + "😀" + "í" * 66, Encoding.UCS2, 134, 3, id="an emoji is not split"),
        pytest.param("a" * 159 + "\u2013", Encoding.UCS2, 160, 3, id="one dash triples the price"),
        pytest.param("😀" * 35, Encoding.UCS2, 70, 1, id="an emoji is two units"),
        pytest.param("\ud83d" * 134, Encoding.UCS2, 134, 2, id="halves of emojis are no pairs"),
    ],
)
def test_a_text_costs(text: str, encoding: Encoding, units: int, parts: int) -> None:
    length = segments(text)
    assert (length.encoding, length.units, length.segments) == (encoding, units, parts)


def test_the_odd_characters_are_named_once_each_in_order() -> None:
    assert segments("¿Ya le midió la vitamina D? Sí o aún no: escríbalo así").odd == ("ó", "í", "ú")


@pytest.mark.parametrize("character", list("áíóúçêâîôûëï`\t‘’“”–—…\u00a0\x1b"))
def test_characters_that_look_harmless_are_odd(character: str) -> None:
    assert segments(f"a{character}b").odd == (character,)


@pytest.mark.parametrize("character", list("éñü¿¡äöÑà"))
def test_letters_that_look_dangerous_are_plain(character: str) -> None:
    assert segments(f"a{character}b") == SmsLength(Encoding.GSM7, 3, 1)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("It’s ‘time’", "It's 'time'"),
        ("“Move”, «today»", '"Move", "today"'),
        ("9–11, not — ever − twice", "9-11, not - ever - twice"),
        ("Wait…", "Wait..."),
        ("10\u00a0minutes\u202fa\u2009day\tnow", "10 minutes a day now"),
        ("bone\u00adwise\u200b\ufeff", "bonewise"),
        ("• walk", "- walk"),
        ("one\u2028two", "one\ntwo"),
        ("man\u0303ana", "mañana"),
        ("\u212b \u2126", "Å Ω"),
        ("plain {text} [5€]", "plain {text} [5€]"),
    ],
)
def test_typographic_characters_become_plain_ones(typed: str, sent: str) -> None:
    assert to_gsm7_lookalikes(typed) == sent
    assert segments(sent).encoding is Encoding.GSM7


def test_one_curly_quote_no_longer_doubles_the_price() -> None:
    text = "It’s time to move. " * 8
    assert (segments(text).segments, segments(to_gsm7_lookalikes(text)).segments) == (3, 1)


@pytest.mark.parametrize("text", ["Sí, aún", "Čekáme", "Привет", "موعد", "😀", "👩\u200d🦽"])
def test_letters_and_emojis_are_never_respelled(text: str) -> None:
    assert to_gsm7_lookalikes(text) == text


def test_a_text_that_would_cost_more_spelled_out_stays_as_it_is() -> None:
    text = "…" * 70
    assert to_gsm7_lookalikes(text) == text


@given(text=texts("a €’“–…\u00a0\u0301e") | texts("í…–") | st.text())
def test_replacing_never_costs_more_and_once_is_enough(text: str) -> None:
    plain = to_gsm7_lookalikes(text)
    assert segments(plain).segments <= segments(text).segments
    assert to_gsm7_lookalikes(plain) == plain
