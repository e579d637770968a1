"""The list side of Twilio's Messages resource: what is shown when, filters and pages.

https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, quote, urlencode

from tests.support.twilio_rules import API, Accepted, message_fields

_DATES = ("DateSent", "DateSent<", "DateSent>")


@dataclass(slots=True)
class Age:
    """What the age of a message makes of it, in seconds since it was taken."""

    listed_after: float = 0.0  # until then the list does not show it
    sent_after: float = 0.0  # until then it is queued and has no date of sending

    def is_listed(self, message: Accepted) -> bool:
        return time.monotonic() >= message.monotonic + self.listed_after

    def is_sent(self, message: Accepted) -> bool:
        return time.monotonic() >= message.monotonic + self.sent_after


def message_list(messages: Iterable[Accepted], account: str, query: str, age: Age) -> dict[str, object]:
    """A page of the account's messages. `messages` are in the order they were taken; the newest is shown first."""
    wanted = dict(parse_qsl(query))
    size = min(1000, max(1, int(wanted.pop("PageSize", "50"))))
    page = int(wanted.pop("Page", "0"))
    wanted.pop("PageToken", None)
    fits = _filter(account, wanted, age)
    found = [message for message in messages if fits(message)][::-1]
    shown = found[page * size : (page + 1) * size]
    path = f"{API}/Accounts/{account}/Messages.json"

    def link(number: int) -> str:
        token = {"PageToken": f"PA{shown[-1].sid}"} if number and shown else {}
        return f"{path}?{urlencode({**wanted, 'PageSize': size, 'Page': number, **token}, quote_via=quote)}"

    return {
        "messages": [message_fields(message, created=not age.is_sent(message)) for message in shown],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, len(shown) - 1),
        "uri": link(page),
        "first_page_uri": link(0),
        "previous_page_uri": link(page - 1) if page else None,
        "next_page_uri": link(page + 1) if len(found) > (page + 1) * size else None,
    }


def _filter(account: str, wanted: dict[str, str], age: Age) -> Callable[[Accepted], bool]:
    people = [(name, wanted[name]) for name in ("To", "From") if name in wanted]
    days = [(name, wanted[name]) for name in _DATES if name in wanted]

    def fits(message: Accepted) -> bool:
        if message.account != account or any(message.form.get(name) != value for name, value in people):
            return False
        if not age.is_listed(message):
            return False
        if not days:
            return True
        sent = datetime.fromtimestamp(message.at, UTC)
        return age.is_sent(message) and all(_sent_fits(sent, name, value) for name, value in days)

    return fits


def _sent_fits(sent: datetime, name: str, value: str) -> bool:
    day = date.fromisoformat(value[:10])
    if name == "DateSent":
        return sent.date() == day
    instant = datetime.fromisoformat(value).astimezone(UTC) if "T" in value else None
    if name == "DateSent<":
        return sent <= instant if instant else sent.date() <= day
    return sent >= instant if instant else sent.date() >= day
