"""The same month over two ways: simulated phones and mailboxes, and Twilio's protocol with a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import time_machine
from starlette.testclient import TestClient

from scheduler.domain.people import Channel
from scheduler.services.replies import Inbound, receive
from tests.support.commands import Commands
from tests.support.letters import letter
from tests.support.smtp_sink import SmtpSink
from tests.support.twilio_server import ACCOUNT, TOKEN, TwilioServer
from tests.support.waiting import wait_until
from tests.support.web import browser, form_token, signature
from tests.support.worlds import World, world_at

PUBLIC = "https://reminders.clinic.example"
INBOUND = "/hooks/twilio/inbound"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came to a phone or mailbox."""

    at: datetime
    address: str
    text: str
    subject: str | None = None


class Way(Protocol):
    """How patients are reached, and how they answer."""

    world: World

    def write(self, channel: Channel, sender: str, text: str) -> None:
        """What the patient writes comes in, and is understood."""
        ...

    def settle(self) -> None:
        """What the providers report of messages that have gone."""
        ...

    def received(self) -> list[Received]:
        """Everything that came to patients and staff, in its order."""
        ...


class Simulated:
    """The phones and mailboxes of `/phones`."""

    def __init__(self, world: World, client: TestClient) -> None:
        self.world = world
        self._client = client

    def write(self, channel: Channel, sender: str, text: str) -> None:
        form = {
            "form_token": form_token(self._client.get("/phones").text),
            "channel": channel.value,
            "address": sender,
            "body": text,
        }
        status = self._client.post("/phones/reply", data=form).status_code
        if status == 404:  # a phone that is nobody's is not shown, and cannot be written with
            world = self.world
            stranger = Inbound(channel=channel, sender=sender, body=text, provider_id=None)
            receive(world.store, world.rules, world.clinic, stranger, now=world.clock.at)
            world.tick()
        else:
            assert status == 303

    def settle(self) -> None:
        """Nothing: a simulated phone reports nothing."""

    def received(self) -> list[Received]:
        return [
            Received(one.at, one.address, one.body, one.subject)
            for one in self.world.app.simulated_inbox.received(limit=5000)
        ]


class Protocols:
    """Twilio's protocol, with signed webhooks, and SMTP, with letters that a mail server pipes in."""

    def __init__(self, world: World, client: TestClient, twilio: TwilioServer, sink: SmtpSink) -> None:
        self.world = world
        self._client = client
        self._twilio = twilio
        self._sink = sink
        self._settled = 0
        self._letters = 0
        self._texts = 0
        self._mailed_at: list[datetime] = []

    def write(self, channel: Channel, sender: str, text: str) -> None:
        if channel is Channel.SMS:
            self._text(sender, text)
        else:
            self._letter(sender, text)
        self.world.tick()
        self.settle()

    def settle(self) -> None:
        fresh = self._twilio.messages[self._settled :]
        self._settled += len(fresh)
        for one in fresh:
            for status in ("sent", "delivered"):
                fields = {"MessageSid": one.sid, "AccountSid": ACCOUNT, "MessageStatus": status, "To": one.form["To"]}
                assert self._post(one.form["StatusCallback"], fields) == 200
        missing = len(self._sink.mails) - len(self._mailed_at)
        self._mailed_at += [self.world.clock.at] * missing

    def received(self) -> list[Received]:
        texts = [
            Received(datetime.fromtimestamp(one.at, UTC), one.form["To"], one.form["Body"])
            for one in self._twilio.messages
        ]
        mails = [
            Received(at, recipient, _text_of(mail.message), str(mail.message["Subject"]))
            for at, mail in zip(self._mailed_at, self._sink.mails, strict=True)
            for recipient in mail.recipients
        ]
        return sorted(texts + mails, key=lambda one: one.at)

    def _text(self, sender: str, text: str) -> None:
        self._texts += 1
        fields = {
            "MessageSid": f"SM{self._texts:032x}",
            "AccountSid": ACCOUNT,
            "From": sender,
            "To": self.world.clinic.sms_from or "",
            "Body": text,
            "NumMedia": "0",
            "SmsStatus": "received",
        }
        assert self._post(PUBLIC + INBOUND, fields) == 200
        wait_until(self._is_heard, what="the text to be understood")

    def _is_heard(self) -> bool:
        with self.world.store.reading() as unit:
            return unit.inbox.waiting()[0] == 0

    def _post(self, url: str, fields: dict[str, str]) -> int:
        parts = urlsplit(url)
        asked = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"x-twilio-signature": signature(PUBLIC + asked, fields, token=TOKEN)}
        return self._client.post(asked, data=fields, headers=headers).status_code

    def _letter(self, sender: str, text: str) -> None:
        """An answer to the last mail that they got, piped into the command as a mail server does."""
        self._letters += 1
        last = [mail for mail in self._sink.mails if sender in mail.recipients][-1]
        raw = letter(
            text,
            answers=str(last.message["Message-ID"]),
            sender=sender,
            message_id=f"<{self._letters}@mail.patients.example>",
        )
        settings = self.world.app.settings
        command = Commands(
            Path.cwd(),
            {
                "BONEWISE_DATABASE_URL": settings.database_url,
                "BONEWISE_DATA_DIR": str(settings.keys_file.parent),
                **over_protocols(self._twilio, self._sink),
            },
        )
        with time_machine.travel(self.world.clock.at, tick=False):
            ran = command("receive-mail", "--json", given=raw)
        assert ran.code == 0, ran


def over_protocols(twilio: TwilioServer, sink: SmtpSink) -> dict[str, str]:
    """The settings of an installation that reaches its patients over these servers."""
    return {
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio.url,
        "BONEWISE_EMAIL": "smtp",
        "BONEWISE_SMTP_URL": sink.url,
        "BONEWISE_PUBLIC_URL": PUBLIC,
    }


def _text_of(message: object) -> str:
    from email.message import EmailMessage

    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@contextmanager
def simulated(at: datetime, *, database_url: str, folder: Path) -> Iterator[Way]:
    """A new installation whose phones and mailboxes are simulated."""
    settings = {"BONEWISE_PUBLIC_URL": PUBLIC}
    with (
        world_at(at, database_url=database_url, folder=folder, settings=settings) as world,
        browser(world.app) as client,
    ):
        yield Simulated(world, client)


@contextmanager
def protocols(at: datetime, *, database_url: str, folder: Path) -> Iterator[Way]:
    """A new installation that texts over Twilio's protocol and mails over SMTP."""
    with ExitStack() as stack:
        twilio, sink = stack.enter_context(TwilioServer()), stack.enter_context(SmtpSink())
        world = stack.enter_context(
            world_at(at, database_url=database_url, folder=folder, settings=over_protocols(twilio, sink))
        )
        twilio.clock = lambda: world.clock.at.timestamp()  # noqa: PLW0108 - of the clock as it is then
        yield Protocols(world, stack.enter_context(browser(world.app)), twilio, sink)
