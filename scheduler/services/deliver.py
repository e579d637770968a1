"""Delivery: claim what is due, commit the attempt, call the channel, record what it answered.

No transaction is open while a provider is called. Between the two commits a message is `sending`, with its attempt
and a lease on record: whatever happens in between, it is never sent again blindly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from scheduler.domain.effects import needs_stop_line
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.people import Channel
from scheduler.domain.sending import Expire, Go, Pending, Reroute, Skip, Verdict, Wait, last_look
from scheduler.domain.when import local_date
from scheduler.ports import (
    Clock,
    EmailChannel,
    OutboundEmail,
    OutboundSms,
    SendResult,
    SmsChannel,
    Store,
    Unit,
)
from scheduler.records import AttemptEnd, Clinic, ReadyMessage
from scheduler.services.aftermath import Aftermath, Fallen
from scheduler.services.composing import Composed, Composer
from scheduler.services.outcomes import FollowUp, settle
from scheduler.services.rules import Rules

BATCH = 200  # messages between two commits: what a crash leaves to be settled
LEASE = timedelta(minutes=5)  # longer than any batch can take

_NEEDS_AFTERMATH = frozenset({MessageStatus.FAILED, MessageStatus.UNKNOWN})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages one round of delivery moved where."""

    claimed: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    expired: int = 0
    retried: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Delivered)))


@dataclass(slots=True)
class _Sorted:
    """A claimed batch after the last look."""

    composed: list[Composed] = field(default_factory=list)
    fallen: list[Fallen] = field(default_factory=list)
    rerouted: list[tuple[ReadyMessage, Channel]] = field(default_factory=list)

    @property
    def decided_about(self) -> set[UUID]:
        """The patients whose own record changes with what was found."""
        return {one.message.patient.id for one in self.fallen} | {one.patient.id for one, _ in self.rerouted}

    def keep_only(self, free: set[UUID]) -> int:
        """Leave out what is about others than these patients; returns how many messages that leaves untouched."""
        before = len(self.fallen) + len(self.rerouted)
        self.fallen = [one for one in self.fallen if one.message.patient.id in free]
        self.rerouted = [one for one in self.rerouted if one[0].patient.id in free]
        return before - len(self.fallen) - len(self.rerouted)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What an attempt came to, for the ledger and for what follows."""

    end: AttemptEnd
    fallen: Fallen


class Delivery:
    """Hands planned messages to their channels. One object serves one process."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        composer: Composer,
        sms: SmsChannel,
        email: EmailChannel,
        clock: Clock,
        worker: str,
    ) -> None:
        self._store = store
        self._composer = composer
        self._sms = sms
        self._email = email
        self._clock = clock
        self._worker = worker
        self._aftermath = Aftermath(rules)

    def deliver_all(self, channel: Channel, *, stopping: Callable[[], bool] = lambda: False) -> Delivered:
        """Deliver everything that is due on `channel`, batch after batch, until done or `stopping`."""
        total = Delivered()
        while not stopping() and (batch := self.deliver(channel)).claimed:
            total += batch
        return total

    def deliver(self, channel: Channel, *, limit: int = BATCH) -> Delivered:
        """Deliver up to `limit` messages that are due on `channel`."""
        claimed, batch = self._claim(channel, limit)
        counts = Delivered(
            claimed=claimed,
            skipped=sum(one.status is MessageStatus.SKIPPED for one in batch.fallen),
            expired=sum(one.status is MessageStatus.EXPIRED for one in batch.fallen),
        )
        if not batch.composed:
            return counts
        waiting = {one.attempt.id: one for one in batch.composed}
        ended: list[_Ended] = []
        try:
            for result in self._call(channel, batch.composed):
                ended.append(self._end(waiting.pop(result.attempt_id), result))
        finally:
            # What the channel said nothing about keeps its lease, and is settled when that runs out.
            self._record(ended)
        return counts + _count(ended)

    def close(self) -> None:
        """Close the channels."""
        self._sms.close()
        self._email.close()

    def rescue(self) -> int:
        """Settle what a worker that died left behind. It may have reached the provider, so it is never sent again."""
        now = self._clock.now()
        with self._store.writing() as unit:
            left = unit.ledger.claim_abandoned(now, limit=BATCH)
            fallen = [Fallen(message, MessageStatus.UNKNOWN, "interrupted", FollowUp.UNSETTLED) for message in left]
            unit.ledger.move(
                MessageStatus.UNKNOWN,
                [(one.message.id, one.message.patient.clinic_id, one.reason) for one in fallen],
            )
            self._aftermath.settle(unit, fallen, now=now)
        return len(left)

    # Before the call

    def _claim(self, channel: Channel, limit: int) -> tuple[int, _Sorted]:
        now = self._clock.now()
        with self._store.writing() as unit:
            clinics = unit.installation.clinics()
            ready = unit.ledger.claim_ready(channel, now, limit=limit)
            batch = _Sorted()
            for message in ready:
                self._look(unit, message, clinics[message.patient.clinic_id], now, batch)
            unit.ledger.begin_attempts(
                [one.attempt for one in batch.composed], now=now, lease_until=now + LEASE, worker=self._worker
            )
            untouched = batch.keep_only(self._free(unit, batch.decided_about))
            for message, to in batch.rerouted:
                self._reroute(unit, message, clinics[message.patient.clinic_id], to, now)
            for status in (MessageStatus.SKIPPED, MessageStatus.EXPIRED):
                unit.ledger.move(
                    status,
                    [
                        (one.message.id, one.message.patient.clinic_id, one.reason)
                        for one in batch.fallen
                        if one.status is status
                    ],
                )
            self._aftermath.settle(unit, batch.fallen, now=now)
        return len(ready) - untouched, batch

    @staticmethod
    def _free(unit: Unit, patient_ids: set[UUID]) -> set[UUID]:
        """Those about whom nobody else is deciding. Messages of the others stay planned until the next round.

        Waiting for a patient while holding their message could deadlock with whoever holds the patient and wants
        the message.
        """
        return unit.patients.try_lock(list(patient_ids)) if patient_ids else set()

    @staticmethod
    def _reroute(unit: Unit, message: ReadyMessage, clinic: Clinic, to: Channel, now: datetime) -> None:
        """Send it the other way. Only a text says how to stop, so whether this one does is decided anew."""
        patient = message.patient
        contact = patient.contact(clinic)
        today = local_date(now, contact.zone)
        stop_line = message.kind is MessageKind.REMINDER and needs_stop_line(contact, to, today)
        unit.ledger.postpone(
            message.id,
            clinic.id,
            send_from=message.send_from,
            send_until=message.send_until,
            channel=to,
            stop_line=stop_line,
        )
        if message.stop_line or stop_line:
            unit.patients.set_stop_line(clinic.id, patient.id, today if stop_line else None)

    def _look(self, unit: Unit, message: ReadyMessage, clinic: Clinic, now: datetime, batch: _Sorted) -> None:
        match self._verdict(message, clinic, now):
            case Go():
                self._compose(message, clinic, batch)
            case Skip(reason):
                batch.fallen.append(Fallen(message, MessageStatus.SKIPPED, reason.value))
            case Expire():
                batch.fallen.append(Fallen(message, MessageStatus.EXPIRED))
            case Wait(send_from, send_until):
                unit.ledger.postpone(
                    message.id,
                    clinic.id,
                    send_from=send_from,
                    send_until=send_until,
                    channel=message.channel,
                    stop_line=message.stop_line,
                )
            case Reroute(channel):
                batch.rerouted.append((message, channel))

    def _compose(self, message: ReadyMessage, clinic: Clinic, batch: _Sorted) -> None:
        """A message whose template has gone since it was planned must not hold up the others."""
        try:
            batch.composed.append(self._composer.compose(message, clinic))
        except LookupError:
            _log.exception("message %s cannot be written: %s/%s", message.id, message.pathway, message.template)
            batch.fallen.append(Fallen(message, MessageStatus.SKIPPED, SkipReason.SUPERSEDED.value))

    @staticmethod
    def _verdict(message: ReadyMessage, clinic: Clinic, now: datetime) -> Verdict:
        pending = Pending(
            kind=message.kind,
            channel=message.channel,
            pathway=message.pathway,
            due_date=message.due_date,
            send_until=message.send_until,
        )
        verdict = last_look(pending, message.patient.contact(clinic), now)
        if isinstance(verdict, Go) and not _address(message):
            return Skip(SkipReason.NO_CHANNEL)
        return verdict

    # The call

    def _call(self, channel: Channel, batch: Iterable[Composed]) -> Iterator[SendResult]:
        outbound = [one.outbound for one in batch]
        if channel is Channel.SMS:
            return self._sms.send(cast("list[OutboundSms]", outbound))
        return self._email.send(cast("list[OutboundEmail]", outbound))

    # After the call

    def _end(self, composed: Composed, result: SendResult) -> _Ended:
        attempt = composed.attempt
        settled = settle(result, tries=attempt.number, now=self._clock.now())
        if settled.follow_up is FollowUp.OPERATOR:
            _log.error(
                "%s refused a message: code %s, %s; check the account and the sender of clinic %s",
                attempt.channel.value,
                result.code,
                result.detail,
                attempt.clinic_id,
            )
        end = AttemptEnd(
            attempt_id=attempt.id,
            message_id=attempt.message_id,
            clinic_id=attempt.clinic_id,
            status=settled.status,
            outcome=result.outcome.value,
            provider_id=result.provider_id,
            code=result.code,
            detail=result.detail,
            retry_at=settled.retry_at,
        )
        return _Ended(end, Fallen(composed.message, settled.status, result.code, settled.follow_up))

    def _record(self, ended: list[_Ended]) -> None:
        if not ended:
            return
        now = self._clock.now()
        with self._store.writing() as unit:
            unit.ledger.end_attempts([one.end for one in ended], now=now)
            fallen = [one.fallen for one in ended if one.fallen.status in _NEEDS_AFTERMATH]
            self._aftermath.settle(unit, fallen, now=now)


def _address(message: ReadyMessage) -> str | None:
    return message.patient.phone if message.channel is Channel.SMS else message.patient.email


def _count(ended: Iterable[_Ended]) -> Delivered:
    statuses = [one.end.status for one in ended]
    return Delivered(
        sent=statuses.count(MessageStatus.SENT),
        failed=statuses.count(MessageStatus.FAILED),
        unknown=statuses.count(MessageStatus.UNKNOWN),
        retried=statuses.count(MessageStatus.PLANNED),
    )
