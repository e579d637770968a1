"""The peer that schedules: APScheduler with a durable store and a job per patient.

Set up as kindly as it allows: no misfire grace time (its default of one second drops most of a spike), its own
thread pool, and no record of what was sent beyond the job's removal.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from tests.bench import reminders
from tests.bench.clinic import ENROLLED, ZONE, phone_of
from tests.bench.laps import Run
from tests.bench.ours import YEAR

_LONGEST = 120.0  # seconds for one spike


def nothing(phone: str) -> None:
    """A job that does nothing."""


def render_only(phone: str) -> None:
    """A job whose provider takes everything at once."""
    reminders.render()


def text(phone: str, url: str) -> None:
    """A job that texts, as the tutorials have it."""
    reminders.send(reminders.shared_client(url), phone)


def spike(*, database: str, patients: int, job: str, url: str | None = None) -> Run:
    """Add a job per patient, all overdue, then let the scheduler notice and run them."""
    run, finished = Run(), threading.Semaphore(0)
    failed: list[str] = []
    scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=database)}, timezone="UTC")
    scheduler.add_listener(lambda event: failed.append(str(event.exception)), EVENT_JOB_ERROR)
    scheduler.add_listener(lambda _: finished.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start(paused=True)
    due = datetime.now(UTC) - timedelta(minutes=1)
    function = {"nothing": nothing, "render_only": render_only, "text": text}[job]
    with run.lap("add", done=patients):
        for number in range(patients):
            arguments = [phone_of(number)] if url is None else [phone_of(number), url]
            scheduler.add_job(function, "date", run_date=due, args=arguments, misfire_grace_time=None)
    with run.lap("run", done=patients):
        scheduler.resume()
        done = sum(finished.acquire(timeout=_LONGEST) for _ in range(patients))
    run.expect("jobs run", found=done - len(failed), wanted=patients)
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
