"""The web server process: one listening socket, one event loop, a stop that finishes what was begun."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

GRACE = 5  # seconds that requests under way get to finish after SIGTERM
KEEP_ALIVE = 75  # seconds; longer than the 60 of common proxies, who else write on one that is just being closed


class CannotListenError(OSError):
    """The address cannot be listened on. The text says why and what to do."""

    def __init__(self, host: str, port: int, why: OSError) -> None:
        if why.errno == errno.EADDRINUSE:
            super().__init__(f"port {port} at {host} is in use by another program; choose another with --port")
        else:
            super().__init__(
                f"cannot listen on {host} port {port}: {why.strerror or why}; choose another --host or --port"
            )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises `CannotListenError`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        raise CannotListenError(host, port, error) from error


def address_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _once(act: Callable[[], None]) -> Callable[[], None]:
    """For a signal's handler: while one is handled a second may come, and would wait for a lock of the first."""
    calls: list[None] = []

    def first_alone() -> None:
        if not calls:
            calls.append(None)
            act()

    return first_alone


class WebServer:
    """Serves one ASGI application on one socket."""

    def __init__(self, web: Any, listening: socket.socket, *, on_stop: Callable[[], None]) -> None:
        """`on_stop` is called as soon as a signal asks to stop, in the signal's handler; by the first one alone."""
        config = uvicorn.Config(
            web,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # addresses in it may hold a patient's link
            server_header=False,
            proxy_headers=False,  # our public address comes from the settings, never from a header
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._listening = listening
        self._on_stop = _once(on_stop)
        self._server = _Server(config, on_stop=self._on_stop, says=f"Bonewise is at {address_of(listening)}")

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Within it SIGTERM and SIGINT end `run`, or keep it from beginning.

        uvicorn has handlers of its own while it runs, and raises the signal that ended it once more at the end;
        with these a clean stop does not turn into exit code 143.
        """
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self) -> None:
        """Serve until a signal. Returns when the requests under way are answered, or their grace is over."""
        self._server.run(sockets=[self._listening])

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._server.should_exit = True
        self._on_stop()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None], says: str) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._says = says

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            sys.stdout.write(f"{self._says}\n")
            sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)
