"""The peer that loops: the tutorials' script over a table of reminders, with the `twilio` package as it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, func, insert, select, update

from tests.bench import reminders
from tests.bench.clinic import phone_of
from tests.bench.laps import Run

_metadata = MetaData()
_reminders = Table(
    "reminders",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("phone", String(16), nullable=False),
    Column("status", String(8), nullable=False, index=True),
    Column("sid", String(34)),
)


def loop(*, database: str, patients: int, url: str, threads: int) -> Run:
    """Select what is due; for each render, send, mark it sent, commit. `threads` of them at once."""
    engine = create_engine(database, pool_size=threads + 1)
    _fill(engine, patients)
    client, run = reminders.twilio_client(url), Run()

    def remind(number: int, phone: str) -> None:
        sid = reminders.send(client, phone)
        with engine.begin() as connection:
            connection.execute(update(_reminders).where(_reminders.c.id == number).values(status="sent", sid=sid))

    with run.lap("loop", done=patients):
        with engine.connect() as connection:
            due = connection.execute(
                select(_reminders.c.id, _reminders.c.phone).where(_reminders.c.status == "due")
            ).all()
        if threads == 1:
            for row in due:
                remind(row.id, row.phone)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda row: remind(row.id, row.phone), due))
    with engine.connect() as connection:
        sent = connection.scalar(select(func.count()).where(_reminders.c.status == "sent"))
    run.expect("reminders marked sent", found=sent, wanted=patients)
    engine.dispose()
    return run


def _fill(engine: Engine, patients: int) -> None:
    _metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(_reminders), [{"phone": phone_of(number), "status": "due"} for number in range(patients)]
        )
