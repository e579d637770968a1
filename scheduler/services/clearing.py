"""The supplements of one patient that clinicians decide on, and what the patient hears of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from scheduler.domain.clearing import Cleared, answer_to_all, is_same_name, waited_together
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.ports import Unit
from scheduler.records import Clearance

_NOT_YET = datetime.max.replace(tzinfo=UTC)


class Decision(StrEnum):
    """A clinician's decision on a supplement case; each is a fact of the same name."""

    CLEARED = "cleared"
    NOT_CLEARED = "not_cleared"
    COME_IN = "come_in"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a patient waits to hear of beside one case of theirs."""

    still_open: tuple[Clearance, ...]  # other cases; nothing is said before they are decided
    decided: tuple[str, ...]  # on cases that waited together with this one, and of which nothing was said yet

    def answer(self, decision: Decision) -> Decision:
        """What the patient hears when the case is decided so, and is the last."""
        return Decision(answer_to_all((decision, *self.decided)))


def asked_by(unit: Unit, case: Clearance) -> Asked:
    """What the patient of `case` waits to hear of beside it."""
    others = [
        one for one in unit.worklist.clearances(case.clinic_id, patient_id=case.patient_id) if one.id != case.id
    ]
    told = _answers_planned(unit, case) if any(one.decision for one in others) else []
    decided = [
        Cleared(one.opened_at, _told_at(one.decided_at, told), one.decision)
        for one in others
        if one.decision and one.decided_at
    ]
    return Asked(
        still_open=tuple(one for one in others if one.decision is None),
        decided=tuple(one.decision for one in waited_together(case.opened_at, decided)),
    )


def _answers_planned(unit: Unit, case: Clearance) -> list[tuple[datetime, bool]]:
    """When each answer to the patient was planned, and whether it stood when the next case was opened."""
    return sorted(
        (row.planned_at, (row.status, row.reason) != (MessageStatus.SKIPPED, SkipReason.SUPERSEDED))
        for row in unit.ledger.entries(case.clinic_id, mrn=case.patient)
        if row.kind == MessageKind.NOTICE and row.template in list(Decision)
    )


def _told_at(decided_at: datetime, planned: Iterable[tuple[datetime, bool]]) -> datetime:
    """When the patient was told of a decision: as it was made, or by a later answer where that one was void."""
    answers = [(at, stood) for at, stood in planned if at >= decided_at]
    if not answers or answers[0][1]:
        return decided_at
    return next((at for at, stood in answers if stood), _NOT_YET)


def open_case_of(unit: Unit, clinic_id: int, patient_id: UUID, named: str) -> Clearance | None:
    """The patient's open case about a supplement of this name, if there is one."""
    return next(
        (
            one
            for one in unit.worklist.clearances(clinic_id, patient_id=patient_id)
            if one.decision is None and is_same_name(one.named, named)
        ),
        None,
    )
