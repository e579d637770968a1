"""The very last look before each hand-over: has the patient stopped since the message was claimed?

A batch is claimed at once, and handing it over may take minutes where a sender has a pace or a provider is slow.
Nobody who has been told that their STOP is taken should get a text a second later.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scheduler.domain.messages import MessageKind
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

    def has_stopped(self, one: Composed, left: Sequence[Composed], *, now: float) -> bool:
        """Whether the message may not go any more; `left` are those not handed over yet, it among them.

        Raises when the database is away: then nothing more of the batch goes.
        """
        if now - self._looked_at >= LOOK_EVERY:
            with self._store.reading() as unit:
                asked = [each.message for each in left if not _goes_after_a_stop(each)]
                patients = {each.patient_id for each in asked if each.to is Addressee.PATIENT}
                cared_for = {each.patient_id for each in asked if each.to is Addressee.CARER}
                self._stopped = {
                    Addressee.PATIENT: unit.stops.stopped_among(patients, self._channel) if patients else set(),
                    Addressee.CARER: unit.carers.stopped_among(cared_for, self._channel) if cared_for else set(),
                }
            self._looked_at = now
        return one.message.patient_id in self._stopped[one.message.to] and not _goes_after_a_stop(one)


def _goes_after_a_stop(one: Composed) -> bool:
    message = one.message
    return (
        message.kind is MessageKind.REPLY
        and message.pathway == SERVICE_MESSAGES
        and message.template in _AFTER_A_STOP
    )
