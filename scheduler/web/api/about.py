"""The description of the REST interface, for people and programs that write clients."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from scheduler import __version__
from scheduler.web.access import anyone
from scheduler.web.api import patients_api

router = APIRouter(prefix="/api/v1")


@router.get("/openapi.json", dependencies=[Depends(anyone)], include_in_schema=False)
def openapi() -> JSONResponse:
    """OpenAPI of every route below `/api/v1`."""
    return JSONResponse(_described())


@cache
def _described() -> dict[str, Any]:
    found: dict[str, Any] = get_openapi(title="Bonewise", version=__version__, routes=patients_api.router.routes)
    found.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"key": []}]
    return found
