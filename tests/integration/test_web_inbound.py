"""Texts over the webhook: safe before they are answered, soon understood, refused at once when there are too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import PatientStatus
from scheduler.ports import Unit
from scheduler.records import Reply
from scheduler.services.findings import Topic
from scheduler.services.replies import Arrival, Inbound, Reception, Taken
from scheduler.store.engine import StoreUnavailable, reading
from scheduler.store.tables import orphan_texts
from scheduler.web import twilio_hooks
from scheduler.web.counters import SHED_REQUESTS
from scheduler.web.shedding import INBOUND, Shedding
from tests.support.commands import Commands
from tests.support.waiting import wait_until
from tests.support.web import ACCOUNT, TWILIO, browser, signature
from tests.support.worlds import MONDAY, World, phone_of, world_at

ADDRESS = TWILIO["BONEWISE_PUBLIC_URL"] + INBOUND


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        world.enrol_sms("P1")
        yield world


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with browser(world.app) as client:  # one event loop for all requests
        yield client


def text(body: str, *, sid: str = "SM1", mrn: str = "P1", **fields: str) -> dict[str, str]:
    return {
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": phone_of(mrn),
        "To": "+16175550100",
        "Body": body,
        "NumMedia": "0",
        "SmsStatus": "received",
        **fields,
    }


def post(client: TestClient, fields: dict[str, str]) -> int:
    return client.post(INBOUND, data=fields, headers={"x-twilio-signature": signature(ADDRESS, fields)}).status_code


def kept(world: World) -> list[Reply]:
    with world.store.reading() as unit:
        return unit.inbox.replies(world.clinic.id)


def test_a_text_is_understood_soon_after_it_was_answered_without_any_scheduler(
    world: World, client: TestClient
) -> None:
    assert post(client, text("HELP")) == 200
    wait_until(lambda: [one.meaning for one in kept(world)] == ["help"], what="the text to be understood", seconds=5)


def test_a_stop_has_taken_effect_when_it_is_answered(world: World, client: TestClient) -> None:
    assert post(client, text("please stop texting me")) == 200
    assert world.patient().status is PatientStatus.STOPPED


def test_what_the_provider_took_a_text_for_comes_with_it(world: World, client: TestClient) -> None:
    assert post(client, text("basta ya", OptOutType="STOP")) == 200
    assert world.patient().status is PatientStatus.STOPPED
    assert [one.opt_out for one in kept(world)] == [OptOut.STOP]
    assert world.tick().sent == 0
    assert post(client, text("hola", sid="SM2", OptOutType="SOMETHING")) == 200
    assert [one.opt_out for one in kept(world)] == [OptOut.STOP, None]


@pytest.mark.parametrize(("number", "media"), [("2", 2), ("0", 0), ("", 0), ("-1", 0), ("many", 0), ("99999", 99)])
def test_pictures_are_counted_however_twilio_writes_their_number(
    world: World, client: TestClient, number: str, media: int
) -> None:
    assert post(client, text("", NumMedia=number)) == 200
    assert [one.media for one in kept(world)] == [media]


@pytest.mark.parametrize("status", ["delivered", "sent", "undelivered"])
def test_a_notice_of_delivery_at_the_wrong_address_is_nothing_a_patient_said(
    world: World, client: TestClient, status: str
) -> None:
    assert post(client, text("", SmsStatus=status)) == 200
    assert kept(world) == []


@pytest.mark.parametrize("sid", ["", "S" * 65])
def test_a_text_without_a_usable_id_is_refused(world: World, client: TestClient, sid: str) -> None:
    assert post(client, text("1", sid=sid)) == 400
    assert kept(world) == []


def test_the_same_text_from_all_sides_at_once_is_kept_once(world: World, client: TestClient) -> None:
    fields = [text(body, sid=f"SM{number}") for number, body in enumerate(("1", "HELP", "STOP")) for _ in range(8)]
    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(lambda each: post(client, each), fields)) == {200}
    assert sorted(one.body for one in kept(world)) == ["1", "HELP", "STOP"]


# More than there is time for


class Held:
    """A database that is busy until told otherwise."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_in, self.may_go, self.arrived = threading.Event(), threading.Event(), 0
        keep, is_stop = Reception._keep, Reception.is_stop

        def held(reception: Reception, unit: Unit, arrivals: Sequence[Arrival]) -> list[Taken]:
            self.is_in.set()
            assert self.may_go.wait(20)
            return keep(reception, unit, arrivals)

        def seen(reception: Reception, inbound: Inbound) -> bool:
            self.arrived += 1  # in the thread of the event loop alone
            return is_stop(reception, inbound)

        monkeypatch.setattr(Reception, "_keep", held)
        monkeypatch.setattr(Reception, "is_stop", seen)


def test_above_what_it_holds_it_refuses_at_once_and_loses_nothing_that_it_took(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(world, monkeypatch)
    before = SHED_REQUESTS.counts().get("inbound", 0)
    at_once = 3
    monkeypatch.setattr(Shedding.__init__, "__kwdefaults__", {"path": INBOUND, "at_once": at_once})
    with browser(world.app) as client, ThreadPoolExecutor(at_once) as threads:
        first = [threads.submit(post, client, text("1", sid=f"SM{number}")) for number in range(at_once)]
        assert held.is_in.wait(10)
        wait_until(lambda: held.arrived == at_once, what="as many as it holds")
        assert post(client, text("2", sid="SM99")) == 503
        answer = client.post(INBOUND, data=text("2", sid="SM98"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert client.get("/healthz").status_code == 200  # it is texts alone that are refused
        held.may_go.set()
        assert [one.result(10) for one in first] == [200] * at_once
        assert post(client, text("2", sid="SM98")) == 200
    assert {one.provider_id for one in kept(world)} >= {f"SM{number}" for number in range(at_once)} | {"SM98"}
    assert SHED_REQUESTS.counts()["inbound"] >= before + 2


def test_a_text_that_waits_too_long_is_sent_away_and_kept_when_it_comes_again(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(world, monkeypatch)
    monkeypatch.setattr(twilio_hooks, "LONGEST_WAIT", 0.2)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, client, text("1", sid="SM1"))
        assert held.is_in.wait(10)
        assert post(client, text("2", sid="SM2")) == 503
        assert first.result(10) == 503
    held.may_go.set()
    monkeypatch.setattr(twilio_hooks, "LONGEST_WAIT", 10)
    assert post(client, text("1", sid="SM1")) == 200
    assert post(client, text("2", sid="SM2")) == 200
    assert sorted(str(one.provider_id) for one in kept(world)) == ["SM1", "SM2"]


def test_twilio_is_asked_to_come_again_while_the_database_is_away(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[Taken]:
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(Reception, "_keep", away)
        assert post(client, text("1")) == 503
        assert post(client, text("STOP", sid="SM2")) == 503
    assert post(client, text("STOP", sid="SM2")) == 200
    assert world.patient().status is PatientStatus.STOPPED


# Texts that are nobody's


def test_a_text_for_no_clinic_is_kept_for_the_operator_and_nobody_else_can_read_it(
    world: World, client: TestClient, tmp_path: Path
) -> None:
    world.change_clinic(world.add_clinic("other"), sms_from="+13125550100")
    world.clock.at = datetime.now(UTC)  # `doctor` lives by the machine's clock
    fields = text("my private words", sid="SM9", mrn="stranger", To="+19995550000")
    assert [post(client, fields) for _ in range(2)] == [200, 200]
    with world.store.reading() as unit:
        count, (kept_text,) = unit.orphans.latest(limit=10)
    assert (count, kept_text.body, kept_text.recipient) == (1, "my private words", "+19995550000")
    with reading(world.app.engine) as connection:
        (row,) = connection.execute(orphan_texts.select())
    assert b"private" not in row.body
    settings = world.app.settings
    commands = Commands(tmp_path, {**TWILIO, "BONEWISE_DATABASE_URL": settings.database_url})
    (listed,) = commands.done("orphans", "--json").json
    assert (listed["to"], listed["body"], listed["provider_id"]) == ("+19995550000", "my private words", "SM9")
    found = commands("doctor", "--json")
    (finding,) = [one for one in found.json["findings"] if one["topic"] == Topic.REPLIES]
    assert "1 text came in for no clinic" in finding["what"]
    assert "+19995550000" in finding["where"]
    assert "private" not in found.out


def test_all_that_one_stranger_writes_is_one_task(world: World, client: TestClient) -> None:
    for number, body in enumerate(("Hello?", "Is this the clinic?")):
        assert post(client, text(body, sid=f"SM{number}", mrn="stranger")) == 200
    assert post(client, text("And I am somebody else", sid="SM7", mrn="other stranger")) == 200
    notes = [task.note for task in world.tasks() if task.kind == "unclear_reply"]
    assert notes == ["Hello?\nIs this the clinic?", "And I am somebody else"]
