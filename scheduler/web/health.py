"""Is it alive, is it ready, and how much work waits: for supervisors, load balancers and Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from scheduler.bootstrap import App
from scheduler.web.access import anyone
from scheduler.web.metrics import Meter, of_the_installation, of_this_process
from scheduler.web.site import Here, Site

router = APIRouter(dependencies=[Depends(anyone)])

_making = Lock()


def faults(site: Site) -> dict[str, str]:
    """What keeps the service from working, by part; empty when it is ready."""
    found = {
        "database": site.app.database_fault(),
        "scheduler": site.scheduler.fault() if site.scheduler else None,
    }
    return {part: fault for part, fault in found.items() if fault}


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def live() -> PlainTextResponse:
    """200 as long as the process lives: it asks nobody else."""
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=["GET", "HEAD"])
def ready(site: Here) -> JSONResponse:
    """200, or 503 when the database cannot be read or the scheduler of this process does no work."""
    found = faults(site)
    parts = ("database", "scheduler") if site.scheduler else ("database",)
    body = {"ready": not found} | {part: found.get(part, "ok") for part in parts}
    return JSONResponse(body, status_code=503 if found else 200)


@router.get("/metrics")
def metrics(request: Request, site: Here) -> Response:
    """Prometheus text format. Without the database, what this process knows by itself and that it is missing."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(site.app, _meter(request.app.state, site.app)))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _meter(state: Any, app: App) -> Meter:
    """The one of this web application: what it has counted so far goes on."""
    with _making:
        if not hasattr(state, "meter"):
            state.meter = Meter(app)
        meter: Meter = state.meter
        return meter


class _Figures(Collector):
    """The figures at the moment of asking."""

    def __init__(self, app: App, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        database = self._app.engine.dialect.name
        try:
            reading = self._meter.read()
        except self._app.store_unavailable:
            return of_this_process(database_up=False, database=database)
        return (*of_this_process(database_up=True, database=database), *of_the_installation(reading))
