"""Many requests at once over few kept-alive connections, all in the caller's thread: one libcurl multi handle.

A message must never be posted twice. When a reused connection dies without a byte of an answer, libcurl sends the
same request again over a new one by itself, although the server may have acted on the first. The option that forbids
it is younger than the releases in use, so the body is handed over in a way that cannot be repeated: through a read
function without a seek function. libcurl then fails with CURLE_SEND_FAIL_REWIND instead.
https://curl.se/libcurl/c/CURLOPT_SEEKFUNCTION.html

A connection that the server has closed in the meantime shall cost no message either, so its socket is looked at
before it is used again; libcurl itself looks once a second at most. For that each line has a connection of its own.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple
from uuid import UUID

import pycurl

from scheduler.channels.twilio.failures import Failure, answer_overdue, failure_of
from scheduler.channels.twilio.handles import new_handle
from scheduler.channels.twilio.settings import TwilioSettings

_FORM = "Content-Type: application/x-www-form-urlencoded"
_NO_EXPECT = "Expect:"  # else libcurl may wait for a 100 Continue
_BUFFER = 16 * 1024  # bytes; libcurl's smallest for uploads, and more than a text needs
_OVERDUE = 0.002  # seconds after which a caller that starts requests should look after those under way
_LOOKS_PER_TIMEOUT = 20
_LONGEST_WAIT = 0.05  # seconds: as exact as libcurl's own timers, such as the one for connecting, have to be
_FEW = 8  # requests under way, of which each answer is worth looking at by itself
_GATHER = 0.001  # seconds
_NO_SOCKET = 0.001  # seconds: a shorter wait means that there was no socket to wait for


class Finished(NamedTuple):
    """One request that has ended: with an answer, or with a failure and status 0."""

    tag: UUID
    status: int
    body: bytes
    head: Sequence[bytes]  # header lines as they came, of error answers only
    failure: Failure | None


class _Line:
    """One handle with its request. A line is used again for the next request, and so is its connection.

    The handle's connections are kept in a share of its own, so that there is only one, and we know which.
    """

    __slots__ = ("_poll", "_share", "_watched", "answer", "body", "handle", "head", "started", "tag")

    def __init__(self, handle: pycurl.Curl) -> None:
        self._share = pycurl.CurlShare()
        self._share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
        handle.setopt(pycurl.SHARE, self._share)
        handle.setopt(pycurl.MAXCONNECTS, 1)
        self.handle = handle
        self.answer: list[bytes] = []
        self.head: list[bytes] = []
        self.body = BytesIO()
        self.started = 0.0
        self._watched, self._poll = -1, select.poll()
        self.tag = UUID(int=0)
        handle.setopt(pycurl.WRITEFUNCTION, self.answer.append)
        handle.setopt(pycurl.HEADERFUNCTION, self.head.append)

    @property
    def is_dead(self) -> bool:
        """Whether its idle connection has something to read: its end, or what nobody asked for."""
        descriptor = self.handle.getinfo(pycurl.ACTIVESOCKET)
        if descriptor < 0:
            return False
        if descriptor != self._watched:
            self._watched, self._poll = descriptor, select.poll()
            self._poll.register(descriptor, select.POLLIN)
        return bool(self._poll.poll(0))

    def close(self) -> None:
        self.handle.close()
        self._share.close()

    def load(self, tag: UUID, body: bytes) -> None:
        self.tag = tag
        self.body = BytesIO(body)
        self.answer.clear()
        self.head.clear()
        # Never POSTFIELDS and never a SEEKFUNCTION: see above.
        self.handle.setopt(pycurl.READFUNCTION, self.body.read)
        self.handle.setopt(pycurl.POSTFIELDSIZE, len(body))
        self.started = time.monotonic()

    @property
    def is_body_read(self) -> bool:
        return self.body.tell() > 0

    def written_at(self) -> float | None:
        """When the request began to be written (monotonic seconds); None when it has not."""
        if not self.is_body_read:
            return None
        return self.started + float(self.handle.getinfo(pycurl.PRETRANSFER_TIME))


class Transfers:
    """Posts forms to the Messages resource. Belongs to one thread at a time; nothing moves but in `drive`."""

    def __init__(self, settings: TwilioSettings, ca_file: str | None) -> None:
        self._settings = settings
        self._ca_file = ca_file
        self._timeout = settings.timeout
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self._idle: list[_Line] = []
        self._under_way: dict[pycurl.Curl, _Line] = {}  # in the order of their start
        self._driven_at = 0.0
        self._look_at = 0.0

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    @property
    def has_room(self) -> bool:
        return len(self._under_way) < self._settings.concurrency

    @property
    def is_overdue(self) -> bool:
        """Requests under way have waited for the caller: drive before starting more."""
        return time.monotonic() - self._driven_at > _OVERDUE

    def start(self, tag: UUID, body: bytes) -> None:
        """Begin one request; the first byte is written by the next `drive`."""
        line = self._free_line()
        line.load(tag, body)
        self._multi.add_handle(line.handle)
        self._under_way[line.handle] = line

    def drive(self, wait: float) -> list[Finished]:
        """Move all requests on; wait up to `wait` seconds for one to move when none has ended. May return none."""
        self._multi.perform()
        ended = self._collect() + self._give_up_on_overdue()
        if not ended and wait > 0:
            self._wait(wait)
        self._driven_at = time.monotonic()
        return ended

    def finish(self) -> None:
        """End what is under way, for as long as its timeouts allow, and forget what came of it."""
        while self._under_way:
            self.drive(_LONGEST_WAIT)

    def close(self) -> None:
        """Close every connection; requests under way are broken off."""
        for line in [*self._idle, *self._under_way.values()]:
            line.close()
        self._idle.clear()
        self._under_way.clear()
        self._multi.close()

    def _free_line(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if not line.is_dead:
                return line
            line.close()
        return self._new_line()

    def _new_line(self) -> _Line:
        handle = new_handle(self._settings, self._ca_file, headers=(_FORM, _NO_EXPECT))
        handle.setopt(pycurl.URL, self._settings.messages_url)
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.UPLOAD_BUFFERSIZE, _BUFFER)
        return _Line(handle)

    def _collect(self) -> list[Finished]:
        ended: list[Finished] = []
        queued = 1
        while queued:
            queued, answered, failed = self._multi.info_read()
            for handle in answered:
                line = self._take_off(handle)
                status = handle.getinfo(pycurl.RESPONSE_CODE)
                head = tuple(line.head) if status >= 400 else ()
                ended.append(Finished(line.tag, status, b"".join(line.answer), head, None))
            for handle, number, words in failed:
                line = self._take_off(handle)
                failure = failure_of(handle, number, words, is_body_read=line.is_body_read, timeout=self._timeout)
                ended.append(Finished(line.tag, 0, b"", (), failure))
        return ended

    def _give_up_on_overdue(self) -> list[Finished]:
        """Break off requests whose answer is not there in time.

        libcurl's own limit would count from before the connection was made, and would strike answers that have
        arrived while the caller was busy.
        """
        now = time.monotonic()
        if now < self._look_at:
            return []
        self._look_at = now + self._timeout / _LOOKS_PER_TIMEOUT
        late: list[_Line] = []
        for line in self._under_way.values():
            if line.started > now - self._timeout:
                break
            written_at = line.written_at()
            if written_at is not None and written_at <= now - self._timeout:
                late.append(line)
        failure = answer_overdue(self._timeout)
        return [Finished(self._take_off(line.handle).tag, 0, b"", (), failure) for line in late]

    def _take_off(self, handle: pycurl.Curl) -> _Line:
        line = self._under_way.pop(handle)
        self._multi.remove_handle(handle)
        self._idle.append(line)
        return line

    def _wait(self, seconds: float) -> None:
        seconds = min(seconds, _LONGEST_WAIT)
        before = time.monotonic()
        if not self._under_way:
            time.sleep(seconds)
        elif self._multi.select(seconds) <= 0:
            if time.monotonic() - before < _NO_SOCKET:
                time.sleep(_NO_SOCKET)  # there is no socket to wait for yet
        elif len(self._under_way) > _FEW:
            time.sleep(_GATHER)  # libcurl looks at all of them for each that has an answer: let there be several
