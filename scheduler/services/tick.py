"""All work that is due now: the same from a scheduler, from cron, or by hand."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from scheduler.domain.people import Channel
from scheduler.domain.zones import tzdata_version
from scheduler.ports import Clock, Stopping, Store, Waiting
from scheduler.ports.gauges import Look
from scheduler.services.deliver import BATCH as DELIVERY_BATCH
from scheduler.services.deliver import Delivered, Delivery, never
from scheduler.services.office import Office, OfficeReport
from scheduler.services.plan import BATCH as PLAN_BATCH
from scheduler.services.plan import Planned, plan_all_due, plan_anew, plan_due
from scheduler.services.reconcile import Reconciled, Reconciliation
from scheduler.services.rescuing import Rescued
from scheduler.services.rules import Rules
from scheduler.services.understanding import Understanding

_PLANNED_MEANWHILE = 0.05  # seconds between two looks at what planning has left to deliver
_ZONE_DATA = "tzdata"  # note of the installation: the zone data that next contacts were worked out with


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick did, counted in messages; `planned_patients` in patients, `understood` in replies.

    `escalated` counts tasks that became urgent, `staff_mails` mails that went to a clinic's own people.
    """

    planned: int
    sent: int
    failed: int
    unknown: int
    skipped: int
    expired: int
    retried: int
    rescued: int
    reconciled: int
    planned_patients: int
    understood: int = 0
    escalated: int = 0
    staff_mails: int = 0


class Ticker:
    """Plans, delivers, and asks about what nobody knows. One object serves one process; see `ports.Work`."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        delivery: Delivery,
        reconciliation: Reconciliation,
        understanding: Understanding,
        office: Office,
        clock: Clock,
    ) -> None:
        self._store = store
        self._rules = rules
        self._delivery = delivery
        self._reconciliation = reconciliation
        self._understanding = understanding
        self._office = office
        self._clock = clock

    def tick(self, *, stopping: Stopping = never) -> TickReport:
        """Do all work that is due now, once. Stops between batches when `stopping` says so."""
        now = self._clock.now()
        seen = self._see(now)
        rescued = self._delivery.rescue() if seen.is_abandoned else Rescued()
        # First: an answer may make a reminder pointless, and what it is answered goes with this tick.
        understood = self._understanding.run(stopping=stopping) if seen.is_spoken_to else 0
        asked = self._reconciliation.run(stopping=stopping) if seen.is_asking else Reconciled()
        planned, delivered, office = Planned(), Delivered(), OfficeReport()
        if seen != Look():
            with ThreadPoolExecutor(1, thread_name_prefix="office") as beside:  # its mail server may hang as well
                mailing = beside.submit(self._office.run, stopping=stopping)
                planned, delivered = self._plan_and_deliver(
                    now, stopping, is_planning=seen.patients_due > 0 or seen.is_replanning
                )
                office = mailing.result()
        return TickReport(
            planned=planned.messages,
            sent=delivered.sent,
            failed=delivered.failed,
            unknown=delivered.unknown + rescued.unknown,
            skipped=planned.skipped + delivered.skipped,
            expired=delivered.expired,
            retried=delivered.retried,
            rescued=rescued.messages,
            reconciled=asked.sent + asked.not_sent,
            planned_patients=planned.patients,
            understood=understood,
            escalated=office.escalated,
            staff_mails=office.mails.sent,
        )

    def _plan_and_deliver(self, now: datetime, stopping: Stopping, *, is_planning: bool) -> tuple[Planned, Delivered]:
        """Every channel side by side: a provider that hangs delays only its own. Where it pays, beside planning."""
        with ThreadPoolExecutor(len(Channel) + 1, thread_name_prefix="tick") as parts:
            planning: Future[Planned] = Future()
            if is_planning:
                planning = parts.submit(plan_all_due, self._store, self._rules, now, stopping=stopping)
                if not self._store.has_many_writers:
                    wait([planning])
            else:
                planning.set_result(Planned())
            running = [parts.submit(self.deliver_while, planning, channel, stopping=stopping) for channel in Channel]
            return planning.result(), sum((channel.result() for channel in running), Delivered())

    def deliver_while(self, planning: Future[Any], channel: Channel, *, stopping: Stopping) -> Delivered:
        """Deliver what is due on `channel`, and what `planning` adds to it until it is done."""
        total = Delivered()
        while True:
            is_last = planning.done()
            with self._store.reading() as unit:
                is_ready = unit.gauges.is_ready(channel, self._clock.now())
            if is_ready:
                total += self._delivery.deliver_all(channel, stopping=stopping)
            if is_last or stopping():
                return total
            wait([planning], timeout=_PLANNED_MEANWHILE)

    # The same work in parts, for engines that spread it over threads and processes

    def look(self) -> Waiting:
        """Settle what dead workers left behind, and see what waits now."""
        seen = self._see(self._clock.now())
        if seen.is_abandoned and self._delivery.rescue().released:
            seen = self._see(self._clock.now())
        return Waiting(
            plan=ceil(seen.patients_due / PLAN_BATCH) + seen.is_replanning,
            deliver={channel: ceil(count / DELIVERY_BATCH) for channel, count in seen.ready.items()},
            ask=seen.is_asking,
            understand=seen.is_spoken_to,
            office=seen.is_office_waiting,
        )

    def plan_all(self, *, stopping: Stopping = never) -> Planned:
        """Decide about all patients who are due."""
        return plan_all_due(self._store, self._rules, self._clock.now(), stopping=stopping)

    def plan_batch(self) -> int:
        """Decide about one batch of the patients who are due, and of those to plan anew; returns how many."""
        now = self._clock.now()
        return plan_anew(self._store, self._rules, now) + plan_due(self._store, self._rules, now).patients

    def deliver_all(self, channel: Channel, *, stopping: Stopping = never) -> Delivered:
        """Deliver all that is due on `channel`."""
        return self._delivery.deliver_all(channel, stopping=stopping)

    def deliver_batch(self, channel: Channel, *, stopping: Stopping = never) -> int:
        """Deliver one batch of what is due on `channel`; returns how many messages moved."""
        return self._delivery.deliver(channel, stopping=stopping).moved

    def run_office(self, *, stopping: Stopping = never) -> OfficeReport:
        """Look after overdue tasks, digests and mail to staff."""
        return self._office.run(stopping=stopping)

    def understand_all(self, *, stopping: Stopping = never, limit: int | None = None) -> int:
        """Understand the replies that wait, about `limit` at the most; returns how many."""
        return self._understanding.run(limit=limit, stopping=stopping)

    def ask_all(self, *, stopping: Stopping = never) -> Reconciled:
        """Ask about messages of unknown fate."""
        return self._reconciliation.run(stopping=stopping)

    def _see(self, now: datetime) -> Look:
        """One look at all that could be waiting."""
        with self._store.reading() as unit:
            is_current = unit.installation.note(_ZONE_DATA) == tzdata_version()
            if is_current:
                return unit.gauges.look(now)
        self._follow_zone_data()
        return self._see(now)

    def _follow_zone_data(self) -> None:
        """Governments move clocks: new zone data means new instants for the same local times."""
        with self._store.writing() as unit:
            known = unit.installation.note(_ZONE_DATA)
            unit.installation.set_note(_ZONE_DATA, tzdata_version())
            if known not in (None, tzdata_version()):
                unit.replanning.ask_all()
