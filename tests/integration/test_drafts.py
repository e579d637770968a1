"""What somebody sent when their session had ended is offered again to them, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from starlette.testclient import TestClient

from scheduler.domain.accounts import IDLE, Role
from scheduler.services.accounts.drafts import KEPT_FOR
from tests.integration.test_staff_pages import open_task
from tests.support.staff import PASSWORD, add, post
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, world_at

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = "Called her <b>twice</b>: no answer, and the mailbox is full."


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def enter(client: TestClient, email: str) -> None:
    assert post(client, "/sign-in", {"email": email, "password": PASSWORD}).status_code == 303


def too_late(client: TestClient, task: int, words: str = WORDS, **more: str) -> Any:
    """A note that is sent from a page that was opened in time."""
    token = form_token(client.get("/sign-in").text)
    here = f"/worklist/{task}"
    fields = {"form_token": token, "words": words, **more}
    return client.post(f"{here}/note", data=fields, headers={"referer": f"http://127.0.0.1:8000{here}"})


def notes(world: World, task: int) -> list[str]:
    with world.store.reading() as unit:
        return [one.words for one in unit.worklist.history(world.clinic.id, task) if one.words]


def test_a_note_sent_too_late_waits_and_is_sent_after_signing_in(world: World) -> None:
    task, client = open_task(world), browser(world.app)
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(NOON, tick=False) as now:
        enter(client, email)
        now.shift(IDLE)
        assert too_late(client, task).headers["location"] == f"/sign-in?next=%2Fworklist%2F{task}"
        assert WORDS not in notes(world, task)
        enter(client, email)
        page = client.get(f"/worklist/{task}").text
        assert "Your session ended before this was sent" in page
        assert "Called her &lt;b&gt;twice&lt;/b&gt;" in page
        sent_to = page.partition('action="/drafts/')[2].partition('"')[0]
        token = form_token(page)
        answer = client.post(f"/drafts/{sent_to}", data={"form_token": token, "words": WORDS})
        assert (answer.status_code, answer.headers["location"]) == (307, f"/worklist/{task}/note")
        client.post(answer.headers["location"], data={"form_token": token, "words": WORDS})
        assert notes(world, task)[-1] == WORDS
        assert "Your session ended" not in client.get(f"/worklist/{task}").text
        again = client.post(f"/drafts/{sent_to}", data={"form_token": token, "words": WORDS})
        assert again.status_code == 404


def test_nobody_else_sees_it_even_in_the_same_browser(world: World) -> None:
    task, client = open_task(world), browser(world.app)
    mine, other = add(world, Role.COORDINATOR), add(world, Role.VIEWER)
    with time_machine.travel(NOON, tick=False) as now:
        enter(client, mine)
        now.shift(IDLE)
        too_late(client, task)
        enter(client, other)
        assert "Called her" not in client.get(f"/worklist/{task}").text
        enter(client, mine)
        assert "Called her" in client.get(f"/worklist/{task}").text


def test_it_can_be_thrown_away_and_goes_with_signing_out_and_with_time(world: World) -> None:
    task, client = open_task(world), browser(world.app)
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(NOON, tick=False) as now:

        def begin() -> str:
            enter(client, email)
            now.shift(IDLE)
            too_late(client, task)
            enter(client, email)
            return client.get("/worklist").text

        page = begin()
        draft = page.partition('action="/drafts/')[2].partition('"')[0]
        fields = {"form_token": form_token(page), "discard": "yes"}
        assert client.post(f"/drafts/{draft}", data=fields).headers["location"] == f"/worklist/{task}"
        assert "Your session ended" not in client.get("/worklist").text
        assert "Your session ended" in begin()
        post(client, "/sign-out", {}, page="/worklist")
        enter(client, email)
        assert "Your session ended" not in client.get("/worklist").text
        begin()
        now.shift(KEPT_FOR + timedelta(seconds=1))
        enter(client, email)
        assert "Your session ended" not in client.get("/worklist").text
        assert notes(world, task) == []


@pytest.mark.parametrize(
    ("words", "more"),
    [("   ", {}), ("x" * 20_000, {}), ("x", {"signature": "four words of their own"})],
    ids=["empty", "too long", "with a secret"],
)
def test_what_is_empty_too_long_or_secret_is_not_kept(world: World, words: str, more: dict[str, str]) -> None:
    task, client = open_task(world), browser(world.app)
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(NOON, tick=False) as now:
        enter(client, email)
        now.shift(IDLE)
        assert too_late(client, task, words, **more).status_code == 303
        enter(client, email)
        assert "Your session ended" not in client.get("/worklist").text


def test_a_form_that_is_not_ours_or_of_nobody_is_let_go(world: World) -> None:
    task, client = open_task(world), browser(world.app)
    assert too_late(client, task).status_code == 303
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(NOON, tick=False) as now:
        enter(client, email)
        now.shift(IDLE)
        assert client.post(f"/worklist/{task}/note", data={"words": WORDS}).status_code == 303
        assert (
            client.post(f"/worklist/{task}/note", content=b"\xff", headers={"content-type": "x/y"}).status_code == 303
        )
        enter(client, email)
        assert "Your session ended" not in client.get("/worklist").text
