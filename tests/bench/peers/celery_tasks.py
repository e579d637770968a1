"""Celery's side: one task finds what is due and hands out a task for each reminder, as a beat would have it.

Imported by Celery's own worker processes, which get everything by their environment.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.peers import reminders, table

_celery: Any = import_module("celery")
_signals: Any = import_module("celery.signals")
_process: dict[str, Any] = {}  # of one worker process: its connection and its client

app: Any = _celery.Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    worker_send_task_events=False,
    worker_prefetch_multiplier=8,
    broker_connection_retry_on_startup=True,
)


def _begin(**_: object) -> None:
    dsn = table.dsn_of(os.environ["BENCH_DATABASE"])
    _process["connection"] = psycopg.connect(dsn, autocommit=True)
    _process["client"] = reminders.twilio_client(os.environ["BENCH_PROVIDER"])


def _tell_ready(**_: object) -> None:
    Path(os.environ["BENCH_READY"]).touch()


def _remind(number: int, phone: str) -> None:
    sid = reminders.send(_process["client"], phone)
    _process["connection"].execute(table.MARK_SENT, (sid, number))


def _dispatch() -> None:
    with app.producer_or_acquire() as producer:
        for number, phone in _process["connection"].execute(table.DUE).fetchall():
            remind.apply_async((number, phone), producer=producer)


_signals.worker_process_init.connect(_begin, weak=False)
_signals.worker_ready.connect(_tell_ready, weak=False)
remind: Any = app.task(_remind, name="remind")
dispatch: Any = app.task(_dispatch, name="dispatch")
