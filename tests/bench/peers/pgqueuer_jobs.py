"""The peer that dequeues in batches: PgQueuer, a job per message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from tests.bench.people import phone_of
from tests.bench.laps import Run
from tests.bench.peers import reminders, table

_DEQUEUED_AT_ONCE = 100
_CONNECTIONS = 10
_ENTRYPOINT = "remind"


def spike(*, database: str, patients: int, url: str, per_job: int = 1) -> Run:
    """Enqueue the reminders, all due now, `per_job` in each job; then one worker until none is left.

    One in each job is how the package is meant to be used. With a hundred, a job renders all of its texts, has them
    sent side by side and records them by one statement: a batch of the user's own making.
    """
    table.fill(database, patients)
    run = asyncio.run(_spike(database, patients, url, per_job))
    table.check(run, database, patients)
    return run


async def _spike(database: str, patients: int, url: str, per_job: int) -> Run:
    types: Any = import_module("pgqueuer.types")
    dsn, run, client = table.dsn_of(database), Run(), reminders.async_twilio_client(url)
    async with _manager(dsn) as manager, _pool(dsn) as pool:

        async def remind(job: Any) -> None:
            numbers = json.loads(job.payload)
            sent = [reminders.send_async(client, phone_of(number)) for number in numbers]
            sids = [await sent[0]] if len(sent) == 1 else await asyncio.gather(*sent)
            async with pool.connection() as connection:
                if len(numbers) == 1:
                    await connection.execute(table.MARK_SENT, (sids[0], numbers[0]))
                else:
                    await connection.execute(table.MARK_MANY_SENT, (sids, numbers))

        manager.entrypoint(_ENTRYPOINT)(remind)
        await _enqueue(manager, patients, per_job, run)
        with run.lap("spike", done=patients):
            await manager.run(
                batch_size=_DEQUEUED_AT_ONCE if per_job == 1 else 2,
                mode=types.QueueExecutionMode.drain,
                max_concurrent_tasks=2 * _DEQUEUED_AT_ONCE if per_job == 1 else 4,
                dequeue_timeout=timedelta(seconds=0.05),
            )
    await client.http_client.close()
    return run


@asynccontextmanager
async def _manager(dsn: str) -> AsyncIterator[Any]:
    drivers: Any = import_module("pgqueuer.adapters.drivers.psycopg")
    queries: Any = import_module("pgqueuer.queries")
    managers: Any = import_module("pgqueuer.qm")
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        kept = queries.Queries(drivers.PsycopgDriver(connection))
        await kept.install()
        yield managers.QueueManager(kept)


@asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[Any]:
    settings = {"min_size": _CONNECTIONS, "max_size": _CONNECTIONS, "kwargs": {"autocommit": True}}
    async with AsyncConnectionPool(dsn, open=False, **settings) as pool:
        await pool.wait()
        yield pool


async def _enqueue(manager: Any, patients: int, per_job: int, run: Run) -> None:
    payloads = [
        json.dumps(list(range(start, min(start + per_job, patients)))).encode()
        for start in range(0, patients, per_job)
    ]
    with run.lap("add", done=patients):
        await manager.queries.enqueue([_ENTRYPOINT] * len(payloads), payloads, [0] * len(payloads))
