"""Refusing at once what could not be answered in time, before any work is done for it."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from scheduler.web.counters import SHED_REQUESTS

INBOUND = "/hooks/twilio/inbound"
AT_ONCE = 150  # texts in work; what they wait for each other stays under half a second


class Shedding:
    """Lets so many requests to one path be in work at a time, and answers the others 503 with Retry-After."""

    def __init__(self, app: ASGIApp, *, path: str = INBOUND, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._path = path
        self._at_once = at_once
        self._in_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
        elif self._in_work >= self._at_once:
            SHED_REQUESTS.add(self._path.rpartition("/")[2])
            answer = PlainTextResponse("Too busy. Try again in a second.\n", 503, {"Retry-After": "1"})
            await answer(scope, receive, send)
        else:
            self._in_work += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._in_work -= 1
