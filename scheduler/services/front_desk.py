"""Where texts come in: many at once, each told only when it is safe, and soon understood.

The desk takes so many at a time and refuses the rest at once, for who waits long is given up by the provider anyway.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager

from scheduler.ports import Store
from scheduler.services.group_commit import GroupCommit
from scheduler.services.replies import Arrival, Fate, Reception, Taken
from scheduler.services.traffic import Traffic
from scheduler.services.understanding import Understanding

TOGETHER = 64  # texts to a transaction at the most
STOPS_TOGETHER = 16
STOPS_GATHER = 0.1  # seconds: they are few, and each costs as much as twenty other texts
STOPS_ABREAST = 3  # where many may write: one that waits for a busy patient does not hold up the next

Shared = Callable[[], AbstractContextManager[bool]]
"""A turn at working beside others of this process; false when somebody works alone."""

_log = logging.getLogger(__name__)


class FrontDesk:
    """Takes texts in for one process."""

    def __init__(
        self, *, store: Store, reception: Reception, understanding: SoonUnderstood, traffic: Traffic
    ) -> None:
        self._traffic = traffic
        self._reception = reception
        self._understanding = understanding
        self._texts = GroupCommit(reception.take_in, most=TOGETHER, name="texts")
        self._stops = GroupCommit(
            reception.take_in_stops,
            alone=reception.take_in_stop,
            most=STOPS_TOGETHER,
            name="stops",
            gathering=STOPS_GATHER,
            threads=STOPS_ABREAST if store.has_many_writers else 1,
        )

    def hand_in(self, arrival: Arrival) -> Future[Taken]:
        """What becomes of a text, once that is committed. A STOP has taken effect by then.

        Raises `TooBusyError`, or the result does.
        """
        self._traffic.passed()
        line = self._stops if self._reception.is_stop(arrival.inbound) else self._texts
        done = line.hand_in(arrival)
        done.add_done_callback(self._see_to_it)
        return done

    def close(self) -> None:
        """Finish what was handed in."""
        self._texts.close()
        self._stops.close()
        self._understanding.close()

    def _see_to_it(self, done: Future[Taken]) -> None:
        if not done.cancelled() and done.exception() is None and done.result().fate is Fate.WAITING:
            self._understanding.wake()


class SoonUnderstood:
    """Understands what comes in, in a thread of this process that lives while there is something to understand."""

    def __init__(self, understanding: Understanding, *, shared: Shared) -> None:
        self._understanding = understanding
        self._shared = shared
        self._changed = threading.Condition()
        self._is_running = False
        self._is_wanted = False
        self._is_closing = False

    def wake(self) -> None:
        """Something is there to understand. Does not wait."""
        with self._changed:
            self._is_wanted = True
            if not self._is_running and not self._is_closing:
                self._is_running = True
                threading.Thread(target=self._run, name="understanding", daemon=True).start()

    def close(self) -> None:
        """End after the batch in hand; what is left waits for the next process."""
        with self._changed:
            self._is_closing = True
            self._changed.wait_for(lambda: not self._is_running)

    def _run(self) -> None:
        while self._goes_on():
            try:
                with self._shared() as is_free:
                    if is_free:
                        self._understanding.run(stopping=lambda: self._is_closing)
            except Exception:  # noqa: BLE001 - the next text or the next tick tries again
                _log.exception("replies could not be understood just now; they wait")

    def _goes_on(self) -> bool:
        with self._changed:
            is_wanted, self._is_wanted = self._is_wanted and not self._is_closing, False
            if not is_wanted:
                self._is_running = False
                self._changed.notify_all()
            return is_wanted
