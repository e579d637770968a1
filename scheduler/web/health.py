"""Is it alive, is it ready, and how much work waits: for supervisors, load balancers and Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from scheduler.bootstrap import App
from scheduler.domain.people import Channel
from scheduler.services.overview import A_DAY
from scheduler.web.access import anyone
from scheduler.web.site import Here, Site

router = APIRouter(dependencies=[Depends(anyone)])


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
def metrics(site: Here) -> Response:
    """Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(site.app))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """The installation's figures at the moment of asking. No clinic, patient or number is a label."""

    def __init__(self, app: App) -> None:
        self._app = app

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        now = self._app.clock.now()
        with self._app.store.reading() as unit:
            due, first = unit.gauges.due(now)
            ready_now = unit.gauges.ready(now)
            counted = unit.gauges.messages(now - A_DAY)
            tasks = unit.gauges.open_tasks()
        messages = GaugeMetricFamily(
            "bonewise_messages_24h",
            "Messages planned in the last 24 hours, by the status they are in now.",
            labels=["channel", "status"],
        )
        for (channel, status), count in sorted(counted.items()):
            messages.add_metric([channel.value, status.value], count)
        waiting = GaugeMetricFamily(
            "bonewise_messages_waiting", "Planned messages whose time has come.", labels=["channel"]
        )
        for channel in Channel:
            waiting.add_metric([channel.value], ready_now.get(channel, 0))
        age = (now - first).total_seconds() if first else 0.0
        return (
            messages,
            waiting,
            GaugeMetricFamily("bonewise_patients_due", "Patients who are due and not planned for yet.", due),
            GaugeMetricFamily("bonewise_oldest_due_seconds", "How long the first of them has been due.", age),
            GaugeMetricFamily("bonewise_tasks_open", "Tasks that wait for a person.", tasks),
        )
