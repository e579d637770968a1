"""Clinics whose patients are to be planned anew, because what all of them are planned by has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scheduler.records import DuePatient


class Replanning(Protocol):
    """What is asked for with a change is done batch by batch, so that whoever makes the change need not wait."""

    def ask(self, clinic_id: int) -> None:
        """From now on all patients of the clinic are to be planned anew, also those who just have been."""
        ...

    def ask_all(self) -> None:
        """The same for every clinic."""
        ...

    def is_wanted(self) -> bool:
        """Whether any patient is left."""
        ...

    def take(self, *, limit: int) -> Sequence[DuePatient]:
        """The next patients of one clinic, locked until the transaction ends, which are then no longer asked for.

        A clinic that another worker is busy with is left to that one.
        """
        ...
