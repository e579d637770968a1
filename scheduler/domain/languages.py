"""Which language a patient is written to: BCP 47 tags, their case, and what to fall back to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
DEFAULT_LANGUAGE = "en"  # every message exists in it; `bonewise check` sees to that

# Language, then subtags (RFC 5646, section 2.1). Anything else must not become part of a file name.
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_SCRIPT_LENGTH = 4
_REGION_LENGTH = 2


def normalise_language(tag: str) -> str | None:
    """A BCP 47 tag in its usual case (`ES_mx` becomes `es-MX`), or None when `tag` is not one.

    Case as RFC 5646, section 2.1.1 recommends: language lower, script capitalised, region upper, the rest
    lower. An underscore is taken for a hyphen, as operating systems write it.
    """
    hyphened = tag.strip().replace("_", "-")
    if not _TAG.fullmatch(hyphened):
        return None
    language, *rest = hyphened.lower().split("-")
    return "-".join([language, *_cased(rest)])


def _cased(subtags: list[str]) -> list[str]:
    cased: list[str] = []
    plain = False  # what follows a single letter is an extension, and stays lower
    for subtag in subtags:
        plain = plain or len(subtag) == 1
        if plain or not subtag.isalpha():
            cased.append(subtag)
        elif len(subtag) == _REGION_LENGTH:
            cased.append(subtag.upper())
        elif len(subtag) == _SCRIPT_LENGTH:
            cased.append(subtag.capitalize())
        else:
            cased.append(subtag)
    return cased


def base_language(tag: str) -> str:
    """The language without region or script: `es` for `es-MX`."""
    return tag.partition("-")[0]


@lru_cache(maxsize=1024)
def language_chain(patient_language: str | None, clinic_language: str | None) -> tuple[str, ...]:
    """The languages to try, best first: the patient's region, its base, the clinic's two, then `en`.

    `("es-MX", "fr-CA")` gives `("es-MX", "es", "fr-CA", "fr", "en")`. Tags are cut from the right as
    RFC 4647, section 3.4 does; repeats, blanks and things that are no language are left out.
    """
    chain: dict[str, None] = {}  # a dict keeps order and drops repeats
    for wish in (patient_language, clinic_language, DEFAULT_LANGUAGE):
        tag = normalise_language(wish or "")
        while tag:
            chain[tag] = None
            tag = _shorter(tag)
    return tuple(chain)


def said_in(words: Mapping[str, T], language: str) -> T:
    """What `words`, by language, has in this one, else in its base, else in English, which must be among them."""
    return next(words[tag] for tag in language_chain(language, None) if tag in words)


def _shorter(tag: str) -> str:
    """`tag` without its last subtag, nor a single letter that would then stand last (RFC 4647, 3.4)."""
    shorter = tag.rpartition("-")[0]
    while len(shorter.rpartition("-")[2]) == 1:
        shorter = shorter.rpartition("-")[0]
    return shorter
