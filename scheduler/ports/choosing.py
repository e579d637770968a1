"""Which patients of a clinic are meant: by what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports.browsing import PatientLine


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFilter:
    """What patients have in common; what is None or empty does not matter."""

    status: PatientStatus | None = None
    pathway: str = ""  # they are on it
    step: str = ""  # of that pathway
    language: str = ""  # a language with all its regions
    channel: Channel | None = None  # the one they are reached by first
    unreachable: bool = False  # there is no way to write to them

    @property
    def is_open(self) -> bool:
        """Whether it lets everybody through."""
        return self == PatientFilter()


class Choosing(Protocol):
    """Finding those who are meant, always in one clinic."""

    def lines(self, clinic_id: int, which: PatientFilter, *, after: str = "", limit: int) -> list[PatientLine]:
        """They by MRN, those after the MRN `after`."""
        ...

    def mrns(self, clinic_id: int, which: PatientFilter, *, after: str = "", limit: int) -> list[str]: ...

    def among(self, clinic_id: int, which: PatientFilter, mrns: Sequence[str]) -> set[str]:
        """Those of these MRNs whose patients are meant."""
        ...

    def count(self, clinic_id: int, which: PatientFilter, *, most: int) -> int:
        """How many there are; counting ends at `most`."""
        ...
