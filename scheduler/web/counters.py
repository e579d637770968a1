"""What this process counts because it leaves no other trace."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Tally:
    """Counts by name; safe to share between threads. Begins at nothing with every process, as Prometheus expects."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def counts(self) -> dict[str, int]:
        """How often each name was added so far."""
        with self._lock:
            return dict(self._counts)


REFUSED_WEBHOOKS = Tally()  # by the last part of the path: calls whose signature or account was not Twilio's for us
SHED_REQUESTS = Tally()  # by the last part of the path: requests refused at once because too many were in work
