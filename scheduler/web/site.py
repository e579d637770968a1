"""What the routes share: the installation, its scheduler if there is one here, and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from scheduler.bootstrap import App
from scheduler.domain.people import Channel
from scheduler.settings import SIMULATED
from scheduler.web.pages import Pages


class Liveness(Protocol):
    """A scheduler, as far as the web side cares."""

    def fault(self) -> str | None:
        """Why no work is being done, in one sentence; None when all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """One installation on the web. `scheduler` is None where another process ticks."""

    app: App
    scheduler: Liveness | None
    pages: Pages

    @property
    def days_ahead(self) -> int:
        """How many days a visitor has moved the clock."""
        return round((self.app.clock.now() - datetime.now(UTC)) / timedelta(days=1))

    @property
    def simulated_channels(self) -> frozenset[Channel]:
        """The channels whose messages stay on this machine."""
        settings = self.app.settings
        chosen = {Channel.SMS: settings.sms, Channel.EMAIL: settings.email}
        return frozenset(channel for channel, kind in chosen.items() if kind == SIMULATED)


async def site_of(request: Request) -> Site:
    """The site that a request came to."""
    return cast("Site", request.app.state.site)


Here = Annotated[Site, Depends(site_of)]
