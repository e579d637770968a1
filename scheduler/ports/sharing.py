"""Numbers and addresses in common, and carers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.people import Channel
from scheduler.records import Carer, CarerConsent, Housemate


class Sharing(Protocol):
    """Who has one number or address in common."""

    def shared_among(self, channel: Channel, patient_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the patients whose own number or address also gets what is about another patient of the clinic."""
        ...

    def people_at(self, clinic_id: int, channel: Channel, address: str) -> list[Housemate]:
        """The clinic's patients who have this number (E.164) or address, or whose carer has it.

        In the order in which they were enrolled, whether or not they may be written to.
        """
        ...


class Carers(Protocol):
    """Patients' contact persons. A patient has one at a time; those before stay on record."""

    def of(self, patients_of: Iterable[tuple[int, UUID]]) -> dict[UUID, Carer]:
        """The carer of each (clinic, patient), by patient; one without is absent."""
        ...

    def get(self, clinic_id: int, carer_id: UUID) -> Carer | None:
        """A carer who is present."""
        ...

    def at(self, clinic_id: int, channel: Channel, address: str) -> list[Carer]:
        """The clinic's carers with this number (E.164) or address."""
        ...

    def stopped_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients whose carer may not be written to on `channel`: they stopped, or the patient did."""
        ...

    def add(self, carer: Carer, *, now: datetime) -> None:
        """Store a carer of a patient who has none."""
        ...

    def update(self, carer: Carer) -> None:
        """Write the record of a carer who is stored."""
        ...

    def remove(self, carer: Carer, *, now: datetime) -> None:
        """The patient has no carer any more. The record of consent stays."""
        ...

    def record_consent(self, record: CarerConsent) -> None:
        """Append to the record of consent."""
        ...

    def consents(self, clinic_id: int, carer_id: UUID) -> list[CarerConsent]:
        """The record of one carer, oldest first."""
        ...
