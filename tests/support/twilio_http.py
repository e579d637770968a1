"""The HTTP of the server that speaks Twilio's protocol: just enough of it, and quick, for benchmarks notice."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from tests.support.twilio_faults import Fault, FaultKind
from tests.support.twilio_rules import Refusal

if TYPE_CHECKING:
    from tests.support.twilio_server import TwilioServer

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class Connection(asyncio.Protocol):
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
            asyncio.get_running_loop().call_later(self._server.answering_takes(), self._write_late, whole, cut)
        else:
            self._write(whole, cut)

    def _write_late(self, whole: bytes, cut: bool) -> None:
        self._server.waiting -= 1
        self._write(whole, cut)

    def _write(self, whole: bytes, cut: bool) -> None:
        self.transport.write(whole)
        if cut:
            self.transport.close()

    def misanswer(self, fault: Fault, *, whole: bytes = b"{}") -> None:
        """Answer as the fault wants it; `whole` is what a server in order would have said."""
        match fault.kind:
            case FaultKind.ANSWER:
                extra = f"Retry-After: {fault.retry_after}\r\n".encode() if fault.retry_after else b""
                body = fault.body
                if body is None and fault.code is not None:
                    body = Refusal(fault.status, fault.code, "as asked").body().decode()
                self.answer(fault.status, (body or "").encode(), extra=extra)
            case FaultKind.DROP:
                self.transport.abort()
            case FaultKind.IGNORE | FaultKind.HANG:
                pass
            case FaultKind.CLOSE:
                self.transport.close()
            case FaultKind.GARBAGE:
                self.answer(201, (fault.body or "<html>It works!</html>").encode())
            case FaultKind.CUT:
                self.answer(201, whole, cut=True)
