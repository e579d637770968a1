"""The figures for Prometheus: what they are called, and what they mean.

Names and labels are an interface: deploy/alerts.yml and dashboards rely on them. No label says who: no number,
address, name or clinic.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from scheduler import __version__
from scheduler.bootstrap import App
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.zones import tzdata_version
from scheduler.ports.gauges import SPAN_BOUNDS
from scheduler.services.attempt_counts import AttemptCounts, Counted
from scheduler.services.overview import A_DAY
from scheduler.services.spans import Spans
from scheduler.services.vitals import Queue, Vitals, take_vitals
from scheduler.web.counters import REFUSED_WEBHOOKS, SHED_REQUESTS
from scheduler.web.work_times import WORK_TIMES

HOOKS = ("inbound", "status")
SLOW = 0.5  # seconds: a figure that took longer ...
REST = 60  # ... is not taken again for so many times as long
_SCOPES = ("account", "sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that was read from the database for one scrape, and how long that took in seconds."""

    vitals: Vitals
    messages: Mapping[tuple[Channel, MessageStatus], int]
    attempts: Counted
    seconds: float


class Meter:
    """Reads the figures of one installation, as often as it is asked. One object serves one process."""

    def __init__(self, app: App, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._monotonic = monotonic
        self._attempts = AttemptCounts()
        self._day = Resting(self._messages_of_a_day, monotonic=monotonic)

    def read(self) -> Reading:
        """The figures now. Raises what all work with the database raises when it cannot be reached."""
        begun = self._monotonic()
        store = self._app.store
        return Reading(
            vitals=take_vitals(store, now=self._app.clock.now()),
            messages=self._day.get(),
            attempts=self._attempts.look(store, machine_now=datetime.now(UTC)),
            seconds=self._monotonic() - begun,
        )

    def _messages_of_a_day(self) -> Mapping[tuple[Channel, MessageStatus], int]:
        with self._app.store.reading() as unit:
            return unit.gauges.messages(self._app.clock.now() - A_DAY)


class Resting:
    """A figure that takes time to find: one that took long stands for a while, so that asking never is the load."""

    def __init__(
        self,
        find: Callable[[], Mapping[tuple[Channel, MessageStatus], int]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._monotonic = monotonic
        self._lock = Lock()
        self._again_at = float("-inf")
        self._found: Mapping[tuple[Channel, MessageStatus], int] = {}

    def get(self) -> Mapping[tuple[Channel, MessageStatus], int]:
        """The figure, as it is now or as it was a while ago."""
        with self._lock:
            begun = self._monotonic()
            if begun >= self._again_at:
                self._found = self._find()
                spent = self._monotonic() - begun
                self._again_at = begun + (spent * REST if spent > SLOW else 0.0)
            return self._found


def of_this_process(*, database_up: bool, database: str) -> Iterator[Metric]:
    """What can be said without the database. `database` is its kind."""
    built = {"version": __version__, "python": platform.python_version(), "tzdata": tzdata_version()}
    yield _gauge(
        "bonewise_build_info", "What runs here; always 1.", {(*built.values(), database): 1}, *built, "database"
    )
    yield _gauge("bonewise_database_up", "1 when the database could be read for these figures.", {(): database_up})
    refused = REFUSED_WEBHOOKS.counts()
    yield _counter(
        "bonewise_webhooks_refused",
        "Calls to this process's webhooks that were not signed by Twilio for our account.",
        {(hook,): refused.get(hook, 0) for hook in HOOKS},
        "hook",
    )
    yield _counter(
        "bonewise_requests_shed",
        "Texts to this process that it refused because too many were in work; Twilio brings them again.",
        {("inbound",): SHED_REQUESTS.counts().get("inbound", 0)},
        "hook",
    )
    yield _histogram(
        "bonewise_work_seconds",
        "Time that the scheduler of this process took, by part of its work; `look` is one tick.",
        {(part,): spans for part, spans in WORK_TIMES.spans().items()},
        "part",
    )
    yield _counter(
        "bonewise_work_failures",
        "How often a part of the work of this process's scheduler failed.",
        {(part,): count for part, count in WORK_TIMES.failures().items()},
        "part",
    )


def of_the_installation(reading: Reading) -> Iterator[Metric]:
    """What the database says, the same whichever process is asked."""
    vitals = reading.vitals
    yield from _of_planning(vitals)
    yield from _of_delivery(reading)
    yield from _of_providers(vitals)
    yield _gauge("bonewise_tasks_open", "Tasks that wait for a person.", {(): vitals.tasks})
    yield _gauge("bonewise_tasks_overdue", "Those of them whose day is over.", {(): vitals.tasks_overdue})
    yield from _of_machines(reading)


def _of_planning(vitals: Vitals) -> Iterator[Metric]:
    yield _gauge("bonewise_patients_due", "Patients who are due and not planned for yet.", {(): vitals.due})
    yield _gauge(
        "bonewise_oldest_due_seconds",
        "How long the first of them has been due.",
        {(): vitals.due_for.total_seconds()},
    )


def _of_delivery(reading: Reading) -> Iterator[Metric]:
    vitals = reading.vitals
    queues = {channel: vitals.waiting.get(channel, Queue()) for channel in Channel}
    yield _gauge(
        "bonewise_messages_24h",
        "Messages planned in the last 24 hours, by the status they are in now.",
        {(channel.value, status.value): count for (channel, status), count in sorted(reading.messages.items())},
        *("channel", "status"),
    )
    yield _gauge(
        "bonewise_messages_waiting",
        "Planned messages whose time has come.",
        {(channel.value,): queue.count for channel, queue in queues.items()},
        "channel",
    )
    yield _gauge(
        "bonewise_oldest_waiting_seconds",
        "How long the first of them could have gone.",
        {(channel.value,): queue.oldest_for.total_seconds() for channel, queue in queues.items()},
        "channel",
    )
    yield _gauge(
        "bonewise_messages_sending",
        "Messages that are being handed over.",
        {(channel.value,): vitals.sending.get(channel, 0) for channel in Channel},
        "channel",
    )
    yield _gauge("bonewise_messages_abandoned", "Those of them whose worker has died.", {(): vitals.abandoned})
    yield _gauge(
        "bonewise_messages_unknown", "Messages of which nobody knows whether they went.", {(): vitals.unknown}
    )
    yield _gauge(
        "bonewise_messages_unknown_for_person",
        "Open tasks about such messages that only a person can settle.",
        {(): vitals.for_person},
    )
    attempts: Mapping[tuple[str, ...], Spans] = {
        (channel.value, outcome): spans for (channel, outcome), spans in sorted(reading.attempts.items())
    }
    yield _counter(
        "bonewise_attempts",
        "Attempts of all workers that ended, by outcome, since this process first looked.",
        {labels: spans.total for labels, spans in attempts.items()},
        *("channel", "outcome"),
    )
    yield _histogram(
        "bonewise_attempt_seconds",
        "From the commit before the call to the record of the answer; a whole batch is recorded at once.",
        attempts,
        *("channel", "outcome"),
    )


def _of_providers(vitals: Vitals) -> Iterator[Metric]:
    def those(channel: Channel, scope: str) -> list[float]:
        return [
            one.open_for.total_seconds() for one in vitals.refused if (one.channel, one.scope) == (channel, scope)
        ]

    found = {(channel.value, scope): those(channel, scope) for channel in Channel for scope in _SCOPES}
    yield _gauge(
        "bonewise_breakers_open",
        "Accounts and senders from which the provider takes nothing; their messages wait.",
        {labels: len(seconds) for labels, seconds in found.items()},
        *("channel", "scope"),
    )
    yield _gauge(
        "bonewise_breaker_open_seconds",
        "For how long nothing has been taken from the first of them.",
        {labels: max(seconds, default=0) for labels, seconds in found.items()},
        *("channel", "scope"),
    )


def _of_machines(reading: Reading) -> Iterator[Metric]:
    vitals = reading.vitals
    yield _gauge("bonewise_workers_alive", "Workers that gave a sign of life lately.", {(): vitals.workers})
    if vitals.beat_for is not None:
        yield _gauge(
            "bonewise_heartbeat_age_seconds",
            "Since the latest sign of life of any worker.",
            {(): vitals.beat_for.total_seconds()},
        )
    yield _gauge(
        "bonewise_database_clock_skew_seconds",
        "How far the database's clock is ahead of this machine's.",
        {(): vitals.skew.total_seconds()},
    )
    yield _gauge("bonewise_database_seconds", "How long it took to read these figures.", {(): reading.seconds})


_Labelled = Mapping[tuple[str, ...], float]


def _gauge(name: str, says: str, values: _Labelled, *labels: str) -> Metric:
    family = GaugeMetricFamily(name, says, labels=labels)
    for own, value in values.items():
        family.add_metric(own, value)
    return family


def _counter(name: str, says: str, values: _Labelled, *labels: str) -> Metric:
    family = CounterMetricFamily(name, says, labels=labels)
    for own, value in values.items():
        family.add_metric(own, value)
    return family


def _histogram(name: str, says: str, values: Mapping[tuple[str, ...], Spans], *labels: str) -> Metric:
    family = HistogramMetricFamily(name, says, labels=labels)
    for own, spans in values.items():
        family.add_metric(own, list(_cumulative(spans)), sum_value=spans.seconds)
    return family


def _cumulative(spans: Spans) -> Iterable[tuple[str, float]]:
    """As Prometheus counts: each bucket holds all that took no longer than its bound."""
    so_far = 0
    for bound, count in zip((*map(floatToGoString, SPAN_BOUNDS), "+Inf"), spans.counts, strict=True):
        so_far += count
        yield bound, so_far
