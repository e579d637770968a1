"""The peer that queues in PostgreSQL: Procrastinate, a job per message."""

from __future__ import annotations

import asyncio
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg_pool import AsyncConnectionPool
from twilio.rest import Client

from tests.bench.laps import Run
from tests.bench.peers import reminders, table
from tests.bench.people import phone_of

_CONCURRENCY = 20
_CONNECTIONS = 10
_DEFERRED_AT_ONCE = 1000


def spike(*, database: str, patients: int, url: str) -> Run:
    """Defer a job per reminder, all due now; then one worker, everything in its event loop, until none is left."""
    table.fill(database, patients)
    run = asyncio.run(_spike(database, patients, url))
    table.check(run, database, patients)
    return run


async def _spike(database: str, patients: int, url: str) -> Run:
    dsn, run, client = table.dsn_of(database), Run(), reminders.async_twilio_client(url)
    app = App(connector=PsycopgConnector(conninfo=dsn, min_size=_CONNECTIONS, max_size=_CONNECTIONS))
    pool: Any = AsyncConnectionPool(
        dsn, min_size=_CONNECTIONS, max_size=_CONNECTIONS, kwargs={"autocommit": True}, open=False
    )
    async with app.open_async(), pool:
        await pool.wait()
        await app.schema_manager.apply_schema_async()
        await _defer(app, _task(app, pool, client), patients, run)
        with run.lap("spike", done=patients):
            await app.run_worker_async(
                concurrency=_CONCURRENCY, wait=False, listen_notify=False, install_signal_handlers=False
            )
    await client.http_client.close()
    return run


def _task(app: App, pool: Any, client: Client) -> Any:
    async def remind(number: int, phone: str) -> None:
        sid = await reminders.send_async(client, phone)
        async with pool.connection() as connection:
            await connection.execute(table.MARK_SENT, (sid, number))

    return app.task(name="remind")(remind)


async def _defer(app: App, task: Any, patients: int, run: Run) -> None:
    deferrer = task.configure(schedule_at=table.due_at())
    with run.lap("add", done=patients):
        for start in range(0, patients, _DEFERRED_AT_ONCE):
            numbers = range(start, min(start + _DEFERRED_AT_ONCE, patients))
            await deferrer.batch_defer_async(*({"number": n, "phone": phone_of(n)} for n in numbers))
