"""Where one way fails, the other takes over the same day, and the ledger says so, in data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.people import Channel
from scheduler.services.listing import messages
from tests.support.attempts import DAY_1
from tests.support.smtp_sink import SmtpSink
from tests.support.worlds import MONDAY, World, world_at


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def world(database_url: str, tmp_path: Path, sink: SmtpSink) -> Iterator[World]:
    """A clinic that mails over a real server."""
    settings = {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": sink.url}
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=settings) as made:
        yield made


def listed(world: World) -> list[dict[str, Any]]:
    """What `bonewise messages --json` has."""
    with world.store.reading() as unit:
        return messages(unit, world.clinic, meaning=world.app.meaning_of_failure)


def test_an_address_that_the_mail_server_refuses_gives_way_to_a_text_the_same_day(
    world: World, sink: SmtpSink
) -> None:
    world.enrol_email("P1", phone="+16175550123", sms_consent="yes", channel="email", pathways="vitamin_d")
    sink.reply_to("p1@patients.example", "550 5.1.1 no such user")
    world.tick_at(DAY_1)
    world.tick_at(DAY_1 + timedelta(seconds=1))
    first, second = listed(world)
    assert (first["channel"], first["status"], first["reason"]) == ("email", "failed", "550 5.1.1")
    assert (first["retry_of"], first["retry_why"]) == (None, None)
    assert (second["channel"], second["status"], second["due_date"]) == ("sms", "sent", first["due_date"])
    assert second["retry_of"] == first["id"]
    assert second["retry_why"] == "in place of an e-mail that was refused: 550 5.1.1, no such mailbox"
    assert world.open_tasks() == {"check_number"}
    assert world.patient().email_bad


def test_without_consent_to_the_other_way_nothing_takes_over(world: World, sink: SmtpSink) -> None:
    world.enrol_email("P1", phone="+16175550123", channel="email", pathways="vitamin_d")
    sink.reply_to("p1@patients.example", "550 5.1.1 no such user")
    world.tick_at(DAY_1)
    world.tick_at(DAY_1 + timedelta(hours=1))
    assert [(row["channel"], row["status"]) for row in listed(world)] == [("email", "failed")]


@pytest.mark.parametrize(
    ("channel", "code", "meaning"),
    [
        (Channel.SMS, "30003", "the phone is off or out of reach"),
        (Channel.SMS, "99999", None),
        (Channel.SMS, "closed", "the provider breaks off before a whole answer has come"),
        (Channel.EMAIL, "5.2.1", "the mailbox is disabled"),
        (Channel.EMAIL, "550", "no such mailbox"),
        (Channel.EMAIL, "no code", None),
    ],
)
def test_a_code_is_put_into_words_where_the_table_has_some(
    world: World, channel: Channel, code: str, meaning: str | None
) -> None:
    assert world.app.meaning_of_failure(channel, code) == meaning
