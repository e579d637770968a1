"""`python -m tests.bench.inbound.load URL --rate R --seconds S ...`: texts at their appointed times, answered or not.

The load is open: each request has its instant, and its time is counted from there, however long those before it
take. Prints what came of them as one JSON document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter, deque
from typing import cast
from urllib.parse import urlsplit

import uvloop

from tests.bench.inbound.texts import Text, texts

_PATIENCE = 20.0  # seconds after the last request


class _Line(asyncio.Protocol):
    """A connection with one request under way at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._answer = b""
        self._asked: tuple[Text, float] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is one by its methods only

    def ask(self, text: Text, due: float) -> None:
        self._asked, self._answer = (text, due), b""
        self.transport.write(text.request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or self._asked is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            asked, self._asked = self._asked, None
            self._load.answered(*asked, int(head[9:12]))
            self._load.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._load.idle:
            self._load.idle.remove(self)
        if self._asked is not None:
            asked, self._asked = self._asked, None
            self._load.answered(*asked, 0)


class Load:
    """One run of the load against one address."""

    def __init__(self, url: str, wanted: list[Text], rate: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._wanted = wanted
        self._rate = rate
        self.idle: deque[_Line] = deque()
        self._lines = 0
        self._open = len(wanted)
        self._done = asyncio.Event()
        self.times: dict[int, list[float]] = {}
        self.kept: set[int] = set()
        self.stopped: dict[int, float] = {}  # number -> when its 200 came (monotonic seconds)

    async def run(self) -> None:
        start = time.monotonic() + 0.2
        for place, text in enumerate(self._wanted):
            due = start + place / self._rate
            ahead = due - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
            if self.idle:
                self.idle.pop().ask(text, due)
            else:
                self._lines += 1
                asyncio.ensure_future(self._on_a_new_line(text, due))  # noqa: RUF006 - `answered` counts it
        await asyncio.wait_for(self._done.wait(), _PATIENCE)

    async def _on_a_new_line(self, text: Text, due: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(lambda: _Line(self), self._host, self._port)
        except OSError:
            self.answered(text, due, 0)
        else:
            line.ask(text, due)

    def answered(self, text: Text, due: float, status: int) -> None:
        now = time.monotonic()
        self.times.setdefault(status, []).append(now - due)
        if status == 200:
            self.kept.add(text.number)
            if text.is_stop:
                self.stopped.setdefault(text.number, now)
        self._open -= 1
        if not self._open:
            self._done.set()

    def report(self) -> dict[str, object]:
        good = sorted(self.times.get(200, [0.0]))
        refused = sorted(self.times.get(503, [0.0]))
        return {
            "statuses": Counter({status: len(times) for status, times in self.times.items()}),
            "kept": sorted(self.kept),
            "stopped": sorted(self.stopped),
            "p50": good[len(good) // 2],
            "p99": good[int(len(good) * 0.99)],
            "max": good[-1],
            "refused_p99": refused[int(len(refused) * 0.99)],
            "lines": self._lines,
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("url")
    options.add_argument("--rate", type=float, required=True, help="requests a second")
    options.add_argument("--seconds", type=float, required=True)
    options.add_argument("--patients", type=int, required=True)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--run", default="00000001", help="eight hexadecimal digits of each id")
    given = options.parse_args()
    host = urlsplit(given.url).netloc
    count = int(given.rate * given.seconds)
    wanted = list(texts(count, patients=given.patients, seed=given.seed, host=host, run=given.run))

    async def run() -> dict[str, object]:
        load = Load(given.url, wanted, given.rate)
        await load.run()
        return load.report()

    print(json.dumps(uvloop.run(run())))


if __name__ == "__main__":
    main()
