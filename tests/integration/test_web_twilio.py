"""Twilio's webhooks: who is believed, what a text from a patient does, what a receipt moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import PatientStatus
from scheduler.records import Attempt, AttemptEnd, LedgerEntry
from scheduler.store.engine import reading
from scheduler.store.tables import attempts
from tests.support.web import ACCOUNT, TWILIO, browser, signature
from tests.support.worlds import MONDAY, World, new_york, world_at

PUBLIC = TWILIO["BONEWISE_PUBLIC_URL"]
INBOUND = "/hooks/twilio/inbound"
STATUS = "/hooks/twilio/status"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def text_from(sender: str | None, body: str, *, sid: str = "SM1", **fields: str) -> dict[str, str]:
    """The form that Twilio posts for a text; https://www.twilio.com/docs/messaging/guides/webhook-request"""
    assert sender is not None
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": ACCOUNT,
        "From": sender,
        "To": "+16175550100",
        "Body": body,
        "NumMedia": "0",
        "FromCity": "",
        "SmsStatus": "received",
        **fields,
    }


def post(client: TestClient, path: str, fields: dict[str, str]) -> int:
    signed = {"x-twilio-signature": signature(f"{PUBLIC}{path}", fields)}
    return client.post(path, data=fields, headers=signed).status_code


def replies(world: World) -> list[str]:
    with world.store.reading() as unit:
        return [reply.body for reply in unit.inbox.replies(world.clinic.id)]


# Who is believed


def test_a_signed_text_is_taken_in_and_answered_with_empty_twiml(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    fields = text_from(patient.phone, "HELP")
    answer = client.post(INBOUND, data=fields, headers={"x-twilio-signature": signature(PUBLIC + INBOUND, fields)})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert replies(world) == ["HELP"]


def test_without_a_valid_signature_nothing_is_taken_in(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    fields = text_from(patient.phone, "STOP")
    good = signature(PUBLIC + INBOUND, fields)
    for headers in (
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": "x"},
        {"x-twilio-signature": signature(PUBLIC + INBOUND, fields, token="67890")},
        {"x-twilio-signature": signature("http://127.0.0.1:8000" + INBOUND, fields)},
    ):
        assert client.post(INBOUND, data=fields, headers=headers).status_code == 403, headers
    changed = {**fields, "Body": "START"}
    assert client.post(INBOUND, data=changed, headers={"x-twilio-signature": good}).status_code == 403
    elsewhere = client.post(f"{INBOUND}?x=1", data=fields, headers={"x-twilio-signature": good})
    assert elsewhere.status_code == 403
    assert replies(world) == []
    assert world.patient("P1").status is PatientStatus.ACTIVE


def test_the_host_that_was_asked_plays_no_part(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    fields = text_from(patient.phone, "HELP")
    headers = {"x-twilio-signature": signature(PUBLIC + INBOUND, fields), "host": "10.0.0.3", "x-forwarded-host": "x"}
    assert client.post(INBOUND, data=fields, headers=headers).status_code == 200


def test_another_account_is_refused_even_when_its_form_is_signed(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert post(client, INBOUND, text_from(patient.phone, "STOP", AccountSid="AC" + "2" * 32)) == 403
    without = text_from(patient.phone, "STOP")
    del without["AccountSid"]
    assert post(client, INBOUND, without) == 403


def test_blank_and_unknown_fields_are_part_of_what_was_signed(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    fields = text_from(patient.phone, "", Body="", SomethingNew="1 + 1 & ñ")
    assert post(client, INBOUND, fields) == 200
    assert replies(world) == [""]


def test_with_simulated_texts_there_are_no_webhooks(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        client = browser(world.app)
        for path in (INBOUND, STATUS):
            assert post(client, path, text_from("+16175550123", "STOP")) == 404


# Texts


def test_a_text_is_understood(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert post(client, INBOUND, text_from(patient.phone, "Stop.")) == 200
    assert world.patient("P1").status is PatientStatus.STOPPED


def test_a_text_that_comes_twice_counts_once(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    for _ in range(2):
        assert post(client, INBOUND, text_from(patient.phone, "HELP", sid="SM7")) == 200
    assert replies(world) == ["HELP"]


def test_a_text_goes_to_the_clinic_whose_number_it_was_sent_to(world: World, client: TestClient) -> None:
    here = world.clinic
    other = world.change_clinic(world.add_clinic("other"), sms_from="+13125550100")
    patient = world.enrol_sms("P1", here)
    world.enrol_sms("P1", other, phone=str(patient.phone))
    post(client, INBOUND, text_from(patient.phone, "STOP", To="+13125550100"))
    assert world.patient("P1", clinic=other).status is PatientStatus.STOPPED
    assert world.patient("P1", clinic=here).status is PatientStatus.ACTIVE


def test_a_text_to_a_messaging_service_goes_to_its_clinic(world: World, client: TestClient) -> None:
    service = "MG" + "a" * 32
    world.add_clinic("other")
    other = world.change_clinic(world.clinic, sms_from=None, messaging_service=service)
    patient = world.enrol_sms("P1", other)
    post(client, INBOUND, text_from(patient.phone, "STOP", To="+13125550999", MessagingServiceSid=service))
    assert world.patient("P1", clinic=other).status is PatientStatus.STOPPED


def test_a_text_to_a_number_of_nobody_goes_to_its_senders_clinic(world: World, client: TestClient) -> None:
    other = world.add_clinic("other")
    patient = world.enrol_sms("P1", other)
    post(client, INBOUND, text_from(patient.phone, "STOP", To="+19995550000"))
    assert world.patient("P1", clinic=other).status is PatientStatus.STOPPED


def test_a_stranger_is_handed_to_a_person(world: World, client: TestClient) -> None:
    assert post(client, INBOUND, text_from("+12025550188", "Who is this?")) == 200
    assert world.open_tasks() == {"unclear_reply"}


def test_a_text_for_no_clinic_is_logged_without_its_words(
    world: World, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    world.change_clinic(world.add_clinic("other"), sms_from="+13125550100")
    assert post(client, INBOUND, text_from("+12025550188", "secret", To="+19995550000", sid="SM9")) == 200
    assert "SM9" in caplog.text
    assert "secret" not in caplog.text
    assert "2025550188" not in caplog.text


# Receipts


def begun(world: World, *, number: int = 1) -> UUID:
    """An attempt at the first planned or retried message of P1, as delivery begins it."""
    with world.store.writing() as unit:
        (message,) = unit.ledger.entries(world.clinic.id, mrn="P1")
        attempt_id = UUID(int=number)
        attempt = Attempt(
            id=attempt_id,
            message_id=message.id,
            clinic_id=world.clinic.id,
            number=number,
            channel=message.channel,
            address="+16175550123",
            subject=None,
            body="text",
            language="en",
            segments=1,
            template_version="1",
        )
        unit.ledger.begin_attempts([attempt], now=world.clock.at, lease_until=world.clock.at, worker="w")
    return attempt_id


def ended(world: World, attempt_id: UUID, status: MessageStatus, sid: str | None) -> None:
    """What the provider's own answer made of it."""
    with world.store.writing() as unit:
        (message,) = unit.ledger.entries(world.clinic.id, mrn="P1")
        end = AttemptEnd(
            attempt_id=attempt_id,
            message_id=message.id,
            clinic_id=world.clinic.id,
            status=status,
            outcome="accepted" if sid else "not_handed_over",
            provider_id=sid,
            retry_at=world.clock.at,
        )
        unit.ledger.end_attempts([end], now=world.clock.at)


@pytest.fixture
def sending(world: World) -> UUID:
    """A message that is on its way, with its attempt."""
    from scheduler.services.plan import plan_all_due

    world.enrol_sms("P1", pathways="vitamin_d")
    world.clock.at = new_york(3, 3, 9, 30)
    plan_all_due(world.store, world.rules, world.clock.at)
    return begun(world)


def receipt(status: str, *, sid: str = "SM5", **fields: str) -> dict[str, str]:
    """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": ACCOUNT,
        "MessageStatus": status,
        "SmsStatus": status,
        "From": "+16175550100",
        "To": "+16175550123",
        **fields,
    }


def message(world: World) -> LedgerEntry:
    (entry,) = world.ledger("P1")
    return entry


def test_a_receipt_moves_its_message_on(world: World, client: TestClient, sending: UUID) -> None:
    ended(world, sending, MessageStatus.SENT, "SM5")
    for word, status in (("sent", MessageStatus.SENT), ("delivered", MessageStatus.DELIVERED)):
        assert post(client, f"{STATUS}?a={sending}", receipt(word)) == 200
        assert message(world).status is status


@pytest.mark.parametrize("word", ["undelivered", "failed"])
def test_a_bad_receipt_carries_the_reason_and_a_late_good_one_wins(
    world: World, client: TestClient, sending: UUID, word: str
) -> None:
    ended(world, sending, MessageStatus.SENT, "SM5")
    post(client, f"{STATUS}?a={sending}", receipt(word, ErrorCode="30005"))
    assert (message(world).status, message(world).reason) == (MessageStatus.UNDELIVERED, "30005")
    post(client, f"{STATUS}?a={sending}", receipt("delivered"))
    assert (message(world).status, message(world).reason) == (MessageStatus.DELIVERED, None)


def test_late_and_repeated_receipts_change_nothing(world: World, client: TestClient, sending: UUID) -> None:
    ended(world, sending, MessageStatus.SENT, "SM5")
    for word in ("delivered", "sent", "queued", "undelivered", "delivered", "nonsense"):
        assert post(client, f"{STATUS}?a={sending}", receipt(word)) == 200
        assert message(world).status is MessageStatus.DELIVERED


def test_a_receipt_may_overtake_the_providers_own_answer(world: World, client: TestClient, sending: UUID) -> None:
    post(client, f"{STATUS}?a={sending}", receipt("delivered"))
    ended(world, sending, MessageStatus.SENT, "SM5")
    entry = message(world)
    assert (entry.status, entry.provider_id) == (MessageStatus.DELIVERED, "SM5")
    assert entry.sent_at == world.clock.at


def test_a_receipt_proves_that_an_unknown_message_went(world: World, client: TestClient, sending: UUID) -> None:
    ended(world, sending, MessageStatus.UNKNOWN, None)
    post(client, f"{STATUS}?a={sending}", receipt("sending"))
    entry = message(world)
    assert (entry.status, entry.provider_id) == (MessageStatus.SENT, "SM5")


def test_without_our_attempt_the_providers_id_finds_the_message(
    world: World, client: TestClient, sending: UUID
) -> None:
    ended(world, sending, MessageStatus.SENT, "SM5")
    assert post(client, f"{STATUS}?a=nonsense", receipt("delivered")) == 200
    assert message(world).status is MessageStatus.DELIVERED


def test_bad_news_of_an_earlier_attempt_does_not_touch_the_later_one(
    world: World, client: TestClient, sending: UUID
) -> None:
    ended(world, sending, MessageStatus.PLANNED, None)
    second = begun(world, number=2)
    post(client, f"{STATUS}?a={sending}", receipt("undelivered"))
    assert message(world).status is MessageStatus.SENDING
    post(client, f"{STATUS}?a={second}", receipt("undelivered", sid="SM6"))
    assert message(world).status is MessageStatus.UNDELIVERED
    with reading(world.app.engine) as connection:
        assert len(connection.execute(select(attempts)).all()) == 2


def test_a_receipt_about_nothing_of_ours_is_accepted_and_logged(
    world: World, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(client, STATUS, receipt("delivered", sid="SM404")) == 200
    assert "SM404" in caplog.text


def test_a_receipt_needs_a_signature_over_its_query_too(world: World, client: TestClient, sending: UUID) -> None:
    fields = receipt("delivered")
    headers = {"x-twilio-signature": signature(PUBLIC + STATUS, fields)}
    assert client.post(f"{STATUS}?a={sending}", data=fields, headers=headers).status_code == 403
    assert message(world).status is MessageStatus.SENDING
