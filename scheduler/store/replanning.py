"""Clinics whose patients are to be planned anew: how far each has come, by MRN."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select, update

from scheduler.domain.contact import Contact
from scheduler.records import Clinic, DuePatient
from scheduler.store import rows
from scheduler.store.among import among
from scheduler.store.patients import Patients
from scheduler.store.tables import clinics, patients

_FIRST = ""  # before every MRN

_log = logging.getLogger(__name__)


class Replanning:
    """Asking for it and doing it, inside one transaction."""

    def __init__(self, connection: Connection, known: Patients) -> None:
        self._connection = connection
        self._known = known

    def ask(self, clinic_id: int) -> None:
        """From now on all patients of the clinic are to be planned anew, also those who just have been."""
        self._connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(replan_after=_FIRST))

    def ask_all(self) -> None:
        """The same for every clinic."""
        self._connection.execute(update(clinics).values(replan_after=_FIRST))

    def is_wanted(self) -> bool:
        """Whether any patient is left."""
        query = select(clinics.c.id).where(clinics.c.replan_after.is_not(None)).limit(1)
        return self._connection.execute(query).first() is not None

    def take(self, *, limit: int) -> Sequence[DuePatient]:
        """The next patients of one clinic, locked until the transaction ends, which are then no longer asked for."""
        found = self._next_clinic()
        if found is None:
            return ()
        clinic, after = found
        query = (
            select(patients.c.id, patients.c.mrn)
            .where(patients.c.clinic_id == clinic.id, patients.c.mrn > after)
            .order_by(patients.c.mrn)
            .limit(limit)
        )
        chosen = self._connection.execute(query).all()
        self._note(clinic.id, chosen[-1].mrn if len(chosen) == limit else None)
        contacts = self._hold([row.id for row in chosen], clinic) if chosen else {}
        enrolled = self._known.enrolments(list(contacts)) if contacts else {}
        return [
            DuePatient(id=one, clinic_id=clinic.id, contact=contact, enrolments=enrolled.get(one, ()))
            for one, contact in contacts.items()
        ]

    def _next_clinic(self) -> tuple[Clinic, str] | None:
        """A clinic as it is once it is held, not as it was before, and after which MRN to go on."""
        query = (
            select(clinics)
            .where(clinics.c.replan_after.is_not(None))
            .order_by(clinics.c.id)
            .limit(1)
            .with_for_update(key_share=True, skip_locked=True)
        )
        row = self._connection.execute(query).first()
        return None if row is None else (rows.clinic_from(row), row.replan_after)

    def _note(self, clinic_id: int, after: str | None) -> None:
        self._connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(replan_after=after))

    def _hold(self, ids: Sequence[UUID], clinic: Clinic) -> dict[UUID, Contact]:
        """Locks are waited for, and taken in the order of ids: whoever decides meanwhile may know the old hours."""
        query = (
            select(patients.c.id, *rows.CONTACT.columns)
            .where(patients.c.clinic_id == clinic.id, among(self._connection, patients.c.id, ids))
            .order_by(patients.c.id)
            .with_for_update(key_share=True)
        )
        contact_from = rows.CONTACT.reader(self._connection.dialect, lambda row: rows.contact_from(row, clinic))
        found: dict[UUID, Contact] = {}
        for row in self._connection.execute(query).all():
            try:
                found[row[0]] = contact_from(row[1:])
            except (ValueError, LookupError):  # such as a zone that new zone data has no more: left as it is
                _log.exception("patient %s cannot be read, and is not planned anew", row[0])
        return found
