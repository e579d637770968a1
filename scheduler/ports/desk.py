"""What the clinic's people do at their own pages: one thing at a time, and the words that they read out."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Desk(Protocol):
    """The clinic's desk, and the words of consent that were read there."""

    def hold(self, clinic_id: int) -> None:
        """Nobody else of the clinic enrols until the transaction ends: a form sent twice enrols once."""
        ...

    def keep_wording(self, clinic_id: int, mark: str, words: str, *, now: datetime) -> None:
        """Keep the words that a consent record names by `mark`, unless they are kept already."""
        ...

    def wording(self, clinic_id: int, mark: str) -> str | None:
        """The words that a consent record names by `mark`."""
        ...
