"""What is kept about clinics, patients and messages, in plain form, as services and store pass it between them."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.breaker import CLOSED, Breaker
from scheduler.domain.calendar import EVERY_DAY, Weekday
from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.number_check import UNASKED, NumberCheck, Ways
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import (
    Addressee,
    CarerMode,
    Channel,
    ConsentSource,
    Mobility,
    PatientStatus,
    RiskFactor,
    StopScope,
)
from scheduler.domain.staff_mail import StaffMailKind, StaffMailStatus
from scheduler.domain.tasks import TaskStep
from scheduler.domain.when import DEFAULT_WINDOW, ContactWindow

DEFAULT_CONTACT_TIME = time(9, 30)
DEFAULT_DIGEST_TIME = time(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """A tenant: its senders and its defaults. `id` is 0 until stored."""

    id: int = 0
    code: str
    name: str
    message_name: str  # the neutral name that opens every message
    timezone: str
    country: str  # ISO 3166, two letters
    language: str = "en"
    phone: str | None = None
    sms_from: str | None = None
    messaging_service: str | None = None
    email_from: str | None = None
    messages_per_second: float | None = None  # segments a second per sender; None: as fast as they are taken
    window: ContactWindow = DEFAULT_WINDOW
    contact_time: time = DEFAULT_CONTACT_TIME
    daily_budget: int = 1
    is_sample: bool = False
    holidays: str | None = None  # the calendar of `config/holidays` that it keeps; None: weekends alone are free
    closed_days: frozenset[date] = frozenset()  # beside holidays
    digest_to: str | None = None  # e-mail address that hears of open tasks every working day; None: nobody does
    digest_at: time = DEFAULT_DIGEST_TIME  # local time of the clinic
    duty_email: str | None = None  # where urgent alerts go; None: nowhere
    name_on_shared: bool = False  # first names, not initials, tell apart those who share a number
    stop_scope: StopScope = StopScope.ALL
    confirm_numbers: bool = False  # nothing clinical is texted to a number before it is confirmed
    pathways: frozenset[str] | None = None  # that new patients begin; None: those that the installation has on


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A patient's whole record. `contact_time` None means the clinic's; phone is E.164."""

    id: UUID
    clinic_id: int
    mrn: str
    name: str
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    language: str
    timezone: str
    contact_time: time | None = None
    channel: Channel
    mobility: Mobility = Mobility.WALKING
    exercise_days: AbstractSet[Weekday] = EVERY_DAY
    risk_factors: tuple[RiskFactor, ...] = ()
    status: PatientStatus = PatientStatus.ACTIVE
    paused_until: date | None = None
    sms_consent: bool = False
    email_consent: bool = False
    phone_bad: bool = False
    email_bad: bool = False
    carer_mode: CarerMode | None = None  # of a carer who may be written to now; None: there is none
    carer_channel: Channel | None = None
    next_contact_at: datetime | None = None
    contacted_on: date | None = None
    contacts_that_day: int = 0
    stop_line_on: date | None = None
    phone_confirmed: bool = False  # this very number; the store compares, and `confirm_phones` alone makes it so
    number_check: NumberCheck = UNASKED
    is_discreet: bool = False  # messages say only that there is one, and lead to the patient's own page
    page_key: bytes | None = None  # what links to that page lead by; None: there is none yet
    source: str | None = None  # the import row as last read, canonical JSON

    def address(self, channel: Channel) -> str | None:
        """Their number (E.164) or e-mail address, marked or not."""
        return self.phone if channel is Channel.SMS else self.email

    def contact(self, clinic: Clinic) -> Contact:
        """What the rules need to know of this patient."""
        has_phone = self.phone is not None and not self.phone_bad
        has_email = self.email is not None and not self.email_bad
        reach, check = Ways(
            has_phone=has_phone,
            sms_consent=self.sms_consent,
            is_confirmed=self.phone_confirmed,
            has_email=has_email,
            email_consent=self.email_consent,
            confirms_numbers=clinic.confirm_numbers,
            check=self.number_check,
        ).reach()
        own = Contact(
            zone=ZoneInfo(self.timezone),
            contact_time=self.contact_time or clinic.contact_time,
            window=clinic.window,
            weekdays=self.exercise_days,
            channel=self.channel,
            reach=reach,
            has_address=has_phone or has_email,
            status=self.status,
            paused_until=self.paused_until,
            daily_budget=clinic.daily_budget,
            contacted_on=self.contacted_on,
            contacts_that_day=self.contacts_that_day,
            stop_line_on=self.stop_line_on,
            mobility=self.mobility,
            stop_scope=clinic.stop_scope,
            check=check,
        )
        if self.carer_mode is None or self.carer_channel is None:
            return own
        return own.with_carer(self.carer_mode, self.carer_channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePatient:
    """A patient locked for planning: only what the planner needs, nothing deciphered."""

    id: UUID
    clinic_id: int
    contact: Contact
    enrolments: tuple[Enrolled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One entry of the append-only consent record."""

    patient_id: UUID
    clinic_id: int
    channel: Channel
    granted: bool
    source: ConsentSource
    given_on: date
    recorded_by: str
    wording: str | None = None
    topic: str | None = None  # the one pathway that it is about; None: everything
    recorded_at: datetime | None = None  # UTC; None: not yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Carer:
    """A patient's contact person. `address` is a number (E.164) or e-mail address, as `channel` says."""

    id: UUID
    clinic_id: int
    patient_id: UUID
    name: str
    channel: Channel
    address: str
    language: str
    mode: CarerMode
    consent: bool
    is_bad: bool = False

    @property
    def may_be_written_to(self) -> bool:
        return self.consent and not self.is_bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Housemate:
    """One of the patients whose messages go to one number or address. `born` is a year."""

    patient_id: UUID
    name: str
    born: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarerConsent:
    """One entry of the append-only record of a carer's consent."""

    carer_id: UUID
    clinic_id: int
    channel: Channel
    granted: bool
    source: ConsentSource
    given_on: date
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a message is for, as they are now: only what sending it needs is deciphered.

    `address` is their number (E.164) or e-mail address for the message's channel, if they have one.
    """

    id: UUID
    clinic_id: int
    name: str
    language: str
    address: str | None
    contact: Contact
    link_to: UUID | None = None  # whose unsubscribe link an e-mail has, when it is not the patient's
    for_whom: tuple[str, ...] = ()  # marks for whom it is about, the best first; none: the address is theirs alone
    everybody: str = ""  # the marks of all who share the address
    choices: str = ""  # the letters by which those who share the address are named in an answer
    is_discreet: bool = False  # of the patient
    page_key: bytes | None = None  # of the patient's own page


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMessage:
    """A ledger row as delivery and what follows it need it: which message, and what it stands for."""

    id: UUID
    clinic_id: int
    patient_id: UUID
    enrolment_id: UUID | None
    kind: MessageKind  # from here on in the order of `rows.MESSAGE`, which the messages of one morning share
    channel: Channel
    pathway: str
    step: str
    cycle: int
    fired: int
    template: str
    turn: int
    count: int
    stop_line: bool
    due_date: date
    send_from: datetime
    send_until: datetime
    attempts: int
    to: Addressee = Addressee.PATIENT


@dataclass(frozen=True, slots=True)
class ReadyMessage:
    """A message claimed for sending, and whom it is for."""

    message: LedgerMessage
    to: Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a provider, as committed before the provider is called."""

    id: UUID
    message_id: UUID
    clinic_id: int
    number: int
    channel: Channel
    address: str
    subject: str | None
    body: str
    language: str
    segments: int
    template_version: str
    to: Addressee = Addressee.PATIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a worker has in hand: messages in the order in which it hands them over.

    The first `handed` of them may be with the provider. The others are not, nor will be before this is on record.
    """

    id: UUID
    worker: str
    message_ids: tuple[UUID, ...]
    handed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnd:
    """What one try came to, and where its message moves. `retry_at` (UTC) goes with a move back to planned."""

    attempt_id: UUID
    message_id: UUID
    clinic_id: int
    status: MessageStatus
    outcome: str
    provider_id: str | None = None
    code: str | None = None
    detail: str | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What is stored about an account (`key` is its channel) or about one sender of it. Instants are UTC.

    The `holder` alone serves a sender with a pace until `held_until`. Nobody sends before `quiet_until`.
    """

    key: str
    holder: str | None = None
    held_until: datetime | None = None
    quiet_until: datetime | None = None
    breaker: Breaker = CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One outbound message of the ledger, for people and programs to read."""

    id: UUID
    patient: str  # MRN
    patient_name: str
    kind: str
    channel: Channel
    pathway: str
    step: str
    template: str
    due_date: date
    status: MessageStatus
    reason: str | None
    attempts: int
    provider_id: str | None
    planned_at: datetime
    sent_at: datetime | None
    body: str | None
    segments: int | None
    to: Addressee = Addressee.PATIENT
    retry_of: UUID | None = None  # the message that it takes over from


ON_PAGE = "page"  # the `sender` of what somebody said on the patient's own page


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Something a patient sent. `patient_id` is None while nobody is known to have that number or address.

    `media` counts the pictures and files that came with it; `opt_out` is what the provider made of it by itself.
    `thread` are the Message-IDs of an e-mail and of those that led to it, its own last. Before it is understood,
    `pathway` is the one whose question it was written under, where that is known.
    """

    id: UUID
    clinic_id: int
    patient_id: UUID | None
    mrn: str | None
    received_at: datetime
    channel: Channel
    sender: str
    body: str
    provider_id: str | None
    media: int = 0
    thread: tuple[str, ...] = ()
    opt_out: OptOut | None = None
    written_by: Addressee = Addressee.PATIENT
    is_shared: bool = False  # several have the number or address: `patient_id` is then who stands for them
    candidates: tuple[UUID, ...] = ()  # held until somebody says which of these patients it is about
    meaning: str | None = None
    pathway: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody with a number or address: as little of them as it takes to know whose message it is."""

    patient_id: UUID
    clinic_id: int
    mrn: str
    contacted_on: date | None
    as_a: Addressee = Addressee.PATIENT


@dataclass(frozen=True, slots=True)
class HeldReply:
    """A reply that waits to be understood, and who wrote it, held until the transaction ends."""

    reply: Reply
    patient: Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanText:
    """A text to a number of no clinic, from nobody we know. `recipient` is the number or service it was sent to."""

    id: UUID
    received_at: datetime
    sender: str
    recipient: str
    body: str
    provider_id: str
    media: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A worklist item to open, unless one for the same `cause` is open already.

    `due` is a date of the clinic's; from `overdue_at` (UTC) on the task is overdue, and becomes urgent.
    """

    clinic_id: int
    patient_id: UUID | None
    kind: str
    cause: str
    priority: str
    due: date
    overdue_at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A worklist item. `patient` is the MRN. Of a closed one, `resolution` says how it ended."""

    id: int
    kind: str
    patient: str | None
    priority: str
    opened_at: datetime
    due: date
    status: str
    note: str
    assignee: str | None = None  # e-mail address of a member of staff
    closed_at: datetime | None = None
    closed_by: str | None = None
    resolution: str | None = None
    resolution_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent:
    """One entry of a task's history. `detail` is a short word: an assignee, a resolution, a date."""

    at: datetime
    by: str
    step: TaskStep
    detail: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTasks:
    """So many open tasks that are alike."""

    kind: str
    priority: str
    due: date
    is_assigned: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMail:
    """A mail to a clinic's own people, claimed for sending. `attempts` counts this one, `attempt_id` names it."""

    id: UUID
    clinic_id: int
    kind: StaffMailKind
    to: str
    subject: str
    text: str
    attempt_id: UUID
    attempts: int
    is_again: bool  # it was sent before, and nobody knows whether it arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMailEntry:
    """A mail to a clinic's own people, to be read: what became of it, neither to whom nor its words."""

    id: UUID
    kind: StaffMailKind
    cause: str
    status: StaffMailStatus
    attempts: int
    planned_at: datetime
    sent_at: datetime | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An observation or procedure recorded for a patient."""

    patient_id: UUID
    clinic_id: int
    kind: str
    taken_on: date
    value: str | None
    unit: str | None
    next_months: int | None
    recorded_by: str
    moved: str | None = None  # where it led the patient's pathways, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """A supplement case and its decision. `named` is in the patient's own words."""

    id: int
    clinic_id: int
    patient_id: UUID
    patient: str  # MRN
    named: str
    opened_at: datetime
    decision: str | None
    decided_at: datetime | None
    decided_by: str | None
    signed_with: str | None = None
    shown: str | None = None  # what whoever decided had before them
