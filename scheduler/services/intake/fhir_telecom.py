"""Which of a FHIR Patient's contact points to use: one phone number for texts, one e-mail address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scheduler.services.intake.draft import FieldError, IntakeDefaults
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.fhir_elements import in_use, objects, text
from scheduler.services.intake.phones import parse_phone

_FIELDS = {"phone": "phone", "sms": "phone", "email": "email"}
_OTHER_SYSTEMS = frozenset({"fax", "pager", "url", "other"})
_USES = ("mobile", "home", "", "temp", "work")  # best first: a work number is the least private
_UNRANKED = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A contact point that was passed over. `path` is below the resource; `is_address`: it held one."""

    path: str
    value: str
    reason: str
    is_address: bool = True


@dataclass(frozen=True, slots=True)
class Reachable:
    """`mentioned`: which of `phone` and `email` the record has any entry for, usable or not."""

    phone: str | None
    email: str | None
    mentioned: frozenset[str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    order: tuple[int, int, int]
    path: str
    value: str


def reachable(patient: dict[str, Any], defaults: IntakeDefaults) -> Reachable:
    """The best usable phone and e-mail: by `rank`, then mobile before home before work, then as they stand.

    Entries that are old, whose period is over, or that are no phone or e-mail are passed over without a word;
    a system or use that FHIR does not have, and a value that cannot be used, are reported. Raises
    `MalformedError`.
    """
    candidates: dict[str, list[_Candidate]] = {"phone": [], "email": []}
    mentioned: set[str] = set()
    problems: list[Problem] = []
    for index, point in enumerate(objects(patient, "telecom")):
        system, path = text(point, "system"), f"telecom[{index}]"
        field = _FIELDS.get(system)
        if field is not None:
            mentioned.add(field)
        if system in _OTHER_SYSTEMS or not in_use(point, defaults.today) or not text(point, "value"):
            continue
        if problem := _unknown_code(point, path):
            problems.append(problem)
        elif field is not None:
            candidates[field].append(_Candidate(_order(point, index), f"{path}.value", text(point, "value")))
    best = {field: _first_usable(field, found, defaults, problems) for field, found in candidates.items()}
    return Reachable(best["phone"], best["email"], frozenset(mentioned), tuple(problems))


def _unknown_code(point: dict[str, Any], path: str) -> Problem | None:
    """Codes are required bindings in FHIR, but nothing enforces them on the way here."""
    system, use = text(point, "system"), text(point, "use")
    if system not in _FIELDS:
        reason = "FHIR has phone, fax, email, pager, url, sms and other; the entry was not used"
        return Problem(f"{path}.system", system, reason, is_address=False)
    if use not in _USES:
        reason = "FHIR has home, work, temp, old and mobile; the entry was not used"
        return Problem(f"{path}.use", use, reason, is_address=False)
    return None


def _order(point: dict[str, Any], index: int) -> tuple[int, int, int]:
    rank = point.get("rank")
    ranked = rank if isinstance(rank, int) and not isinstance(rank, bool) and rank > 0 else _UNRANKED
    use = "mobile" if text(point, "system") == "sms" else text(point, "use")
    return ranked, _USES.index(use), index


def _first_usable(
    field: str, candidates: list[_Candidate], defaults: IntakeDefaults, problems: list[Problem]
) -> str | None:
    for candidate in sorted(candidates, key=lambda candidate: candidate.order):
        try:
            return _address(field, candidate.value, defaults)
        except FieldError as error:
            problems.append(Problem(candidate.path, candidate.value, str(error)))
    return None


def _address(field: str, value: str, defaults: IntakeDefaults) -> str:
    if field == "email":
        return parse_email(value.removeprefix("mailto:"))
    phone = parse_phone(value.removeprefix("tel:"), country=defaults.country, check=defaults.phone_check)
    if phone.landline:
        raise FieldError("a landline cannot receive texts; give a mobile number or an e-mail address")
    return phone.number


def addresses_lost(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    """The problems that cost the patient an address."""
    return (problem for problem in problems if problem.is_address)
