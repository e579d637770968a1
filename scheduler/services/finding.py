"""Finding patients while somebody types: by name, MRN or number.

Names are sealed in the database. An index there of what they begin with would tell, by how often each part occurs,
what many of them are; so the names are opened once in each web process, and kept up to date from then on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, islice
from threading import Lock
from uuid import UUID

from scheduler.domain.folding import normalise
from scheduler.domain.people import Channel
from scheduler.ports import Store, Unit
from scheduler.ports.browsing import PatientLine
from scheduler.ports.choosing import PatientFilter
from scheduler.records import Clinic
from scheduler.services.intake.draft import FieldError, PhoneCheck
from scheduler.services.intake.phones import parse_phone

MOST_FOUND = 20
_EVERYBODY = PatientFilter()
_AT_ONCE = 2_000  # patients of whom is asked whether they are meant
_OVERLAP = timedelta(minutes=5)  # a transaction writes when it began, and is seen when it ends


class _Pages:
    """Names in one text, a line each: a text is looked through faster than so many names."""

    def __init__(self, names: Iterable[tuple[str, str]] = ()) -> None:
        """`names` are pairs of an MRN and the name, each word of it with a space before it."""
        pairs = tuple(names)
        self._mrns = tuple(mrn for mrn, _ in pairs)
        self._text = "".join(f"{name}\n" for _, name in pairs)
        self._ends = tuple(accumulate(len(name) + 1 for _, name in pairs))

    def find(self, begins: Sequence[str]) -> Iterator[str]:
        """The MRNs of those in whose names all of these stand."""
        rarest = max(begins, key=len)
        at = self._text.find(rarest)
        while at >= 0:
            line = bisect_right(self._ends, at)
            end = self._ends[line]
            start = self._ends[line - 1] if line else 0
            if all(self._text.find(begin, start, end) >= 0 for begin in begins):
                yield self._mrns[line]
            at = self._text.find(rarest, end)


@dataclass(slots=True)
class _Book:
    """The names of one clinic, by the patient's id: an erased patient's MRN goes with the name."""

    names: dict[UUID, tuple[str, str]] = field(default_factory=dict)  # as `_Pages` takes them
    sealed: dict[UUID, bytes] = field(default_factory=dict)  # the same as the database has them
    pages: _Pages = field(default_factory=_Pages)  # the same, for those who read while it changes
    read_at: datetime | None = None
    lock: Lock = field(default_factory=Lock)


class Finder:
    """Finds patients, one for all requests of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books: dict[int, _Book] = {}
        self._lock = Lock()

    def find(
        self, clinic: Clinic, words: str, *, now: datetime, which: PatientFilter = _EVERYBODY
    ) -> list[PatientLine]:
        """Up to `MOST_FOUND` patients of the clinic, by name; with `which` of those who are meant alone.

        Their names have words that begin like these, or their MRN begins so, or it is their number. `now` is by the
        clock that dates what is written.
        """
        typed = " ".join(words.split())
        if not typed:
            return []
        with self._store.reading() as unit:
            found = [
                *_meant(unit, clinic, which, [*self._by_number(unit, clinic, typed), typed]),
                *self._by_mrn(unit, clinic, typed, which),
                *islice(_meant(unit, clinic, which, self._by_name(unit, clinic, typed, now)), MOST_FOUND),
            ]
            lines = unit.browsing.patients_of(clinic.id, list(dict.fromkeys(found))[:MOST_FOUND])
        return sorted(lines, key=lambda line: (line.mrn != typed, normalise(line.name), line.mrn))

    def warm_up(self, clinic: Clinic, *, now: datetime) -> None:
        """Read the clinic's names, so that the first search need not wait for that."""
        with self._store.reading() as unit:
            self._current(unit, clinic, now)

    def _by_number(self, unit: Unit, clinic: Clinic, typed: str) -> list[str]:
        try:
            number = parse_phone(typed, country=clinic.country, check=PhoneCheck.POSSIBLE)
        except FieldError:
            return []
        return [one.mrn for one in unit.patients.by_address(Channel.SMS, number.number, clinic_id=clinic.id)]

    def _by_mrn(self, unit: Unit, clinic: Clinic, typed: str, which: PatientFilter) -> list[str]:
        following = unit.choosing.mrns(clinic.id, which, after=typed, limit=MOST_FOUND)
        return [mrn for mrn in following if mrn.startswith(typed)]

    def _by_name(self, unit: Unit, clinic: Clinic, typed: str, now: datetime) -> Iterator[str]:
        begins = [f" {word}" for word in normalise(typed).split()]
        return self._current(unit, clinic, now).find(begins) if begins else iter(())

    def _current(self, unit: Unit, clinic: Clinic, now: datetime) -> _Pages:
        with self._lock:
            book = self._books.setdefault(clinic.id, _Book())
        with book.lock:
            since = book.read_at
            if since is not None:
                # Somebody may come late who asked before; a clock that was set back dates into what was read.
                since = None if since - now > _OVERLAP else min(since, now) - _OVERLAP
            new = unit.browsing.names(clinic.id, changed_since=since, known=book.sealed)
            if new:
                book.names.update((one.patient_id, (one.mrn, f" {normalise(one.name)}")) for one in new)
                book.sealed.update((one.patient_id, one.sealed) for one in new)
                book.pages = _Pages(book.names.values())
            book.read_at = now
            return book.pages


def _meant(unit: Unit, clinic: Clinic, which: PatientFilter, mrns: Iterable[str]) -> Iterator[str]:
    """Those whom the filter lets through."""
    if which.is_open:
        yield from mrns
        return
    left = iter(mrns)
    while some := list(islice(left, _AT_ONCE)):
        meant = unit.choosing.among(clinic.id, which, some)
        yield from (mrn for mrn in some if mrn in meant)
