"""The worker of PostgreSQL as a process: its rhythm, its end, and what it does when the database goes away."""

from __future__ import annotations

import asyncio
import csv
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from scheduler.runtime.cluster import Outage, at_every
from scheduler.store import engine_schema
from scheduler.store.engine import make_engine, writing
from tests.support.cli import Cli
from tests.support.clinics import DUE, ENROLLED, CommandLine, clinic_over, number_of
from tests.support.loop_thread import LoopThread
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.waiting import wait_until

WAITS = "the worker waits, and goes on by itself: "
WORKS = "the worker works again, after "


class Gate:
    """A way to the database that can be shut: then whoever comes is turned away, and whoever is there thrown out."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._is_open = True
        self._writers: set[asyncio.StreamWriter] = set()
        self.turned_away = 0
        self._thread = LoopThread("gate")
        self._listener = self._thread.run(asyncio.start_server(self._pass, "127.0.0.1", 0))
        self.port = int(self._listener.sockets[0].getsockname()[1])

    def shut(self) -> None:
        self._is_open = False
        self._thread.call(self._throw_out)

    def open(self) -> None:
        self._is_open = True

    def close(self) -> None:
        self._thread.call(self._throw_out)
        self._thread.call(self._listener.close)
        self._thread.stop()

    def _throw_out(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_open:
            self.turned_away += 1
            writer.close()
            return
        from_database, to_database = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, to_database}
        await asyncio.gather(self._copy(reader, to_database), self._copy(from_database, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def run(twilio: TwilioServer, postgres_url: str, tmp_path: Path) -> Iterator[CommandLine]:
    """Three patients who are due at `DUE`; the provider has two seconds to answer."""
    with clinic_over(twilio.url, database_url=postgres_url, folder=tmp_path, patients=3, timeout=2) as run:
        yield run


class Worker:
    """A running worker, and the lines that it has written to standard error so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def _end(self) -> int:
        code = self.process.wait(timeout=20)
        self._reader.join(timeout=10)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))


@contextmanager
def worker_of(cli: Cli, **settings: str) -> Iterator[Worker]:
    """A worker that believes it is `DUE`, ended at the latest with the test."""
    with replace(cli, settings={**cli.settings, **settings}).start("worker", at=DUE) as process:
        worker = Worker(process)
        try:
            yield worker
        finally:
            worker.kill()


@contextmanager
def gate_to(url: str) -> Iterator[tuple[Gate, str]]:
    """A gate before the database at `url`, and the address through it."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    gate = Gate(port)
    try:
        yield gate, url.replace(f":{port}/", f":{gate.port}/")
    finally:
        gate.close()


def texts(twilio: TwilioServer) -> Counter[str]:
    return Counter(one.form["To"] for one in list(twilio.messages))


def enrol_one_more(run: CommandLine, folder: Path, *, patient: int) -> None:
    """P4, who is due at `DUE` like the others."""
    with (folder / "more.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("mrn", "name", "phone", "sms_consent"))
        table.writerow((f"P{patient}", "Pat", number_of(patient), "yes"))
    run.quick("import", "more.csv", "--clinic", "main", "--phone-check", "possible", at=ENROLLED)


def rows_of(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query.encode()).fetchall()


# Its end


def test_a_worker_told_to_stop_while_the_provider_hangs_ends_within_seconds(
    run: CommandLine, twilio: TwilioServer
) -> None:
    for patient in (1, 2, 3):
        twilio.fail(Fault(FaultKind.HANG), to=number_of(patient))
    with worker_of(run.fresh) as worker:
        wait_until(lambda: len(twilio.messages) == 3, what="the provider to think about every text")
        asked = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - asked < 10
    assert {row["status"] for row in run.listed("messages") if row["pathway"] == "vitamin_d"} == {"unknown"}


def test_a_worker_leaves_no_job_and_no_trace_in_the_queue_when_it_stops(
    run: CommandLine, twilio: TwilioServer, postgres_url: str
) -> None:
    with worker_of(run.fresh) as worker:
        wait_until(lambda: len(twilio.messages) == 3, what="every text")
        assert worker.stop() == 0
        assert worker.said == []
    assert rows_of(postgres_url, "SELECT * FROM procrastinate.procrastinate_workers") == []
    assert rows_of(postgres_url, "SELECT * FROM procrastinate.procrastinate_jobs WHERE status = 'doing'") == []


def test_a_job_of_a_killed_worker_is_taken_over_by_another(
    run: CommandLine, twilio: TwilioServer, postgres_url: str
) -> None:
    """By the constants it takes half a minute; the dead one's heartbeat is made old here."""
    twilio.fail(Fault(FaultKind.HANG), to=number_of(1))
    in_hand = "SELECT id FROM procrastinate.procrastinate_jobs WHERE status = 'doing'"
    with worker_of(run.fresh, BONEWISE_PROVIDER_TIMEOUT="20") as dead:
        wait_until(lambda: len(twilio.messages) == 3, what="every text at the provider")
        dead.kill()
    left = set(rows_of(postgres_url, in_hand))
    assert left
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        )
    with worker_of(run.fresh) as living:
        wait_until(lambda: not left & set(rows_of(postgres_url, in_hand)), what="what it left to be taken over")
        assert living.stop() == 0
        assert living.said == []
    assert rows_of(postgres_url, in_hand) == []
    assert texts(twilio) == {number_of(n): 1 for n in (1, 2, 3)}


# Without its database


def test_a_worker_waits_for_a_database_that_is_away_and_says_so_once(
    run: CommandLine, twilio: TwilioServer, postgres_url: str, tmp_path: Path
) -> None:
    with gate_to(postgres_url) as (gate, url), worker_of(run.fresh, BONEWISE_DATABASE_URL=url) as worker:
        wait_until(lambda: len(twilio.messages) == 3, what="the first texts")
        gate.shut()
        enrol_one_more(run, tmp_path, patient=4)
        wait_until(lambda: gate.turned_away > 20, what="the worker to try again and again")
        gate.open()
        wait_until(lambda: len(twilio.messages) == 4, what="the text that fell due meanwhile")
        wait_until(lambda: len(worker.said) > 1, what="word that all is well")
        assert worker.stop() == 0
    waits, works = worker.said
    assert WAITS + "the PostgreSQL database" in waits
    assert WORKS in works
    assert texts(twilio) == {number_of(n): 1 for n in range(1, 5)}


def test_a_worker_told_to_stop_while_the_database_is_away_ends(
    run: CommandLine, twilio: TwilioServer, postgres_url: str
) -> None:
    with gate_to(postgres_url) as (gate, url), worker_of(run.fresh, BONEWISE_DATABASE_URL=url) as worker:
        wait_until(lambda: len(twilio.messages) == 3, what="the first texts")
        gate.shut()
        wait_until(lambda: len(worker.said) == 1, what="the worker to notice")
        asked = time.monotonic()
        assert worker.stop() == 0
        assert time.monotonic() - asked < 10
    assert len(worker.said) == 1


def test_a_worker_goes_on_after_init_has_made_its_queue_anew(
    run: CommandLine, twilio: TwilioServer, postgres_url: str, tmp_path: Path
) -> None:
    engine = make_engine(postgres_url)
    with worker_of(run.fresh) as worker:
        wait_until(lambda: len(twilio.messages) == 3, what="the first texts")
        with writing(engine) as connection:  # as if another version of the engine had made it
            connection.exec_driver_sql(f"COMMENT ON SCHEMA procrastinate IS '{engine_schema._MARK}0123456789abcdef'")
        assert engine_schema.install(engine)
        enrol_one_more(run, tmp_path, patient=4)
        wait_until(lambda: len(twilio.messages) == 4, what="the text that fell due meanwhile")
        assert worker.stop() == 0
    engine.dispose()
    assert "Traceback" not in "\n".join(worker.said)
    assert texts(twilio) == {number_of(n): 1 for n in range(1, 5)}


# Its rhythm


def calls_of(seconds: float, *, count: int, work: Callable[[], float] = lambda: 0.0) -> list[int]:
    """The instants of the first `count` calls; each call takes as long as `work` says."""
    seen: list[int] = []

    async def note(instant: int) -> None:
        seen.append(instant)
        await asyncio.sleep(work())
        if len(seen) == count:
            raise StopAsyncIteration

    with pytest.raises((StopAsyncIteration, RuntimeError)):
        asyncio.run(at_every(seconds, note))
    return seen


def test_a_fraction_of_a_second_is_a_rhythm_too() -> None:
    before = time.time()
    seen = calls_of(0.05, count=4)
    assert all(instant % 50 == 0 for instant in seen)
    assert sorted(set(seen)) == seen
    assert before * 1000 - 50 <= seen[0]
    assert seen[-1] <= time.time() * 1000


def test_an_hour_is_a_rhythm_too_and_begins_at_once() -> None:
    before = time.time()
    (instant,) = calls_of(3600, count=1)
    assert instant % 3_600_000 == 0
    assert before * 1000 - 3_600_000 < instant <= time.time() * 1000


def test_a_call_that_takes_long_leaves_out_what_it_missed() -> None:
    first, second = calls_of(0.05, count=2, work=lambda: 0.12)
    assert second - first >= 100


def test_a_clock_that_is_set_back_does_not_stop_the_rhythm(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([10_000.0, 10_000.0, 2_800.0, 2_800.0, 2_800.05, 2_800.05])
    monkeypatch.setattr("scheduler.runtime.cluster.time.time", lambda: next(readings))
    assert calls_of(0.05, count=3) == [10_000_000, 2_800_000, 2_800_050]


# What it says


def test_an_outage_is_told_of_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    now = iter([100.0, 161.0])
    outage = Outage(monotonic=lambda: next(now))
    outage.ended()
    for _ in range(5):
        outage.began("the database does not answer; start it")
    outage.ended()
    outage.ended()
    assert [record.getMessage() for record in caplog.records] == [
        f"{WAITS}the database does not answer; start it",
        f"{WORKS}61 seconds",
    ]


def test_it_tries_again_soon_and_then_less_often() -> None:
    outage = Outage()
    assert [outage.pause() for _ in range(6)] == [0.5, 1.0, 2.0, 5.0, 5.0, 5.0]
    outage.ended()
    assert outage.pause() == 0.5
