"""Patients' own pages, as services see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel
from scheduler.records import Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGate:
    """What stands between a link and a patient's own page, and what the patient has paused there.

    `locked_until` is an instant (UTC), the others are dates of the patient's. `paused_on` None: nothing is paused by
    the patient; `paused_until` None: until they lift it.
    """

    patient_id: UUID
    clinic_id: int
    failures: int = 0
    locked_until: datetime | None = None
    paused_on: date | None = None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMessage:
    """A message to a patient as their own page needs it: which one, to be written out again in full. UTC."""

    pathway: str
    step: str
    template: str
    turn: int
    count: int
    kind: MessageKind
    channel: Channel
    at: datetime


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

    def told_of_rest(self, clinic_id: int, patient_id: UUID) -> list[tuple[datetime, str]]:
        """When (UTC) the patient was answered that activities are paused or go on, the newest first.

        Each with its service message: `paused`, `safety` or `resumed`.
        """
        ...

    def decided_by_staff(self, clinic_id: int, patient_id: UUID, pathway: str) -> list[tuple[datetime, bool]]:
        """When (UTC) staff took the patient off the pathway (True) or put them on it, the newest first."""
        ...

    def messages(self, clinic_id: int, patient_id: UUID, *, until: datetime, limit: int) -> list[PageMessage]:
        """The latest messages of pathways that went to the patient or are going, the newest first."""
        ...
