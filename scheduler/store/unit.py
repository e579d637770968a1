"""The store as services see it: transactions that hold everything one use case reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Engine

from scheduler import ports
from scheduler.store.batches import Batches
from scheduler.store.bulk import Rehearsed, Stage, perform
from scheduler.store.carers import Carers
from scheduler.store.engine import reading, writing
from scheduler.store.gauges import Gauges
from scheduler.store.inbox import Inbox
from scheduler.store.installation import Installation
from scheduler.store.lanes import Lanes
from scheduler.store.ledger import Ledger
from scheduler.store.numbers import Numbers
from scheduler.store.orphans import Orphans
from scheduler.store.patients import Patients
from scheduler.store.questions import Questions
from scheduler.store.receipts import Receipts
from scheduler.store.replanning import Replanning
from scheduler.store.sharing import Sharing
from scheduler.store.staff_mail import StaffMails
from scheduler.store.stops import Stops
from scheduler.store.vault import Vault
from scheduler.store.worklist import Worklist

if TYPE_CHECKING:
    from scheduler.store.accounts import Accounts
    from scheduler.store.api_keys import ApiKeys
    from scheduler.store.auditing import Auditing
    from scheduler.store.browsing import Browsing
    from scheduler.store.bulk_changes import BulkChanges
    from scheduler.store.choosing import Choosing
    from scheduler.store.desk import Desk
    from scheduler.store.drafts import Drafts
    from scheduler.store.erasing import Erasing
    from scheduler.store.message_lists import MessageLists
    from scheduler.store.patient_file import PatientFile
    from scheduler.store.patient_pages import PatientPages
    from scheduler.store.reports import Reports
    from scheduler.store.uploads import Uploads


class Unit:
    """One transaction. Everything done through it becomes true at once, or not at all."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self.installation = Installation(connection)
        self.patients = Patients(connection, vault)
        self.replanning = Replanning(connection, self.patients)
        self.ledger = Ledger(connection, vault)
        self.worklist = Worklist(connection, vault)
        self.staff_mail = StaffMails(connection, vault)
        self.inbox = Inbox(connection, vault)
        self.stops = Stops(connection)
        self.sharing = Sharing(connection, vault)
        self.carers = Carers(connection, vault)
        self.numbers = Numbers(connection, vault)
        self.orphans = Orphans(connection, vault)
        self.batches = Batches(connection)
        self.lanes = Lanes(connection)
        self.receipts = Receipts(connection, vault)
        self.questions = Questions(connection, vault)
        self.gauges = Gauges(connection)

    # What pages alone ask for is made, and its module loaded, when it is asked for: a tick needs none of it.

    @cached_property
    def accounts(self) -> Accounts:
        from scheduler.store.accounts import Accounts

        return Accounts(self._connection, self._vault)

    @cached_property
    def api_keys(self) -> ApiKeys:
        from scheduler.store.api_keys import ApiKeys

        return ApiKeys(self._connection, self._vault)

    @cached_property
    def auditing(self) -> Auditing:
        from scheduler.store.auditing import Auditing

        return Auditing(self._connection)

    @cached_property
    def browsing(self) -> Browsing:
        from scheduler.store.browsing import Browsing

        return Browsing(self._connection, self._vault)

    @cached_property
    def bulk_changes(self) -> BulkChanges:
        from scheduler.store.bulk_changes import BulkChanges

        return BulkChanges(self._connection, self._vault)

    @cached_property
    def choosing(self) -> Choosing:
        from scheduler.store.choosing import Choosing

        return Choosing(self._connection, self._vault)

    @cached_property
    def desk(self) -> Desk:
        from scheduler.store.desk import Desk

        return Desk(self._connection)

    @cached_property
    def drafts(self) -> Drafts:
        from scheduler.store.drafts import Drafts

        return Drafts(self._connection, self._vault)

    @cached_property
    def erasing(self) -> Erasing:
        from scheduler.store.erasing import Erasing

        return Erasing(self._connection, self._vault)

    @cached_property
    def message_lists(self) -> MessageLists:
        from scheduler.store.message_lists import MessageLists

        return MessageLists(self._connection, self._vault)

    @cached_property
    def pages(self) -> PatientPages:
        from scheduler.store.patient_pages import PatientPages

        return PatientPages(self._connection, self._vault)

    @cached_property
    def patient_file(self) -> PatientFile:
        from scheduler.store.patient_file import PatientFile

        return PatientFile(self._connection, self._vault)

    @cached_property
    def reports(self) -> Reports:
        from scheduler.store.reports import Reports

        return Reports(self._connection)

    @cached_property
    def uploads(self) -> Uploads:
        from scheduler.store.uploads import Uploads

        return Uploads(self._connection, self._vault)

    def perform(self, rehearsed: Rehearsed) -> None:
        """Insert what was rehearsed."""
        perform(self._connection, rehearsed)


class Store:
    """Where everything is kept."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """A transaction that may write: commits at the end, rolls back on any exception."""
        with writing(self._engine) as connection:
            yield Unit(connection, self._vault)

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A read-only transaction; never waits for a writer."""
        with reading(self._engine) as connection:
            yield Unit(connection, self._vault)

    @property
    def has_many_writers(self) -> bool:
        """Whether transactions that write go on side by side: on PostgreSQL."""
        return self._engine.dialect.name != "sqlite"

    @property
    def can_rehearse(self) -> bool:
        """Whether `rehearse` works: on SQLite alone."""
        return self._engine.dialect.name == "sqlite"

    def rehearse(self, use: Callable[[Unit], object]) -> Rehearsed:
        """What `use` inserts when everything it looks for is not there; nothing is read or written."""
        stage = Stage(self._engine.dialect)
        use(Unit(cast("Connection", stage), self._vault))
        return stage.noted

    def close(self) -> None:
        self._engine.dispose()


if TYPE_CHECKING:

    def _is_a_store(store: Store) -> ports.Store:
        """Holds the store to its port."""
        return store
