"""Reading elements of a FHIR resource that may not be what the specification says they are."""

from __future__ import annotations

from datetime import date
from typing import Any


class MalformedError(ValueError):
    """An element has another shape than FHIR gives it. `path` is below the resource, as in `telecom[0]`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def objects(parent: dict[str, Any], name: str, path: str = "") -> list[dict[str, Any]]:
    """The objects in the list `name`, none when it is absent; raises `MalformedError` on anything else.

    `path` is where `parent` stands, for the error: empty, or such as `name[0]`.
    """
    where = f"{path}.{name}".lstrip(".")
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(where, "this has to be a list")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise MalformedError(f"{where}[{index}]", "this has to be an object")
    return value


def text(parent: dict[str, Any], name: str) -> str:
    """The string `name`, trimmed; empty when it is absent or no string."""
    value = parent.get(name)
    return value.strip() if isinstance(value, str) else ""


def flag(parent: dict[str, Any], name: str) -> bool | None:
    """The boolean `name`, None when it is absent; raises `MalformedError` on anything else."""
    value = parent.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise MalformedError(name, "this has to be true or false, without quotation marks")


def codes(concept: object, *systems: str) -> list[str]:
    """The codes of a CodeableConcept that are of one of `systems`, then those that name no system."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    usable = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    of_system = [text(coding, "code") for coding in usable if coding.get("system") in systems]
    of_none = [text(coding, "code") for coding in usable if coding.get("system") is None]
    return [code for code in of_system + of_none if code]


def in_use(element: dict[str, Any], today: date) -> bool:
    """Whether an identifier, name or telecom holds today: not marked old, and today lies in its period.

    The ends of a period may be partial dates, and are inclusive: `2019-05` lasts through May (FHIR R4,
    Period).
    """
    if element.get("use") == "old":
        return False
    period = element.get("period")
    if not isinstance(period, dict):
        return True
    start, end, now = text(period, "start")[:10], text(period, "end")[:10], today.isoformat()
    return start <= now[: len(start)] and not (end and end < now[: len(end)])
