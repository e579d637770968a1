"""The peer that schedules: APScheduler with a durable store and a job per patient."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from psycopg_pool import ConnectionPool

from tests.bench.laps import Run
from tests.bench.peers import reminders, table
from tests.bench.people import ENROLLED, YEAR, ZONE, phone_of

_LONGEST = 120.0  # seconds for one spike
_THREADS = 10  # APScheduler's own number
_ADDED_A_SECOND = 150  # jobs that a slow machine adds
_LOCAL_TABLE = "CREATE TABLE reminders (id integer PRIMARY KEY, phone text, status text, sid text)"
_MARK_LOCALLY = "UPDATE reminders SET status = 'sent', sid = ? WHERE id = ?"


@lru_cache
def _pool(database: str) -> ConnectionPool:
    """Connections of this process, for jobs that are stored by name and arguments."""
    return ConnectionPool(
        table.dsn_of(database), min_size=_THREADS, max_size=_THREADS, kwargs={"autocommit": True}, open=True
    )


def text(database: str, number: int, phone: str, url: str) -> None:
    """A job that texts and records, as the tutorials have it."""
    sid = reminders.send(reminders.shared_client(url), phone)
    with _pool(database).connection() as connection:
        connection.execute(table.MARK_SENT, (sid, number))


_local = threading.local()


def record_locally(file: str, number: int, phone: str) -> None:
    """A job whose provider takes everything at once, recorded in a SQLite file."""
    body = reminders.render()
    if not hasattr(_local, "connection"):
        _local.connection = _open_local(file)
    _local.connection.execute(_MARK_LOCALLY, (f"SM{number:032x}", number))
    assert body and phone


def spike(*, database: str, patients: int, url: str, forgiving: bool = True) -> Run:
    """Add a job per patient on PostgreSQL, all due now, then let the scheduler notice and run them.

    `forgiving`: no misfire grace time. APScheduler's own is one second, and drops what it finds later than that.
    """
    table.fill(database, patients)
    _pool(database).wait()
    jobs = [[database, number, phone_of(number), url] for number in range(patients)]
    run = _run(database, text, jobs, threads=_THREADS, forgiving=forgiving)
    _pool(database).close()
    if forgiving:
        table.check(run, database, patients)
    return run


def null_spike_on_sqlite(*, database: str, patients: int) -> Run:
    """The same on SQLite, with a provider that takes everything at once.

    The reminders have a file of their own and one thread: more of them only wait for each other's write lock.
    """
    file = database.removeprefix("sqlite:///").removesuffix(".db") + ".reminders.db"
    connection = _open_local(file)
    connection.execute(_LOCAL_TABLE)
    rows = [(number, phone_of(number)) for number in range(patients)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO reminders VALUES (?, ?, 'due', NULL)", rows)
    connection.execute("COMMIT")
    jobs = [[file, number, phone] for number, phone in rows]
    run = _run(database, record_locally, jobs, threads=1, forgiving=True)
    found = connection.execute("SELECT count(DISTINCT sid) FROM reminders WHERE status = 'sent'").fetchone()
    run.expect("reminders marked sent", found=found[0], wanted=patients)
    connection.close()
    for left in Path(file).parent.glob(f"{Path(file).name}*"):
        left.unlink()
    return run


def _run(
    database: str, job: Callable[..., None], arguments: Sequence[Sequence[object]], *, threads: int, forgiving: bool
) -> Run:
    run, finished = Run(), threading.Semaphore(0)
    failed: list[str] = []
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=database)},
        executors={"default": {"type": "threadpool", "max_workers": threads}},
        timezone="UTC",
    )
    scheduler.add_listener(lambda event: failed.append(str(event.exception)), EVENT_JOB_ERROR)
    scheduler.add_listener(lambda _: finished.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    scheduler.start(paused=True)
    # Without its grace the scheduler must be awake when the minute comes, or it would drop everything at once.
    ahead = 0.0 if forgiving else 1 + len(arguments) / _ADDED_A_SECOND
    due = datetime.now(UTC) + timedelta(seconds=ahead)
    grace: dict[str, Any] = {"misfire_grace_time": None} if forgiving else {}
    with run.lap("add", done=len(arguments)):
        for each in arguments:
            scheduler.add_job(job, "date", run_date=due, args=each, **grace)
    if not forgiving:
        scheduler.resume()
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    with run.lap("spike", done=len(arguments)):
        if forgiving:
            scheduler.resume()
        for _ in arguments:
            finished.acquire(timeout=_LONGEST)
    run.faults += failed[:3]
    scheduler.shutdown()
    return run


def year_of_triggers(*, patients: int) -> Run:
    """When a daily job would fire, all through a year, for each patient; what it would say is not asked."""
    run, fired = Run(), 0
    with run.lap("triggers", done=patients):
        for _ in range(patients):
            trigger = CronTrigger(hour=9, minute=30, timezone=ZONE)
            previous, now = None, ENROLLED
            for _ in range(YEAR):
                previous = now = trigger.get_next_fire_time(previous, now)
                fired += 1
    run.expect("times", found=fired, wanted=patients * YEAR)
    return run


def _open_local(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
