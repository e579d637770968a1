"""What the peers send: the same words to the same numbers, by the tools that a tutorial would take."""

from __future__ import annotations

import threading
from typing import Any

from jinja2 import Environment
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.bench.people import SENDER
from tests.support.twilio_server import ACCOUNT, TOKEN

_TWILIO = "https://api.twilio.com"
TEXT = (
    "{{ clinic }}: Have you had your vitamin D level checked? Reply 1 had it done, 2 booked, 3 not yet."
    "{% if stop_line %} Reply STOP to stop, HELP for help.{% endif %}"
)
VALUES = {"clinic": "Bench Clinic", "stop_line": True}
template = Environment(autoescape=False).from_string(TEXT)  # noqa: S701 - a text message, not HTML


class _Redirected(TwilioHttpClient):  # type: ignore[misc]
    """The package's own client as it comes, save that it calls the server of the bench."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        return super().request(method, url.replace(_TWILIO, self._url, 1), *args, **options)


class _RedirectedAsync(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The same for asyncio; it wants to be made inside a running loop."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        return await super().request(method, url.replace(_TWILIO, self._url, 1), *args, **options)


def twilio_client(url: str) -> Client:
    return Client(ACCOUNT, TOKEN, http_client=_Redirected(url))


def async_twilio_client(url: str) -> Client:
    """A client whose `create_async` works; its `http_client` is to be closed."""
    return Client(ACCOUNT, TOKEN, http_client=_RedirectedAsync(url))


_kept: dict[str, Client] = {}
_lock = threading.Lock()


def shared_client(url: str) -> Client:
    """One client per process and address, for jobs that are stored by name and arguments."""
    with _lock:
        if url not in _kept:
            _kept[url] = twilio_client(url)
        return _kept[url]


def render() -> str:
    return template.render(VALUES)


def send(client: Client, phone: str) -> str:
    """Render one reminder and send it; returns the provider's id."""
    return str(client.messages.create(to=phone, from_=SENDER, body=render()).sid)


async def send_async(client: Client, phone: str) -> str:
    """The same for asyncio."""
    sent = await client.messages.create_async(to=phone, from_=SENDER, body=render())
    return str(sent.sid)
