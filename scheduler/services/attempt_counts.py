"""Attempts counted since this process first looked, from the database: so those of all workers are in it.

What is counted only ever grows, as Prometheus expects of a counter. Attempts begun long ago will not change any more:
they are added up once. The latest are counted anew at each look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from threading import Lock

from scheduler.domain.people import Channel
from scheduler.ports import Outcome, Store
from scheduler.ports.gauges import AttemptSpan
from scheduler.services.rescuing import RELEASED
from scheduler.services.spans import Spans

SETTLED = timedelta(minutes=10)  # after this long nothing more is recorded of an attempt


Counted = Mapping[tuple[Channel, str], Spans]


class AttemptCounts:
    """Keeps what was counted so far. One object serves one process; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._since: datetime | None = None
        outcomes = (*(outcome.value for outcome in Outcome), RELEASED)
        self._settled: Counted = {(channel, outcome): Spans() for channel in Channel for outcome in outcomes}

    def look(self, store: Store, *, machine_now: datetime) -> Counted:
        """All attempts that ended since the first look. `machine_now` is the machine's time: ids are made by it.

        Every channel and outcome is there from the beginning, for a counter that appears with 1 hides that one.
        """
        with self._lock:
            since = self._since or machine_now
            settled_before = max(since, machine_now - SETTLED)
            with store.reading() as unit:
                spans = unit.gauges.attempts(since, settled_before=settled_before)
            counted = _add(self._settled, spans)
            self._settled = _add(self._settled, [span for span in spans if span.is_settled])
            self._since = settled_before
            return counted


def _add(counted: Counted, spans: Iterable[AttemptSpan]) -> Counted:
    added = dict(counted)
    for span in spans:
        key = span.channel, span.outcome
        added[key] = added.get(key, Spans()).plus(span.bucket, count=span.count, seconds=span.seconds)
    return added
