"""Which figures are shown, and which ratios between them are to be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """One line of a table: a lap of a case. `name` is what a ratio to it is called, when that is not the label."""

    label: str
    case: str
    lap: str = "spike"
    is_peer: bool = True  # False: the service's own, of which a lost or doubled message is a fault
    name: str = ""


@dataclass(frozen=True)
class Table:
    """Lines side by side. `unit` is what is counted; `ours` is the line that the others are compared to."""

    title: str
    unit: str
    lines: tuple[Shown, ...]

    @property
    def ours(self) -> Shown:
        return self.lines[0]


@dataclass(frozen=True)
class Target:
    """So many times the other's rate: at least with `twilio-python` in the path, and as an aim. None: no bar."""

    what: str
    ours: Shown
    other: Shown
    at_least: float | None
    aim: float | None


def _own(label: str, case: str, lap: str = "spike") -> Shown:
    return Shown(label, case, lap, is_peer=False)


_SPIKE = _own("Bonewise, patients mixed", "spike mixed")
_SPIKE_TOGETHER = _own("Bonewise, enrolled together", "spike together")
_DELIVER = _own("Bonewise, patients mixed", "deliver mixed", "deliver")
_DELIVER_TOGETHER = _own("Bonewise, enrolled together", "deliver together", "deliver")
_APSCHEDULER = Shown("APScheduler, a job per patient, PostgreSQL", "apscheduler", name="APScheduler")
_AS_IT_COMES = Shown("APScheduler with its own misfire grace of 1 s", "apscheduler as it comes")
_CELERY = Shown("Celery, Redis, 8 processes, a task per message", "celery", name="Celery")
_PROCRASTINATE = Shown("Procrastinate, a job per message", "procrastinate", name="Procrastinate")
_PGQUEUER = Shown("PgQueuer, a job per message", "pgqueuer")
_PGQUEUER_HUNDREDS = Shown("PgQueuer, a job per 100 messages", "pgqueuer hundreds")
_TUTORIAL = Shown("tutorial loop with twilio-python, 1 thread", "tutorial", name="tutorial loop")
_SOCKETS = Shown("limit: POSTs over bare sockets", "socket posts", "posts", name="bare sockets")
_CURL = Shown("limit: POSTs of libcurl alone", "curl posts", "posts")
_RECORD = Shown("limit: claim and record in bare SQL", "record postgres", "record")
_RENDERS = Shown("limit: Jinja2 alone", "renders", "renders")
_PEERS = (_APSCHEDULER, _AS_IT_COMES, _CELERY, _PROCRASTINATE, _PGQUEUER, _PGQUEUER_HUNDREDS, _TUTORIAL)
_NULL = _own("Bonewise, patients mixed", "null sqlite mixed")
_NULL_TOGETHER = _own("Bonewise, enrolled together", "null sqlite together")
_APSCHEDULER_SQLITE = Shown("APScheduler, a job per patient, SQLite", "apscheduler sqlite", name="APScheduler")
_ONE, _TWO = _own("1 worker", "one worker"), _own("2 workers", "two workers")
_ONE_NULL, _TWO_NULL = _own("1 worker", "one worker null"), _own("2 workers", "two workers null")
_ONE_SLOW, _TWO_SLOW = _own("1 worker", "one worker slow"), _own("2 workers", "two workers slow")
_ENROL = _own("Bonewise, PostgreSQL", "enrol postgres", "enrol")
_ENROL_SQLITE = _own("Bonewise, SQLite", "enrol sqlite", "enrol")
_ADD = Shown("APScheduler, add_job, PostgreSQL", "apscheduler", "add", name="add_job, PostgreSQL")
_ADD_SQLITE = Shown("APScheduler, add_job, SQLite", "apscheduler sqlite", "add", name="add_job, SQLite")

TABLES = (
    Table("The morning spike, over HTTP, PostgreSQL", "messages", (_SPIKE, _SPIKE_TOGETHER, *_PEERS)),
    Table(
        "Deliver what is planned, over HTTP, PostgreSQL",
        "messages",
        (_DELIVER, _DELIVER_TOGETHER, _SOCKETS, _CURL, _RECORD, _RENDERS),
    ),
    Table("Several workers, patients mixed, over HTTP, PostgreSQL", "messages", (_TWO, _ONE)),
    Table(
        "Several workers, patients mixed, a provider that takes 50 ms to answer, PostgreSQL",
        "messages",
        (_TWO_SLOW, _ONE_SLOW),
    ),
    Table("Several workers, patients mixed, PostgreSQL, null sender", "messages", (_TWO_NULL, _ONE_NULL)),
    Table(
        "Plan, PostgreSQL",
        "patients",
        (
            _own("Bonewise, patients mixed", "plan mixed", "plan"),
            Shown("limit: claim, insert and update in bare SQL", "plan bare", "plan"),
        ),
    ),
    Table(
        "The morning spike, null sender, SQLite",
        "messages",
        (
            _NULL,
            _NULL_TOGETHER,
            _APSCHEDULER_SQLITE,
            Shown("limit: claim and record in bare SQL", "record sqlite", "record"),
        ),
    ),
    Table("Enrol in bulk, from CSV", "patients", (_ENROL, _ADD)),
    Table("Enrol in bulk, from CSV, SQLite", "patients", (_ENROL_SQLITE, _ADD_SQLITE)),
    Table(
        "Simulate",
        "patient-years",
        (
            _own("Bonewise, with the words of every message", "year", "simulate"),
            Shown("the planner's decisions alone", "year", "decide"),
            Shown("APScheduler, times of one daily trigger", "triggers", "triggers"),
        ),
    ),
)


def _against(
    what: str, ours: Shown, bars: tuple[tuple[Shown, float | None, float | None], ...]
) -> tuple[Target, ...]:
    return tuple(Target(what, ours, other, at_least, aim) for other, at_least, aim in bars)


_DELIVER_BARS = (
    (_CELERY, 10, 25),
    (_PROCRASTINATE, 15, 40),
    (_TUTORIAL, 13, 35),
    (_APSCHEDULER, 22, 60),
    (_PGQUEUER, 2.5, 6),
    (_PGQUEUER_HUNDREDS, 2.5, 6),
    (_SOCKETS, None, 0.6),
)
_SPIKE_BARS = (
    (_CELERY, 8, 12),
    (_PROCRASTINATE, 12, 18),
    (_TUTORIAL, 10, 15),
    (_APSCHEDULER, 15, 20),
    (_PGQUEUER, 2, 3),
    (_PGQUEUER_HUNDREDS, 2, 3),
)

TARGETS = (
    *_against("deliver what is planned, mixed", _DELIVER, _DELIVER_BARS),
    *_against("deliver what is planned, together", _DELIVER_TOGETHER, _DELIVER_BARS),
    *_against("whole spike, mixed", _SPIKE, _SPIKE_BARS),
    *_against("whole spike, together", _SPIKE_TOGETHER, _SPIKE_BARS),
    *_against("null sender on SQLite, mixed", _NULL, ((_APSCHEDULER_SQLITE, 30, 60),)),
    *_against("null sender on SQLite, together", _NULL_TOGETHER, ((_APSCHEDULER_SQLITE, 30, 60),)),
    *_against("2 workers against 1, HTTP", _TWO, ((_ONE, 1.5, 1.8),)),
    *_against("2 workers against 1, 50 ms a message", _TWO_SLOW, ((_ONE_SLOW, 1.5, 1.8),)),
    *_against("2 workers against 1, null sender", _TWO_NULL, ((_ONE_NULL, 1.5, 1.8),)),
    *_against("enrol in bulk", _ENROL, ((_ADD, 50, 100),)),
    *_against("enrol in bulk", _ENROL_SQLITE, ((_ADD_SQLITE, 50, 100),)),
)
MEMORY_OF = _SPIKE  # the worker whose memory is to stay below
MEMORY_AT_LEAST, MEMORY_AIM = 150, 100  # MB
SCAN_AT_LEAST, SCAN_AIM = 1.5, 1.1  # the largest database's due scan against the smallest's
IDLE_MS = 5
