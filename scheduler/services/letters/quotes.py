"""What is new in the text of a mail: without the mail that it answers, and without its signature.

Our own mails say how to stop: taken for the patient's words, they would stop everybody who answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 64 * 1024  # characters that are looked at: what is new stands near the top, or under what it answers

_QUOTED = re.compile(r"[ \t]{0,3}>")
# What a mail program writes over the mail that it repeats below, in whatever language it speaks.
_DIVIDER = re.compile(
    r"""^[\s*_>]*(?:
        -{2,}\s*(?:original\ (?:message|appointment)|urspr[uü]ngliche\ (?:nachricht|mail|e-mail)
            |mensaje\ original|message\ d'origine|messaggio\ originale|mensagem\ original
            |(?:forwarded|reenviado|mensaje\ reenviado|weitergeleitete\ nachricht)(?:\ message)?)\s*-{2,}
      | begin\ forwarded\ message: | anfang\ der\ weitergeleiteten\ (?:nachricht|e-mail):
      | inicio\ del\ mensaje\ reenviado:
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_RULE = re.compile(r"^\s*(?:_{8,}|-{8,}|={8,}|\*{8,})\s*$")
_FIRST_FIELD = re.compile(r"^[\s*]*(?:from|de|von|da|remitente)\s*\*?\s*:", re.IGNORECASE)
_FIELD = re.compile(
    r"^[\s*]*(?:sent|date|to|cc|subject|enviado(?: el)?|fecha|para|asunto|gesendet|datum|an|betreff|envoy[eé]|[aà]"
    r"|objet|inviato|data|oggetto|assunto)\s*\*?\s*:",
    re.IGNORECASE,
)
_WROTE = re.compile(r"(?:wrote|writes|escribi[oó]|a\ [eé]crit|ha\ scritto|escreveu)\s*:\s*$", re.IGNORECASE)
_SCHRIEB = re.compile(
    r"^\s*(?:am\ .{6,80}\ schrieb|.{3,80}\ schrieb\ am\ )", re.IGNORECASE
)  # which has the name last
# A word before a date, a day, a date ...
_OPENS = re.compile(
    r"\s*(?:(?:on|el|le|il|em|am|den|op|dnia|w\ dniu)\s | \d{1,4}[./\- ] | [^\W\d_]{2,12}\.?,\s )",
    re.IGNORECASE | re.VERBOSE,
)
_NAMED = re.compile(r"\s*[^<>@]{0,60}<?[^<>\s@]+@[^<>\s@]+")  # ... or a name and an address
_ENDS = (".", "?", "!", ":")
_ADDRESS = re.compile(r"[^\s<>()]+@[^\s<>()]+")
_DATE = re.compile(r"\b\d{1,2}:\d{2}\b|\b20\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_WRAPPED = 4  # lines that such a line may be broken over
_LONGEST_ATTRIBUTION = 400  # characters
_SENTENCE = 25  # characters: a shorter line of ours may well be the answer
_SIGNED_BY_PROGRAM = re.compile(
    r"""^\s*(?:
        (?:sent|get|enviad[oa]|gesendet|von\ meinem|obten(?:er|ga)|obt[eé]n|descargar?|holen\ sie|envoy[eé])
        \b.{0,60}\b(?:iphone|ipad|android|outlook|samsung|galaxy|huawei|xiaomi|redmi|motorola|pixel|oneplus|yahoo|aol
            |gmail|mail|correo|m[oó]vil|celular|tel[eé]fono|mobile|phone|device|dispositivo|smartphone|handy|ger[aä]t
            |blackberry|proton|thunderbird|tablet|windows)\b.{0,60}
      | (?:enviado|sent)\ (?:desde|from)\ mi[\w\ ]{0,40}
    )\s*$""",
    re.IGNORECASE | re.VERBOSE,
)


def newest(text: str, *, answered: str = "") -> str:
    """What the writer of a mail added to it. Empty when there is nothing but quotation and signature.

    `answered` is the text of the mail that it answers, where that is known: its sentences are never the writer's.
    """
    sentences = {_plain(line) for line in answered.splitlines() if len(_plain(line)) >= _SENTENCE}
    lines = [line for line in text[:LONGEST].splitlines() if _plain(line) not in sentences]
    lines = _without_attributions(lines[: _start_of_copy(lines)])
    fresh = _without_signature([line for line in lines if not _QUOTED.match(line)])
    return re.sub(r"\n{3,}", "\n\n", "\n".join(fresh)).strip()


def _plain(line: str) -> str:
    return " ".join(line.split()).casefold()


def _start_of_copy(lines: Sequence[str]) -> int:
    """Where the mail that is answered is repeated without marks, down to the end; the end, where it is not."""
    for number, line in enumerate(lines):
        if _DIVIDER.match(line) or _is_field_block(lines, number):
            is_under_rule = number > 0 and _RULE.match(lines[number - 1])
            return number - 1 if is_under_rule else number
    return len(lines)


def _is_field_block(lines: Sequence[str], number: int) -> bool:
    """Whether lines such as From, Sent, To and Subject begin here."""
    if not _FIRST_FIELD.match(lines[number]):
        return False
    return sum(_FIELD.match(line) is not None for line in lines[number + 1 : number + 7]) >= 2


def _without_attributions(lines: Sequence[str]) -> list[str]:
    """Without lines such as "On Tuesday, Harbor Clinic wrote:"; what follows one without marks is quoted whole."""
    gone: set[int] = set()
    end_of_all = len(lines)
    for end in [number for number, line in enumerate(lines) if line.rstrip().endswith(":")]:
        start = _start_of_attribution(lines, end)
        if start is None:
            continue
        gone |= set(range(start, end + 1))
        below = next((line for line in lines[end + 1 :] if line.strip()), "")
        if not _QUOTED.match(below):
            end_of_all = end
            break
    return [line for number, line in enumerate(lines[:end_of_all]) if number not in gone]


def _start_of_attribution(lines: Sequence[str], end: int) -> int | None:
    """The number of the line where the attribution begins that ends with this line; None when it is none.

    One may be broken over several lines. The writer's own words may stand right above it.
    """
    weak: int | None = None
    for start in range(end, max(-1, end - _WRAPPED), -1):
        line = lines[start]
        if not line.strip() or _QUOTED.match(line) or (start < end and line.rstrip().endswith(_ENDS)):
            break
        joined = " ".join(line.strip() for line in lines[start : end + 1])
        if len(joined) <= _LONGEST_ATTRIBUTION and _is_attribution(joined):
            if _OPENS.match(line):
                return start
            weak = start if weak is None else weak
    return weak


def _is_attribution(text: str) -> bool:
    """A person, too, may write that somebody wrote: a date or an address beside it tells the mail program's line."""
    if _SCHRIEB.match(text):
        return True
    if not (_OPENS.match(text) or _NAMED.match(text)):
        return False
    return _WROTE.search(text) is not None or (_ADDRESS.search(text) is not None and _DATE.search(text) is not None)


def _without_signature(lines: Sequence[str]) -> list[str]:
    """Without what follows "-- " (RFC 3676 section 4.3), and without the line in which a phone names itself."""
    for number, line in enumerate(lines):
        if line.rstrip() == "--" and any(one.strip() for one in lines[:number]):
            lines = lines[:number]
            break
    return [line for line in lines if not _SIGNED_BY_PROGRAM.match(line)]
