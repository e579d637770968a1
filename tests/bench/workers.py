"""Several worker processes on one database and one provider, as a clinic that has grown runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime
from typing import IO, cast

from tests.bench.laps import Run
from tests.bench.ours import check_ledger, open_worker

_READY = b"ready\n"


def spike(*, environment: dict[str, str], at: str, patients: int, workers: int, null_sender: bool = False) -> Run:
    """Everybody due in one minute, and `workers` processes that share the work; all begin at once."""
    run, sent = Run(), 0
    with ExitStack() as stack:
        arguments = json.dumps({"environment": environment, "at": at, "null_sender": null_sender})
        started = [stack.enter_context(_Worker(arguments)) for _ in range(workers)]
        for worker in started:
            worker.await_ready()
        with run.lap("spike", done=patients):
            for worker in started:
                worker.begin()
            counts = [worker.sent() for worker in started]
        sent = sum(counts)
        run.values["share of the busiest"] = max(counts) / sent if sent else 0.0
    run.expect("messages recorded as sent", found=sent, wanted=patients)
    app, _ = open_worker(environment, at=datetime.fromisoformat(at), null_sender=True)
    check_ledger(app, run, patients)
    app.close()
    return run


class _Worker:
    """One worker process, seen from outside. It ends when its standard input does."""

    def __init__(self, arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.workers", arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._to = cast("IO[bytes]", self._process.stdin)
        self._from = cast("IO[bytes]", self._process.stdout)

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()
        self._process.wait()
        self._from.close()

    def await_ready(self) -> None:
        if self._from.readline() != _READY:
            raise RuntimeError("a worker did not start; its error is above")

    def begin(self) -> None:
        self._to.write(b"go\n")
        self._to.flush()

    def sent(self) -> int:
        """How many messages it sent, once there was nothing left to do."""
        return int(self._from.readline())


def main() -> None:
    """Be one of the workers: tick until there is nothing left."""
    given = json.loads(sys.argv[1])
    at = datetime.fromisoformat(given["at"])
    app, _ = open_worker(given["environment"], at=at, null_sender=given["null_sender"])
    sys.stdout.write(_READY.decode())
    sys.stdout.flush()
    sys.stdin.readline()
    sent = 0
    while True:
        report = app.ticker.tick()
        sent += report.sent
        if not report.planned_patients and not report.sent:
            break
    sys.stdout.write(f"{sent}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    app.close()


if __name__ == "__main__":
    main()
