"""The words of the web pages in the language of whoever looks at them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class UiWords(Protocol):
    """What the pages say, by language. English stands in the pages themselves, and is said where words lack."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages that pages are written in."""
        ...

    def choose(self, wanted: Iterable[str]) -> str:
        """The first of the wanted languages that there is, else English."""
        ...

    def one(self, language: str, text: str) -> str:
        """`text` in that language."""
        ...

    def some(self, language: str, one: str, many: str, number: int) -> str:
        """`one` or `many` in that language, in the form that its number wants."""
        ...
