"""All work that is due now: the same from a scheduler, from cron, or by hand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.zones import tzdata_version
from scheduler.ports import Clock, Store
from scheduler.services.deliver import Delivered, Delivery
from scheduler.services.plan import Planned, plan_all_due, recompute
from scheduler.services.rules import Rules

_ZONE_DATA = "tzdata"  # note of the installation: the zone data that next contacts were worked out with


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick did, counted in messages; `planned_patients` in patients."""

    planned: int
    sent: int
    failed: int
    unknown: int
    skipped: int
    expired: int
    retried: int
    rescued: int
    planned_patients: int


class Ticker:
    """Plans and delivers. One object serves one process; its ticks do not overlap."""

    def __init__(self, *, store: Store, rules: Rules, delivery: Delivery, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._delivery = delivery
        self._clock = clock

    def tick(self, *, stopping: Callable[[], bool] = lambda: False) -> TickReport:
        """Do all work that is due now, once. Stops between batches when `stopping` says so."""
        now = self._clock.now()
        self._follow_zone_data(now)
        with self._store.reading() as unit:
            patients_due, _ = unit.gauges.due(now)
            abandoned = unit.gauges.abandoned(now)
        rescued = self._delivery.rescue() if abandoned else 0
        planned = plan_all_due(self._store, self._rules, now, stopping=stopping) if patients_due else Planned()
        delivered = self._deliver(stopping)
        return TickReport(
            planned=planned.messages,
            sent=delivered.sent,
            failed=delivered.failed,
            unknown=delivered.unknown + rescued,
            skipped=planned.skipped + delivered.skipped,
            expired=delivered.expired,
            retried=delivered.retried,
            rescued=rescued,
            planned_patients=planned.patients,
        )

    def _deliver(self, stopping: Callable[[], bool]) -> Delivered:
        """Every channel with something to send, side by side: a provider that hangs delays only its own."""
        with self._store.reading() as unit:
            ready = sorted(unit.gauges.ready(self._clock.now()))
        if not ready:
            return Delivered()
        with ThreadPoolExecutor(len(ready), thread_name_prefix="lane") as lanes:
            running = [lanes.submit(self._delivery.deliver_all, channel, stopping=stopping) for channel in ready]
        return sum((lane.result() for lane in running), Delivered())

    def _follow_zone_data(self, now: datetime) -> None:
        """Governments move clocks: new zone data means new instants for the same local times."""
        version = tzdata_version()
        with self._store.reading() as unit:
            if unit.installation.note(_ZONE_DATA) == version:
                return
        with self._store.writing() as unit:
            unit.installation.set_note(_ZONE_DATA, version)  # first: other processes wait here, not in the middle
            for clinic in unit.installation.clinics().values():
                recompute(unit, self._rules, clinic, now)
