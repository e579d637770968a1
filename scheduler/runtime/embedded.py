"""One process that does it all: the web pages and the scheduler, or one of the two."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from scheduler import garbage
from scheduler.bootstrap import App
from scheduler.runtime.scheduler import EmbeddedScheduler
from scheduler.runtime.server import WebServer, listen
from scheduler.web.app import create_app

_SWITCH = (
    0.001  # seconds a thread may work while the one that answers requests waits; Python's own is five times that
)
_LOOK_EVERY = 1.0  # seconds between two looks at whether the scheduler still lives


class SchedulerDiedError(RuntimeError):
    """The scheduler ended by itself: whoever supervises the process should start it again."""


def serve(app: App, *, host: str, port: int, with_scheduler: bool) -> None:
    """Serve the web pages, with the scheduler beside them or without, until SIGTERM or SIGINT.

    On the signal, requests under way and the batch in hand are finished. Raises what keeps it from starting.
    """
    app.warm_up()
    garbage.never_look_again()
    sys.setswitchinterval(_SWITCH)
    scheduler = _scheduler(app) if with_scheduler else None
    web = create_app(app, scheduler=scheduler)
    listening = listen(host, port)

    def stop_soon() -> None:
        app.stopping.set()  # ends what streams, and a clock that runs fast
        if scheduler is not None:
            scheduler.stop_soon()

    server = WebServer(web, listening, on_stop=stop_soon)
    with listening, server.signals(), _running(scheduler):
        server.run()


def work(app: App) -> None:
    """Run the scheduler alone until SIGTERM or SIGINT: the worker of SQLite. Raises `SchedulerDiedError`."""
    app.warm_up()
    garbage.never_look_again()
    scheduler = _scheduler(app)
    # An event would not do: a signal that came while this thread holds its lock would wait for itself.
    asked = SimpleQueue[None]()

    def stop(*_: object) -> None:
        asked.put(None)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with _running(scheduler):
            while not _is_asked(asked):
                if not scheduler.is_alive():
                    raise SchedulerDiedError("the scheduler's thread has ended; start the worker again")
            scheduler.stop_soon()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_asked(asked: SimpleQueue[None]) -> bool:
    try:
        asked.get(timeout=_LOOK_EVERY)
    except Empty:
        return False
    return True


def _scheduler(app: App) -> EmbeddedScheduler:
    return EmbeddedScheduler(
        work=app.ticker,
        store=app.store,
        worker=app.worker_name,
        every=app.settings.tick_seconds,
        turn=app.turn,
    )


@contextmanager
def _running(scheduler: EmbeddedScheduler | None) -> Iterator[None]:
    if scheduler is None:
        yield
        return
    scheduler.start()
    try:
        yield
    finally:
        scheduler.stop()
