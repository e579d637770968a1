"""What a patient gets now, and when to look at them next. One call sees the whole patient.

`plan` is the only place that decides whether a reminder goes. The live planner and the simulator both call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from scheduler.domain.asking import ask_if_due, next_ask
from scheduler.domain.changing import replace
from scheduler.domain.contact import (
    Change,
    Contact,
    Enrolled,
    PlannedMessage,
    SkippedReminder,
    TaskChange,
    TaskOpened,
)
from scheduler.domain.effects import copy_of, message, task_changes
from scheduler.domain.enrolment import Event, GaveWay, Outcome, Resumed, Send, TimerFired
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.pathway import Late, Pathway
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.sending import why_not_reached
from scheduler.domain.stepping import due_on, step
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import contact_instant, local_date, next_date, window_bounds

MISSED_DAYS_RECORDED = 31  # after a longer outage the ledger names the first month's nudges one by one, then stops

_ONE_DAY = timedelta(days=1)


def plan(contact: Contact, enrolments: Iterable[Enrolled], pathways: Mapping[str, Pathway], now: datetime) -> Change:
    """Decide about one patient at `now` (UTC).

    Returns every reminder to send now, every one that was due and does not go, the enrolments after it, and the next
    instant (UTC, after `now`) at which there is something to decide; None when only an outside event can change
    anything.
    """
    return _Day(contact, enrolments, pathways, now).decide()


def next_contact(
    contact: Contact, enrolments: Iterable[Enrolled], pathways: Mapping[str, Pathway], now: datetime
) -> datetime | None:
    """The next instant (UTC) at which `plan` has something to decide, seen from `now`.

    May be in the past: due. What earlier days have left is due at today's contact time, unless it has been found that
    nobody can be reached: then only what needs no message has a date.
    """
    today = local_date(now, contact.zone)
    if contact.status is PatientStatus.PAUSED:
        until = contact.paused_until
        return None if until is None else _instant(contact, None, max(until, today))
    if contact.status is not PatientStatus.ACTIVE:
        return None
    dues = [
        (enrolled, due)
        for enrolled in enrolments
        if (pathway := pathways.get(enrolled.state.pathway)) is not None
        and (due := due_on(pathway, enrolled.state, weekdays=contact.weekdays)) is not None
    ]
    if contact.reach.choose(contact.channel) is None:
        speaking = {one.id for one, due in dues if _speaks(contact, one, pathways, due)}
        if any(due < today and one.id in speaking for one, due in dues):
            dues = [(one, due) for one, due in dues if one.id not in speaking]
    earliest, asked = _earliest(contact, dues, today), next_ask(contact, now)
    return min(earliest, asked) if earliest and asked else earliest or asked


def _earliest(contact: Contact, dues: Sequence[tuple[Enrolled, date]], today: date) -> datetime | None:
    """The first instant at which any of these dates is due; what is late is due today."""
    if not dues:
        return None
    # A contact never leaves its date, so that only those of the first date are worth a look at the clock.
    first = next_date(max(min(due for _, due in dues), today), contact.zone)
    walls = {one.contact_time for one, due in dues if due <= first}
    return min(contact_instant(first, wall or contact.contact_time, contact.zone, contact.window) for wall in walls)


def _speaks(contact: Contact, enrolled: Enrolled, pathways: Mapping[str, Pathway], due: date) -> bool:
    """Whether a message goes when the enrolment's timer fires on `due`."""
    pathway = pathways[enrolled.state.pathway]
    return step(pathway, enrolled.state, TimerFired(due), weekdays=contact.weekdays).send is not None


def _instant(contact: Contact, enrolled: Enrolled | None, day: date) -> datetime:
    wall = (enrolled.contact_time if enrolled else None) or contact.contact_time
    return contact_instant(next_date(day, contact.zone), wall, contact.zone, contact.window)


class _Day:
    """One patient's local day while it is being decided."""

    def __init__(
        self, contact: Contact, enrolments: Iterable[Enrolled], pathways: Mapping[str, Pathway], now: datetime
    ) -> None:
        self.contact = contact
        self.pathways = pathways
        self.now = now
        self.today = local_date(now, contact.zone)
        self.enrolments: dict[UUID, Enrolled] = {enrolled.id: enrolled for enrolled in enrolments}
        self.messages: list[PlannedMessage] = []
        self.skipped: list[SkippedReminder] = []
        self.tasks: list[TaskChange] = []

    def decide(self) -> Change:
        self._wake()
        if self.contact.status is not PatientStatus.ACTIVE:
            return self._change()
        self._ask_for_number()
        channel = self.contact.reach.choose(self.contact.channel)
        if channel is None:
            return self._hold()
        self._drop_missed()
        if self.now >= window_bounds(self.today, self.contact.zone, self.contact.window)[1]:
            self._close_day()
        else:
            self._send_due(channel)
        return self._change()

    # Before the day's own reminders

    def _ask_for_number(self) -> None:
        """Whether we may text the patient's number, where that is not certain. No reminder: it has no budget."""
        self.contact, asked = ask_if_due(self.contact, self.now)
        if isinstance(asked, PlannedMessage):
            self.messages.append(asked)
        elif asked is not None:
            self.tasks.append(asked)

    def _wake(self) -> None:
        """A staff pause that has run out ends; what it held back is due today, not late."""
        contact = self.contact
        if contact.status is not PatientStatus.PAUSED or contact.paused_until is None:
            return
        if contact.paused_until > self.today:
            return
        self.contact = replace(contact, status=PatientStatus.ACTIVE, paused_until=None)
        for enrolled in self._known():
            if not enrolled.state.is_paused_on(self.today):
                self._apply(enrolled, Resumed(self.today - _ONE_DAY))

    def _drop_missed(self) -> None:
        """Reminders of earlier days: recorded as too late, and dropped or moved to today as the pathway says."""
        yesterday = self.today - _ONE_DAY
        for known in self._due_by_today():
            enrolled, recorded = known, 0
            while (due := self._due(enrolled)) is not None and due < self.today:
                outcome = self._peek(enrolled, due)
                if outcome.send is None:
                    break
                slides = self._pathway(enrolled).late is Late.SLIDE
                self._skip(outcome, enrolled, due, SkipReason.TOO_LATE)
                recorded += 1
                rest_of_gap = slides or recorded >= MISSED_DAYS_RECORDED
                enrolled = self._apply(enrolled, GaveWay(yesterday if rest_of_gap else due))

    def _close_day(self) -> None:
        """The contact window is over: what was due today goes another day or not at all."""
        for enrolled in self._due_today():
            outcome = self._peek(enrolled, self.today)
            if outcome.send is None:
                self._take(enrolled, outcome)
            else:
                self._skip(outcome, enrolled, self.today, SkipReason.TOO_LATE)
                self._apply(enrolled, GaveWay(self.today))

    def _hold(self) -> Change:
        """Nobody may be contacted: say so once in the ledger and wait for consent or an address, not for a date.

        Only what needs no message, such as a task, still has its day.
        """
        reason = why_not_reached(self.contact)
        for enrolled in self._due_today():
            outcome = self._peek(enrolled, self.today)
            if self.now < self._at(enrolled):
                continue
            if outcome.send is None:
                self._take(enrolled, outcome)
            else:
                self._skip(outcome, enrolled, self.today, reason)
        if not self.skipped:
            return self._change()
        if reason is SkipReason.NO_CHANNEL:
            self.tasks.append(TaskOpened(ServiceTask.NO_CHANNEL, self.skipped[0].pathway))
        silent = [
            enrolled
            for enrolled in self._known()
            if (due := self._due(enrolled)) is not None and not _speaks(self.contact, enrolled, self.pathways, due)
        ]
        return replace(self._change(), next_contact_at=next_contact(self.contact, silent, self.pathways, self.now))

    # The day's reminders

    def _send_due(self, channel: Channel) -> None:
        left = self.contact.budget_left(self.today)
        for enrolled in self._due_today():
            outcome = self._peek(enrolled, self.today)
            is_time = self.now >= self._at(enrolled)
            if outcome.send is None:
                if is_time:
                    self._take(enrolled, outcome)
            elif left <= 0:
                self._skip(outcome, enrolled, self.today, SkipReason.BUDGET)
                self._apply(enrolled, GaveWay(self.today))
            else:
                left -= 1  # also for one whose time is later today: it has the day by its priority
                if is_time:
                    self._send(self._take(enrolled, outcome), outcome.send, channel)

    def _send(self, enrolled: Enrolled, send: Send, channel: Channel) -> None:
        planned = message(self.contact, enrolled, send, kind=MessageKind.REMINDER, channel=channel, now=self.now)
        self.messages.append(planned)
        if self.contact.copy_by is not None:
            self.messages.append(copy_of(planned, by=self.contact.copy_by))
        again_today = self.contact.contacted_on == self.today
        self.contact = replace(
            self.contact,
            contacted_on=self.today,
            contacts_that_day=self.contact.contacts_that_day + 1 if again_today else 1,
            stop_line_on=self.today if planned.stop_line else self.contact.stop_line_on,
        )

    # Small steps

    def _known(self) -> list[Enrolled]:
        pathways = self.pathways
        return [enrolled for enrolled in self.enrolments.values() if enrolled.state.pathway in pathways]

    def _due_by_today(self) -> list[Enrolled]:
        today = self.today
        return [
            enrolled
            for enrolled in self.enrolments.values()
            # First what most fail by: their timer is of a later date, which a pause could only put off.
            if (timer := enrolled.state.timer_on) is not None
            and timer <= today
            and enrolled.state.pathway in self.pathways
            and (due := self._due(enrolled)) is not None
            and due <= today
        ]

    def _due_today(self) -> list[Enrolled]:
        return sorted(self._due_by_today(), key=lambda enrolled: self._pathway(enrolled).priority)

    def _pathway(self, enrolled: Enrolled) -> Pathway:
        return self.pathways[enrolled.state.pathway]

    def _due(self, enrolled: Enrolled) -> date | None:
        return due_on(self._pathway(enrolled), enrolled.state, weekdays=self.contact.weekdays)

    def _at(self, enrolled: Enrolled) -> datetime:
        return _instant(self.contact, enrolled, self.today)

    def _peek(self, enrolled: Enrolled, on: date) -> Outcome:
        return step(self._pathway(enrolled), enrolled.state, TimerFired(on), weekdays=self.contact.weekdays)

    def _apply(self, enrolled: Enrolled, event: Event) -> Enrolled:
        return self._take(
            enrolled, step(self._pathway(enrolled), enrolled.state, event, weekdays=self.contact.weekdays)
        )

    def _take(self, enrolled: Enrolled, outcome: Outcome) -> Enrolled:
        after = replace(enrolled, state=outcome.enrolment)
        self.enrolments[enrolled.id] = after
        if outcome.effects:
            self.tasks.extend(task_changes(after.state.pathway, outcome.effects))
        return after

    def _skip(self, outcome: Outcome, enrolled: Enrolled, on: date, reason: SkipReason) -> None:
        """Record the reminder that `outcome` would have sent, under the step that sends it."""
        self.skipped.append(
            SkippedReminder(
                enrolment_id=enrolled.id,
                pathway=outcome.enrolment.pathway,
                step=outcome.enrolment.step,
                cycle=outcome.enrolment.cycle,
                due_date=on,
                reason=reason,
            )
        )

    def _change(self) -> Change:
        enrolments = tuple(self.enrolments.values())
        return Change(
            contact=self.contact,
            enrolments=enrolments,
            next_contact_at=next_contact(self.contact, enrolments, self.pathways, self.now),
            messages=tuple(self.messages),
            skipped=tuple(self.skipped),
            tasks=tuple(self.tasks),
        )
