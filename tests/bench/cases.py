"""What is measured, each in a process of its own, and which figures are set beside which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.laps import Run
from tests.bench.stage import Stage

_THREADS = 16  # as many requests at once as the service makes
_RENDERS = 50_000


@dataclass(frozen=True)
class Case:
    """One thing to measure. `name` is how figures refer to it."""

    name: str
    measure: Callable[[Stage], Run]
    needs_postgres: bool = False


@dataclass(frozen=True)
class Shown:
    """One line of a table: a lap of a case."""

    label: str
    case: str
    lap: str


@dataclass(frozen=True)
class Comparison:
    """One of the service's figures with its peers and limits."""

    title: str
    unit: str
    ours: Shown
    others: tuple[Shown, ...]


def _spike(stage: Stage, database: str, *, null_sender: bool) -> Run:
    patients = stage.sizes.patients
    try:
        if null_sender:
            environment = stage.environment(database)
            return stage.measure("ours:spike", environment=environment, patients=patients, null_sender=True)
        return stage.measure_sending(
            "ours:spike",
            wanted=patients,
            arguments=lambda url: {
                "environment": stage.environment(database, twilio=url),
                "patients": patients,
                "null_sender": False,
            },
        )
    finally:
        stage.drop(database)


def _jobs(stage: Stage, database: str, job: str) -> Run:
    patients = stage.sizes.slow_patients
    try:
        if job != "text":
            return stage.measure("apscheduler_jobs:spike", database=database, patients=patients, job=job)
        return stage.measure_sending(
            "apscheduler_jobs:spike",
            wanted=patients,
            arguments=lambda url: {"database": database, "patients": patients, "job": job, "url": url},
        )
    finally:
        stage.drop(database)


def _loop(stage: Stage, database: str, threads: int) -> Run:
    patients = stage.sizes.looped_patients
    try:
        return stage.measure_sending(
            "tutorial:loop",
            wanted=patients,
            arguments=lambda url: {"database": database, "patients": patients, "url": url, "threads": threads},
        )
    finally:
        stage.drop(database)


def _bare(stage: Stage, database: str, function: str, size: str) -> Run:
    try:
        return stage.measure(f"bare_sql:{function}", database=database, **{size: stage.sizes.patients})
    finally:
        stage.drop(database)


def _enrol(stage: Stage, database: str) -> Run:
    try:
        environment = stage.environment(database)
        return stage.measure("ours:enrol", environment=environment, csv=str(stage.csv), rows=stage.sizes.patients)
    finally:
        stage.drop(database)


def _posts(stage: Stage) -> Run:
    count = stage.sizes.patients
    return stage.measure_sending(
        "limits:posts", wanted=count, arguments=lambda url: {"url": url, "count": count, "threads": _THREADS}
    )


CASES = (
    Case("null sqlite", lambda s: _spike(s, s.due_sqlite(), null_sender=True)),
    Case("jobs sqlite", lambda s: _jobs(s, s.sqlite(), "nothing")),
    Case("rendering jobs sqlite", lambda s: _jobs(s, s.sqlite(), "render_only")),
    Case("bare plan sqlite", lambda s: _bare(s, s.sqlite(), "plan", "patients")),
    Case("bare record sqlite", lambda s: _bare(s, s.sqlite(), "record", "patients")),
    Case("http sqlite", lambda s: _spike(s, s.due_sqlite(), null_sender=False)),
    Case("posts", _posts),
    Case("renders", lambda s: s.measure("limits:renders", count=_RENDERS)),
    Case("null postgres", lambda s: _spike(s, s.due_postgres(), null_sender=True), needs_postgres=True),
    Case("jobs postgres", lambda s: _jobs(s, s.empty_postgres(), "nothing"), needs_postgres=True),
    Case("bare plan postgres", lambda s: _bare(s, s.empty_postgres(), "plan", "patients"), needs_postgres=True),
    Case("bare record postgres", lambda s: _bare(s, s.empty_postgres(), "record", "patients"), needs_postgres=True),
    Case("http postgres", lambda s: _spike(s, s.due_postgres(), null_sender=False), needs_postgres=True),
    Case("loop 1", lambda s: _loop(s, s.empty_postgres(), 1), needs_postgres=True),
    Case("loop 16", lambda s: _loop(s, s.empty_postgres(), _THREADS), needs_postgres=True),
    Case("texting jobs postgres", lambda s: _jobs(s, s.empty_postgres(), "text"), needs_postgres=True),
    Case("year", lambda s: s.measure("ours:year_ahead", environment=s.environment(s.year_ahead))),
    Case("triggers", lambda s: s.measure("apscheduler_jobs:year_of_triggers", patients=s.sizes.year_patients)),
    Case("enrol sqlite", lambda s: _enrol(s, s.sqlite())),
    Case("bare insert sqlite", lambda s: _bare(s, s.sqlite(), "enrol", "rows")),
    Case("enrol postgres", lambda s: _enrol(s, s.empty_postgres()), needs_postgres=True),
    Case("bare insert postgres", lambda s: _bare(s, s.empty_postgres(), "enrol", "rows"), needs_postgres=True),
)

_POSTS = Shown("limit: urllib3 alone, 16 threads", "posts", "posts")
_RENDER = Shown("limit: Jinja2 alone", "renders", "renders")
_OVER_HTTP = (
    Shown("loop with twilio-python, 1 thread", "loop 1", "loop"),
    Shown("loop with twilio-python, 16 threads", "loop 16", "loop"),
    Shown("APScheduler, a job with twilio-python per patient", "texting jobs postgres", "run"),
)

COMPARISONS = (
    Comparison(
        "Plan, SQLite",
        "patients",
        Shown("Bonewise", "null sqlite", "plan"),
        (
            Shown("APScheduler, an empty job per patient", "jobs sqlite", "run"),
            Shown("limit: claim, insert and update in bare SQL", "bare plan sqlite", "plan"),
        ),
    ),
    Comparison(
        "Plan, PostgreSQL",
        "patients",
        Shown("Bonewise", "null postgres", "plan"),
        (
            Shown("APScheduler, an empty job per patient", "jobs postgres", "run"),
            Shown("limit: claim, insert and update in bare SQL", "bare plan postgres", "plan"),
        ),
    ),
    Comparison(
        "Morning spike, null sender, SQLite",
        "messages",
        Shown("Bonewise", "null sqlite", "spike"),
        (
            Shown("APScheduler, a rendering job per patient", "rendering jobs sqlite", "run"),
            _RENDER,
            Shown("limit: claim and record in bare SQL", "bare record sqlite", "record"),
        ),
    ),
    Comparison(
        "Morning spike, null sender, PostgreSQL",
        "messages",
        Shown("Bonewise", "null postgres", "spike"),
        (_RENDER, Shown("limit: claim and record in bare SQL", "bare record postgres", "record")),
    ),
    Comparison(
        "Morning spike over HTTP, SQLite", "messages", Shown("Bonewise", "http sqlite", "spike"), (_POSTS, _RENDER)
    ),
    Comparison(
        "Morning spike over HTTP, PostgreSQL",
        "messages",
        Shown("Bonewise", "http postgres", "spike"),
        (*_OVER_HTTP, _POSTS, Shown("limit: claim and record in bare SQL", "bare record postgres", "record")),
    ),
    Comparison(
        "Deliver what is planned over HTTP, PostgreSQL",
        "messages",
        Shown("Bonewise", "http postgres", "deliver"),
        (*_OVER_HTTP, _POSTS),
    ),
    Comparison(
        "Simulate",
        "patient-years",
        Shown("Bonewise, with the words of every message", "year", "simulate"),
        (
            Shown("limit: the planner's decisions alone", "year", "decide"),
            Shown("APScheduler, times of one daily trigger", "triggers", "triggers"),
        ),
    ),
    Comparison(
        "Enrol from CSV, SQLite",
        "patients",
        Shown("Bonewise", "enrol sqlite", "enrol"),
        (
            Shown("APScheduler, add_job", "jobs sqlite", "add"),
            Shown("limit: inserts of bare SQL", "bare insert sqlite", "insert"),
        ),
    ),
    Comparison(
        "Enrol from CSV, PostgreSQL",
        "patients",
        Shown("Bonewise", "enrol postgres", "enrol"),
        (
            Shown("APScheduler, add_job", "jobs postgres", "add"),
            Shown("limit: COPY", "bare insert postgres", "insert"),
        ),
    ),
)
