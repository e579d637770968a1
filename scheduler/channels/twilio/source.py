"""The batch that a channel takes its messages from, one by one."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.ports import OutboundSms


class Source:
    """Takes messages from an iterable that may have nothing for now (None), end, or fail."""

    def __init__(self, batch: Iterable[OutboundSms | None]) -> None:
        self._messages = iter(batch)
        self._error: Exception | None = None
        self.is_spent = False
        self.is_waiting = False  # there was nothing yet when it was last asked

    def next(self) -> OutboundSms | None:
        """The next message; None when there is none, for now or for good."""
        try:
            message = next(self._messages)
        except StopIteration:
            self.is_spent = True
            return None
        except Exception as error:  # noqa: BLE001  # raised once the results of those under way are out
            self.is_spent, self._error = True, error
            return None
        self.is_waiting = message is None
        return message

    def raise_what_was_raised(self) -> None:
        """Raise what the iterable raised, if it did."""
        if self._error is not None:
            raise self._error
