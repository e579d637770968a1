"""All work that is due now: the same from a scheduler, from cron, or by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.people import Channel
from scheduler.domain.zones import tzdata_version
from scheduler.ports import Clock, Store
from scheduler.services.deliver import Delivered, Delivery
from scheduler.services.plan import plan_all_due, recompute
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
        rescued = self._delivery.rescue()
        planned = plan_all_due(self._store, self._rules, now, stopping=stopping)
        delivered = Delivered()
        for channel in Channel:
            delivered += self._delivery.deliver_all(channel, stopping=stopping)
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

    def _follow_zone_data(self, now: datetime) -> None:
        """Governments move clocks: new zone data means new instants for the same local times."""
        version = tzdata_version()
        with self._store.reading() as unit:
            if unit.installation.note(_ZONE_DATA) == version:
                return
        with self._store.writing() as unit:
            for clinic in unit.installation.clinics().values():
                recompute(unit, self._rules, clinic, now)
            unit.installation.set_note(_ZONE_DATA, version)
