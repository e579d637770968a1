"""Before the call: claim what is due, take the last look at each message, and commit to what goes.

One transaction. What goes is `sending` afterwards, with its attempt on record, in a batch that the worker has a lease
on; what does not has its reason.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from scheduler.domain.effects import needs_stop_line
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.people import Channel
from scheduler.domain.sending import Expire, Go, Pending, Reroute, Skip, Verdict, Wait, is_written, last_look
from scheduler.domain.when import local_date
from scheduler.ids import new_id, new_ids
from scheduler.ports import Store, Unit
from scheduler.records import Batch, Clinic, ReadyMessage
from scheduler.services.addressing import Addressing
from scheduler.services.aftermath import Aftermath, Fallen, still_wanted
from scheduler.services.composing import Composed, Composer
from scheduler.services.lanes import Route, as_it_is_now, take
from scheduler.services.leases import LEASE
from scheduler.services.progress import first_step

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Claimed:
    """A batch after the last look. `touched` counts the messages that moved, in whichever direction.

    `is_continued`: this worker has had the lane to itself since its last batch.
    """

    touched: int = 0
    is_continued: bool = False
    in_hand: Batch | None = None  # what is composed
    composed: list[Composed] = field(default_factory=list)
    fallen: list[Fallen] = field(default_factory=list)
    threads: Mapping[UUID, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[UUID, str] = field(default_factory=dict)  # of messages that staff wrote
    rerouted: list[tuple[ReadyMessage, Channel]] = field(default_factory=list)

    @property
    def decided_about(self) -> set[UUID]:
        """The patients whose own record changes with what was found."""
        return {one.message.patient_id for one in self.fallen} | {one.to.id for one, _ in self.rerouted}

    def keep_only(self, free: set[UUID]) -> int:
        """Leave out what is about others than these patients; returns how many messages that leaves untouched."""
        before = len(self.fallen) + len(self.rerouted)
        self.fallen = [one for one in self.fallen if one.message.patient_id in free]
        self.rerouted = [one for one in self.rerouted if one[0].to.id in free]
        return before - len(self.fallen) - len(self.rerouted)


class Claiming:
    """Claims batches of messages."""

    def __init__(self, *, store: Store, composer: Composer, aftermath: Aftermath, addressing: Addressing) -> None:
        self._store = store
        self._composer = composer
        self._aftermath = aftermath
        self._addressing = addressing

    def claim(self, route: Route, now: datetime, *, limit: int, worker: str, rate: float | None = None) -> Claimed:
        """Up to `limit` messages due on a lane at `now` (UTC): those to send, and what became of the others.

        `rate` is how many messages a second the lane's provider has answered lately, None when that is not known.
        """
        with self._store.writing() as unit:
            clinics = unit.installation.clinics()
            current = as_it_is_now(unit, route, clinics, now)
            continued = take(unit, current, worker=worker, now=now) if current else None
            if current is None or continued is None:
                return Claimed()
            route = current
            claimed = unit.ledger.claim_ready(
                route.channel, now, limit=limit, clinics=clinics, only=route.only, but=route.but
            )
            ready = self._addressing.addressed(unit, claimed, clinics, route.channel)
            batch = Claimed(is_continued=continued)
            verdicts: dict[tuple[object, ...], Verdict] = {}
            pointless = self._pointless(unit, ready, now)
            batch.threads = _threads(unit, ready)
            batch.words = _words(unit, ready)
            for one, attempt_id in zip(ready, new_ids(len(ready)), strict=True):
                if one.message.id in pointless:
                    fallen = Fallen(one.message, MessageStatus.SKIPPED, pointless[one.message.id].value)
                    batch.fallen.append(fallen)
                else:
                    self._look(unit, one, clinics[one.to.clinic_id], now, batch, verdicts, attempt_id)
            if batch.composed:
                unit.ledger.begin_attempts([one.attempt for one in batch.composed], now=now)
                batch.in_hand = _in_hand(batch.composed, 1 if route.rate else first_step(rate), worker)
                unit.batches.begin(batch.in_hand, lease_until=now + LEASE)
            untouched = batch.keep_only(self._free(unit, batch.decided_about))
            for one, channel in batch.rerouted:
                self._reroute(unit, one, channel, now)
            for status in (MessageStatus.SKIPPED, MessageStatus.EXPIRED):
                unit.ledger.move(
                    status,
                    [
                        (one.message.id, one.message.clinic_id, one.reason)
                        for one in batch.fallen
                        if one.status is status
                    ],
                )
            self._aftermath.settle(unit, batch.fallen, now=now)
            batch.touched = len(ready) - untouched
        return batch

    @staticmethod
    def _pointless(unit: Unit, ready: list[ReadyMessage], now: datetime) -> dict[UUID, SkipReason]:
        """Messages whose topic has been stopped, answered or paused since they were planned, and which it was.

        What waited then was voided: only what was on its way and came back can be left.
        """
        came_back = [one for one in ready if one.message.attempts > 0 and one.message.enrolment_id is not None]
        if not came_back:
            return {}
        enrolled = unit.patients.enrolments(list({one.to.id for one in came_back}))
        stopped = {one.id for theirs in enrolled.values() for one in theirs if one.state.is_stopped}
        return {
            one.message.id: SkipReason.STOPPED if one.message.enrolment_id in stopped else SkipReason.SUPERSEDED
            for one in came_back
            if one.message.enrolment_id in stopped
            or not still_wanted(one.message, enrolled.get(one.to.id, ()), one.to.contact, now)
        }

    @staticmethod
    def _free(unit: Unit, patient_ids: set[UUID]) -> set[UUID]:
        """Those about whom nobody else is deciding. Messages of the others stay planned until the next round.

        Waiting for a patient while holding their message could deadlock with whoever holds the patient and wants
        the message.
        """
        return unit.patients.try_lock(list(patient_ids)) if patient_ids else set()

    @staticmethod
    def _reroute(unit: Unit, ready: ReadyMessage, channel: Channel, now: datetime) -> None:
        """Send it the other way. Only a text says how to stop, so whether this one does is decided anew."""
        message, contact = ready.message, ready.to.contact
        today = local_date(now, contact.zone)
        stop_line = message.kind is MessageKind.REMINDER and needs_stop_line(contact, channel, today)
        unit.ledger.postpone(
            message.id,
            message.clinic_id,
            send_from=message.send_from,
            send_until=message.send_until,
            channel=channel,
            stop_line=stop_line,
        )
        if message.stop_line or stop_line:
            unit.patients.set_stop_line(message.clinic_id, message.patient_id, today if stop_line else None)

    def _look(
        self,
        unit: Unit,
        ready: ReadyMessage,
        clinic: Clinic,
        now: datetime,
        batch: Claimed,
        verdicts: dict[tuple[object, ...], Verdict],
        attempt_id: UUID,
    ) -> None:
        message = ready.message
        match _verdict(ready, now, verdicts):
            case Go() if ready.to.address is None:
                batch.fallen.append(Fallen(message, MessageStatus.SKIPPED, SkipReason.NO_CHANNEL.value))
            case Go():
                self._compose(ready, clinic, batch, attempt_id)
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
                batch.rerouted.append((ready, channel))

    def _compose(self, ready: ReadyMessage, clinic: Clinic, batch: Claimed, attempt_id: UUID) -> None:
        """A message that cannot be written, its template gone or broken since, must not hold up the others."""
        message = ready.message
        try:
            composed = self._composer.compose(
                ready,
                clinic,
                attempt_id=attempt_id,
                thread=batch.threads.get(message.id, ()),
                words=batch.words.get(message.id, ""),
            )
            batch.composed.append(composed)
        except Exception:  # noqa: BLE001 - whatever a template does, it is about this message alone
            _log.exception("message %s cannot be written: %s/%s", message.id, message.pathway, message.template)
            batch.fallen.append(Fallen(message, MessageStatus.SKIPPED, SkipReason.SUPERSEDED.value))


def _in_hand(composed: Sequence[Composed], first: int, worker: str) -> Batch:
    return Batch(
        id=new_id(),
        worker=worker,
        message_ids=tuple(one.message.id for one in composed),
        handed=min(first, len(composed)),
    )


def _threads(unit: Unit, ready: Sequence[ReadyMessage]) -> Mapping[UUID, tuple[str, ...]]:
    """Which mails these messages answer; texts answer none."""
    answers = [
        one.message.id
        for one in ready
        if one.message.kind is MessageKind.REPLY and one.message.channel is Channel.EMAIL
    ]
    return unit.inbox.threads(answers) if answers else {}


def _words(unit: Unit, ready: Sequence[ReadyMessage]) -> Mapping[UUID, str]:
    """What staff wrote, of the messages whose words are theirs."""
    wanted = [one.message.id for one in ready if is_written(one.message.pathway, one.message.template)]
    return unit.patient_file.words_of(wanted) if wanted else {}


def _verdict(ready: ReadyMessage, now: datetime, known: dict[tuple[object, ...], Verdict]) -> Verdict:
    """The last look. Patients who stand alike have one and the same contact, and one answer."""
    message, contact = ready.message, ready.to.contact
    key = (
        id(contact),
        message.kind,
        message.channel,
        message.pathway,
        message.template,
        message.due_date,
        message.send_until,
    )
    if key not in known:
        pending = Pending.of(message)
        known[key] = last_look(pending, contact, now)
    return known[key]
