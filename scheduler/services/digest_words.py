"""The words of the daily digest: counts and links, and nothing about anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.domain.languages import said_in


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestCounts:
    """How many tasks of a clinic are open, and how many of those are what."""

    open: int
    urgent: int
    overdue: int
    due_today: int
    clinicians: int
    coordinators: int
    unassigned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Each text has one form for the number 1 and one for all others."""

    subject: tuple[str, str]
    overdue_too: tuple[str, str]
    intro: tuple[str, str]
    lines: Mapping[str, str]
    all_tasks: str
    overdue_tasks: str
    why: str


_ENGLISH = _Words(
    subject=("{open} task is open", "{open} tasks are open"),
    overdue_too=(", {overdue} overdue", ", {overdue} overdue"),
    intro=("{open} task is open at {clinic}:", "{open} tasks are open at {clinic}:"),
    lines={
        "overdue": "overdue",
        "urgent": "urgent",
        "due_today": "due today",
        "clinicians": "for clinicians",
        "coordinators": "for coordinators",
        "unassigned": "with nobody assigned",
    },
    all_tasks="All open tasks:",
    overdue_tasks="Those that are overdue:",
    why="This goes out on working days at {at} while tasks are open. It names nobody; the worklist does.",
)
_SPANISH = _Words(
    subject=("{open} tarea abierta", "{open} tareas abiertas"),
    overdue_too=(", {overdue} vencida", ", {overdue} vencidas"),
    intro=("Hay {open} tarea abierta en {clinic}:", "Hay {open} tareas abiertas en {clinic}:"),
    lines={
        "overdue": "con el plazo vencido",
        "urgent": "urgentes",
        "due_today": "para hoy",
        "clinicians": "para personal clínico",
        "coordinators": "para coordinación",
        "unassigned": "sin persona asignada",
    },
    all_tasks="Todas las tareas abiertas:",
    overdue_tasks="Las que han vencido:",
    why="Este mensaje sale los días laborables a las {at} si hay tareas abiertas. No nombra a nadie; la lista sí.",
)
_BY_LANGUAGE = {"en": _ENGLISH, "es": _SPANISH}


def digest_text(counts: DigestCounts, *, clinic: str, language: str, at: str, public_url: str) -> tuple[str, str]:
    """The subject and the text of a digest, in the clinic's language if it has words, else in English."""
    words = said_in(_BY_LANGUAGE, language)
    values = {"open": counts.open, "overdue": counts.overdue, "clinic": clinic, "at": at}
    subject = _form(words.subject, counts.open) + (_form(words.overdue_too, counts.overdue) if counts.overdue else "")
    url = f"{public_url.rstrip('/')}/worklist"
    found = [(getattr(counts, name), said) for name, said in words.lines.items()]
    text = [
        _form(words.intro, counts.open),
        "",
        *(f"  {count} {said}" for count, said in found if count),
        "",
        f"{words.all_tasks} {url}",
        *([f"{words.overdue_tasks} {url}?due=overdue"] if counts.overdue else []),
        "",
        words.why,
    ]
    return subject.format(**values), "\n".join(text).format(**values)


def _form(forms: tuple[str, str], count: int) -> str:
    return forms[0] if count == 1 else forms[1]
