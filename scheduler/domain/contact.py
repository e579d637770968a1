"""A patient as the planner sees them, and what a decision about them comes to."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.calendar import EVERY_DAY, Weekday
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.number_check import NumberCheck
from scheduler.domain.people import Addressee, CarerMode, Channel, Mobility, PatientStatus, Reach, StopScope
from scheduler.domain.when import DEFAULT_WINDOW, ContactWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What decides whether and when a patient may be contacted. No name, number or address is in it."""

    zone: ZoneInfo
    contact_time: time  # local wall time
    window: ContactWindow = DEFAULT_WINDOW
    weekdays: AbstractSet[Weekday] = EVERY_DAY  # for routine messages
    channel: Channel = Channel.SMS  # preferred
    reach: Reach
    has_address: bool = True  # any usable number or address at all, consent aside
    status: PatientStatus = PatientStatus.ACTIVE
    paused_until: date | None = None  # with status paused; None lasts until lifted
    daily_budget: int = 1
    contacted_on: date | None = None  # the last local date that had a reminder
    contacts_that_day: int = 0
    stop_line_on: date | None = None  # the last local date whose text said how to stop
    mobility: Mobility = Mobility.WALKING
    addressee: Addressee = Addressee.PATIENT  # who gets reminders and news; `reach` is theirs
    own: Reach | None = None  # the patient's own reach, where it is not `reach`
    copy_by: Channel | None = None  # how a carer gets a copy of each reminder; None: nobody does
    stop_scope: StopScope = StopScope.ALL
    check: NumberCheck | None = None  # of a number that must be confirmed before texts are in reach

    def with_carer(self, mode: CarerMode, channel: Channel) -> Contact:
        """The same when a carer, who agreed to it, may be written to on `channel`."""
        if mode is CarerMode.BESIDE:
            return replace(self, copy_by=channel)
        return replace(self.reaching(channel), addressee=Addressee.CARER, channel=channel, own=self.reach, check=None)

    def without_carer(self) -> Contact:
        """The same as if the patient alone were written to."""
        return replace(self, reach=self.own or self.reach, addressee=Addressee.PATIENT, own=None, copy_by=None)

    def also_on(self, channel: Channel) -> Contact:
        """The same, to be reached on `channel` as well."""
        reach = Reach(
            sms=self.reach.sms or channel is Channel.SMS, email=self.reach.email or channel is Channel.EMAIL
        )
        return replace(self, reach=reach)

    def reaching(self, channel: Channel | None) -> Contact:
        """The same, to be reached on `channel` alone; None: in no way."""
        reach = Reach(sms=channel is Channel.SMS, email=channel is Channel.EMAIL)
        return replace(self, reach=reach, has_address=True)

    def budget_left(self, today: date) -> int:
        """How many reminders `today` may still have. A zone moved westwards does not give a day twice."""
        if self.contacted_on is None or self.contacted_on < today:
            return self.daily_budget
        if self.contacted_on > today:
            return 0
        return max(0, self.daily_budget - self.contacts_that_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """An enrolment with its identity, as it is stored."""

    id: UUID
    state: Enrolment
    contact_time: time | None = None  # the enrolment's own time of day; None: the patient's


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """A message that the rules want sent. Instants are UTC; `send_until` is exclusive."""

    enrolment_id: UUID | None  # None: a message of no pathway, such as the answer to STOP
    kind: MessageKind
    channel: Channel
    pathway: str
    step: str
    cycle: int
    fired: int  # the enrolment's count when planned, so that a reminder which did not go can be taken back
    template: str
    due_date: date
    send_from: datetime
    send_until: datetime
    turn: int = 0
    count: int = 0
    stop_line: bool = False
    to: Addressee = Addressee.PATIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedReminder:
    """A reminder that was due and did not go, with the reason for the ledger."""

    enrolment_id: UUID
    pathway: str
    step: str
    cycle: int
    due_date: date
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """A task to open. Where one of the kind `rather` is open, what the patient wrote is noted there instead."""

    kind: str
    pathway: str
    note: str = ""
    rather: str | None = None


@dataclass(frozen=True, slots=True)
class TaskEscalated:
    kind: str
    pathway: str


@dataclass(frozen=True, slots=True)
class TaskClosed:
    kind: str
    pathway: str


@dataclass(frozen=True, slots=True)
class ClearanceOpened:
    """A supplement case to open. `named` is what the patient wrote, in their own words."""

    pathway: str
    named: str = ""


TaskChange = TaskOpened | TaskEscalated | TaskClosed | ClearanceOpened


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything that one decision about one patient comes to, written in one transaction."""

    contact: Contact
    enrolments: tuple[Enrolled, ...]  # all of the patient's, changed or not
    next_contact_at: datetime | None
    messages: tuple[PlannedMessage, ...] = ()
    skipped: tuple[SkippedReminder, ...] = ()
    tasks: tuple[TaskChange, ...] = ()
    superseded: frozenset[UUID] = field(default_factory=frozenset)  # enrolments whose pending reminders are void
