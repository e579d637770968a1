"""Why a patient's activities are paused, as their own page tells it, and who may start them again.

The enrolment says that it is paused. Who paused it is read from what the patient was told then, and from the audit
trail: what the clinic holds is the clinic's to free, also when the patient has written PAUSE or fallen besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import takewhile

from scheduler.domain.contact import Enrolled
from scheduler.domain.messages import MessageKind
from scheduler.domain.wishes import repeats
from scheduler.ports import Unit
from scheduler.ports.patient_pages import PageMessage
from scheduler.services.situations import Loaded

_RESUMED = "resumed"
_DANGER = "safety"


class RestedBy(StrEnum):
    """Whose pause it is."""

    PATIENT = "patient"
    DANGER = "danger"  # the patient wrote of a fall or the like; they may start again when they want to
    CLINIC = "clinic"


@dataclass(frozen=True, slots=True)
class Rest:
    """A pause of what comes on days of the week. `until` None: until somebody lifts it."""

    by: RestedBy
    until: date | None

    @property
    def may_resume(self) -> bool:
        """Whether it is the patient's to lift."""
        return self.by is not RestedBy.CLINIC


def rest_of(unit: Unit, loaded: Loaded, said: Sequence[PageMessage]) -> Rest | None:
    """The pause of what repeats that holds today; None where nothing that repeats is paused.

    `said` are the latest messages to the patient, the newest first.
    """
    situation = loaded.situation
    held = [
        one for one in situation.enrolments if repeats(situation, one) and one.state.is_paused_on(situation.today)
    ]
    if not held:
        return None
    rests = [_rest(unit, loaded, one, said) for one in held]
    # Starting again starts all of them: one that the clinic holds keeps the others.
    order = (RestedBy.CLINIC, RestedBy.DANGER, RestedBy.PATIENT)
    return min(rests, key=lambda rest: order.index(rest.by))


def _rest(unit: Unit, loaded: Loaded, enrolled: Enrolled, said: Sequence[PageMessage]) -> Rest:
    state, clinic_id, patient_id = enrolled.state, loaded.clinic.id, loaded.patient.id
    told = unit.pages.told_of_rest(clinic_id, patient_id)
    staff = unit.pages.decided_by_staff(clinic_id, patient_id, state.pathway)
    # Whatever came before one of these is over: RESUME, being put on again, a reminder that went.
    went = next((one.at for one in said if one.pathway == state.pathway and one.kind is MessageKind.REMINDER), None)
    freed = [at for at, is_off in staff if not is_off]
    over = max([at for at in (went, *freed) if at is not None], default=None)
    resumed = next((at for at, template in told if template == _RESUMED), None)
    if any(is_off and _is_since(over, at) and _is_since(resumed, at) for at, is_off in staff[:1]):
        return Rest(RestedBy.CLINIC, None)
    own = [template for at, template in takewhile(lambda one: one[1] != _RESUMED, told) if _is_since(over, at)]
    if _DANGER in own:
        return Rest(RestedBy.DANGER, state.paused_until)
    is_own = bool(own) or state.paused_until is not None  # staff's has no end
    return Rest(RestedBy.PATIENT if is_own else RestedBy.CLINIC, state.paused_until)


def _is_since(start: datetime | None, at: datetime) -> bool:
    return start is None or at >= start
