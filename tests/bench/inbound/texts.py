"""The texts of the load: signed as Twilio signs them, a tenth of them sent twice, one in twenty a STOP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.bench.people import SENDER, phone_of
from tests.support.twilio_server import ACCOUNT, TOKEN

PATH = "/hooks/twilio/inbound"
PUBLIC_URL = "https://bonewise.example.org"
REPEATED = 0.10
STOPS = 0.05
_ANSWERS = ("1", "2", "3", "Done", "done :)", "LATER", "HELP", "2, my appointment is on Friday", "si", "PAUSE 1 WEEK")
_PROSE = (
    "Hi, I saw Dr. Lee yesterday and she said the scan can wait until spring, is that ok with you?",
    "Thank you for the reminder",
    "who is this",
    "I cannot read the message, can you call me please",
    "Gracias, lo haré mañana por la mañana",
)


@dataclass(frozen=True, slots=True)
class Text:
    """One request. `number` tells which text it is: a repeat has its original's."""

    number: int
    is_stop: bool
    request: bytes


def texts(count: int, *, patients: int, seed: int, host: str, run: str) -> Iterator[Text]:
    """`count` requests to `host`, the same for the same `seed`; `run` makes the ids of one run its own.

    A repeat follows within the next hundred: at once, or when its original has long been answered. The patients who
    stop are the first ones, each once; all others write.
    """
    random_of = random.Random(seed)
    recent: list[Text] = []
    stops = 0
    for number in range(count):
        if recent and random_of.random() < REPEATED:
            yield random_of.choice(recent[-100:])
            continue
        is_stop = random_of.random() < STOPS / (1 - REPEATED)
        if is_stop:
            who, body = stops, random_of.choice(("STOP", "Stop.", "please stop texting me", "unsubscribe"))
            stops += 1
        else:
            who = random_of.randrange(patients // 4, patients)
            body = random_of.choice(_ANSWERS if random_of.random() < 0.8 else _PROSE)
        text = Text(number, is_stop, _request(sid_of(run, number), phone_of(who), body, host))
        recent.append(text)
        yield text


def sid_of(run: str, number: int) -> str:
    """The id of a text, in Twilio's form."""
    return f"SM{run}{number:024x}"


def _request(sid: str, sender: str, body: str, host: str) -> bytes:
    fields = {
        "ToCountry": "US", "ToState": "MA", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "BOSTON",
        "FromZip": "02118", "SmsSid": sid, "FromState": "MA", "SmsStatus": "received", "FromCity": "BOSTON",
        "Body": body, "FromCountry": "US", "To": SENDER, "ToZip": "02108", "NumSegments": "1", "MessageSid": sid,
        "AccountSid": ACCOUNT, "From": sender, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    form = urlencode(fields).encode()
    signed = PUBLIC_URL + PATH + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(form)}\r\n\r\n"
    )
    return head.encode() + form
