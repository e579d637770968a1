"""What comes in: replies as they are kept and waited for, who has stopped, and texts that are nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import SkipReason
from scheduler.domain.people import Channel
from scheduler.records import HeldReply, OrphanText, Reply, Sender


class Inbox(Protocol):
    """What patients sent. A reply waits until it is understood; those of strangers never do."""

    def senders(self, channel: Channel, addresses: Iterable[str]) -> Mapping[str, Sequence[Sender]]:
        """Who has each of these numbers (E.164) or addresses, in all clinics, for themselves or as a carer.

        An address of nobody is absent.
        """
        ...

    def add(self, new: Sequence[Reply]) -> AbstractSet[UUID]:
        """Store replies; those of a patient wait to be understood. Returns the ids of those stored.

        One that the provider has delivered to the clinic before is not.
        """
        ...

    def stranger(self, address: str) -> str:
        """A name for whoever has this address, the same each time; it does not tell the address."""
        ...

    def waiting(self) -> tuple[int, datetime | None]:
        """How many replies wait to be understood, and since when the first of them does."""
        ...

    def claim(self, now: datetime, *, limit: int) -> list[HeldReply]:
        """The first waiting reply of up to `limit` patients whom nobody else holds, of all clinics."""
        ...

    def claim_next_of(self, writers: Iterable[tuple[int, UUID]], now: datetime) -> list[HeldReply]:
        """The first waiting reply of each (clinic, patient). Whoever is held by somebody else is waited for."""
        ...

    def understood(self, replies: Iterable[Reply]) -> None:
        """Record what replies were taken to mean: they wait no longer."""
        ...

    def put_off(self, reply: Reply, until: datetime) -> None:
        """Look at a waiting reply again at `until`."""
        ...

    def hold(self, reply: Reply, until: datetime) -> None:
        """Keep a reply, with those whose it may be, until somebody says whose it is, or until then."""
        ...

    def held(self, clinic_id: int, channel: Channel, sender: str) -> list[Reply]:
        """What came from this number or address and waits for somebody to say whose it is, oldest first."""
        ...

    def in_doubt(self, patient_ids: Sequence[UUID], *, since: datetime) -> Mapping[UUID, Reply]:
        """The last answer of each patient since then, where it fits several questions and waits for its topic."""
        ...

    def told(
        self, patient_ids: Sequence[UUID], templates: Iterable[str], *, since: datetime
    ) -> Mapping[UUID, Mapping[str, datetime]]:
        """When each patient was last sent each of these service messages, if that is not before `since`."""
        ...

    def last_sent(self, channel: Channel, patient_ids: AbstractSet[UUID]) -> Mapping[UUID, datetime]:
        """When each patient was last sent anything over this channel; who never was is absent."""
        ...

    def wording_of(self, clinic_id: int, patient_id: UUID, template: str) -> str | None:
        """Which wording of a service message the patient was last sent: its name, language and version."""
        ...

    def answered(self, of: Iterable[Reply], *, planned_at: datetime) -> None:
        """What was planned for these patients at that instant, to go by e-mail, answers these e-mails."""
        ...

    def threads(self, message_ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, ...]]:
        """The Message-IDs of the e-mail that each of these messages answers, and of those that led to it."""
        ...

    def reply(self, clinic_id: int, reply_id: UUID) -> Reply | None: ...

    def replies(
        self, clinic_id: int, *, mrn: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> list[Reply]:
        """The clinic's replies, oldest first; with `limit`, the latest so many."""
        ...


class Stops(Protocol):
    """Who may not be written to any more, for messages that are on their way already."""

    def void(
        self,
        of: Iterable[tuple[int, UUID]],
        *,
        since: datetime,
        channel: Channel | None = None,
        enrolments: Iterable[UUID] | None = None,
        reason: SkipReason = SkipReason.STOPPED,
    ) -> None:
        """What has been planned for these (clinic, patient) since then and has not gone will not go.

        With `channel`, only answers to the patients' own messages on it: other messages may go another way. With
        `enrolments`, only what belongs to them.
        """
        ...

    def stopped_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients who may not be written to on `channel`: they stopped, left, or never had it."""
        ...

    def unconfirmed_among(self, patient_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the patients whose number must be confirmed before anything clinical is texted to it."""
        ...

    def stopped_topics_among(self, enrolment_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the enrolments that their patients want no more of."""
        ...


class Orphans(Protocol):
    """Texts to a number of no clinic, from nobody we know. They are the operator's, not a clinic's."""

    def keep(self, texts: Sequence[OrphanText]) -> None:
        """Keep texts; one that is kept already is not kept again."""
        ...

    def latest(self, *, limit: int, since: datetime | None = None) -> tuple[int, list[OrphanText]]:
        """How many have come since then, and the newest of them, the newest first."""
        ...
