"""Today's numbers and the lists behind them; and the worklist: whose, how urgent, several tasks at once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.services import message_lists
from tests.support.staff import add, address_of, post, signed_in
from tests.support.web import words_of
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as made:
        yield made


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        yield made


def page_of(client: TestClient, path: str) -> str:
    """The words of a page, as people read them."""
    return words_of(client.get(path).text)


# Today


def test_each_number_of_today_leads_to_its_list(either: World) -> None:
    for number in range(3):
        either.enrol_sms(f"P{number}", name=f"Pat {number}", pathways="vitamin_d")
    either.enrol("Q1", name="Nobody Asked", phone="+16175550188", pathways="vitamin_d")
    either.enrol_sms("L1", name="Late Riser", pathways="vitamin_d", contact_time="16:00")
    either.run_until(new_york(3, 3, 10))
    either.receive("P1", "1")
    either.tick()
    client = signed_in(either, Role.VIEWER)
    page = client.get("/").text
    for number, status in ((4, "went"), (1, "due"), (1, "answers")):
        found = dict(re.findall(r'<a href="/today/messages\?status=(\w+)">(\d+)</a>', page))
        assert found.get(status) == str(number), found
    went = client.get("/today/messages?status=went").text
    assert [name in went for name in ("Pat 0", "Pat 1", "Pat 2", "Late Riser", "Nobody Asked")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert "Late Riser" in client.get("/today/messages?status=due").text
    assert "no consent on record" in client.get("/today/messages?status=held_back").text
    assert "Pat 1" in client.get("/today/messages?status=answers").text
    assert "Nothing failed." in client.get("/today/messages?status=did_not_arrive").text


def test_the_hours_of_today_count_what_went_and_what_is_to_go(either: World) -> None:
    either.enrol_sms("P1", pathways="vitamin_d")
    either.enrol_email("E1", pathways="vitamin_d", contact_time="16:00")
    either.run_until(new_york(3, 3, 10))
    page = page_of(signed_in(either, Role.VIEWER), "/")
    assert "09:00 1 went –" in page
    assert "16:00 – 1 to go" in page


def test_a_message_that_waits_is_listed_as_waiting(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    client = signed_in(world, Role.COORDINATOR)
    world.clock.at = new_york(3, 2, 22)
    fields = {"words": "See you", "channel": "sms", "once": "m" * 24}
    post(client, "/patients/P1/message/send", fields, page="/sign-in")
    assert 'href="/today/messages?status=going">' in client.get("/").text
    assert "09:00, Tuesday 3 March" in page_of(client, "/today/messages?status=going")


def test_a_list_goes_on_after_the_last_line_of_its_page(either: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_lists, "PAGE", 2)
    for number in range(5):
        either.enrol_sms(f"P{number}", name=f"Pat {number}", pathways="vitamin_d")
    client = signed_in(either, Role.VIEWER)
    for status, day in (("due", "2026-03-03"), ("went", "2026-03-03")):
        seen: list[str] = []
        path = f"/today/messages?status={status}&day={day}"
        for _ in range(3):
            page = client.get(path).text
            seen += re.findall(r"Pat \d", page)
            following = re.search(r'href="(\?[^"]*after=[^"]*)">Next', page)
            if following is None:
                break
            path = f"/today/messages{html.unescape(following[1])}"
        assert sorted(seen) == [f"Pat {number}" for number in range(5)]
        either.run_until(new_york(3, 3, 10))


@pytest.mark.parametrize(
    "query",
    ["status=<script>", "day=soon", "after=nonsense", "after=2026-03-03~x", "day=9999-12-31", "day=0001-01-01"],
)
def test_a_list_that_does_not_exist_is_the_first_one(world: World, query: str) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 10))
    answer = signed_in(world, Role.VIEWER).get(f"/today/messages?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "Pat P1" in answer.text


def test_the_lists_are_of_the_clinic_alone(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="vitamin_d")
    client = signed_in(world, Role.VIEWER, world.add_clinic("theirs"))
    for status in ("due", "went", "answers"):
        assert "Ruth Adler" not in client.get(f"/today/messages?status={status}&day=2026-03-03").text
        world.run_until(new_york(3, 3, 10))


# The worklist


def opened(world: World, number: int) -> list[int]:
    """That many tasks, each about a patient of its own."""
    for each in range(number):
        mrn = f"P{each}"
        world.enrol_sms(mrn, name=f"Pat {each}")
        world.receive(mrn, "What does it cost?")
    world.tick()
    return [task.id for task in world.tasks() if task.status == "open"]


def several(client: TestClient, ids: list[int], **fields: str) -> Any:
    ticked = {f"task-{task_id}": "yes" for task_id in ids}
    return post(client, "/worklist/several", {**ticked, **fields}, page="/sign-in")


def test_several_tasks_are_taken_and_given_back(either: World) -> None:
    first, second, third = opened(either, 3)
    client = signed_in(either, Role.COORDINATOR)
    assert several(client, [first, third], take="yes").status_code == 303
    mine = client.get("/worklist?mine=1").text
    assert ("Pat 0" in mine, "Pat 1" in mine, "Pat 2" in mine) == (True, False, True)
    free = client.get("/worklist?assignee=nobody").text
    assert ("Pat 0" in free, "Pat 1" in free) == (False, True)
    several(client, [first], give_back="yes")
    assert "Pat 0" not in client.get("/worklist?mine=1").text
    assert second not in [task.id for task in either.tasks() if task.assignee]


def test_several_tasks_are_closed_with_one_note(either: World) -> None:
    first, second, third = opened(either, 3)
    client = signed_in(either, Role.COORDINATOR)
    closed = {"close": "yes", "resolution": "done", "words": "All called on Monday"}
    assert several(client, [first, second], **closed).status_code == 303
    state = {task.id: (task.status, task.resolution_words) for task in either.tasks()}
    assert state[first][1] == state[second][1] == "All called on Monday"
    assert state[third] == ("open", "")
    with either.store.reading() as unit:
        assert unit.worklist.history(either.clinic.id, first)[-1].by == address_of(Role.COORDINATOR, either.clinic)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"close": "yes", "words": "kept words"}, "choose how the tasks ended"),
        ({"close": "yes", "resolution": "settled"}, "choose how the tasks ended"),
        ({"close": "yes", "resolution": "other"}, "say in words how the task ended"),
        ({"close": "yes", "resolution": "done", "words": "x" * 4001}, "at most 4000"),
    ],
)
def test_what_cannot_be_done_with_all_is_done_with_none(world: World, fields: dict[str, str], says: str) -> None:
    ids = opened(world, 2)
    refused = several(signed_in(world, Role.COORDINATOR), ids, **fields)
    assert refused.status_code == 422
    assert says in html.unescape(refused.text)
    assert fields.get("words", "") in refused.text
    assert refused.text.count(" checked>") == 2
    assert {task.status for task in world.tasks()} == {"open"}


def test_one_task_that_is_closed_already_keeps_the_others_open(world: World) -> None:
    first, second = opened(world, 2)
    client = signed_in(world, Role.COORDINATOR)
    several(client, [first], close="yes", resolution="done")
    refused = several(client, [first, second], close="yes", resolution="done")
    assert refused.status_code == 422
    assert f"task {first} is closed" in refused.text
    assert [task.status for task in world.tasks() if task.id == second] == ["open"]


def test_nobody_touches_several_tasks_of_another_clinic(world: World) -> None:
    ids = opened(world, 2)
    ours = world.clinic
    stranger = signed_in(world, Role.COORDINATOR, world.add_clinic("theirs"))
    assert several(stranger, ids, take="yes").status_code == 422
    assert several(stranger, [], take="yes").status_code == 422
    assert {task.assignee for task in world.tasks(clinic=ours)} == {None}


def test_tasks_are_filtered_by_whose_and_how_urgent_they_are(world: World) -> None:
    opened(world, 2)
    world.enrol_sms("S1", name="Sam Safe")
    world.receive("S1", "I fell and cannot get up")
    world.tick()
    colleague = add(world, Role.ADMIN)
    client = signed_in(world, Role.COORDINATOR)
    urgent = client.get("/worklist?due=urgent").text
    assert ("Sam Safe" in urgent, "Pat 0" in urgent) == (True, False)
    assert f"{colleague} has no open task here." in client.get(f"/worklist?assignee={colleague}").text
    assert client.get("/worklist?assignee=%3Cscript%3E&kind=x&due=y&page=1").status_code == 200
