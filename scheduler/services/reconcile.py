"""Reconciliation: what became of messages whose hand-over got no readable answer.

The provider is asked for its own list, outside any transaction, at growing intervals. What is found there is sent.
What is surely not there once the provider could no longer send it was not sent, and its pathway decides what becomes
of the reminder. The rest is for a person. Nothing is ever sent again on suspicion.

Each entry of the list accounts for one attempt: what is on record for another is left out. Where several entries are
left that fit, nobody can say what happened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Clock, ErrorClass, Handed, ProviderUnavailable, SmsChannel, Store, Unit
from scheduler.ports.settling import Attempted
from scheduler.records import Clinic
from scheduler.services.aftermath import ASK_AFTER, Aftermath, Fallen
from scheduler.services.receipts import Receipt, ReceiptBook, Taken
from scheduler.services.rules import Rules
from scheduler.services.settled_messages import close_doubt, doubt_cause

BATCH = 64  # asked about between two looks at the database
ABREAST = 16  # questions under way at once: each takes as long as the provider likes
LEASE = timedelta(minutes=10)  # longer than asking about a batch can take
LONGEST_PAUSE = timedelta(hours=1)  # between two questions about one message
EARLIER = timedelta(minutes=5)  # the provider's clock may be behind ours, ...
LATER = timedelta(hours=1)  # ... and a paced batch may begin long before its last text is handed over
MARGIN = timedelta(minutes=15)  # after the end of its validity, until the provider's list has it for certain
PATIENCE = timedelta(hours=24)  # with a provider that cannot be asked, before a person hears of it
LAST_ASK = timedelta(days=7)  # after the attempt; then only a receipt or a person can settle it

ABSENT = "absent"  # the reason of a message that was proven not to have left

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many messages of unknown fate one run asked about, and what they came to."""

    asked: int = 0
    sent: int = 0  # the provider has it, or has settled it further
    not_sent: int = 0
    given_up: int = 0  # handed to a person

    def __add__(self, other: Reconciled) -> Reconciled:
        return Reconciled(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Reconciled)))


class Trace(StrEnum):
    """What the provider's list says about an attempt."""

    FOUND = "found"
    ABSENT = "absent"  # nothing in it could be this attempt
    UNCLEAR = "unclear"  # several entries fit, or one fits in part


@dataclass(frozen=True, slots=True)
class Finding:
    trace: Trace
    entry: Handed | None = None


def find_trace(one: Attempted, clinic: Clinic, listed: Sequence[Handed]) -> Finding:
    """Which entry of the provider's list is this attempt. `listed` has none that is on record for another.

    It has the same words and came from the clinic. One with other words, or from a sender that the clinic may have
    had before, proves nothing; but beside it the attempt is not provably absent.
    """
    near = [entry for entry in listed if _is_near(entry, one)]
    same_words = [entry for entry in near if entry.body == one.body]
    fitting = [entry for entry in same_words if _is_from(entry, clinic)]
    if len(fitting) == 1:
        return Finding(Trace.FOUND, fitting[0])
    if fitting or same_words or any(_is_from(entry, clinic) for entry in near):
        return Finding(Trace.UNCLEAR)
    if any(entry.body == one.body for entry in listed):  # at another time, if the two clocks can be trusted
        return Finding(Trace.UNCLEAR)
    return Finding(Trace.ABSENT)


def _is_near(entry: Handed, one: Attempted) -> bool:
    return one.started_at - EARLIER <= entry.created_at <= one.started_at + LATER


def _is_from(entry: Handed, clinic: Clinic) -> bool:
    by_service = entry.messaging_service is not None and entry.messaging_service == clinic.messaging_service
    return by_service or (entry.sender is not None and entry.sender == clinic.sms_from)


class Reconciliation:
    """Settles messages of unknown fate, batch by batch. One object serves one process.

    `sms` is the channel that can be asked, None when texts are only simulated. `classify` is the error table.
    """

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        sms: SmsChannel | None,
        classify: Callable[[str | None], ErrorClass],
        clock: Clock,
    ) -> None:
        self._store = store
        self._sms = sms
        self._classify = classify
        self._clock = clock
        self._aftermath = Aftermath(rules)
        self._receipts = ReceiptBook(store, rules)
        self._not_before: datetime | None = None  # the provider could not be asked a moment ago

    def run(self, *, stopping: Callable[[], bool] = lambda: False) -> Reconciled:
        """Ask about everything that is due, until done, `stopping`, or the provider cannot be asked."""
        total = Reconciled()
        while not stopping() and self._is_due():
            batch = self._claim()
            if not batch:
                break
            total += self._ask(batch)
        return total

    def _is_due(self) -> bool:
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            return False
        with self._store.reading() as unit:
            return unit.questions.is_due(now)

    def _claim(self) -> list[Attempted]:
        now = self._clock.now()
        with self._store.writing() as unit:
            return unit.questions.claim(now, limit=BATCH, lease_until=now + LEASE)

    def _ask(self, batch: Sequence[Attempted]) -> Reconciled:
        if self._sms is None:
            return sum((self._give_up(one) for one in batch), Reconciled())
        total = Reconciled()
        with ThreadPoolExecutor(ABREAST, thread_name_prefix="asking") as threads:
            answers = self._answers(self._sms, batch, threads)
            for place, one in enumerate(batch):
                try:
                    asked_at, listed = next(answers)
                except ProviderUnavailable as unavailable:
                    threads.shutdown(cancel_futures=True)
                    left = batch[place:]
                    _log.warning("the provider cannot be asked about %d messages: %s", len(left), unavailable)
                    return total + self._put_off(left, unavailable.retry_after)
                total += self._settle(one, listed, asked_at)
        return total

    def _answers(
        self, sms: SmsChannel, batch: Sequence[Attempted], threads: ThreadPoolExecutor
    ) -> Iterator[tuple[datetime, list[Handed]]]:
        """When the provider was asked about each, and what it has for its number about then. Raises what it raises.

        The first is asked about alone: a provider that is away should not meet them all.
        """

        def ask(one: Attempted) -> tuple[datetime, list[Handed]]:
            asked_at = self._clock.now()
            return asked_at, sms.find(to=one.address, since=one.started_at - EARLIER, until=one.started_at + LATER)

        yield ask(batch[0])
        yield from threads.map(ask, batch[1:])

    # What the list says

    def _settle(self, one: Attempted, listed: Sequence[Handed], asked_at: datetime) -> Reconciled:
        with self._store.writing() as unit:
            taken = unit.questions.taken([entry.provider_id for entry in listed], attempt_id=one.attempt_id)
            clinic = unit.installation.clinics()[one.clinic_id]
            free = [entry for entry in listed if entry.provider_id not in taken]
            finding = find_trace(one, clinic, free)
            if finding.entry is not None:
                return self._found(unit, one, finding.entry)
            if asked_at < one.message.send_until + MARGIN:
                # The provider may still have it in its queue, where its list need not show it.
                unit.questions.again(one, at=self._clock.now() + _pause(one), asked=True)
                return Reconciled(asked=1)
            if finding.trace is Trace.ABSENT:
                return self._absent(unit, one)
            unit.questions.again(one, at=None, asked=True)
            return Reconciled(asked=1, given_up=self._doubt(unit, one, clinic))

    def _found(self, unit: Unit, one: Attempted, entry: Handed) -> Reconciled:
        receipt = Receipt(
            attempt_id=one.attempt_id,
            provider_id=entry.provider_id,
            target=entry.status if entry.status in _REPORTED else MessageStatus.SENT,
            code=entry.code,
            error_class=self._classify(entry.code),
        )
        now = self._clock.now()
        taken = self._receipts.take(unit, receipt, now=now)
        if taken is Taken.CONFLICT:  # a receipt has meanwhile given it another id, or this one to another attempt
            unit.questions.again(one, at=now + _pause(one), asked=True)
        return Reconciled(asked=1, sent=int(taken is Taken.MOVED))

    def _absent(self, unit: Unit, one: Attempted) -> Reconciled:
        if not unit.questions.not_sent(one, reason=ABSENT):
            return Reconciled(asked=1)  # a receipt came first
        now = self._clock.now()
        words = "the provider's list shows that it was never sent"
        close_doubt(unit, [(one.clinic_id, one.message.id)], words=words, now=now)
        self._aftermath.settle(unit, [Fallen(one.message, MessageStatus.NOT_SENT, ABSENT)], now=now)
        return Reconciled(asked=1, not_sent=1)

    # Nothing can be said

    def _put_off(self, batch: Sequence[Attempted], retry_after: timedelta | None) -> Reconciled:
        """The first was asked about in vain; the others keep their turn, once the pause is over."""
        now = self._clock.now()
        self._not_before = now + max(ASK_AFTER, retry_after or timedelta())
        given_up = 0
        with self._store.writing() as unit:
            clinics = unit.installation.clinics()
            for one in batch:
                is_first = one is batch[0]
                at: datetime | None = now + (_pause(one) if is_first else ASK_AFTER)
                age = now - one.started_at
                if age >= PATIENCE:
                    given_up += self._doubt(unit, one, clinics[one.clinic_id])
                unit.questions.again(one, at=None if age >= LAST_ASK else at, asked=is_first)
        return Reconciled(given_up=given_up)

    def _give_up(self, one: Attempted) -> Reconciled:
        with self._store.writing() as unit:
            unit.questions.again(one, at=None, asked=False)
            return Reconciled(given_up=self._doubt(unit, one, unit.installation.clinics()[one.clinic_id]))

    def _doubt(self, unit: Unit, one: Attempted, clinic: Clinic) -> int:
        """Open the task for a person, once and never again. Returns how many were opened."""
        is_unknown = unit.receipts.statuses([one.message.id]).get(one.message.id) is MessageStatus.UNKNOWN
        if not is_unknown or unit.questions.had_task(one, doubt_cause(one.message.id)):
            return 0
        self._aftermath.doubt(unit, one.message, clinic, now=self._clock.now())
        return 1


_REPORTED = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED})


def _pause(one: Attempted) -> timedelta:
    """Before the next question: 4, 8, 16 ... minutes after the first, up to an hour."""
    return min(ASK_AFTER * (2 << min(one.asks, 10)), LONGEST_PAUSE)
