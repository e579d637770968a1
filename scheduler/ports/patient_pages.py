"""Patients' own pages, as services see them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.records import PageGate, PageMessage, Patient


class PatientPages(Protocol):
    """Patients' own pages, inside one transaction."""

    def by_key(self, key: bytes) -> Patient | None:
        """Whose page has this key, of all clinics: the link alone says whose it is."""
        ...

    def gate(self, clinic_id: int, patient_id: UUID) -> PageGate:
        """What stands before the patient's page; the plain one where nobody has been there."""
        ...

    def keep_gate(self, gate: PageGate) -> None:
        """Write it. Whoever does holds the patient."""
        ...

    def messages(self, clinic_id: int, patient_id: UUID, *, until: datetime, limit: int) -> list[PageMessage]:
        """The latest messages of pathways that went to the patient or are going, the newest first."""
        ...
