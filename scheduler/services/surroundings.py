"""What is wrong around an installation: its address, its disk, its zone data. Plain functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit

from scheduler.services.findings import Finding, Topic

LEAST_SPACE = 200 * 1024 * 1024  # bytes that a SQLite database should have left to grow into
ZONES_LAST = timedelta(days=180)  # after the year of their release: by then some government has moved its clocks


# What providers and patients reach


def public_url_findings(url: str, *, twilio_url: str | None, mails_leave: bool) -> Iterator[Finding]:
    """What is wrong with BONEWISE_PUBLIC_URL where messages leave the machine.

    `twilio_url` is where texts go, None where they are simulated; a test server in our own network reaches us.
    Twilio calls it for replies and receipts, and takes no host name with an underscore
    (https://www.twilio.com/docs/errors/21609). Patients follow it from e-mails.
    """
    texts_leave = twilio_url is not None and not _is_inside(urlsplit(twilio_url).hostname or "")
    if not (texts_leave or mails_leave):
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    who = "Twilio" if texts_leave else "patients"

    def found(what: str, *, is_doubt: bool = False) -> Finding:
        return Finding(
            topic=Topic.PUBLIC_URL,
            what=f"{url} {what}",
            where="BONEWISE_PUBLIC_URL",
            remedy="set it to the https address under which this service is reached from outside",
            is_doubt=is_doubt,
        )

    if _is_inside(host):
        lost = "replies and receipts" if texts_leave else "the links in e-mails"
        yield found(f"cannot be reached by {who}: {lost} do not arrive")
    elif texts_leave and "_" in host:
        yield found("has an underscore in its host name, which Twilio refuses")
    elif parts.scheme != "https":
        yield found("is not encrypted: what patients write and open can be read on the way")


def _is_inside(host: str) -> bool:
    """Whether a host is this machine or in its own network only."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan", ".home.arpa"))


# Space, and the zone data


def disk_findings(*, folder: str, free: int, is_writable: bool) -> Iterator[Finding]:
    """What is wrong with the folder of a SQLite database, with `free` bytes left for it."""
    if not is_writable:
        yield Finding(
            topic=Topic.DISK,
            what="it cannot be written to, and SQLite keeps its journal beside the database",
            where=folder,
            remedy="correct the owner or the mode of the folder and of the database file",
        )
    if free < LEAST_SPACE:
        yield Finding(
            topic=Topic.DISK,
            what=f"only {free // (1024 * 1024)} MB are left for the database",
            where=folder,
            remedy="free some space, or move the database to a larger disk: on a full one nothing is sent",
        )


def zone_findings(*, installed: str, planned_with: str | None, today: date) -> Iterator[Finding]:
    """What is wrong with the zone data; `installed` is its release, such as 2026a.

    `planned_with` is the release that next contacts were worked out with, None where there are none yet.
    """
    place = f"time zone data {installed}"
    released = installed[:4]
    if released.isdigit() and today - date(int(released), 12, 31) > ZONES_LAST:
        yield Finding(
            topic=Topic.ZONES,
            what=f"it is of {released}; governments have moved clocks since",
            where=place,
            remedy="update the package tzdata (`make setup`) and restart: next contacts are worked out anew",
        )
    if planned_with not in (None, installed):
        yield Finding(
            topic=Topic.ZONES,
            what=f"next contacts were worked out with release {planned_with}",
            where=place,
            remedy="start or restart the workers with this version: the next tick works them out anew",
            is_doubt=True,
        )
