"""`serve`, `web`, `worker`, `tick`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from scheduler.cli.failures import FAILED
from scheduler.cli.output import opened, print_json
from scheduler.cli.values import whole

_host = click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on."
)
_port = click.option(
    "--port",
    default=8000,
    show_default=True,
    envvar="PORT",
    metavar="N",
    type=whole(0, 65535),
    help="Port to listen on; also PORT in the environment.",
)


@click.command("serve")
@_host
@_port
def serve_command(**where: Any) -> None:
    """Run web and scheduler in one process (the embedded default)."""
    from scheduler.runtime.embedded import serve

    with opened(is_worker=True) as app:
        serve(app, **where, with_scheduler=True)


@click.command("web")
@_host
@_port
def web_command(**where: Any) -> None:
    """Run the web half only."""
    from scheduler.runtime.embedded import serve

    with opened() as app:
        serve(app, **where, with_scheduler=False)


@click.command("worker")
def worker_command() -> None:
    """Run the scheduler half only, until SIGTERM."""
    with opened(is_worker=True) as app:
        if app.has_job_queue:
            from scheduler.runtime.cluster import work
        else:
            from scheduler.runtime.embedded import work
        work(app)


@click.command("tick")
@click.option("--json", "_as_json", is_flag=True, hidden=True)  # it always prints JSON
def tick_command(_as_json: bool) -> int:
    """Do all work that is due now, once, and exit. Prints what it did as JSON."""
    with opened(is_worker=True) as app:
        report = app.ticker.tick()
    print_json(asdict(report))
    return FAILED if report.failed and not report.sent else 0
