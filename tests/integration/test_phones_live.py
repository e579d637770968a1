"""News of the simulated phones as server-sent events: what has changed and nothing else, to as many as may listen."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.testclient import TestClient

from scheduler.web.live import Live, Look, Wall
from tests.support.cli import Cli
from tests.support.waiting import wait_until
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at

SOON = 0.001  # seconds


class GoneError(Exception):
    """There is no database."""


@dataclass
class Phones:
    """Phones that a test changes; after `looks` looks the service stops."""

    looks: list[Look]
    seen: int = 0
    fault: Exception | None = None
    heard: list[str] = field(default_factory=list)

    def look(self) -> Look:
        if self.fault is not None and self.seen == len(self.looks):
            raise self.fault
        self.seen += 1
        return self.looks[min(self.seen, len(self.looks)) - 1]

    def is_over(self) -> bool:
        return self.seen > len(self.looks)

    def live(self, **changed: Any) -> Live:
        given = {"stopping": self.is_over, "unavailable": GoneError, "every": SOON, **changed}
        return Live(self.look, **given)


def events(stream: AsyncIterator[str]) -> list[dict[str, str]]:
    """All events of a stream until it ends, comments and waits aside."""

    async def gather() -> str:
        return "".join([part async for part in stream])

    found = []
    for block in asyncio.run(gather()).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if "event" in fields:
            found.append(fields)
    return found


FIRST = Look("v1", {"a": "1", "b": "1"}, {"a": "<a1>", "b": "<b1>"}, "{}")
SECOND = Look("v2", {"a": "2", "b": "1"}, {"a": "<a2>\n", "b": "<b1>"}, "{}")


def test_who_shows_the_latest_hears_only_what_changes() -> None:
    (clock, news) = events(Phones([FIRST, FIRST, SECOND]).live().listen("v1"))
    assert clock == {"event": "clock", "data": "{}"}
    assert (news["event"], news["id"], json.loads(news["data"])) == ("phones", "v2", ["<a2>\n"])


@pytest.mark.parametrize("since", ["", "v0", "no version at all"])
def test_who_shows_anything_else_hears_everything_first(since: str) -> None:
    (news, _) = events(Phones([FIRST]).live().listen(since))
    assert (news["id"], json.loads(news["data"])) == ("v1", ["<a1>", "<b1>"])


def test_the_clock_is_told_when_it_shows_something_else() -> None:
    later = replace(FIRST, clock='{"time": "13:01"}')
    told = events(Phones([FIRST, FIRST, later, later]).live().listen("v1"))
    assert [one["data"] for one in told] == ["{}", '{"time": "13:01"}']


def test_a_silent_stream_gives_a_sign_of_life() -> None:
    live = Phones([FIRST] * 20).live(heartbeat=5 * SOON)

    async def gather() -> str:
        return "".join([part async for part in live.listen("v1")])

    assert ": nothing new\n\n" in asyncio.run(gather())


def test_a_stream_ends_without_a_fault_when_the_database_is_gone() -> None:
    phones = Phones([FIRST], fault=GoneError("no database"))
    live = phones.live(stopping=lambda: False)
    assert [one["event"] for one in events(live.listen("v1"))] == ["clock"]
    assert live.listeners == 0


def test_who_goes_makes_room() -> None:
    live = Phones([FIRST]).live(stopping=lambda: False, most=1)

    async def come_and_go() -> tuple[bool, bool]:
        stream = live.listen("v1")
        await anext(stream)
        was_full = live.is_full
        await stream.aclose()
        return was_full, live.is_full

    assert asyncio.run(come_and_go()) == (True, False)


def test_many_listeners_cost_one_look() -> None:
    phones = Phones([FIRST])
    live = phones.live(every=60)

    async def all_at_once() -> None:
        streams = [live.listen("") for _ in range(10)]
        for _ in range(2):  # the wait, then the news
            await asyncio.gather(*(anext(stream) for stream in streams))
        for stream in streams:
            await stream.aclose()

    asyncio.run(all_at_once())
    assert phones.seen == 1


# On a page


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def wall_of(client: TestClient) -> Wall:
    app: Any = client.app
    return Wall(app.state.site)


def test_the_page_and_the_stream_agree_on_what_is_the_latest(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    wall = wall_of(client)
    first = wall.look()
    assert f'data-version="{first.version}"' in client.get("/phones").text
    world.run_until(new_york(3, 3, 12))
    second = wall.look()
    assert second.version != first.version
    assert "Have you had your vitamin D checked" in "".join(second.drawn.values())
    assert wall.look().version == second.version
    assert f'data-version="{second.version}"' in client.get("/phones").text


def test_the_stream_has_no_form_and_no_token(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    world.run_until(new_york(3, 3, 12))
    drawn = "".join(wall_of(client).look().drawn.values())
    assert "<article" in drawn
    assert "<form" not in drawn
    assert "form_token" not in drawn


def test_when_too_many_listen_the_next_is_sent_away_and_may_still_look(world: World, client: TestClient) -> None:
    app: Any = client.app
    app.state.live.listeners = 20
    answer = client.get("/phones/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert 'id="clock-face"' in client.get("/phones/wall").text


def test_the_stream_is_for_visitors_of_our_own_address(client: TestClient) -> None:
    assert client.get("/phones/events", headers={"host": "rebound.attacker.example"}).status_code == 421


# Answers that fit


def offered(client: TestClient, owner: str) -> list[str]:
    phone = next(part for part in client.get("/phones").text.split("<article")[1:] if f">{owner}</h2>" in part)
    return [part.split('"')[0] for part in phone.split('name="quick" value="')[1:]]


def answered(client: TestClient, address: str | None, **fields: str) -> int:
    token = form_token(client.get("/phones").text)
    form = {"form_token": token, "channel": "sms", "address": address or "", **fields}
    return client.post("/phones/reply", data=form).status_code


def test_the_answers_of_the_open_question_are_offered_and_understood(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1", name="Ruth Adler", pathways="vitamin_d")
    assert offered(client, "Ruth Adler") == []
    world.run_until(new_york(3, 3, 12))
    assert offered(client, "Ruth Adler") == ["1", "2", "3"]
    assert answered(client, patient.phone, quick="1", body="what was half written") == 303
    assert world.enrolment("vitamin_d").step == "awaiting_result"
    assert offered(client, "Ruth Adler") == []


def test_a_day_of_movement_is_offered_in_the_words_of_the_message(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Luis Ortega", language="es", pathways="exercise")
    world.run_until(new_york(3, 3, 12))
    assert offered(client, "Luis Ortega") == ["HECHO"]


def test_to_whoever_has_stopped_nothing_is_offered(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1", name="Ruth Adler", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    answered(client, patient.phone, quick="STOP")
    assert offered(client, "Ruth Adler") == []


# Mails


def test_a_mail_is_drawn_in_a_frame_that_may_do_nothing(world: World, client: TestClient) -> None:
    world.enrol_email("E1", name="Marcus Webb")
    world.run_until(new_york(3, 3, 12))
    path = client.get("/phones").text.split('class="drawn" href="')[1].split('"')[0]
    page = client.get(path)
    assert page.status_code == 200
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    assert f'<iframe src="{path}/body" sandbox' in page.text
    body = client.get(f"{path}/body")
    assert "Hello Marcus" in body.text
    policy = body.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'", "form-action 'none'"} <= set(policy)
    assert body.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["/phones/mails/0", "/phones/mails/999999999999", "/phones/mails/x/body"])
def test_a_mail_that_is_not_there_is_said_to_be_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_mail_to_somebody_who_is_no_patient_is_not_shown(world: World, client: TestClient) -> None:
    world.enrol_email("E1", name="Marcus Webb")
    world.run_until(new_york(3, 3, 12))
    (latest,) = world.app.simulated_inbox.received()[-1:]
    world.app.simulated_inbox.keep([replace(latest, address="staff@harbor.example", body="a link to a password")])
    (kept,) = world.app.simulated_inbox.received()[-1:]
    assert kept.number > latest.number
    assert client.get(f"/phones/mails/{kept.number}").status_code == 404
    assert client.get(f"/phones/mails/{latest.number}").status_code == 200


# Over the network


class Listener:
    """A browser's connection to the stream."""

    def __init__(self, site: str, *, last: str = "") -> None:
        self._connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=30)
        self._connection.request("GET", "/phones/events", headers={"Last-Event-ID": last} if last else {})
        self.answer = self._connection.getresponse()

    def next(self, name: str) -> dict[str, str]:
        """The next event of that name."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                if fields.get("event") == name:
                    return fields
                fields = {}
            elif ": " in line:
                key, value = line.rstrip("\n").split(": ", 1)
                fields[key] = value
        raise AssertionError(f"the stream ended before an event {name}")

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def test_news_arrives_by_itself_from_where_the_last_stream_broke_off_and_ends_with_the_service(
    tmp_path: Path,
) -> None:
    cli = Cli(tmp_path, {"BONEWISE_DATA_DIR": str(tmp_path / "var")})
    cli("init")
    cli("sample", "load")
    process = cli.start("serve", "--port", "0")
    try:
        assert process.stdout is not None
        site = process.stdout.readline().removeprefix("Bonewise is at ").strip()
        listener = Listener(site)
        assert listener.answer.status == 200
        assert listener.answer.headers["content-type"].startswith("text/event-stream")
        assert listener.answer.headers["cache-control"] == "no-store"
        everything = listener.next("phones")
        assert len(json.loads(everything["data"])) >= 12
        assert set(json.loads(listener.next("clock")["data"])) >= {"at", "time", "day", "state", "said"}
        listener.close()

        _reply(site, "HELP")
        again = Listener(site, last=everything["id"])
        assert again.next("phones")["id"] != everything["id"]
        stopped_at = time.monotonic()
        process.terminate()
        assert again.answer.read() is not None  # to its end
        wait_until(lambda: process.poll() is not None, what="the service to stop")
        assert time.monotonic() - stopped_at < 4, "the open stream kept the service from stopping"
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate(timeout=15)


def _reply(site: str, text: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=30)
    connection.request("GET", "/phones")
    page = connection.getresponse()
    cookie = page.headers["set-cookie"].split(";")[0]
    form = {"form_token": form_token(page.read().decode()), "channel": "sms", "address": "+16175550121", "body": text}
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/phones/reply", body=urlencode(form), headers=headers)
    assert connection.getresponse().status == 303
    connection.close()
