"""Taking a patient out of the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from scheduler.records import Patient


class Erasing(Protocol):
    """Erasing, of one clinic at a time."""

    def is_on_its_way(self, patient: Patient) -> bool:
        """Whether a message to the patient is being handed over at this moment."""
        ...

    def erase(self, patient: Patient, *, now: datetime) -> Mapping[str, int]:
        """Delete all that is on file about the patient, who is held; returns how many rows of which table.

        What stays names nobody: an empty record, the audit trail, the record of consent, and counts.
        """
        ...
