"""Results of a patient: recorded, and voided when that was a mistake."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from scheduler.services.care import Deciding
from scheduler.services.facts import ResultError, ResultKind, add_result
from scheduler.services.voiding import UnknownResultError, Voided, void_result
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.patient_page import date_from, do, require, to_patient, uuid_from
from scheduler.web.staff.session import Carer

router = APIRouter(prefix="/patients/{mrn}/result")

MOST_MONTHS = 120
_FIELDS = ("kind", "taken_on", "value", "unit", "next_months")


@router.post("")
def result(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Record a result, which ends the pathway's cycle. The same one again changes nothing, and the page says so."""
    is_new: list[bool] = []
    refused = do(
        request,
        site,
        who,
        mrn,
        lambda about: is_new.append(_record(site, about, fields)),
        opened="results",
        typed={name: fields.get(name, "") for name in _FIELDS},
    )
    if not is_new:
        return refused
    return to_patient(mrn, "results-title", done="result" if is_new[0] else "same-result")


def _record(site: Site, about: Deciding, fields: dict[str, str]) -> bool:
    kind, months = fields.get("kind", ""), fields.get("next_months", "").strip()
    value, unit = fields.get("value", "").strip(), fields.get("unit", "").strip()
    if kind not in list(ResultKind):
        raise ResultError("choose what was done", field="kind")
    if months and not (months.isascii() and months.isdecimal() and 1 <= int(months[:4]) <= MOST_MONTHS):
        raise ResultError(
            f"the months until the next one: write a number from 1 to {MOST_MONTHS}", field="next_months"
        )
    return add_result(
        site.app.store,
        site.app.rules,
        about.clinic,
        mrn=about.mrn,
        kind=ResultKind(kind),
        taken_on=date_from(fields.get("taken_on", ""), field="taken_on"),
        value=value or None,
        unit=unit or None,
        next_months=int(months) if months else None,
        by=about.by,
        now=about.now,
    )


@router.post("/{result_id}/void")
def void(request: Request, site: Here, who: Carer, mrn: str, result_id: str, fields: OwnLongFields) -> Response:
    """Void a result that was recorded by mistake, with the reason."""
    require(site, who, mrn)
    reason, which = fields.get("reason", ""), uuid_from(result_id)
    came: list[Voided] = []

    def act(about: Deciding) -> None:
        came.append(void_result(site.app.store, site.app.rules, about, result_id=which, reason=reason))

    try:
        refused = do(request, site, who, mrn, act, opened=f"void-{which}", field="reason", typed={"reason": reason})
    except UnknownResultError as error:
        raise HTTPException(404, "This patient has no such result.") from error
    if not came:
        return refused
    done = "void-left" if came[0].left else "void-back" if came[0].put_back else "void"
    return to_patient(mrn, "results-title", done=done)
