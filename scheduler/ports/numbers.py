"""Numbers and addresses that nothing may go to any more, and what did not go for want of another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.numbers import WhyBad
from scheduler.domain.people import Channel
from scheduler.records import LedgerMessage


class Numbers(Protocol):
    """Bad numbers and addresses, each known for its patient. Instants are UTC."""

    def mark_bad(
        self, clinic_id: int, patient_id: UUID, channel: Channel, address: str, *, why: WhyBad, now: datetime
    ) -> None:
        """Nothing goes to this number or address of the patient any more, also when it is imported again."""
        ...

    def bad_of(self, clinic_id: int, patient_ids: Sequence[UUID]) -> Mapping[UUID, AbstractSet[tuple[Channel, str]]]:
        """The numbers and addresses, in lower case, that nothing goes to, of each patient who has some."""
        ...

    def is_right(self, clinic_id: int, patient_id: UUID, channel: Channel, address: str) -> None:
        """It may be used again. The patient's own mark is left to whoever writes their record."""
        ...

    def bad_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients, of whatever clinic, whose present number or address is marked."""
        ...

    def missed(self, clinic_id: int, patient_id: UUID, *, on: date) -> list[LedgerMessage]:
        """What was to go to the patient on this local date and was skipped for want of a number, oldest first.

        What has a successor already is left out. A reminder that was never planned has no template.
        """
        ...
