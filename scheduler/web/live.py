"""The simulated phones as they change: one look for everybody who watches, told as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from anyio.to_thread import run_sync

from scheduler.services.phones import Phone, phones
from scheduler.web.clock import face
from scheduler.web.site import Site

EVERY = 0.4  # seconds between two looks
HEARTBEAT = 15.0  # seconds: proxies close what is silent for longer, mostly after 30 or 60
MOST_LISTENERS = 20
_RETRY = 2000  # milliseconds after which a browser whose connection broke comes back
_LOOK_WHOLE = 10.0  # seconds after which the phones are read again even if nothing came in: a name may have changed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """The phones and the clock at a moment."""

    version: str
    phones: Mapping[str, str] = field(default_factory=dict)  # versions by key
    drawn: Mapping[str, str] = field(default_factory=dict)  # HTML by key
    clock: str = ""  # JSON


class Wall:
    """Looks at the phones of a site; draws again only those that have changed. For one thread at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._mark = ""
        self._read_at = float("-inf")
        self._versions: dict[str, str] = {}
        self._drawn: dict[str, str] = {}

    def look(self) -> Look:
        """The phones and the clock now."""
        mark = self._site.app.simulated_inbox.mark()
        if mark != self._mark or time.monotonic() - self._read_at > _LOOK_WHOLE:
            self._read()
            self._mark, self._read_at = mark, time.monotonic()
        return Look(_joined(self._versions), self._versions, self._drawn, clock_news(self._site))

    def _read(self) -> None:
        found = phones_of(self._site)
        changed = [phone for phone in found if self._versions.get(phone.key) != phone.version]
        now = self._site.app.clock.now()
        drawn = {one.key: self._site.pages.html("phones_wall.html", phones=[one], now=now) for one in changed}
        self._drawn = {phone.key: drawn.get(phone.key) or self._drawn[phone.key] for phone in found}
        self._versions = {phone.key: phone.version for phone in found}


class Live:
    """Tells browsers what changes, each in a stream of its own."""

    def __init__(
        self,
        look: Callable[[], Look],
        *,
        stopping: Callable[[], bool],
        unavailable: type[Exception],
        most: int = MOST_LISTENERS,
        every: float = EVERY,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        """`look` may wait for the database, and raises `unavailable` where that is gone. `stopping` says that all
        streams are to end.
        """
        self._look = look
        self._stopping = stopping
        self._unavailable = unavailable
        self._most = most
        self._every = every
        self._heartbeat = heartbeat
        self._lock = asyncio.Lock()
        self._latest: Look | None = None
        self._looked_at = float("-inf")
        self.listeners = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody more is listened to."""
        return self.listeners >= self._most

    async def listen(self, since: str) -> AsyncGenerator[str, None]:
        """The stream of one browser that shows the version `since`: first what it has missed, then all news.

        It ends when the service stops or the database is gone; browsers then try again by themselves.
        """
        self.listeners += 1
        try:
            yield f"retry: {_RETRY}\n\n"
            known: Mapping[str, str] | None = None
            clock, said_at = "", time.monotonic()
            while not self._stopping():
                look = await self._current()
                news = _news(look, known, since)
                if look.clock != clock:
                    news += f"event: clock\ndata: {look.clock}\n\n"
                known, clock = look.phones, look.clock
                if not news and time.monotonic() - said_at >= self._heartbeat:
                    news = ": nothing new\n\n"
                if news:
                    said_at = time.monotonic()
                    yield news
                await asyncio.sleep(self._every)
        except self._unavailable as error:
            _log.error("the phones cannot be read: %s", error)
        finally:
            self.listeners -= 1

    async def _current(self) -> Look:
        """What everybody sees; one look, however many listen."""
        async with self._lock:
            if self._latest is None or time.monotonic() - self._looked_at >= self._every / 2:
                self._latest = await run_sync(self._look)
                self._looked_at = time.monotonic()
            return self._latest


def _news(look: Look, known: Mapping[str, str] | None, since: str) -> str:
    """The phones that a browser does not show as they are. One that comes with another version gets them all."""
    if known is None:
        changed = [] if since == look.version else list(look.phones)
    else:
        changed = [key for key, version in look.phones.items() if known.get(key) != version]
    if not changed:
        return ""
    data = json.dumps([look.drawn[key] for key in changed])
    return f"id: {look.version}\nevent: phones\ndata: {data}\n\n"


def phones_of(site: Site) -> list[Phone]:
    """The simulated phones and mailboxes of the site."""
    received = site.app.simulated_inbox.received()
    with site.app.store.reading() as unit:
        return phones(unit, received, channels=site.simulated_channels, rules=site.app.rules)


def version_of(found: Iterable[Phone]) -> str:
    """Changes whenever one of the phones does."""
    return _joined({phone.key: phone.version for phone in found})


def _joined(versions: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(versions.items())).encode()).hexdigest()[:16]


def clock_news(site: Site) -> str:
    """The clock as JSON, to the minute: `at` in milliseconds since 1970, the date and time in the clinic's words."""
    shown = face(site)
    return json.dumps(
        {
            "at": int(shown.now.replace(second=0, microsecond=0).timestamp()) * 1000,
            "time": f"{shown.now:%H:%M}",
            "day": f"{shown.now:%A} {shown.now.day} {shown.now:%B} {shown.now.year}",
            "state": shown.state,
            "said": shown.said,
            "done": shown.day,
            "days": shown.days,
        }
    )
