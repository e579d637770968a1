"""The peer that dequeues in batches: PgQueuer, a job per message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from tests.bench.laps import Run
from tests.bench.peers import reminders, table
from tests.bench.people import phone_of

_DEQUEUED_AT_ONCE = 100
_CONNECTIONS = 10
_ENTRYPOINT = "remind"
_MARK_SENT = table.MARK_SENT.replace("%s", "$1", 1).replace("%s", "$2")
_MARK_MANY_SENT = table.MARK_MANY_SENT.replace("%s", "$1", 1).replace("%s", "$2")

_asyncpg: Any = import_module("asyncpg")


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
    async with (
        _manager(dsn) as manager,
        _asyncpg.create_pool(dsn, min_size=_CONNECTIONS, max_size=_CONNECTIONS) as pool,
    ):

        async def remind(job: Any) -> None:
            number = int(job.payload)
            sid = await reminders.send_async(client, phone_of(number))
            await pool.execute(_MARK_SENT, sid, number)

        async def remind_many(job: Any) -> None:
            numbers = json.loads(job.payload)
            sids = await asyncio.gather(*(reminders.send_async(client, phone_of(number)) for number in numbers))
            await pool.execute(_MARK_MANY_SENT, sids, numbers)

        manager.entrypoint(_ENTRYPOINT)(remind if per_job == 1 else remind_many)
        await _enqueue(manager, patients, per_job, run)
        with run.lap("spike", done=patients):
            await manager.run(
                batch_size=_DEQUEUED_AT_ONCE if per_job == 1 else 2,
                mode=types.QueueExecutionMode.drain,
                max_concurrent_tasks=2 * _DEQUEUED_AT_ONCE if per_job == 1 else 4,
            )
    await client.http_client.close()
    return run


@asynccontextmanager
async def _manager(dsn: str) -> AsyncIterator[Any]:
    drivers: Any = import_module("pgqueuer.adapters.drivers.asyncpg")
    queries: Any = import_module("pgqueuer.queries")
    managers: Any = import_module("pgqueuer.qm")
    connection = await _asyncpg.connect(dsn)
    try:
        kept = queries.Queries(drivers.AsyncpgDriver(connection))
        await kept.install()
        yield managers.QueueManager(kept)
    finally:
        await connection.close()


async def _enqueue(manager: Any, patients: int, per_job: int, run: Run) -> None:
    starts = range(0, patients, per_job)
    payloads = [json.dumps(list(range(n, min(n + per_job, patients)))) if per_job > 1 else str(n) for n in starts]
    with run.lap("add", done=patients):
        await manager.queries.enqueue(
            [_ENTRYPOINT] * len(payloads), [each.encode() for each in payloads], [0] * len(payloads)
        )
