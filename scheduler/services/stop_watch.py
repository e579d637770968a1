"""The very last look before each hand-over: has the patient stopped since the message was claimed?

A batch is claimed at once, and handing it over may take minutes where a sender has a pace or a provider is slow.
Nobody who has been told that their STOP is taken should get a text a second later. Nor should a number that is no
longer the patient's get one, where the clinic has numbers confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.ports import Store
from scheduler.services.composing import Composed

LOOK_EVERY = 0.5  # seconds: as old as what is known may be when a message is handed over
_AFTER_A_STOP = frozenset(
    {"stopped", "help"}
)  # the confirmation of it, and what carriers expect to be answered always


class StopWatch:
    """Who of one batch has stopped. Asks for all that is left of it at once, and no more often than it must."""

    def __init__(self, store: Store, channel: Channel, *, claimed_at: float) -> None:
        """`claimed_at` is the moment of a steady clock at which the batch began to be claimed, in seconds."""
        self._store = store
        self._channel = channel
        self._looked_at = claimed_at
        self._stopped: dict[Addressee, set[UUID]] = {each: set() for each in Addressee}
        self._stopped_topics: set[UUID] = set()
        self._unconfirmed: set[UUID] = set()

    def why_not(self, one: Composed, left: Sequence[Composed], *, now: float) -> SkipReason | None:
        """Why the message may not go any more, if so; `left` are those not handed over yet, it among them.

        Raises when the database is away: then nothing more of the batch goes.
        """
        if now - self._looked_at >= LOOK_EVERY:
            self._look(left)
            self._looked_at = now
        message = one.message
        if message.patient_id in self._stopped[message.to] and not _goes_after_a_stop(one):
            return SkipReason.STOPPED
        if message.enrolment_id in self._stopped_topics:
            return SkipReason.STOPPED
        is_own = message.to is Addressee.PATIENT
        if is_own and message.patient_id in self._unconfirmed and message.pathway != SERVICE_MESSAGES:
            return SkipReason.UNCONFIRMED
        return None

    def _look(self, left: Sequence[Composed]) -> None:
        asked = [each.message for each in left if not _goes_after_a_stop(each)]
        patients = {each.patient_id for each in asked if each.to is Addressee.PATIENT}
        cared_for = {each.patient_id for each in asked if each.to is Addressee.CARER}
        clinical = [each.message for each in left if each.message.pathway != SERVICE_MESSAGES]
        enrolments = {each.enrolment_id for each in clinical if each.enrolment_id is not None}
        with self._store.reading() as unit:
            self._stopped = {
                Addressee.PATIENT: unit.stops.stopped_among(patients, self._channel) if patients else set(),
                Addressee.CARER: unit.carers.stopped_among(cared_for, self._channel) if cared_for else set(),
            }
            self._stopped_topics = unit.stops.stopped_topics_among(enrolments) if enrolments else set()
            if self._channel is Channel.SMS and clinical:
                self._unconfirmed = unit.stops.unconfirmed_among({each.patient_id for each in clinical})


def _goes_after_a_stop(one: Composed) -> bool:
    message = one.message
    return (
        message.kind is MessageKind.REPLY
        and message.pathway == SERVICE_MESSAGES
        and message.template in _AFTER_A_STOP
    )
