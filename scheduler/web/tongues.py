"""In which language a page is shown to somebody of whom nothing is known but what their browser asks for."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.domain.languages import language_chain
from scheduler.ports.ui import UiWords

_MOST = 20  # languages that one browser is listened to about


def N_(text: str) -> str:  # noqa: N802  # the name by which gettext's tools know it
    """Marks a text that is translated later, where it is shown."""
    return text


def language_for(accepted: str, words: UiWords) -> str:
    """The language of the pages that an Accept-Language header (RFC 9110 section 12.5.4) likes best; else English."""
    return words.choose(one for tag in _by_liking(accepted) for one in _with_its_base(tag))


def _by_liking(accepted: str) -> list[str]:
    """The tags of the header, the best liked first; those refused with a weight of 0 are left out."""
    weighted = [
        (-weight, place, tag)
        for place, (tag, weight) in enumerate(_weighted(accepted))
        if weight > 0 and place < _MOST
    ]
    return [tag for _, _, tag in sorted(weighted)]


def _weighted(accepted: str) -> Iterator[tuple[str, float]]:
    for part in accepted.split(","):
        tag, _, rest = part.strip().partition(";")
        name, _, value = rest.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        yield tag.strip(), weight


def _with_its_base(tag: str) -> tuple[str, ...]:
    """`es-MX` and then `es`. The English that every chain ends with is for when nothing else is liked."""
    chain = language_chain(tag, None)
    return chain if tag.lower().startswith("en") else chain[:-1]
