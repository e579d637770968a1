"""Telling apart, in messages and in answers, the patients whose messages go to one number or address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.sharing import Named, first_names, letters, listed, marks, read_choice
from scheduler.records import Clinic, Housemate


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of those at one address: by patient, the best first. Initials are always among them."""

    of: Mapping[UUID, tuple[str, ...]]

    def for_whom(self, patient_id: UUID) -> tuple[str, ...]:
        """The marks of one of them; none for somebody else."""
        return self.of.get(patient_id, ())


def marks_of(people: Sequence[Housemate], clinic: Clinic) -> Marks:
    """The marks of `people`: first names only where the clinic has consent to show them."""
    named = [Named(name=one.name, born=one.born) for one in people]
    names = first_names(named) if clinic.name_on_shared else [""] * len(named)
    return Marks(
        {
            one.patient_id: tuple(filter(None, (name, mark)))
            for one, name, mark in zip(people, names, marks(named), strict=True)
        }
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """By which letter each of those at one address is named in an answer, in a steady order."""

    patients: tuple[UUID, ...]
    letters: tuple[str, ...]
    marks: tuple[str, ...]
    names: tuple[str, ...]  # first names, which an answer may use too; empty where they do not tell people apart

    def read(self, text: str) -> tuple[UUID, str] | None:
        """Whom a text names, and what else it says."""
        words = [tuple(filter(None, each)) for each in zip(self.letters, self.marks, self.names, strict=True)]
        found = read_choice(text, words)
        return None if found is None else (self.patients[found[0]], found[1])

    def shown(self, patients: Sequence[UUID]) -> str:
        """The letters of some of them, as the question lists them."""
        each = zip(self.patients, self.letters, self.marks, strict=True)
        return listed((letter, mark) for patient_id, letter, mark in each if patient_id in patients)


def choices_of(people: Sequence[Housemate], clinic: Clinic, words: Mapping[str, ReplyWords]) -> Choices:
    """The letters of `people`; as many of them have one as there are letters."""
    named = [Named(name=one.name, born=one.born) for one in people]
    found = letters(named, words)
    of = marks_of(people, clinic)
    return Choices(
        patients=tuple(one.patient_id for one in people)[: len(found)],
        letters=tuple(found),
        marks=tuple(of.for_whom(one.patient_id)[0] for one in people)[: len(found)],
        names=tuple(first_names(named))[: len(found)],
    )
