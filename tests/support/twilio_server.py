"""A loopback server that speaks Twilio's Messages resource, misbehaves on request, and keeps what it took.

In a test: `with TwilioServer() as server:` and then `server.url`, `server.messages`, `server.fail(...)`.
As a process: `python -m tests.support.twilio_server --port 0 --journal FILE` prints its address on one line,
appends each accepted message to FILE as a line of JSON before answering, and takes faults as JSON at
`POST /_faults`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import json
import os
import re
import ssl
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path
from typing import Self, cast

from tests.support.loop_thread import LoopThread
from tests.support.twilio_rules import (
    API,
    Accepted,
    Fault,
    FaultKind,
    Refusal,
    created_answer,
    message_fields,
    message_list,
    new_message,
    parse_form,
    refusal_of,
)

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "not-a-real-token"
ACCOUNTS = {ACCOUNT: TOKEN}
__all__ = ["ACCOUNT", "TOKEN", "Accepted", "Fault", "FaultKind", "TwilioServer"]


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered in order."""

    def __init__(self, server: TwilioServer) -> None:
        self._server = server
        self._buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._server.connections_made += 1
        self._server.open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.open_connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._server.handle(self, head, body)

    def answer(self, status: int, body: bytes, *, extra: bytes = b"", cut: bool = False) -> None:
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n"
        phrase = _PHRASES.get(status, b"Unknown")
        whole = head % (status, phrase, len(body) + (9 if cut else 0), extra) + body
        if self._server.latency:
            self._server.waiting += 1
            self._server.most_waiting = max(self._server.most_waiting, self._server.waiting)
            asyncio.get_running_loop().call_later(self._server.latency, self._write_late, whole, cut)
        else:
            self._write(whole, cut)

    def _write_late(self, whole: bytes, cut: bool) -> None:
        self._server.waiting -= 1
        self._write(whole, cut)

    def _write(self, whole: bytes, cut: bool) -> None:
        self.transport.write(whole)
        if cut:
            self.transport.close()


_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *basic ([^\r]+)", re.IGNORECASE)
_MESSAGES = re.compile(API + r"/Accounts/([^/?]+)/Messages(?:/([^/?.]+))?\.json(?:\?(.*))?")
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class TwilioServer:
    """The server. `accounts` maps user names (account SIDs, API keys) to secrets; `latency` is in seconds."""

    def __init__(
        self,
        *,
        accounts: Mapping[str, str] | None = None,
        port: int = 0,
        latency: float = 0.0,
        journal: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.messages: list[Accepted] = []
        self.connections_made = 0
        self.open_connections: set[_Connection] = set()
        self.latency = latency
        self.port = port
        self.requests = 0
        self.waiting = self.most_waiting = 0  # requests under way, when there is latency
        self._accounts = dict(ACCOUNTS if accounts is None else accounts)
        self._by_sid: dict[str, Accepted] = {}
        self._users: dict[bytes, str] = {}
        self._faults: deque[Fault] = deque()
        self._faults_to: dict[str, Fault] = {}
        self._tls = tls
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._journal = os.open(journal, flags, 0o600) if journal else None
        self._thread: LoopThread | None = None
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def fail(self, fault: Fault, *, times: int = 1, to: str | None = None) -> None:
        """The next `times` requests go wrong, or with `to` every request to that number."""
        if to is not None:
            self._faults_to[to] = fault
        else:
            self._faults.extend([fault] * times)

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
            lambda: _Connection(self), "127.0.0.1", self.port, ssl=self._tls, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def handle(self, connection: _Connection, head: bytes, body: bytes) -> None:
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

    def _create(
        self, connection: _Connection, account: str, username: str, form: dict[str, str], head: bytes
    ) -> None:
        fault = self._faults.popleft() if self._faults else self._faults_to.get(form.get("To", ""))
        refusal = refusal_of(form)
        if fault is not None and fault.kind in (FaultKind.ANSWER, FaultKind.DROP):
            self._misanswer(connection, fault)
        elif refusal is not None:
            self._refuse(connection, refusal)
        else:
            message = new_message(account, username, form, head)
            message.answered = fault is None
            self._keep(message)
            answer = created_answer(message)
            if fault is None:
                connection.answer(201, answer)
            elif fault.kind is FaultKind.CLOSE:
                connection.transport.close()
            elif fault.kind is FaultKind.CUT:
                connection.answer(201, answer, cut=True)
            elif fault.kind is FaultKind.GARBAGE:
                connection.answer(201, (fault.body or "<html>It works!</html>").encode())

    def _misanswer(self, connection: _Connection, fault: Fault) -> None:
        if fault.kind is FaultKind.DROP:
            connection.transport.abort()
            return
        extra = f"Retry-After: {fault.retry_after}\r\n".encode() if fault.retry_after else b""
        body = fault.body
        if body is None and fault.code is not None:
            body = Refusal(fault.status, fault.code, "as asked").body().decode()
        connection.answer(fault.status, (body or "").encode(), extra=extra)

    def _keep(self, message: Accepted) -> None:
        if self._journal is not None:
            os.write(self._journal, message.journal_line())
        self.messages.append(message)
        self._by_sid[message.sid] = message

    def _read(self, connection: _Connection, account: str, sid: str | None, query: str) -> None:
        if sid is None:
            connection.answer(200, json.dumps(message_list(self.messages, account, query)).encode())
        elif sid in self._by_sid:
            connection.answer(200, json.dumps(message_fields(self._by_sid[sid], created=False)).encode())
        else:
            self._refuse(connection, Refusal(404, 20404, f"The requested resource {sid} was not found"))

    def _refuse(self, connection: _Connection, refusal: Refusal) -> None:
        connection.answer(refusal.status, refusal.body())

    def _take_fault(self, wanted: dict[str, object]) -> None:
        names = {each.name for each in fields(Fault)}
        given = {name: value for name, value in wanted.items() if name in names}
        fault = Fault(**{**given, "kind": FaultKind(str(wanted["kind"]))})  # type: ignore[arg-type]
        to = wanted.get("to")
        self.fail(fault, times=int(str(wanted.get("times", 1))), to=str(to) if to else None)


def main() -> None:
    """Run until killed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--journal", type=Path)
    options.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options.add_argument("--account", action="append", metavar="SID:TOKEN", help=f"default {ACCOUNT}:{TOKEN}")
    given = options.parse_args()
    accounts = dict(each.split(":", 1) for each in given.account) if given.account else None

    async def serve() -> None:
        server = TwilioServer(accounts=accounts, port=given.port, latency=given.latency, journal=given.journal)
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
