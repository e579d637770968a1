"""Language tags (BCP 47): their usual form, or the reason why not."""

from __future__ import annotations

import re
from functools import lru_cache

from scheduler.domain.languages import normalise_language
from scheduler.services.intake.draft import FieldError

# RFC 5646, 2.1, without the registered oddities that nobody keeps on a patient's record. Stricter than what
# the rules need: `english` has the shape of a tag, too, and would be taken for a language that no message is
# written in.
_TAG = re.compile(
    r"([a-z]{2,3})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"
    r"(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?",
    re.IGNORECASE,
)

# Names and ISO 639-2 codes that clinic systems export in place of the tag. RFC 5646, 2.2.1: the shortest code
# is the tag.
_LANGUAGES = {
    "ar": ("ara", "arabic"),
    "de": ("deu", "ger", "german", "deutsch"),
    "en": ("eng", "english"),
    "es": ("spa", "spanish", "español", "espanol", "castilian"),
    "fa": ("fas", "per", "persian", "farsi"),
    "fr": ("fra", "fre", "french", "français", "francais"),
    "hi": ("hin", "hindi"),
    "ht": ("hat", "haitian", "haitian creole"),
    "it": ("ita", "italian", "italiano"),
    "ja": ("jpn", "japanese"),
    "ko": ("kor", "korean"),
    "nl": ("nld", "dut", "dutch"),
    "pl": ("pol", "polish"),
    "pt": ("por", "portuguese"),
    "ru": ("rus", "russian"),
    "tl": ("tgl", "tagalog"),
    "vi": ("vie", "vietnamese"),
    "zh": ("zho", "chi", "chinese", "mandarin", "cantonese"),
}
_SHORTEST = {name: tag for tag, names in _LANGUAGES.items() for name in names}


@lru_cache(maxsize=1024)
def parse_language(text: str) -> str:
    """The tag in its usual case (`es-mx` and `es_MX` become `es-MX`); raises `FieldError`."""
    tag = normalise_language(text)
    if tag and (match := _TAG.fullmatch(tag)):
        language = match[1]
        return _SHORTEST.get(language, language) + tag[len(language) :]
    if meant := _SHORTEST.get(text.casefold()):
        raise FieldError(f'a language is written as its tag; write "{meant}"')
    raise FieldError('this is not a language tag; write one such as "en", "es" or "es-MX"')
