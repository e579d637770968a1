"""The peer with a broker: Celery over Redis, eight processes, late acknowledgement, a task per message."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.laps import Run
from tests.bench.peers import table

_PROCESSES = 8
_START_SECONDS = 60
_LONGEST = 120  # seconds for one spike
_STOP_SECONDS = 20
_LOOK_EVERY = 0.02


def spike(*, database: str, patients: int, url: str, redis: str) -> Run:
    """Start the worker, then have it notice, hand out and do everything that is due."""
    table.fill(database, patients)
    run = Run()
    client: Any = import_module("redis").Redis.from_url(redis)
    client.flushall()
    environment = {"BENCH_DATABASE": database, "BENCH_PROVIDER": url, "BENCH_BROKER": redis}
    with _worker(environment), table.connected(database) as connection:
        app: Any = import_module("celery").Celery("bench", broker=redis)
        with run.lap("spike", done=patients):
            app.send_task("dispatch")
            until = time.monotonic() + _LONGEST
            while table.is_left(connection) and time.monotonic() < until:
                time.sleep(_LOOK_EVERY)
    table.check(run, database, patients)
    return run


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[None]:
    """Celery's own command, all processes up and connected; told to stop at the end."""
    module = "tests.bench.peers.celery_tasks"
    command = [sys.executable, "-m", "celery", "-A", module, "worker", "--pool", "prefork", "--loglevel", "error"]
    command += ["--concurrency", str(_PROCESSES), "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        known = {**os.environ, **environment, "BENCH_READY": str(ready), "PYTHONWARNINGS": "ignore"}
        with subprocess.Popen(command, env=known, stdout=subprocess.DEVNULL) as worker:
            try:
                until = time.monotonic() + _START_SECONDS
                while not ready.exists():
                    if worker.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"celery did not start within {_START_SECONDS} s; its error is above")
                    time.sleep(_LOOK_EVERY)
                yield
            finally:
                worker.terminate()
                try:
                    worker.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    worker.kill()
