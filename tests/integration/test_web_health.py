"""Alive, ready, and the figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from scheduler.services.overview import overview
from tests.support.postgres import PostgresServer
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, new_york, world_at


class Told:
    """A scheduler that is as it was told to be."""

    def __init__(self, fault: str | None) -> None:
        self._fault = fault

    def fault(self) -> str | None:
        return self._fault


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def figures(client: TestClient) -> dict[tuple[str, ...], float]:
    """The samples of /metrics by name and label values."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_ready_when_the_database_and_the_scheduler_are(world: World) -> None:
    answer = browser(world.app, scheduler=Told(None)).get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "database": "ok", "scheduler": "ok"}


def test_where_no_scheduler_belongs_none_is_asked_for(world: World) -> None:
    assert browser(world.app).get("/readyz").json() == {"ready": True, "database": "ok"}


def test_it_is_not_ready_with_a_dead_scheduler_but_alive(world: World) -> None:
    client = browser(world.app, scheduler=Told("the scheduler's thread has ended"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": "ok", "scheduler": "the scheduler's thread has ended"}
    assert client.get("/healthz").text == "ok\n"
    assert client.head("/readyz").status_code == 503


def test_it_is_not_ready_when_the_database_is_gone(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create_database()
    with world_at(MONDAY, database_url=url, folder=tmp_path) as world:
        client = browser(world.app)
        assert client.get("/readyz").status_code == 200
        postgres_server.drop_database(url)
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "PostgreSQL database" in answer.json()["database"]
        assert client.get("/healthz").status_code == 200
        page = client.get("/")
        assert page.status_code == 503
        assert "The database cannot be reached" in page.text
        assert client.get("/metrics").status_code == 503


def test_the_figures_follow_the_work(world: World) -> None:
    client = browser(world.app)
    world.enrol_sms("P1", pathways="vitamin_d")
    world.enrol_email("E1", pathways="vitamin_d")
    world.enrol("N1", pathways="vitamin_d", phone="+16175550177")
    world.clock.at = new_york(3, 3, 10, 30)
    before = figures(client)
    assert before["bonewise_patients_due",] == 3
    assert before["bonewise_oldest_due_seconds",] == 3600
    world.tick()
    after = figures(client)
    assert after["bonewise_patients_due",] == 0
    assert after["bonewise_oldest_due_seconds",] == 0
    assert after["bonewise_messages_24h", "sms", "sent"] == 1
    assert after["bonewise_messages_24h", "email", "sent"] == 1
    assert after["bonewise_messages_24h", "sms", "skipped"] == 1
    assert after["bonewise_messages_waiting", "sms"] == 0


def test_open_tasks_are_counted(world: World) -> None:
    world.enrol_sms("P1")
    world.receive("P1", "what is this going to cost me?")
    assert figures(browser(world.app))["bonewise_tasks_open",] == 1


def test_no_figure_says_who(world: World) -> None:
    patient = world.enrol_sms("P1", name="Ruth Adler")
    world.run_until(new_york(3, 4))
    text = browser(world.app).get("/metrics").text
    for personal in ("Ruth", "P1", str(patient.phone), world.clinic.name, world.clinic.code):
        assert personal not in text


# In words


def test_the_overview_says_that_nothing_plans_when_patients_wait(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.clock.at = new_york(3, 3, 10, 30)
    seen = overview(world.store, now=world.clock.at)
    assert seen.due == 1
    assert any("the first for 60 minutes: start `bonewise serve`" in line for line in seen.sentences())
    world.tick()
    after = overview(world.store, now=world.clock.at)
    assert "Nothing is due now." in after.sentences()
    assert after.as_dict()["sent"] == 1
