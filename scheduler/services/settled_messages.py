"""Tasks that close by themselves, because a message went or arrived after all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from scheduler.domain.people import Channel
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Unit
from scheduler.ports.settling import Tracked
from scheduler.services.composing import Composed
from scheduler.services.new_tasks import cause

_WENT = "the message went"
_ACCEPTED = "a message that was refused with this code was taken"
_ARRIVED = "a message has arrived there"


def doubt_cause(message_id: UUID) -> str:
    """What the task about a message of unknown fate is about: that message alone."""
    return f"{message_id.hex}:{ServiceTask.DELIVERY_UNKNOWN}"


def refusal_cause(channel: Channel, code: str | None) -> str:
    """What the task about refusals of single messages, for our own fault, is about: the provider's code."""
    return f"{ServiceTask.SENDER_REFUSED}:{channel.value}:{code}"


def sender_cause(key: str) -> str:
    """What the task about a refused account or sender is about: its channel and the last digits of its name."""
    channel, _, sender = key.partition(":")
    return f"{ServiceTask.SENDER_REFUSED}:{channel}:{sender[-24:]}"


def close_doubt(unit: Unit, messages: Iterable[tuple[int, UUID]], *, words: str, now: datetime) -> None:
    """What became of these (clinic, message) is known now."""
    causes: dict[int, list[str]] = defaultdict(list)
    for clinic_id, message_id in messages:
        causes[clinic_id].append(doubt_cause(message_id))
    for clinic_id, each in causes.items():
        unit.worklist.close(clinic_id, each, now=now, words=words)


def close_for_what_went(unit: Unit, went: Sequence[Composed], *, is_late: bool, now: datetime) -> None:
    """Messages were accepted. `is_late`: so late that others may have taken them for lost."""
    if is_late:
        close_doubt(unit, [(one.message.clinic_id, one.message.id) for one in went], words=_WENT, now=now)
    retried = {one.message.id: one.message for one in went if one.attempt.number > 1}
    refused: dict[int, set[str]] = defaultdict(set)
    for message_id, code in unit.receipts.codes_of(list(retried)) if retried else ():
        message = retried[message_id]
        refused[message.clinic_id].add(refusal_cause(message.channel, code))
    for clinic_id, causes in refused.items():
        unit.worklist.close(clinic_id, sorted(causes), now=now, words=_ACCEPTED)


def close_for_what_arrived(unit: Unit, tracked: Tracked, *, now: datetime) -> None:
    """Staff were to look at a number that was out of reach so often; a message that arrives there settles that."""
    about = cause(tracked.patient_id, ServiceTask.CHECK_NUMBER)
    if not unit.worklist.is_open(tracked.clinic_id, about):
        return
    patient = unit.patients.get(tracked.clinic_id, tracked.patient_id)
    if patient is not None and not (patient.phone_bad or patient.email_bad):
        unit.worklist.close(tracked.clinic_id, [about], now=now, words=_ARRIVED)
