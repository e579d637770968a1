"""What the parts could do with nothing around them: HTTP clients and the template engine."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import cast
from urllib.parse import urlencode, urlsplit

import pycurl

from tests.bench.laps import Run
from tests.bench.peers import reminders
from tests.bench.people import SENDER, phone_of
from tests.support.twilio_server import ACCOUNT, TOKEN

_CONNECTIONS = 64
_PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
_CREATED = b"HTTP/1.1 201 "
_CREDENTIALS = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
_FORM = "Content-Type: application/x-www-form-urlencoded"


def _bodies(count: int) -> list[bytes]:
    text = reminders.render()
    return [urlencode({"To": phone_of(n), "From": SENDER, "Body": text}).encode() for n in range(count)]


def socket_posts(*, url: str, count: int) -> Run:
    """POSTs over bare sockets and an event loop, made to the last byte beforehand; of answers only the status."""
    host = urlsplit(url)
    head = f"POST {_PATH} HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Basic {_CREDENTIALS}\r\n{_FORM}\r\n"
    whole = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in _bodies(count)]
    run = Run()

    async def post_all() -> int:
        return await _post_all(str(host.hostname), int(host.port or 80), whole, run)

    try:
        import uvloop
    except ImportError:
        accepted = asyncio.run(post_all())
    else:
        accepted = uvloop.run(post_all())
    run.expect("requests accepted", found=accepted, wanted=count)
    return run


async def _post_all(host: str, port: int, requests: Sequence[bytes], run: Run) -> int:
    loop, waiting, ended = asyncio.get_running_loop(), iter(requests), asyncio.Event()
    lines = [
        (await loop.create_connection(lambda: _Poster(waiting, ended), host, port))[1] for _ in range(_CONNECTIONS)
    ]
    with run.lap("posts", done=len(requests)):
        for line in lines:
            line.post_next()
        while sum(line.answers for line in lines) < len(requests):
            ended.clear()
            await ended.wait()
    for line in lines:
        line.transport.close()
    return sum(line.accepted for line in lines)


class _Poster(asyncio.Protocol):
    """One connection, one request at a time. `ended` is set whenever there is nothing left to begin."""

    def __init__(self, waiting: Iterator[bytes], ended: asyncio.Event) -> None:
        self._waiting = waiting
        self._ended = ended
        self.answers = self.accepted = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def post_next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._ended.set()
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.answers += 1  # the server writes an answer at once, and there is never a second one
        self.accepted += data.startswith(_CREATED)
        self.post_next()


def curl_posts(*, url: str, count: int) -> Run:
    """POSTs by libcurl's multi handle, the bodies made beforehand; the answers are thrown away."""
    run, waiting, multi = Run(), iter(_bodies(count)), pycurl.CurlMulti()
    idle = [_handle(f"{url}{_PATH}") for _ in range(_CONNECTIONS)]
    accepted = 0
    with run.lap("posts", done=count):
        left = count
        while left:
            while idle and (body := next(waiting, None)) is not None:
                handle = idle.pop()
                handle.setopt(pycurl.READFUNCTION, BytesIO(body).read)
                handle.setopt(pycurl.POSTFIELDSIZE, len(body))
                multi.add_handle(handle)
            multi.perform()
            _, done, failed = multi.info_read(_CONNECTIONS)
            for handle in (*done, *(each[0] for each in failed)):
                accepted += handle.getinfo(pycurl.RESPONSE_CODE) == 201
                multi.remove_handle(handle)
                idle.append(handle)
                left -= 1
            if not done and not failed:
                multi.select(0.05)
    run.expect("requests accepted", found=accepted, wanted=count)
    return run


def _handle(target: str) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, target)
    handle.setopt(pycurl.POST, 1)
    handle.setopt(pycurl.HTTPHEADER, [f"Authorization: Basic {_CREDENTIALS}", _FORM, "Expect:"])
    handle.setopt(pycurl.WRITEFUNCTION, len)
    handle.setopt(pycurl.NOSIGNAL, 1)
    return handle


def renders(*, count: int) -> Run:
    """Renders of one compiled text."""
    run = Run()
    with run.lap("renders", done=count):
        for _ in range(count):
            reminders.render()
    return run
