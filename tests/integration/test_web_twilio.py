"""Twilio's webhooks: who is believed, what a text from a patient does, what a receipt moves."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import PatientStatus
from scheduler.records import LedgerEntry
from scheduler.services.receipts import Receipt, Taken
from scheduler.store.engine import StoreUnavailable
from scheduler.web.counters import REFUSED_WEBHOOKS
from tests.support.attempts import ended, sending
from tests.support.web import ACCOUNT, TOKEN, TWILIO, browser, signature
from tests.support.worlds import MONDAY, World, world_at

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


@pytest.fixture
def on_its_way(world: World) -> UUID:
    """The attempt at a message that is being sent."""
    return sending(world)


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


def test_a_receipt_moves_its_message_on(world: World, client: TestClient, on_its_way: UUID) -> None:
    ended(world, on_its_way, MessageStatus.SENT, "SM5")
    for word, status in (("sent", MessageStatus.SENT), ("delivered", MessageStatus.DELIVERED)):
        assert post(client, f"{STATUS}?a={on_its_way}", receipt(word)) == 200
        assert message(world).status is status


@pytest.mark.parametrize("word", ["undelivered", "failed"])
def test_a_bad_receipt_carries_the_reason_and_a_late_good_one_wins(
    world: World, client: TestClient, on_its_way: UUID, word: str
) -> None:
    ended(world, on_its_way, MessageStatus.SENT, "SM5")
    post(client, f"{STATUS}?a={on_its_way}", receipt(word, ErrorCode="30005"))
    assert (message(world).status, message(world).reason) == (MessageStatus.UNDELIVERED, "30005")
    post(client, f"{STATUS}?a={on_its_way}", receipt("delivered"))
    assert (message(world).status, message(world).reason) == (MessageStatus.DELIVERED, None)


def test_late_and_repeated_receipts_change_nothing(world: World, client: TestClient, on_its_way: UUID) -> None:
    ended(world, on_its_way, MessageStatus.SENT, "SM5")
    for word in ("delivered", "sent", "queued", "undelivered", "delivered", "nonsense"):
        assert post(client, f"{STATUS}?a={on_its_way}", receipt(word)) == 200
        assert message(world).status is MessageStatus.DELIVERED


def test_a_receipt_may_overtake_the_providers_own_answer(world: World, client: TestClient, on_its_way: UUID) -> None:
    post(client, f"{STATUS}?a={on_its_way}", receipt("delivered"))
    ended(world, on_its_way, MessageStatus.SENT, "SM5")
    entry = message(world)
    assert (entry.status, entry.provider_id) == (MessageStatus.DELIVERED, "SM5")
    assert entry.sent_at == world.clock.at


def test_a_receipt_proves_that_an_unknown_message_went(world: World, client: TestClient, on_its_way: UUID) -> None:
    ended(world, on_its_way, MessageStatus.UNKNOWN, None)
    post(client, f"{STATUS}?a={on_its_way}", receipt("sending"))
    entry = message(world)
    assert (entry.status, entry.provider_id) == (MessageStatus.SENT, "SM5")


def test_without_our_attempt_the_providers_id_finds_the_message(
    world: World, client: TestClient, on_its_way: UUID
) -> None:
    ended(world, on_its_way, MessageStatus.SENT, "SM5")
    assert post(client, f"{STATUS}?a=nonsense", receipt("delivered")) == 200
    assert message(world).status is MessageStatus.DELIVERED


def test_a_receipt_about_nothing_of_ours_is_accepted_and_logged(
    world: World, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(client, STATUS, receipt("delivered", sid="SM404")) == 200
    assert "SM404" in caplog.text


def test_a_receipt_needs_a_signature_over_its_query_too(world: World, client: TestClient, on_its_way: UUID) -> None:
    fields = receipt("delivered")
    headers = {"x-twilio-signature": signature(PUBLIC + STATUS, fields)}
    assert client.post(f"{STATUS}?a={on_its_way}", data=fields, headers=headers).status_code == 403
    assert message(world).status is MessageStatus.SENDING


def test_a_forged_receipt_leaves_no_trace_but_a_counter(
    world: World, client: TestClient, on_its_way: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    before = REFUSED_WEBHOOKS.counts().get("status", 0)
    caplog.set_level("INFO")
    fields = receipt("delivered", ErrorCode="30005")
    address = f"{STATUS}?a={on_its_way}"
    forged = signature(PUBLIC + address, fields, token="67890")
    assert client.post(address, data=fields, headers={"x-twilio-signature": forged}).status_code == 403
    assert client.post(address, data=fields).status_code == 403
    assert post(client, address, {**fields, "AccountSid": "AC" + "2" * 32}) == 403
    assert REFUSED_WEBHOOKS.counts()["status"] == before + 3
    assert message(world).status is MessageStatus.SENDING
    assert message(world).provider_id is None
    assert [record for record in caplog.records if record.name.startswith("scheduler")] == []


def test_a_field_that_comes_twice_and_one_that_is_blank_are_part_of_what_was_signed(
    world: World, client: TestClient, on_its_way: UUID
) -> None:
    address = f"{STATUS}?a={on_its_way}"
    pairs = [*receipt("delivered", ErrorCode="").items(), ("Tag", "b"), ("Tag", "a")]
    signed = PUBLIC + address + "".join(name + value for name, value in sorted(set(pairs)))
    headers = {
        "x-twilio-signature": base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), "sha1").digest()).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    assert client.post(address, content=urlencode(pairs), headers=headers).status_code == 200
    assert message(world).status is MessageStatus.DELIVERED


def test_a_receipt_gives_the_reason_by_the_error_table(world: World, client: TestClient, on_its_way: UUID) -> None:
    assert post(client, f"{STATUS}?a={on_its_way}", receipt("failed", ErrorCode="30006")) == 200
    assert world.patient("P1").phone_bad
    assert world.open_tasks() == {"check_number"}


def test_twilio_is_asked_to_come_again_while_the_database_is_away(
    world: World, client: TestClient, on_its_way: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{STATUS}?a={on_its_way}"

    def away(_: Receipt, *, now: datetime) -> Taken:
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(world.app.receipts, "record", away)
        assert post(client, address, receipt("delivered")) == 503
    assert post(client, address, receipt("delivered")) == 200
    assert message(world).status is MessageStatus.DELIVERED
