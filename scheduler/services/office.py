"""What is done for a clinic's own people beside the patients' messages: overdue tasks, digests, mail, reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from scheduler.ports import Clock, EmailChannel, Stopping, Store
from scheduler.services.counting import count_stale
from scheduler.services.digest import plan_digests
from scheduler.services.escalation import escalate_overdue
from scheduler.services.rules import Rules
from scheduler.services.staff_mail import MailsDelivered, deliver_staff_mail


@dataclass(frozen=True, slots=True)
class OfficeReport:
    """What one round did: tasks made urgent, digests planned, and the mails to staff."""

    escalated: int = 0
    digests: int = 0
    mails: MailsDelivered = field(default_factory=MailsDelivered)


class Office:
    """Looks after the worklist. One object serves one process; several may work beside each other."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        email: EmailChannel,
        clock: Clock,
        worker: str,
        public_url: str,
    ) -> None:
        """`public_url` is where staff reach the pages that mails lead to."""
        self._store = store
        self._rules = rules
        self._email = email
        self._clock = clock
        self._worker = worker
        self._public_url = public_url

    def run(self, *, stopping: Stopping) -> OfficeReport:
        """Do all that is due, until done or `stopping`."""
        now = self._clock.now()
        with self._store.reading() as unit:
            if not unit.gauges.is_office_waiting(now):
                return OfficeReport()
        escalated = escalate_overdue(self._store, now, stopping=stopping)
        digests = plan_digests(self._store, self._rules, now, public_url=self._public_url, stopping=stopping)
        mails = deliver_staff_mail(
            self._store, self._email, clock=self._clock, worker=self._worker, stopping=stopping
        )
        count_stale(self._store, self._rules, now, stopping=stopping)
        return OfficeReport(escalated, digests, mails)
