"""What Twilio's Messages resource would say: the checks it makes and the JSON it answers, without a socket.

Field names, formats and error codes are those of https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import unquote_to_bytes, urlsplit

API = "/2010-04-01"
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_CHANNEL_ADDRESS = re.compile(r"[a-z]+:.+")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
POOL_NUMBER = "+15557650999"  # what a messaging service sends from, which is known once it has


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer of the API."""

    status: int
    code: int
    message: str

    def body(self) -> bytes:
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        fields = {"code": self.code, "message": self.message, "more_info": more, "status": self.status}
        return json.dumps(fields).encode()


@dataclass(slots=True)
class Accepted:
    """A message that the server has taken, whether or not its answer reached the client."""

    sid: str
    at: float  # Unix seconds
    monotonic: float  # seconds of the machine's monotonic clock, the same in all of its processes
    account: str
    username: str  # of the Basic authentication: the account SID or an API key
    form: dict[str, str]
    head: bytes  # the request line and headers, as they came
    answered: bool = True
    status: str | None = None  # in Twilio's words, when it is not what its age makes it
    error_code: int | None = None

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def journal_line(self) -> bytes:
        """One line of JSON; `at` is in Unix seconds, `monotonic` in those of the machine's monotonic clock."""
        answered = "true" if self.answered else "false"
        return (
            f'{{"at": {self.at!r}, "monotonic": {self.monotonic!r}, "sid": "{self.sid}", '
            f'"account": "{self.account}", '
            f'"username": "{self.username}", "answered": {answered}, "form": {json.dumps(self.form)}}}\n'
        ).encode()


def parse_form(body: bytes) -> dict[str, str]:
    """The form's fields, the last of repeated ones; quicker than `parse_qsl`, which benchmarks notice."""
    fields = {}
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        fields[_plain(name)] = _plain(value)
    return fields


def _plain(quoted: bytes) -> str:
    spaced = quoted.replace(b"+", b" ")
    return (unquote_to_bytes(spaced) if b"%" in spaced else spaced).decode()


_sid_prefix = secrets.token_hex(8)
_sid_numbers = itertools.count(1)


def new_message(account: str, username: str, form: dict[str, str], head: bytes, *, at: float) -> Accepted:
    """A message accepted at `at` (Unix seconds), as the server's own clock shows it."""
    sid = f"SM{_sid_prefix}{next(_sid_numbers):016x}"
    return Accepted(sid, at, time.monotonic(), account, username, form, head)


def refusal_of(form: dict[str, str]) -> Refusal | None:
    """Why the API would not take this message, or None."""
    to, sender, service = form.get("To"), form.get("From"), form.get("MessagingServiceSid")
    body = form.get("Body", "")
    if not to:
        return Refusal(400, 21604, "A 'To' phone number is required.")
    if not (_E164.fullmatch(to) or _CHANNEL_ADDRESS.fullmatch(to)):
        return Refusal(400, 21211, f"The 'To' number {to} is not a valid phone number.")
    if not sender and not service:
        return Refusal(400, 21603, "A 'From' phone number is required.")
    if service and not _SERVICE.fullmatch(service):
        return Refusal(404, 20404, f"The messaging service {service} was not found.")
    if not body and not form.get("MediaUrl") and not form.get("ContentSid"):
        return Refusal(400, 21602, "Message body is required.")
    if len(body) > 1600:
        return Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
    validity = form.get("ValidityPeriod", "1")
    if not validity.isdigit() or not 1 <= int(validity) <= 36_000:
        return Refusal(400, 90007, "ValidityPeriod is out of range.")
    callback = form.get("StatusCallback", "")
    if "_" in callback and "_" in (urlsplit(callback).hostname or ""):
        return Refusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
    return None


@lru_cache(maxsize=64)
def _stamp(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def created_answer(message: Accepted) -> bytes:
    """The answer to a creation: what `message_fields` says, from a template because benchmarks notice."""
    form = message.form
    body, service = form.get("Body", ""), form.get("MessagingServiceSid")
    second = int(message.at)
    template = _created_template(message.account, second, service is not None)
    return (
        template.replace("@sid@", message.sid)
        .replace("@segments@", "0" if service else str(segments(body)))
        .replace('"@service@"', json.dumps(service))
        .replace('"@to@"', json.dumps(form["To"]))
        .replace('"@from@"', json.dumps(form.get("From")))
        .replace('"@body@"', json.dumps(body))  # last: it may hold anything
    ).encode()


@lru_cache(maxsize=64)
def _created_template(account: str, second: int, with_service: bool) -> str:
    form = {"To": "@to@", "From": "@from@", "Body": "@body@"}
    if with_service:
        form["MessagingServiceSid"] = "@service@"
    fields = message_fields(Accepted("@sid@", second, second, account, "", form, b""), created=True)
    fields["num_segments"], fields["messaging_service_sid"] = "@segments@", "@service@"
    return json.dumps(fields)


def message_fields(message: Accepted, *, created: bool) -> dict[str, object]:
    """The resource as JSON fields: as answered to its creation, when it waits to be sent, or once it was sent."""
    form, service = message.form, message.form.get("MessagingServiceSid")
    uri = f"{API}/Accounts/{message.account}/Messages/{message.sid}"
    stamp = _stamp(int(message.at))
    first_status = "accepted" if service else "queued"
    from_pool = POOL_NUMBER if service and not created else None
    return {
        "account_sid": message.account,
        "api_version": "2010-04-01",
        "body": form.get("Body", ""),
        "date_created": stamp,
        "date_sent": None if created else stamp,
        "date_updated": stamp,
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None,
        "from": form.get("From", from_pool),
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if service and created else str(segments(form.get("Body", ""))),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status or (first_status if created else "sent"),
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "to": form["To"],
        "uri": f"{uri}.json",
    }


def segments(body: str) -> int:
    """Roughly what Twilio would count: Latin text in septets, anything else in UTF-16 units."""
    single, part = (160, 153) if body.isascii() else (70, 67)
    units = len(body) if body.isascii() else len(body.encode("utf-16-le")) // 2
    return 1 if units <= single else -(-units // part)
