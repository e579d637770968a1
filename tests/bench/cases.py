"""What is measured, each in a process of its own, and what each needs that may be missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from tests.bench.databases import Patients
from tests.bench.laps import Run
from tests.bench.stage import Stage

POSTGRES, REDIS = "PostgreSQL", "Redis"
_RENDERS = 50_000
_SLOW_PROVIDER = 0.05  # seconds until it answers
_NOT_QUICK = frozenset(
    ("one worker null", "two workers null", "one worker slow", "two workers slow", "plan mixed", "plan bare", "year",
     "triggers", "enrol sqlite", "record sqlite", "null sqlite together", "curl posts")
)  # fmt: skip
_TOGETHER, _MIXED = Patients.TOGETHER, Patients.MIXED


@dataclass(frozen=True)
class Case:
    """One thing to measure. `name` is how figures refer to it; `needs` names servers and packages."""

    name: str
    measure: Callable[[Stage], Run]
    needs: frozenset[str] = frozenset()

    @property
    def is_quick(self) -> bool:
        """Whether a quick run has it."""
        return self.name not in _NOT_QUICK


def lacking(cases: Iterable[Case], missing: dict[str, str]) -> dict[str, str]:
    """The cases that cannot be measured here, each with the reason; `missing` is what the stage could not have."""
    found = {}
    for case in cases:
        reasons = [missing[name] for name in sorted(case.needs & missing.keys())]
        absent = [name for name in sorted(case.needs - {POSTGRES, REDIS}) if find_spec(name) is None]
        if absent:
            reasons.append(f"not installed: {', '.join(absent)} (requirements/bench.txt, or `make bench`)")
        if reasons:
            found[case.name] = "; ".join(reasons)
    return found


def _on_copy(stage: Stage, database: str, measure: Callable[[], Run]) -> Run:
    try:
        return measure()
    finally:
        stage.databases.drop(database)


def _ours(
    stage: Stage, function: str, database: str, standing: Patients, *, latency: float = 0.0, **more: object
) -> Run:
    """One of our own, over HTTP unless `null_sender`; `latency` is the seconds that the provider takes to answer."""
    patients = stage.sizes.patients
    given = {"at": standing.morning.isoformat(), "patients": patients, **more}
    environment = stage.databases.environment

    def measure() -> Run:
        if "null_sender" in more or function == "ours:plan_only":
            return stage.measure(function, environment=environment(database), **given)
        return stage.measure_sending(
            function,
            wanted=patients,
            arguments=lambda url: {"environment": environment(database, twilio=url), **given},
            latency=latency,
        )

    return _on_copy(stage, database, measure)


def _peer(stage: Stage, function: str, patients: int, **more: object) -> Run:
    """One of the others, over HTTP, on PostgreSQL."""
    database = stage.databases.empty_postgres()

    def measure() -> Run:
        return stage.measure_sending(
            f"peers.{function}",
            wanted=patients,
            arguments=lambda url: {"database": database, "patients": patients, "url": url, **more},
        )

    return _on_copy(stage, database, measure)


def _on_empty(stage: Stage, function: str, database: str, **arguments: object) -> Run:
    return _on_copy(stage, database, lambda: stage.measure(function, database=database, **arguments))


def _enrol(stage: Stage, database: str) -> Run:
    environment, csv = stage.databases.environment(database), str(stage.databases.csv(stage.sizes.patients))
    return _on_copy(
        stage,
        database,
        lambda: stage.measure("ours:enrol", environment=environment, csv=csv, rows=stage.sizes.patients),
    )


def _posts(stage: Stage, function: str) -> Run:
    count = stage.sizes.patients
    return stage.measure_sending(function, wanted=count, arguments=lambda url: {"url": url, "count": count})


def _year(stage: Stage) -> Run:
    database = stage.databases.due_sqlite(_TOGETHER, patients=stage.sizes.year_patients)
    environment = stage.databases.environment(database)
    return _on_copy(stage, database, lambda: stage.measure("ours:year_ahead", environment=environment))


def _spike(standing: Patients) -> Callable[[Stage], Run]:
    return lambda stage: _ours(stage, "ours:spike", stage.databases.due_postgres(standing), standing)


def _deliver(standing: Patients) -> Callable[[Stage], Run]:
    return lambda stage: _ours(stage, "ours:deliver", stage.databases.planned_postgres(standing), standing)


def _on_sqlite(standing: Patients) -> Callable[[Stage], Run]:
    return lambda stage: _ours(stage, "ours:spike", stage.databases.due_sqlite(standing), standing, null_sender=True)


def _workers(number: int, *, latency: float = 0.0, **more: object) -> Callable[[Stage], Run]:
    def measure(stage: Stage) -> Run:
        database = stage.databases.due_postgres(_MIXED)
        return _ours(stage, "workers:spike", database, _MIXED, latency=latency, workers=number, **more)

    return measure


def _slow(function: str, **more: object) -> Callable[[Stage], Run]:
    return lambda stage: _peer(stage, function, stage.sizes.slow_peers, **more)


def _quick(function: str, **more: object) -> Callable[[Stage], Run]:
    return lambda stage: _peer(stage, function, stage.sizes.quick_peers, **more)


def _bare(function: str, empty: Callable[[Stage], str]) -> Callable[[Stage], Run]:
    return lambda stage: _on_empty(stage, f"limits.bare_sql:{function}", empty(stage), patients=stage.sizes.patients)


def _postgres(stage: Stage) -> str:
    return stage.databases.empty_postgres()


def _sqlite(stage: Stage) -> str:
    return stage.databases.empty_sqlite()


def _plan(stage: Stage) -> Run:
    return _ours(stage, "ours:plan_only", stage.databases.due_postgres(_MIXED), _MIXED)


def _celery(stage: Stage) -> Run:
    return _peer(stage, "celery_worker:spike", stage.sizes.quick_peers, redis=stage.redis)


def _apscheduler_on_sqlite(stage: Stage) -> Run:
    function = "peers.apscheduler_jobs:null_spike_on_sqlite"
    return _on_empty(stage, function, _sqlite(stage), patients=stage.sizes.slow_peers)


def _triggers(stage: Stage) -> Run:
    return stage.measure("peers.apscheduler_jobs:year_of_triggers", patients=stage.sizes.year_patients)


def _case(name: str, measure: Callable[[Stage], Run], *needs: str) -> Case:
    return Case(name, measure, frozenset(needs))


_PGQUEUER = (POSTGRES, "pgqueuer", "asyncpg")

# In this order they take turns, so that ours and a peer's are never far apart.
CASES = (
    _case("spike mixed", _spike(_MIXED), POSTGRES),
    _case("apscheduler", _slow("apscheduler_jobs:spike"), POSTGRES),
    _case("spike together", _spike(_TOGETHER), POSTGRES),
    _case("celery", _celery, POSTGRES, REDIS, "celery", "redis"),
    _case("deliver mixed", _deliver(_MIXED), POSTGRES),
    _case("procrastinate", _slow("procrastinate_jobs:spike"), POSTGRES),
    _case("tutorial", _slow("tutorial:loop"), POSTGRES),
    _case("deliver together", _deliver(_TOGETHER), POSTGRES),
    _case("pgqueuer", _quick("pgqueuer_jobs:spike"), *_PGQUEUER),
    _case("pgqueuer hundreds", _quick("pgqueuer_jobs:spike", per_job=100), *_PGQUEUER),
    _case("socket posts", lambda stage: _posts(stage, "limits.parts:socket_posts")),
    _case("curl posts", lambda stage: _posts(stage, "limits.parts:curl_posts")),
    _case("record postgres", _bare("record", _postgres), POSTGRES),
    _case("renders", lambda stage: stage.measure("limits.parts:renders", count=_RENDERS)),
    _case("apscheduler as it comes", _slow("apscheduler_jobs:spike", forgiving=False), POSTGRES),
    _case("one worker", _workers(1), POSTGRES),
    _case("two workers", _workers(2), POSTGRES),
    _case("one worker slow", _workers(1, latency=_SLOW_PROVIDER), POSTGRES),
    _case("two workers slow", _workers(2, latency=_SLOW_PROVIDER), POSTGRES),
    _case("one worker null", _workers(1, null_sender=True), POSTGRES),
    _case("two workers null", _workers(2, null_sender=True), POSTGRES),
    _case("plan mixed", _plan, POSTGRES),
    _case("plan bare", _bare("plan", _postgres), POSTGRES),
    _case("null sqlite mixed", _on_sqlite(_MIXED)),
    _case("apscheduler sqlite", _apscheduler_on_sqlite),
    _case("null sqlite together", _on_sqlite(_TOGETHER)),
    _case("record sqlite", _bare("record", _sqlite)),
    _case("enrol sqlite", lambda stage: _enrol(stage, _sqlite(stage))),
    _case("enrol postgres", lambda stage: _enrol(stage, _postgres(stage)), POSTGRES),
    _case("year", _year),
    _case("triggers", _triggers),
)
