"""When an account or a sender is refused, or a provider is down: stop, keep the messages, try one now and then.

Sending on would fail for everybody: a provider may block an account that does not stop asking, and of a message sent
into an outage nobody knows whether it went.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FIRST_PROBE = timedelta(minutes=1)
LONGEST_PROBE = timedelta(minutes=5)
PROBE_TAKES = timedelta(minutes=1)  # nobody else probes meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The state of one account or sender. Open since `open_since` (UTC) because of `code`; None: closed."""

    open_since: datetime | None = None
    code: str | None = None
    probe_at: datetime | None = None
    probes: int = 0

    @property
    def is_open(self) -> bool:
        return self.open_since is not None

    def may_probe(self, now: datetime) -> bool:
        """Whether it is time to try one message; also after a clock was set back behind the last probe."""
        return self.probe_at is not None and not now < self.probe_at <= now + LONGEST_PROBE

    def probing(self, now: datetime) -> Breaker:
        """While one message is tried."""
        return replace(self, probe_at=now + PROBE_TAKES)

    def refused(self, code: str | None, now: datetime) -> Breaker:
        """The account or sender was refused, by the message that opened it or by a probe."""
        probes = self.probes + 1 if self.is_open else 0
        wait = min(FIRST_PROBE * (1 << min(probes, 10)), LONGEST_PROBE)
        return Breaker(open_since=self.open_since or now, code=code, probe_at=now + wait, probes=probes)


CLOSED = Breaker()
