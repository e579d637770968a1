"""libcurl handles, set up alike for everything that is asked of Twilio."""

from __future__ import annotations

import ssl
from pathlib import Path

import pycurl

from scheduler.channels.twilio.settings import TwilioSettings

# A server may close a connection that has been idle for some seconds (5 is the shortest in wide use) just as we
# write to it, which looks like a lost answer. libcurl closes one that was idle for longer than this instead.
IDLE_SECONDS = 3
_LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a page of a thousand messages has some two million


def new_handle(settings: TwilioSettings, ca_file: str | None, *, headers: tuple[str, ...] = ()) -> pycurl.Curl:
    """A handle that never follows a redirect, takes no proxy from the environment and checks certificates.

    A proxy or a redirect would repeat a POST, or show it, somewhere else.
    """
    handle = pycurl.Curl()
    handle.setopt(pycurl.HTTPHEADER, [f"Authorization: {settings.authorization}", *_HEADERS, *headers])
    handle.setopt(pycurl.USERAGENT, "bonewise")
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.FOLLOWLOCATION, 0)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.MAXAGE_CONN, IDLE_SECONDS)
    handle.setopt(pycurl.MAXFILESIZE, _LARGEST_ANSWER)
    handle.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds(settings.timeout))
    handle.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
    handle.setopt(pycurl.SSL_VERIFYPEER, 1)
    handle.setopt(pycurl.SSL_VERIFYHOST, 2)
    if ca_file is not None:
        handle.setopt(pycurl.CAINFO, ca_file)
    return handle


_HEADERS = ("Accept: application/json", "Accept-Charset: utf-8")


def milliseconds(seconds: float) -> int:
    """At least one: libcurl takes 0 for no limit."""
    return max(1, round(seconds * 1000))


def default_ca_file() -> str | None:
    """The certificates to trust: those of the system or of SSL_CERT_FILE, else those of `certifi`.

    libcurl's own default is the path of the system that it was built on, which may not be there.
    """
    system = ssl.get_default_verify_paths().cafile
    if system and Path(system).is_file():
        return system
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()
