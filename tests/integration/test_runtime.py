"""The processes: starting, ticking, being ready, and stopping without leaving anything half done."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import Waiting
from scheduler.runtime.scheduler import EmbeddedScheduler
from scheduler.runtime.server import WebServer
from scheduler.services.turn import Turn
from tests.support.cli import Cli, fake_time_library
from tests.support.twilio_server import ACCOUNT, TOKEN, TwilioServer
from tests.support.waiting import wait_until
from tests.support.worlds import MONDAY, World, new_york, world_at

BATCH = 200  # messages between two commits of delivery
needs_faketime = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def cli(world: World, tmp_path: Path) -> Cli:
    settings = {
        "BONEWISE_DATABASE_URL": world.app.settings.database_url,
        "BONEWISE_DATA_DIR": str(tmp_path / "var"),
        "BONEWISE_TICK_SECONDS": "0.1",
    }
    return Cli(tmp_path, settings)


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process, ended at the latest with the test."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def address(process: subprocess.Popen[str]) -> str:
    """Where it says that it is."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Bonewise is at http://127.0.0.1:"), line or (process.stderr and process.stderr.read())
    return line.removeprefix("Bonewise is at ").strip()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - always our own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    """Ask it to stop; its exit code and what it wrote to standard error."""
    process.send_signal(how)
    _, errors = process.communicate(timeout=15)
    return process.returncode, errors


# Real processes


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_is_and_stops_cleanly(cli: Cli, how: signal.Signals) -> None:
    with running(cli.start("serve", "--port", "0")) as process:
        here = address(process)
        assert get(f"{here}/healthz") == (200, "ok\n")
        ready = get(f"{here}/readyz")
        assert json.loads(ready[1]) == {"ready": True, "database": "ok", "scheduler": "ok"}
        assert stop(process, how) == (0, "")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_many_signals_at_once_stop_it_as_one_does(cli: Cli, world: World, command: tuple[str, ...]) -> None:
    with running(cli.start(*command)) as process:
        wait_until(lambda: beat(world), what="a heartbeat")
        for _ in range(100):
            process.send_signal(signal.SIGTERM)
        assert stop(process)[0] == 0


def test_a_signal_that_comes_while_one_is_handled_changes_nothing() -> None:
    handled: list[int] = []

    def stop_soon() -> None:
        handled.append(len(handled))
        if len(handled) < 5:
            signal.raise_signal(signal.SIGTERM)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = WebServer(None, listening, on_stop=stop_soon)
        with server.signals():
            signal.raise_signal(signal.SIGTERM)
    assert handled == [0]


def test_a_browser_that_keeps_its_connection_does_not_hold_up_the_stop(cli: Cli) -> None:
    with running(cli.start("serve", "--port", "0")) as process:
        host, _, port = address(process).removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
            assert stop(process)[0] == 0


def test_web_alone_does_not_tick_and_asks_for_no_scheduler(cli: Cli, world: World) -> None:
    with running(cli.start("web", "--port", "0")) as process:
        code, body = get(f"{address(process)}/readyz")
        assert (code, json.loads(body)) == (200, {"ready": True, "database": "ok"})
        assert stop(process) == (0, "")
    with world.store.reading() as unit:
        assert unit.installation.latest_beat() is None


def test_a_port_in_use_is_one_clear_sentence(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = cli.run("serve", "--port", str(port))
    assert ran.code == 1
    assert ran.err == f"bonewise: port {port} at 127.0.0.1 is in use by another program; choose another with --port\n"
    assert ran.out == ""


def test_an_address_of_another_machine_is_refused_in_words(cli: Cli) -> None:
    ran = cli.run("serve", "--host", "192.0.2.1", "--port", "0")
    assert ran.code == 1
    assert ran.err.startswith("bonewise: cannot listen on 192.0.2.1 port 0: ")
    assert "Traceback" not in ran.err


def test_without_a_database_it_does_not_start(tmp_path: Path) -> None:
    ran = Cli(tmp_path, {"BONEWISE_DATA_DIR": str(tmp_path / "empty")}).run("serve", "--port", "0")
    assert ran.code == 1
    assert "bonewise init" in ran.err


@needs_faketime
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_what_is_due_goes_by_itself(cli: Cli, world: World, command: tuple[str, ...]) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    with running(cli.start(*command, at=new_york(3, 3, 9, 30))) as process:
        wait_until(
            lambda: any(entry.status is MessageStatus.SENT for entry in world.ledger("P1")), what="the message to go"
        )
        wait_until(lambda: beat(world), what="a heartbeat")
        assert stop(process)[0] == 0
    assert len(world.ledger("P1")) == 1


def beat(world: World) -> bool:
    with world.store.reading() as unit:
        return unit.installation.latest_beat() is not None


def test_a_new_worker_forgets_those_that_have_been_silent_for_a_month(world: World) -> None:
    with world.store.writing() as unit:
        unit.installation.beat("long ago", now=MONDAY)
        unit.installation.beat("lately", now=MONDAY + timedelta(days=2))
        unit.installation.beat("long ago", now=MONDAY)  # not new: nothing is looked for
    with world.store.writing() as unit:
        unit.installation.beat("new", now=MONDAY + timedelta(days=31))
        beats = {worker: unit.installation.last_beat(worker) for worker in ("long ago", "lately", "new")}
    assert beats == {
        "long ago": None,
        "lately": MONDAY + timedelta(days=2),
        "new": MONDAY + timedelta(days=31),
    }


@needs_faketime
def test_a_stop_finishes_what_is_under_way_and_releases_what_is_not(cli: Cli, world: World) -> None:
    patients = 300
    world.import_drafts(
        [
            world.draft(f"P{n}", {"phone": f"+1617555{n:04}", "sms_consent": "yes", "pathways": "vitamin_d"})
            for n in range(patients)
        ]
    )
    with TwilioServer(latency=0.1) as twilio:
        settings = {
            "BONEWISE_SMS": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": twilio.url,
        }
        slow = Cli(cli.folder, {**cli.settings, **settings})
        with running(slow.start("serve", "--port", "0", at=new_york(3, 3, 9, 30))) as process:
            wait_until(lambda: bool(twilio.messages), what="the first text")
            code, _ = stop(process)
        assert code == 0
        taken = len(twilio.messages)
        assert 0 < taken < patients
    statuses = [entry.status for entry in world.ledger()]
    assert statuses.count(MessageStatus.SENT) == taken
    assert set(statuses) <= {MessageStatus.SENT, MessageStatus.PLANNED}


# The scheduler by itself


class Ticks:
    """Work in which there is always something to plan, and planning does what the test says."""

    def __init__(self, work: Callable[[Callable[[], bool]], None] = lambda stopping: None) -> None:
        self.count = 0
        self.looks = 0
        self.delivered = 0
        self.waiting = Waiting(plan=1, deliver={})
        self._work = work

    def look(self) -> Waiting:
        self.looks += 1
        return self.waiting

    def plan_all(self, *, stopping: Callable[[], bool]) -> None:
        self.count += 1
        self._work(stopping)

    def deliver_all(self, channel: Channel, *, stopping: Callable[[], bool]) -> None:
        self.delivered += 1

    def ask_all(self, *, stopping: Callable[[], bool]) -> None:
        raise NotImplementedError("nobody waits to be asked about")

    def understand_all(self, *, stopping: Callable[[], bool], limit: int | None = None) -> None:
        raise NotImplementedError("no reply waits")

    def run_office(self, *, stopping: Callable[[], bool]) -> None:
        raise NotImplementedError("no task is overdue")

    def tick(self, *, stopping: Callable[[], bool]) -> None:
        raise NotImplementedError("the embedded engine starts the parts of the work")

    def plan_batch(self) -> int:
        raise NotImplementedError("the embedded engine asks for all of it")

    def deliver_batch(self, channel: Channel, *, stopping: Callable[[], bool]) -> int:
        raise NotImplementedError("the embedded engine asks for all of it")


def made(world: World, ticks: Ticks, *, turn: Turn | None = None) -> EmbeddedScheduler:
    return EmbeddedScheduler(work=ticks, store=world.store, worker="w", every=0.01, turn=turn or Turn(), patience=0.3)


@contextmanager
def started(scheduler: EmbeddedScheduler) -> Iterator[EmbeddedScheduler]:
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.stop()


def test_it_ticks_again_and_again_and_gives_a_sign_of_life(world: World) -> None:
    ticks = Ticks()
    with started(made(world, ticks)) as scheduler:
        wait_until(lambda: ticks.count >= 3, what="three ticks")
        wait_until(lambda: beat(world), what="a heartbeat")
        assert scheduler.fault() is None
    count = ticks.count
    assert scheduler.fault() == "the scheduler is stopping"
    assert ticks.count == count


def test_a_fault_ends_a_round_and_not_the_scheduler(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def fail_twice(_: object) -> None:
        if ticks.count <= 2:
            raise RuntimeError("no such luck")

    ticks = Ticks(fail_twice)
    with started(made(world, ticks)) as scheduler:
        wait_until(lambda: ticks.count >= 4, what="four ticks")
        assert scheduler.fault() is None
    assert caplog.text.count("a part of the work failed") == 2
    assert "no such luck" in caplog.text


def test_when_every_round_fails_it_says_that_no_work_is_done(world: World) -> None:
    class Failing(Ticks):
        def look(self) -> Waiting:
            raise RuntimeError("never")

    with started(made(world, Failing())) as scheduler:
        wait_until(lambda: scheduler.fault() is not None, what="its fault to show")
        assert "no sign of life" in (scheduler.fault() or "")
        assert scheduler.is_alive()


def test_planning_that_hangs_is_noticed(world: World) -> None:
    end = threading.Event()

    def hang(_: object) -> None:
        end.wait(20)

    with started(made(world, Ticks(hang))) as scheduler:
        wait_until(lambda: "no sign of life" in (scheduler.fault() or ""), what="its fault to show")
        end.set()


def test_a_channel_that_hangs_delays_neither_planning_nor_the_other_channel(world: World) -> None:
    end, mails = threading.Event(), threading.Event()

    class Hanging(Ticks):
        def deliver_all(self, channel: Channel, *, stopping: Callable[[], bool]) -> None:
            if channel is Channel.SMS:
                end.wait(20)
            elif ticks.count > 3:
                mails.set()

    ticks = Hanging()
    ticks.waiting = Waiting(plan=1, deliver={Channel.SMS: 1, Channel.EMAIL: 1})
    with started(made(world, ticks)) as scheduler:
        assert mails.wait(10)
        assert scheduler.fault() is None
        end.set()


def test_a_dead_thread_is_noticed(world: World) -> None:
    ticks = Ticks()
    scheduler = made(world, ticks)
    assert "thread has ended" in (scheduler.fault() or "")
    with started(scheduler):
        wait_until(lambda: ticks.count > 0, what="a tick")
        assert scheduler.fault() is None
        scheduler._engine.shutdown()
        assert scheduler.fault() == "the scheduler's thread has ended; restart the service"


def test_a_long_round_stays_alive_between_its_batches(world: World) -> None:
    end = threading.Event()

    def work(stopping: Callable[[], bool]) -> None:
        while not stopping() and not end.wait(0.02):
            pass

    ticks = Ticks(work)
    with started(made(world, ticks)) as scheduler:
        wait_until(lambda: ticks.count > 0, what="a tick")
        seen = [scheduler.fault() for _ in range(25) if not end.wait(0.02)]
        assert seen == [None] * 25
        assert ticks.count == 1
        end.set()


def test_a_stop_waits_for_the_batch_in_hand(world: World) -> None:
    begun, finish, finished = threading.Event(), threading.Event(), threading.Event()

    def work(stopping: Callable[[], bool]) -> None:
        begun.set()
        finish.wait(10)
        assert stopping()
        finished.set()

    scheduler = made(world, Ticks(work))
    scheduler.start()
    assert begun.wait(10)
    stopper = threading.Thread(target=scheduler.stop)
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive()
    finish.set()
    stopper.join(10)
    assert finished.is_set()
    assert not stopper.is_alive()


def test_while_somebody_else_ticks_it_waits_and_is_well(world: World) -> None:
    ticks, turn = Ticks(), Turn()
    with started(made(world, ticks, turn=turn)) as scheduler:
        with turn:
            before = ticks.count
            wait_until(lambda: beat(world), what="a heartbeat")
            assert ticks.count == before
            assert scheduler.fault() is None
        wait_until(lambda: ticks.count > before, what="a tick")
