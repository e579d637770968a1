"""Delivery: claim what is due, commit the attempt, call the channel, record what it answered.

No transaction is open while a provider is called. Between the two commits a message is `sending`, with its attempt
on record and in a batch that its worker has a lease on: whatever happens in between, it is never sent again blindly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from threading import Lock
from typing import cast
from uuid import uuid4

from scheduler.domain.messages import MessageStatus
from scheduler.domain.pace import Pace
from scheduler.domain.people import Channel
from scheduler.ports import Clock, EmailChannel, OutboundEmail, OutboundSms, SendResult, SmsChannel, Stopping, Store
from scheduler.records import Batch, Clinic
from scheduler.services import lanes
from scheduler.services.aftermath import Aftermath
from scheduler.services.answers import Answers
from scheduler.services.claiming import Claiming
from scheduler.services.feeding import Feed, Steady
from scheduler.services.lanes import Route
from scheduler.services.leases import LEASE, Leases
from scheduler.services.progress import Progress
from scheduler.services.recording import Recording
from scheduler.services.rescuing import Rescued, rescue
from scheduler.services.rules import Rules
from scheduler.services.stop_watch import StopWatch

BATCH = 500  # messages that are claimed, and recorded, at once
HAND_OVER = timedelta(minutes=2)  # of a claimed batch: what is known of its patients grows old
HAND_OVER_PACED = timedelta(seconds=20)  # likewise, of the time that a worker has a sender to itself
_LANES_AT_ONCE = 32
_TRY_OUT_WITHIN = 5.0  # seconds: longer, nobody waits before a page
_TICK = 0.001  # seconds; no batch is quicker
_LOOK_AGAIN = 1.0  # seconds, while a lane goes on: is there something new for the others?

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

    @property
    def moved(self) -> int:
        """How many messages left the queue for good: 0 when what stands in the way is still there."""
        return self.claimed - self.retried

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Delivered)))


def never() -> bool:
    """Nobody asks to stop."""
    return False


class Delivery:
    """Hands planned messages to their channels. One object serves one process, and all its threads."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        claiming: Claiming,
        sms: SmsChannel,
        email: EmailChannel,
        clock: Clock,
        worker: str,
        abreast: int = 1,
        steady: Steady = time.monotonic,
        beside: Executor | None = None,
    ) -> None:
        """`abreast` batches of one lane are under way at once: where writers need not wait for each other, one is
        recorded while the next is claimed. `beside` runs what need not be waited for; None: threads of its own."""
        self._store = store
        self._sms = sms
        self._email = email
        self._clock = clock
        self._steady = steady
        self._worker = f"{worker[:55]}:{uuid4().hex[:8]}"  # a process that starts anew is another worker
        self._aftermath = Aftermath(rules)
        self._claiming = claiming
        self._recording = Recording(store=store, rules=rules, aftermath=self._aftermath, clock=clock)
        self._leases = Leases(store, clock)
        self._rates: dict[str, float] = {}  # messages a second that each lane's provider answered of its last batch
        self._paces: dict[str, Pace] = {}
        self._lock = Lock()
        self._turns: dict[str, Lock] = {}
        self._abreast = abreast
        self._beside = beside or ThreadPoolExecutor(thread_name_prefix="progress")

    def deliver_all(self, channel: Channel, *, stopping: Stopping = never) -> Delivered:
        """Deliver everything that is due on `channel`, batch after batch, until done or `stopping`.

        Lanes are served side by side, and those that are done are looked at again while others still go on: a sender
        with a slow pace holds up nobody, nor what comes in meanwhile.
        """
        total, running = Delivered(), dict[str, Future[Delivered]]()
        with ThreadPoolExecutor(_LANES_AT_ONCE, thread_name_prefix=channel.value) as threads:
            while not stopping():
                for route in self._routes(channel):
                    if route.key not in running:
                        running[route.key] = threads.submit(self._empty, route, stopping)
                if not running:
                    return total
                wait(running.values(), timeout=_LOOK_AGAIN)
                done = [key for key, lane in running.items() if lane.done()]
                total = sum((running.pop(key).result() for key in done), total)
                if not running:
                    return total
        return sum((lane.result() for lane in running.values()), total)

    def deliver(self, channel: Channel, *, limit: int = BATCH, stopping: Stopping = never) -> Delivered:
        """Deliver up to `limit` messages of each lane of `channel` that are due.

        Senders with a pace are given up afterwards, for the next batch may be another worker's.
        """
        found = [] if stopping() else self._routes(channel)
        with ThreadPoolExecutor(_LANES_AT_ONCE, thread_name_prefix=channel.value) as threads:
            total = sum(threads.map(lambda route: self._deliver(route, limit, stopping), found), Delivered())
        self._give_up([route.key for route in found if route.rate is not None])
        return total

    def close(self) -> None:
        """Give up the senders that this worker had to itself, and close the channels."""
        try:
            self._give_up(list(self._paces))
        finally:
            self._leases.close()
            self._sms.close()
            self._email.close()
            self._beside.shutdown()

    def _give_up(self, keys: Iterable[str]) -> None:
        with self._lock:
            held = {key: self._paces.pop(key) for key in keys if key in self._paces}
        if held:
            with self._store.writing() as unit:
                lanes.release(unit, held, worker=self._worker, now=self._clock.now())

    def rescue(self) -> Rescued:
        """Settle what workers that died left behind."""
        return rescue(self._store, self._aftermath, self._clock)

    def try_out(self, clinic: Clinic, text: OutboundSms, *, segments: int) -> SendResult | None:
        """Hand over one text that is nobody's reminder, now, by the pace of the clinic's sender; what came of it.

        None: the sender is busy with messages to patients, or nothing may go over it just now. Nothing is on record
        of it but what the caller writes down before.
        """
        found = (one for one in self._routes(Channel.SMS) if one.serves(clinic.id) and not one.is_probe)
        route = next(found, None)
        if route is None:
            return None
        if route.rate is None:
            return next(iter(list(self._sms.send([text]))), None)
        with self._alone(route, within=_TRY_OUT_WITHIN) as is_free:
            return self._try_out_paced(route, text, segments) if is_free else None

    def _try_out_paced(self, route: Route, text: OutboundSms, segments: int) -> SendResult | None:
        with self._store.writing() as unit:
            continued = lanes.take(unit, route, worker=self._worker, now=self._clock.now())
        pace = None if continued is None else self._pace(route, is_continued=continued)
        if pace is None:
            return None
        until = self._steady() + _TRY_OUT_WITHIN

        def feed() -> Iterator[OutboundSms | None]:
            while not pace.has_room(segments, now=self._steady()):
                if self._steady() >= until:
                    return
                yield None
            pace.start(text.attempt_id, segments)
            yield text

        try:
            return next(iter(list(self._sms.send(feed()))), None)
        finally:
            pace.end(text.attempt_id, now=self._steady())

    @contextmanager
    def _alone(self, route: Route, *, within: float = -1) -> Iterator[bool]:
        """One thread of this process at a time uses the pace of a sender; false when that does not come about.

        `within` is in seconds; without it, it is waited for.
        """
        if route.rate is None:
            yield True
            return
        with self._lock:
            turn = self._turns.setdefault(route.key, Lock())
        is_free = turn.acquire(timeout=within)
        try:
            yield is_free
        finally:
            if is_free:
                turn.release()

    # Lanes

    def _routes(self, channel: Channel) -> list[Route]:
        """The lanes that may be served now."""
        with self._store.reading() as unit:
            clinics, stored = unit.installation.clinics(), unit.lanes.all()
        return lanes.routes(channel, clinics.values(), stored, self._clock.now())

    def _empty(self, route: Route, stopping: Stopping) -> Delivered:
        if self._abreast == 1 or route.rate is not None or route.is_probe:
            return self._empty_alone(route, stopping)
        with ThreadPoolExecutor(self._abreast, thread_name_prefix=route.key) as threads:
            running = [threads.submit(self._empty_alone, route, stopping) for _ in range(self._abreast)]
        return sum((each.result() for each in running), Delivered())

    def _empty_alone(self, route: Route, stopping: Stopping) -> Delivered:
        total = Delivered()
        while not stopping() and (batch := self._deliver(route, BATCH, stopping)).claimed:
            total += batch
            if not batch.moved:
                break  # what stands in the way will still be there
        return total

    def _deliver(self, route: Route, limit: int, stopping: Stopping) -> Delivered:
        with self._alone(route):
            return self._deliver_batch(route, limit, stopping)

    def _deliver_batch(self, route: Route, limit: int, stopping: Stopping) -> Delivered:
        claimed_at, now = self._steady(), self._clock.now()
        batch = self._claiming.claim(
            route, now, limit=route.limit(limit), worker=self._worker, rate=self._rates.get(route.key)
        )
        counts = Delivered(
            claimed=batch.touched,
            skipped=sum(one.status is MessageStatus.SKIPPED for one in batch.fallen),
            expired=sum(one.status is MessageStatus.EXPIRED for one in batch.fallen),
        )
        if batch.in_hand is None:
            return counts
        hand_over = HAND_OVER if route.rate is None else HAND_OVER_PACED
        progress = self._progress(batch.in_hand)
        feed = Feed(
            batch.composed,
            pace=self._pace(route, is_continued=batch.is_continued),
            steady=self._steady,
            until=claimed_at + hand_over.total_seconds(),
            stopping=stopping,
            progress=progress,
            stops=StopWatch(self._store, route.channel, claimed_at=claimed_at),
        )
        with self._leases.kept(batch.in_hand.id, when_lost=progress.lose):
            handing_at, answers = self._steady(), Answers(route, feed, batch.in_hand.id)
            statuses = self._hand_over(answers)
            self._rates[route.key] = len(answers.results) / max(self._steady() - handing_at, _TICK)
        return counts + Delivered(
            sent=statuses.count(MessageStatus.SENT),
            failed=statuses.count(MessageStatus.FAILED),
            unknown=statuses.count(MessageStatus.UNKNOWN),
            retried=statuses.count(MessageStatus.PLANNED),
            skipped=statuses.count(MessageStatus.SKIPPED),
        )

    def _hand_over(self, answers: Answers) -> list[MessageStatus]:
        """Feed the channel, and record what it answers, whatever happens; returns where the messages now stand."""
        results = self._call(answers.route.channel, answers.feed)
        try:
            for result in results:
                answers.add(result)
        finally:
            if isinstance(results, Generator):
                results.close()  # now: it finishes what is under way
            answers.feed.end()
            # What was handed over and has no answer is settled when its lease runs out.
            statuses = self._recording.record(answers)
        return statuses

    def _progress(self, batch: Batch) -> Progress:
        def commit(handed: int) -> bool:
            with self._store.writing() as unit:
                return unit.batches.reach(batch.id, handed=handed, lease_until=self._clock.now() + LEASE)

        return Progress(batch, commit, beside=self._beside, steady=self._steady)

    def _pace(self, route: Route, *, is_continued: bool) -> Pace | None:
        if route.rate is None:
            return None
        with self._lock:
            if not is_continued or route.key not in self._paces:
                self._paces[route.key] = Pace(route.rate)
            self._paces[route.key].rate = route.rate
            return self._paces[route.key]

    def _call(self, channel: Channel, feed: Feed) -> Iterator[SendResult]:
        if channel is Channel.SMS:
            return self._sms.send(cast("Iterator[OutboundSms | None]", iter(feed)))
        return self._email.send(cast("Iterator[OutboundEmail | None]", iter(feed)))
