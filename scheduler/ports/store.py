"""Where everything is kept: transactions, and what can be read and written inside one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from uuid import UUID

from scheduler.domain.contact import Contact, Enrolled, PlannedMessage, SkippedReminder
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import CarerMode, Channel
from scheduler.ports.batches import Batches
from scheduler.ports.gauges import Gauges
from scheduler.ports.inbound import Inbox, Orphans, Stops
from scheduler.ports.numbers import Numbers
from scheduler.ports.settling import Questions, Receipts
from scheduler.ports.sharing import Carers, Sharing
from scheduler.ports.staff_mail import StaffMails
from scheduler.ports.worklist import Worklist
from scheduler.records import (
    Attempt,
    AttemptEnd,
    Clinic,
    Consent,
    DuePatient,
    Lane,
    LedgerEntry,
    LedgerMessage,
    Patient,
    ReadyMessage,
)

if TYPE_CHECKING:  # a tick asks for none of it
    from scheduler.ports.accounts import Accounts
    from scheduler.ports.api_keys import ApiKeys
    from scheduler.ports.auditing import Auditing
    from scheduler.ports.browsing import Browsing
    from scheduler.ports.bulk_changes import BulkChanges
    from scheduler.ports.choosing import Choosing
    from scheduler.ports.desk import Desk
    from scheduler.ports.drafts import Drafts
    from scheduler.ports.erasing import Erasing
    from scheduler.ports.message_lists import MessageLists
    from scheduler.ports.patient_file import PatientFile
    from scheduler.ports.patient_pages import PatientPages
    from scheduler.ports.replanning import Replanning
    from scheduler.ports.reports import Reports
    from scheduler.ports.uploads import Uploads


class Installation(Protocol):
    """Clinics, notes, heartbeats, the audit trail, and what role somebody has."""

    def add_clinic(self, clinic: Clinic, *, now: datetime) -> int: ...

    def clinics(self) -> dict[int, Clinic]: ...

    def clinic(self, code: str) -> Clinic | None: ...

    def change_clinic(self, clinic: Clinic) -> None:
        """Write the record of a clinic that is stored."""
        ...

    def set_next_digest(self, clinic_id: int, at: datetime | None) -> None:
        """When the clinic's next digest is due; None: never."""
        ...

    def move_digest(self, clinic_id: int, *, seen: datetime, to: datetime) -> bool:
        """Move the next digest on from `seen`; False when somebody else has done so."""
        ...

    def digests_due(self, now: datetime) -> dict[int, datetime]:
        """The clinics whose digest is due at `now`, and since when."""
        ...

    def next_digest(self) -> datetime | None:
        """The earliest instant at which a digest is due; it may have passed."""
        ...

    def staff_role(self, clinic_id: int, email: str) -> str | None: ...

    def note(self, name: str) -> str | None: ...

    def set_note(self, name: str, value: str) -> None: ...

    def beat(self, worker: str, *, now: datetime) -> None:
        """Note that the worker is alive. When it is new, those that have been silent for a month are forgotten."""
        ...

    def last_beat(self, worker: str) -> datetime | None: ...

    def latest_beat(self) -> datetime | None:
        """When any worker last gave a sign of life."""
        ...

    def audit(self, entries: Iterable[tuple[int, str, UUID | None, str]], *, actor: str, now: datetime) -> None:
        """Append (clinic, action, patient, detail). The detail never holds a name, number, address or body."""
        ...


class Patients(Protocol):
    """Patients, their enrolments and their consent. Everything but the planner's claim is of one clinic."""

    def by_mrn(self, clinic_id: int, mrns: Sequence[str], *, lock: bool = False) -> dict[str, Patient]:
        """The clinic's patients among `mrns`, by MRN; with `lock`, held until the transaction ends."""
        ...

    def any_of(self, clinic_id: int, mrns: Sequence[str]) -> bool:
        """Whether the clinic has any of these patients on file."""
        ...

    def get(self, clinic_id: int, patient_id: UUID, *, lock: bool = False) -> Patient | None:
        """One patient; with `lock`, held until the transaction ends."""
        ...

    def of_clinic(self, clinic_id: int, *, mrn: str | None = None) -> list[Patient]: ...

    def by_address(self, channel: Channel, address: str, *, clinic_id: int | None = None) -> list[Patient]: ...

    def count(self, clinic_id: int) -> int: ...

    def enrolments(self, patient_ids: Sequence[UUID]) -> dict[UUID, tuple[Enrolled, ...]]:
        """The enrolments of each patient; a patient without any is absent."""
        ...

    def claim_due(self, now: datetime, *, limit: int, clinics: Mapping[int, Clinic]) -> list[DuePatient]:
        """Up to `limit` patients due at `now`, of all clinics, locked until the transaction ends."""
        ...

    def try_lock(self, patient_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the patients whom no other transaction holds, held until this one ends."""
        ...

    def next_due(self) -> datetime | None: ...

    def insert(self, new: Sequence[Patient], *, now: datetime) -> None: ...

    def update(self, changed: Iterable[Patient], *, now: datetime) -> None: ...

    def set_contacts(self, changed: Iterable[tuple[UUID, int, Contact, datetime | None]]) -> None:
        """Write what a decision changed: (patient, clinic, contact, next contact)."""
        ...

    def set_next_contact(self, clinic_id: int, patient_id: UUID, due: datetime | None) -> None: ...

    def set_stop_line(self, clinic_id: int, patient_id: UUID, on: date | None) -> None:
        """The last local date whose text says how to stop, when that is not what was planned."""
        ...

    def mark_bad(self, clinic_id: int, patient_id: UUID, channel: Channel) -> None:
        """The number or address will never work."""
        ...

    def confirm_phones(self, of: Iterable[tuple[int, UUID]]) -> None:
        """The numbers that these (clinic, patient) have now are confirmed; another number of theirs is not."""
        ...

    def confirm_those_who_answered(self, clinic_id: int, meanings: Iterable[str]) -> int:
        """Confirm the numbers of the clinic's patients that have sent a reply with one of `meanings`.

        Returns how many were not confirmed before.
        """
        ...

    def set_consent(self, clinic_id: int, patient_id: UUID, channel: Channel, *, granted: bool) -> None: ...

    def set_carer(self, clinic_id: int, patient_id: UUID, mode: CarerMode | None, channel: Channel | None) -> None:
        """How the patient's carer may be written to, kept with the patient for the planner; None: in no way."""
        ...

    def clear_consents(self, of: Iterable[tuple[int, UUID]]) -> None:
        """No consent to anything is kept with these (clinic, patient)."""
        ...

    def insert_enrolments(self, new: Sequence[tuple[UUID, int, Enrolled, date]]) -> None: ...

    def update_enrolments(self, changed: Iterable[tuple[int, UUID, Enrolment]]) -> None:
        """Write the state of (clinic, enrolment)."""
        ...

    def record_consents(self, records: Iterable[Consent], *, now: datetime) -> None: ...

    def latest_consents(
        self, clinic_id: int, patient_ids: Sequence[UUID]
    ) -> dict[tuple[UUID, Channel], tuple[bool, date]]:
        """The latest record per patient and channel: whether granted, and the date it was given.

        What is about one topic alone says nothing about the channel.
        """
        ...

    def consent_history(self, clinic_id: int, patient_id: UUID) -> list[Consent]:
        """All that is on record about one patient's consent, oldest first."""
        ...


class Ledger(Protocol):
    """Messages and the attempts at sending them."""

    def plan(
        self,
        planned: Iterable[tuple[UUID, int, UUID | None, PlannedMessage]],
        *,
        now: datetime,
        versions: dict[str, str],
    ) -> None:
        """Add messages of (patient, clinic, enrolment). `versions` names each pathway's version."""
        ...

    def skip(
        self,
        skipped: Iterable[tuple[UUID, int, UUID | None, Channel, SkippedReminder]],
        *,
        now: datetime,
        versions: dict[str, str],
    ) -> None: ...

    def supersede(self, enrolment_ids: Sequence[UUID], *, clinic_id: int) -> None: ...

    def supersede_news(self, enrolment_ids: Sequence[UUID], *, clinic_id: int) -> None:
        """Void the clinic's news that still waits for these enrolments: it would be read as about something else."""
        ...

    def claim_ready(
        self,
        channel: Channel,
        now: datetime,
        *,
        limit: int,
        clinics: Mapping[int, Clinic],
        only: Sequence[int] | None = None,
        but: Sequence[int] = (),
    ) -> list[ReadyMessage]:
        """Up to `limit` planned messages whose time has come, locked; answers first, then the earliest first.

        Of the clinics `only` (None: all), without the clinics `but`.
        """
        ...

    def still_sending(self, message_ids: Sequence[UUID]) -> list[tuple[LedgerMessage, UUID]]:
        """Those of these messages of which nothing has been heard, each with its latest attempt."""
        ...

    def begin_attempts(self, begun: Sequence[Attempt], *, now: datetime) -> None: ...

    def end_attempts(self, ended: Sequence[AttemptEnd], *, now: datetime) -> None: ...

    def move(self, target: MessageStatus, moved: Iterable[tuple[UUID, int, str | None]]) -> None:
        """Move (message, clinic) to `target`, with a reason."""
        ...

    def postpone(
        self,
        message_id: UUID,
        clinic_id: int,
        *,
        send_from: datetime,
        send_until: datetime,
        channel: Channel,
        stop_line: bool,
    ) -> None:
        """Give a planned message another window or channel."""
        ...

    def entries(self, clinic_id: int, *, mrn: str | None = None, limit: int | None = None) -> list[LedgerEntry]: ...


class Lanes(Protocol):
    """Accounts and senders: who serves them, from when on, and whether they are refused."""

    def all(self) -> dict[str, Lane]:
        """Every lane of which something is stored, by key."""
        ...

    def hold(self, keys: Sequence[str]) -> dict[str, Lane]:
        """These lanes, held until the transaction ends."""
        ...

    def write(self, lane: Lane) -> None:
        """Store a lane that is held."""
        ...


Rehearsed: TypeAlias = Any
"""Insertions that a store has noted; only the store knows how."""


class Unit(Protocol):
    """One transaction. Everything done through it becomes true at once, or not at all."""

    @property
    def installation(self) -> Installation: ...

    @property
    def accounts(self) -> Accounts: ...

    @property
    def browsing(self) -> Browsing: ...

    @property
    def choosing(self) -> Choosing: ...

    @property
    def bulk_changes(self) -> BulkChanges: ...

    @property
    def desk(self) -> Desk: ...

    @property
    def uploads(self) -> Uploads: ...

    @property
    def patients(self) -> Patients: ...

    @property
    def erasing(self) -> Erasing: ...

    @property
    def replanning(self) -> Replanning: ...

    @property
    def message_lists(self) -> MessageLists: ...

    @property
    def patient_file(self) -> PatientFile: ...

    @property
    def pages(self) -> PatientPages: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def worklist(self) -> Worklist: ...

    @property
    def staff_mail(self) -> StaffMails: ...

    @property
    def inbox(self) -> Inbox: ...

    @property
    def stops(self) -> Stops: ...

    @property
    def sharing(self) -> Sharing: ...

    @property
    def carers(self) -> Carers: ...

    @property
    def numbers(self) -> Numbers: ...

    @property
    def orphans(self) -> Orphans: ...

    @property
    def batches(self) -> Batches: ...

    @property
    def lanes(self) -> Lanes: ...

    @property
    def receipts(self) -> Receipts: ...

    @property
    def questions(self) -> Questions: ...

    @property
    def gauges(self) -> Gauges: ...

    @property
    def reports(self) -> Reports: ...

    @property
    def api_keys(self) -> ApiKeys: ...

    @property
    def auditing(self) -> Auditing: ...

    @property
    def drafts(self) -> Drafts: ...

    def perform(self, rehearsed: Rehearsed) -> None:
        """Insert what was rehearsed."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def writing(self) -> AbstractContextManager[Unit]: ...

    def reading(self) -> AbstractContextManager[Unit]: ...

    @property
    def has_many_writers(self) -> bool:
        """Whether transactions that write go on side by side, rather than one after the other."""
        ...

    @property
    def can_rehearse(self) -> bool:
        """Whether `rehearse` works with this store."""
        ...

    def rehearse(self, use: Callable[[Unit], object]) -> Rehearsed:
        """What `use` inserts when everything it looks for is not there: to be performed later, if that holds.

        Nothing is read or written. The result can be pickled.
        """
        ...
