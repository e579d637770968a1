"""Patients, for other programs."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from scheduler.services.listing import patients
from scheduler.web.api.access import ReadingProgram
from scheduler.web.site import Here

router = APIRouter(prefix="/api/v1")


@router.get("/patients/{mrn}", summary="One patient, and where they stand on each pathway", tags=["patients"])
def patient(site: Here, program: ReadingProgram, mrn: str) -> Response:
    """As `bonewise patients --json` shows one. That the program looked goes on record."""
    app, clinic = site.app, program.clinic
    with app.store.writing() as unit:
        known = unit.patients.by_mrn(clinic.id, [mrn]).get(mrn)
        found = patients(unit, app.rules, clinic, mrn=mrn) if known is not None else []
        if known is None or not found:
            raise HTTPException(404, "This clinic has no patient with that MRN.")
        entry = (clinic.id, "patient viewed", known.id, "")
        unit.installation.audit([entry], actor=program.actor, now=app.clock.now())
    return JSONResponse(jsonable_encoder(found[0]))
