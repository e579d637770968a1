"""A loopback server that speaks Twilio's Messages resource, misbehaves on request, and keeps what it took.

In a test: `with TwilioServer() as server:` and then `server.url`, `server.messages`, `server.fail(...)`.
As a process: `python -m tests.support.twilio_server --port 0 --journal FILE` prints its address on one line,
appends each accepted message to FILE as a line of JSON before answering, and takes faults as JSON at
`POST /_faults`: one with its `kind`, or `{"rates": {"503": 0.05, "accepted_hang": 0.05}, "seed": 7}`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import json
import os
import random
import re
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from tests.support.loop_thread import LoopThread
from tests.support.twilio_faults import Fault, FaultKind, FaultMix
from tests.support.twilio_http import Connection
from tests.support.twilio_listing import Age, message_list
from tests.support.twilio_rules import (
    API,
    Accepted,
    Refusal,
    created_answer,
    message_fields,
    new_message,
    parse_form,
    refusal_of,
)

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "not-a-real-token"
ACCOUNTS = {ACCOUNT: TOKEN}
__all__ = ["ACCOUNT", "TOKEN", "Accepted", "Fault", "FaultKind", "TwilioServer"]


_AUTHORIZATION = re.compile(rb"\r\nauthorization: *basic ([^\r]+)", re.IGNORECASE)
_MESSAGES = re.compile(API + r"/Accounts/([^/?]+)/Messages(?:/([^/?.]+))?\.json(?:\?(.*))?")


class TwilioServer:
    """The server. `accounts` maps user names (account SIDs, API keys) to secrets.

    Each answer takes `latency` seconds, and at random up to `spread` seconds more.

    `age` says how old a message is when it is listed, and when it is sent.
    """

    def __init__(
        self,
        *,
        accounts: Mapping[str, str] | None = None,
        port: int = 0,
        latency: float = 0.0,
        spread: float = 0.0,
        journal: Path | None = None,
        tls: ssl.SSLContext | None = None,
        age: Age | None = None,
    ) -> None:
        self.age = age or Age()
        self.messages: list[Accepted] = []
        self.connections_made = 0
        self.open_connections: set[Connection] = set()
        self.latency, self.spread = latency, spread
        self.port = port
        self.clock: Callable[[], float] = time.time  # Unix seconds; what the messages' dates say
        self.requests = 0
        self.posts = 0  # of them, those that would make a message
        self.waiting = self.most_waiting = 0  # requests under way, when there is latency
        self._accounts = dict(ACCOUNTS if accounts is None else accounts)
        self._by_sid: dict[str, Accepted] = {}
        self._users: dict[bytes, str] = {}
        self._faults: deque[Fault] = deque()
        self._faults_to: dict[str, Fault] = {}
        self._list_faults: deque[Fault] = deque()
        self._mix: FaultMix | None = None
        self._tls = tls
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._journal = os.open(journal, flags, 0o600) if journal else None
        self._thread: LoopThread | None = None
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def answering_takes(self) -> float:
        """How many seconds the next answer takes."""
        return self.latency + random.random() * self.spread

    def fail(self, fault: Fault, *, times: int = 1, to: str | None = None) -> None:
        """The next `times` texts go wrong, or with `to` every text to that number."""
        if to is not None:
            self._faults_to[to] = fault
        else:
            self._faults.extend([fault] * times)

    def fail_at_random(self, rates: Mapping[str, float], *, seed: int) -> None:
        """From now on these shares of all texts go wrong; no rates end it. See `FaultMix`."""
        self._mix = FaultMix(rates, seed=seed) if rates else None

    def fail_list(self, fault: Fault, *, times: int = 1) -> None:
        """The next `times` requests for the list of messages go wrong."""
        self._list_faults.extend([fault] * times)

    def close_connections(self) -> None:
        """Close every connection, as a server does with idle ones; returns when they are closed."""
        assert self._thread is not None
        self._thread.call(self._close_connections)
        self._thread.call(int)  # the loop has been round once: what was closing is closed

    def _close_connections(self) -> None:
        for connection in set(self.open_connections):
            connection.transport.close()

    def __enter__(self) -> Self:
        self._thread = LoopThread("twilio-server")
        self._thread.run(self.listen())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread is not None
        assert self._listener is not None
        self._thread.call(self._listener.close)
        self._thread.call(self._close_connections)
        self._thread.stop()
        if self._journal is not None:
            os.close(self._journal)

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, ssl=self._tls, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def handle(self, connection: Connection, head: bytes, body: bytes) -> None:
        """Answer one request."""
        self.requests += 1
        method, target, _ = head[: head.index(b"\r\n")].decode("latin-1").split(" ", 2)
        if target == "/_faults" and method == "POST":
            self._take_fault(json.loads(body))
            connection.answer(200, b"{}")
            return
        found = _MESSAGES.fullmatch(target)
        username = self._user(head)
        if username is None:
            self._refuse(connection, Refusal(401, 20003, "Authenticate"))
        elif found is None or found[1] not in self._accounts:
            self._refuse(connection, Refusal(404, 20404, f"The requested resource {target} was not found"))
        elif method == "POST" and found[2] is None:
            self.posts += 1
            self._create(connection, found[1], username, parse_form(body), head)
        elif method == "GET":
            self._read(connection, found[1], found[2], found[3] or "")
        else:
            self._refuse(connection, Refusal(405, 20004, "Method not allowed"))

    def _user(self, head: bytes) -> str | None:
        given = _AUTHORIZATION.search(head)
        if given is None:
            return None
        if given[1] not in self._users:
            try:
                username, _, password = base64.b64decode(given[1]).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            if not password or self._accounts.get(username) != password:
                return None
            self._users[given[1]] = username
        return self._users[given[1]]

    def _create(self, connection: Connection, account: str, username: str, form: dict[str, str], head: bytes) -> None:
        fault, refusal = self._next_fault(form.get("To", "")), refusal_of(form)
        if fault is not None and not fault.is_taken:
            connection.misanswer(fault)
        elif refusal is not None:
            self._refuse(connection, refusal)
        else:
            message = new_message(account, username, form, head, at=self.clock())
            message.answered = fault is None
            self._keep(message)
            answer = created_answer(message)
            if fault is None:
                connection.answer(201, answer)
            else:
                connection.misanswer(fault, whole=answer)

    def _next_fault(self, to: str) -> Fault | None:
        if self._faults:
            return self._faults.popleft()
        if to in self._faults_to:
            return self._faults_to[to]
        return self._mix.draw(to) if self._mix is not None else None

    def _keep(self, message: Accepted) -> None:
        if self._journal is not None:
            os.write(self._journal, message.journal_line())
        self.messages.append(message)
        self._by_sid[message.sid] = message

    def _read(self, connection: Connection, account: str, sid: str | None, query: str) -> None:
        if sid is None and self._list_faults:
            connection.misanswer(self._list_faults.popleft())
        elif sid is None:
            connection.answer(200, json.dumps(message_list(self.messages, account, query, self.age)).encode())
        elif sid in self._by_sid:
            message = self._by_sid[sid]
            fields = message_fields(message, created=not self.age.is_sent(message))
            connection.answer(200, json.dumps(fields).encode())
        else:
            self._refuse(connection, Refusal(404, 20404, f"The requested resource {sid} was not found"))

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        connection.answer(refusal.status, refusal.body())

    def _take_fault(self, wanted: dict[str, Any]) -> None:
        if "rates" in wanted:
            self.fail_at_random(wanted["rates"], seed=wanted.get("seed", 0))
            return
        names = {each.name for each in fields(Fault)}
        given = {name: value for name, value in wanted.items() if name in names}
        fault = Fault(**{**given, "kind": FaultKind(wanted["kind"])})
        if wanted.get("on") == "list":
            self.fail_list(fault, times=wanted.get("times", 1))
        else:
            self.fail(fault, times=wanted.get("times", 1), to=wanted.get("to"))


def main() -> None:
    """Run until killed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--journal", type=Path)
    options.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help="a share of all texts")
    options.add_argument("--seed", type=int, default=0, help="of the faults")
    options.add_argument("--listed-after", type=float, default=0.0, metavar="SECONDS")
    options.add_argument("--sent-after", type=float, default=0.0, metavar="SECONDS")
    options.add_argument("--account", action="append", metavar="SID:TOKEN", help=f"default {ACCOUNT}:{TOKEN}")
    given = options.parse_args()
    accounts = dict(each.split(":", 1) for each in given.account) if given.account else None
    rates = {name: float(rate) for name, rate in (each.split("=", 1) for each in given.fault)}
    age = Age(listed_after=given.listed_after, sent_after=given.sent_after)

    async def serve() -> None:
        server = TwilioServer(
            accounts=accounts, port=given.port, latency=given.latency, journal=given.journal, age=age
        )
        server.fail_at_random(rates, seed=given.seed)
        await server.listen()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    try:
        import uvloop  # twice as fast; part of uvicorn[standard], not on every platform
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
