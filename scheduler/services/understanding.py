"""Understanding replies, after they are stored: a queue that no process owns, so that none can take it along.

Each transaction holds the patients it is about and takes the first waiting reply of each. So nobody understands a
reply twice, a patient's replies are heard in their order, and one that cannot be understood holds up nobody else's.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from scheduler.ports import Clock, Stopping, Store
from scheduler.records import HeldReply
from scheduler.services.hearing import Hearing
from scheduler.services.rules import Rules
from scheduler.services.traffic import Traffic

BATCH = 25  # patients to a transaction: so few that who wants to write meanwhile hardly waits
AGAIN = timedelta(minutes=1)  # a reply whose consequences cannot be written is tried again after this
GIVEN_UP = timedelta(minutes=10)  # and after this a person reads it instead
HOPELESS = timedelta(hours=1)  # not even that can be written: the log says why

_log = logging.getLogger(__name__)


def never() -> bool:
    """Nobody asks to stop."""
    return False


class Understanding:
    """Understands what waits. One object serves one process, and all its threads."""

    def __init__(self, *, store: Store, rules: Rules, clock: Clock, traffic: Traffic | None = None) -> None:
        """While `traffic` is heavy, most of the time is left to taking texts in."""
        self._store = store
        self._hearing = Hearing(rules)
        self._clock = clock
        self._traffic = traffic or Traffic()
        self._turn = threading.Lock()

    def run(self, *, limit: int | None = None, stopping: Stopping = never) -> int:
        """Understand what waits, batch after batch, until nothing does, or `limit` is reached, or `stopping`.

        Returns how many replies were looked at: 0 at once when another thread of this process is at it. Raises when
        the database is away.
        """
        if not self._turn.acquire(blocking=False):
            return 0
        try:
            total = 0
            while not stopping() and (limit is None or total < limit):
                begun = time.monotonic()
                done = self._batch()
                if not done:
                    break
                total += done
                time.sleep(self._traffic.rest_after(time.monotonic() - begun))
            return total
        finally:
            self._turn.release()

    def _batch(self) -> int:
        now = self._clock.now()
        try:
            with self._store.writing() as unit:
                held = unit.inbox.claim(now, limit=BATCH)
                self._hearing.hear(unit, held, now=now)
        except Exception:  # noqa: BLE001 - the reply that is at fault is found below, and named there
            return self._one_by_one(now)
        return len(held)

    def _one_by_one(self, now: datetime) -> int:
        """The same batch, each reply in a transaction of its own: what is wrong with one is its own trouble."""
        with self._store.writing() as unit:
            held = unit.inbox.claim(now, limit=BATCH)
        for one in held:
            try:
                with self._store.writing() as unit:
                    self._hearing.hear_next_of(unit, one.patient.clinic_id, one.patient.id, now=now)
            except Exception:  # noqa: BLE001 - whatever it is, the others must not wait for it
                _log.exception("what follows from reply %s cannot be written", one.reply.id)
                self._give_up(one, now)
        return len(held)

    def _give_up(self, one: HeldReply, now: datetime) -> None:
        if now - one.reply.received_at < GIVEN_UP:
            self._put_off(one, now + AGAIN)
            return
        try:
            with self._store.writing() as unit:
                self._hearing.put_aside(unit, one, now=now)
        except Exception:  # noqa: BLE001 - likewise
            _log.exception("reply %s cannot be put aside either; trying again in %s", one.reply.id, HOPELESS)
            self._put_off(one, now + HOPELESS)

    def _put_off(self, one: HeldReply, until: datetime) -> None:
        with self._store.writing() as unit:
            unit.inbox.put_off(one.reply, until)
