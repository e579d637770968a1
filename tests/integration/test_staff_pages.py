"""The pages of staff: who may see and do what, and what they show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.bulk import BulkAction, BulkWish
from scheduler.ids import new_id
from scheduler.ports.browsing import Named
from scheduler.ports.bulk_changes import BulkChange
from scheduler.records import Clinic
from scheduler.services.care import Deciding
from scheduler.services.care_plan import Leaving, leave
from scheduler.services.intake.names import PAGES
from scheduler.store.browsing import Browsing
from scheduler.store.tables import tasks
from scheduler.store.vault import Vault
from scheduler.web.app import ROUTERS
from scheduler.web.staff.session import StaffOnly
from tests.support.staff import PASSWORD, address_of, post, signed_in
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at

HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raise %}",
    "'; DROP TABLE tasks; --",
    "\u202etxet desrever",
    "👩🏽‍🦽" * 50,
    "x" * 4000,
)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def open_task(
    world: World, clinic: Clinic | None = None, *, mrn: str = "P1", words: str = "What does it cost?"
) -> int:
    """A task about something a patient wrote."""
    world.enrol_sms(mrn, clinic, name="Ruth Adler")
    world.receive(mrn, "What does it cost?", clinic=clinic)
    (task,) = world.tasks(mrn, clinic=clinic)
    return task.id


def a_bulk_change(world: World, clinic: Clinic, mrn: str) -> int:
    """A change for many that waits to be confirmed."""
    wish = BulkWish(action=BulkAction.PAUSE)
    change = BulkChange(clinic_id=clinic.id, wish=wish, made_by="somebody", made_at=datetime.now(UTC))
    with world.store.writing() as unit:
        return unit.bulk_changes.add(change, [mrn])


def a_list(world: World, clinic: Clinic) -> int:
    """A list that was sent and waits."""
    file, sink = world.app.uploads.create()
    with sink:
        sink.write(b"mrn,name\nA1,Ana Ruiz\n")
    return world.app.uploads.take_in(clinic, file=file, name="list.csv", by="somebody").id


def staff_routes() -> list[tuple[str, str, StaffOnly]]:
    """(method, path, who may) of every route that only staff may use."""
    found: list[tuple[str, str, StaffOnly]] = []
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for dependency in route.dependant.dependencies:
                if isinstance(dependency.call, StaffOnly):
                    found.extend((method, route.path, dependency.call) for method in sorted(route.methods or ()))
    return found


def test_no_patient_can_have_the_record_number_that_is_the_name_of_a_page() -> None:
    paths = {getattr(route, "path", "") for router in ROUTERS for route in router.routes}
    before = {path.partition("{mrn}")[0] for path in paths if "{mrn}" in path}
    assert "/patients/" in before
    after = {path.removeprefix(start) for start in before for path in paths if path.startswith(start)}
    assert {rest.partition("/")[0] for rest in after} - {"{mrn}"} == PAGES


def called(client: TestClient, method: str, path: str) -> int:
    if method == "GET":
        return client.get(path).status_code
    token = form_token(client.get("/sign-in").text)
    return client.post(path, data={"form_token": token, "words": "x"}).status_code


# Every route, every role, one's own clinic and another

PARTS = 4  # there are so many that they are looked at side by side


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_route_lets_in_whom_it_names_and_nobody_else(world: World, part: int) -> None:
    theirs = world.clinic
    their_task = open_task(world, theirs, mrn="X1")
    ours = world.add_clinic("ours")
    task = open_task(world, ours, mrn="P1")
    browsers = {role: signed_in(world, role, ours) for role in Role}
    with world.store.reading() as unit:
        strangers = unit.accounts.of_clinic(theirs.id)
    assert strangers == []
    stranger = signed_in(world, Role.VIEWER, theirs)
    with world.store.reading() as unit:
        (their_account,) = unit.accounts.of_clinic(theirs.id)
    with world.store.writing() as unit:
        key = unit.api_keys.add(theirs.id, key="k", name="k", prefix="k", scopes=["read"], by="x", now=world.clock.at)
    either = {
        "name": "weeks",
        "section": "clinic",
        "draft_id": new_id(),
        "case_id": 10_000,
        "pathway": "dexa",
        "message": "ask",
        "language": "en",
        "message_id": new_id(),
        "result_id": new_id(),
    }
    own = {**either, "mrn": "P1", "task_id": task, "staff_id": 10_000, "key_id": 10_000}
    foreign = {**own, "mrn": "X1", "task_id": their_task, "staff_id": their_account.id, "key_id": key.id}
    own |= {"bulk_id": a_bulk_change(world, ours, "P1"), "upload_id": a_list(world, ours)}
    foreign |= {"bulk_id": a_bulk_change(world, theirs, "X1"), "upload_id": a_list(world, theirs)}
    routes = staff_routes()
    assert len(routes) > 12 * PARTS
    visitor = browser(world.app)
    for method, path, access in routes[part::PARTS]:
        here, there = path.format_map(own), path.format_map(foreign)
        if path == "/sign-out":
            continue
        assert called(visitor, method, here) == 303, f"{method} {path} signed out"
        for role, client in browsers.items():
            status = called(client, method, here)
            if role in access.roles:
                assert status in (200, 303, 404, 422), f"{method} {path} as {role}"
                if there != here:
                    assert called(client, method, there) == 404, f"{method} {there} of another clinic as {role}"
            else:
                assert status == 403, f"{method} {path} as {role}"
    assert called(stranger, "GET", f"/worklist/{their_task}") == 200


def test_a_viewer_reads_and_changes_nothing(world: World) -> None:
    task = open_task(world)
    viewer = signed_in(world, Role.VIEWER)
    page = viewer.get(f"/worklist/{task}").text
    assert "What does it cost?" in page
    assert "I take it" not in page
    assert called(viewer, "POST", f"/worklist/{task}/close") == 403


# What they show


def test_today_names_what_needs_a_person_first(world: World) -> None:
    open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    page = client.get("/").text
    assert "A reply that the service did not understand" in page
    assert "What does it cost?" in page
    assert "Ruth Adler" in page


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("ade", ["Ruth Adeyemi", "Ruth Adelman"]),
        ("ruth adel", ["Ruth Adelman"]),
        ("ADÉLMAN", ["Ruth Adelman"]),
        ("munoz", ["José Muñoz"]),
        ("P3", ["José Muñoz"]),
        ("+1 617 555 0177", ["José Muñoz"]),
        ("617-555-0177", ["José Muñoz"]),
        ("nobody", []),
        ("elman", []),
    ],
)
def test_a_patient_is_found_by_what_a_name_begins_with_or_mrn_or_number(
    world: World, typed: str, finds: list[str]
) -> None:
    for mrn, name, phone in (
        ("P1", "Ruth Adelman", "+16175550175"),
        ("P2", "Ruth Adeyemi", "+16175550176"),
        ("P3", "José Muñoz", "+16175550177"),
    ):
        world.enrol_sms(mrn, name=name, phone=phone)
    world.enrol_sms("Q1", world.add_clinic("theirs"), name="Ruth Adelaide", phone="+16175550177")
    with world.store.reading() as unit:
        main = unit.installation.clinic("main")
    assert main is not None
    assert sorted(line.name for line in world.app.finder.find(main, typed, now=world.clock.at)) == sorted(finds)


def test_a_search_keeps_to_the_filter(world: World) -> None:
    for number in range(25):
        world.enrol_sms(f"P{number:02}", name=f"Priya {number:02}")
    world.receive("P24", "STOP")
    world.tick()
    client = signed_in(world, Role.COORDINATOR)
    for address in ("/patients/found?status=stopped&q=priya", "/patients?status=stopped&q=priya"):
        shown = client.get(address).text
        assert "Priya 24" in shown
        assert "Priya 03" not in shown
    form = client.get("/patients?status=stopped").text.split('role="search"')[1].split("</form>")[0]
    assert 'name="status" value="stopped"' in form
    by_mrn = client.get("/patients/found?status=stopped&q=P2").text
    assert "Priya 24" in by_mrn
    assert "Priya 23" not in by_mrn
    assert "Nobody of these has" in client.get("/patients/found?status=stopped&q=P03").text


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=1), -timedelta(hours=2)], ids=str)
def test_a_name_that_changes_is_found_as_it_is_now(world: World, later: timedelta) -> None:
    world.enrol_sms("P1", name="Ruth Adler")

    def found(words: str) -> list[str]:
        return [one.mrn for one in world.app.finder.find(world.clinic, words, now=world.clock.at)]

    assert found("adler") == ["P1"]
    world.clock.at += later
    world.enrol("P1", name="Ruth Baum", phone="+16175550188", sms_consent="yes")
    assert found("adler") == []
    assert found("baum") == ["P1"]


def test_a_search_that_comes_late_reads_no_more_than_one_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    asked: list[datetime | None] = []
    names = Browsing.names

    def noted(browsing: Browsing, clinic_id: int, *, changed_since: datetime | None, **known: Any) -> list[Named]:
        asked.append(changed_since)
        return names(browsing, clinic_id, changed_since=changed_since, **known)

    monkeypatch.setattr(Browsing, "names", noted)
    world.app.finder.warm_up(world.clinic, now=world.clock.at)
    world.app.finder.warm_up(world.clinic, now=world.clock.at - timedelta(seconds=1))
    assert asked[0] is None
    assert asked[1] is not None


def test_a_search_opens_no_name_that_it_has_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        world.enrol_sms(f"P{number}", name=f"Ruth Adler {number}", phone=f"+1617555018{number}")
    finder = world.app.finder
    finder.warm_up(world.clinic, now=world.clock.at)
    opened: list[str] = []
    vault_open = Vault.open

    def noted(vault: Vault, place: str, blob: bytes | None) -> str | None:
        opened.append(place)
        return vault_open(vault, place, blob)

    monkeypatch.setattr(Vault, "open", noted)
    assert finder.find(world.clinic, "nobody", now=world.clock.at) == []
    assert opened == []


def test_the_page_of_a_patient_has_the_conversation_and_where_they_stand(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    world.receive("P1", "2")
    world.run_until(new_york(3, 3, 13))
    client = signed_in(world, Role.CLINICIAN)
    page = client.get("/patients/P1").text
    for words in ("Have you had your vitamin D", "Vitamin D check", "understood as", "next: Tuesday 17 March 2026"):
        assert words in page
    with world.store.reading() as unit:
        seen = [one for one in unit.installation.audit_entries(world.clinic.id) if one[2] == "patient viewed"]
    assert [(one[1], one[3]) for one in seen] == [(address_of(Role.CLINICIAN, world.clinic), world.patient().id)]


def test_a_list_goes_on_where_the_page_before_ended(world: World) -> None:
    for number in range(60):
        world.enrol_sms(f"P{number:03}", name=f"Pat {number:03}")
    client = signed_in(world, Role.VIEWER)
    first = client.get("/patients").text
    assert first.count('<th scope="row">') == 50
    assert 'href="/patients?after=P049"' in first
    assert client.get("/patients?after=P049").text.count('<th scope="row">') == 10


# Deciding about a patient


def decided(client: TestClient, what: str, **fields: str) -> Any:
    return post(client, f"/patients/P1/{what}", fields, page="/patients/P1")


def test_a_pause_holds_reminders_until_its_day(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    client = signed_in(world, Role.COORDINATOR)
    assert decided(client, "pause", until="2026-03-10").status_code == 303
    assert "paused" in client.get("/patients/P1").text
    world.run_until(new_york(3, 12, 12))
    assert [str(row.due_date) for row in world.ledger() if row.sent_at] == ["2026-03-10", "2026-03-11", "2026-03-12"]


def test_a_pause_is_lifted(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    client = signed_in(world, Role.CLINICIAN)
    decided(client, "pause", until="")
    world.run_until(new_york(3, 5, 12))
    assert decided(client, "resume").status_code == 303
    world.run_until(new_york(3, 7, 12))
    assert [str(row.due_date) for row in world.ledger() if row.sent_at] == ["2026-03-06", "2026-03-07"]


def test_reminders_come_at_another_time_from_the_next_one_on(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    assert decided(signed_in(world, Role.COORDINATOR), "time", at="16:45").status_code == 303
    world.run_until(new_york(3, 3, 20))
    (sent,) = [row.sent_at for row in world.ledger() if row.sent_at]
    assert sent == new_york(3, 3, 16, 45)


def test_a_result_recorded_ends_the_cycle(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(world, Role.COORDINATOR)
    given = {"kind": "vitamin_d", "taken_on": "2026-03-01", "value": "31", "unit": "ng/mL", "next_months": "3"}
    assert decided(client, "result", **given).status_code == 303
    assert world.enrolment("vitamin_d").cycle == 1
    assert "Review the new result" in client.get("/patients/P1").text


@pytest.mark.parametrize(
    ("what", "fields", "says"),
    [
        ("pause", {"until": "2026-03-01"}, "after today"),
        ("pause", {"until": "2030-01-01"}, "within a year"),
        ("pause", {"until": "soon"}, "YYYY-MM-DD"),
        ("resume", {}, "not paused"),
        ("time", {"at": "23:30"}, "outside the hours"),
        ("time", {"at": "noon"}, "the time"),
        ("result", {"taken_on": "2026-03-01"}, "choose what was done"),
        ("result", {"kind": "dexa", "taken_on": "2027-03-01"}, "in the future"),
        ("result", {"kind": "dexa", "taken_on": "2026-03-01", "next_months": "many"}, "a number from 1 to 120"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    world: World, what: str, fields: dict[str, str], says: str
) -> None:
    before = world.enrol_sms("P1")
    answer = decided(signed_in(world, Role.COORDINATOR), what, **fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert world.patient() == before


# Working on a task


def test_only_tasks_that_are_overdue_are_listed_as_overdue(world: World) -> None:
    open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    page = client.get("/worklist?due=overdue").text
    assert "Ruth Adler" not in page
    assert "No task is overdue." in page
    with world.app.engine.begin() as connection:
        connection.execute(update(tasks).values(due=(MONDAY - timedelta(days=1)).date()))
    assert "Ruth Adler" in client.get("/worklist?due=overdue").text


def test_a_task_is_taken_noted_closed_and_opened_again(world: World) -> None:
    task = open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    here = f"/worklist/{task}"
    assert post(client, f"{here}/take", {}, page=here).headers["location"] == here
    assert "You have this task." in client.get(here).text
    assert "Ruth Adler" in client.get("/worklist?mine=1").text
    post(client, f"{here}/note", {"words": "Called, no answer"}, page=here)
    assert "Called, no answer" in client.get(here).text
    refused = post(client, f"{here}/close", {"resolution": "settled", "words": "x"}, page=here)
    assert refused.status_code == 422
    post(client, f"{here}/close", {"resolution": "done", "words": "Nothing to pay."}, page=here)
    assert "Nothing to pay." in client.get(here).text
    assert world.tasks()[0].resolution == "done"
    post(client, f"{here}/reopen", {}, page=here)
    assert world.tasks()[0].status == "open"


@pytest.mark.parametrize("pressed", [{}, {"give_back": "yes"}])
def test_what_a_colleague_took_meanwhile_is_not_taken_from_them_unseen(world: World, pressed: dict[str, str]) -> None:
    here = f"/worklist/{open_task(world)}"
    coordinator, clinician = signed_in(world, Role.COORDINATOR), signed_in(world, Role.CLINICIAN)
    seen = ""
    if pressed:
        post(coordinator, f"{here}/take", {"seen": ""}, page=here)
        seen = address_of(Role.COORDINATOR, world.clinic)
    theirs = address_of(Role.CLINICIAN, world.clinic)
    post(clinician, f"{here}/take", {"seen": seen}, page=here)
    refused = post(coordinator, f"{here}/take", {**pressed, "seen": seen}, page=here)
    assert refused.status_code == 422
    assert f"{theirs} has taken it meanwhile" in refused.text
    assert f'name="seen" value="{theirs}"' in refused.text
    assert world.tasks()[0].assignee == theirs
    assert post(coordinator, f"{here}/take", {"seen": theirs}, page=here).status_code == 303  # now they know
    assert world.tasks()[0].assignee == address_of(Role.COORDINATOR, world.clinic)


def test_a_task_that_is_closed_already_says_what_the_page_offers(world: World) -> None:
    task = open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    fields = {f"task-{task}": "yes", "close": "yes", "resolution": "done"}
    post(client, f"/worklist/{task}/close", fields, page="/patients")
    for path in (f"/worklist/{task}/close", "/worklist/several"):
        answer = post(client, path, fields, page="/patients")
        assert answer.status_code == 422
        assert "“Open it again” on its own page" in answer.text
        assert "bonewise task" not in answer.text


def test_what_was_typed_stays_when_it_is_refused(world: World) -> None:
    task = open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    answer = post(client, f"/worklist/{task}/note", {"words": "y" * 4001}, page=f"/worklist/{task}")
    assert answer.status_code == 422
    assert "at most 4000" in answer.text
    assert "y" * 4001 in answer.text


@pytest.mark.parametrize("words", HOSTILE, ids=["script", "template", "sql", "right to left", "emoji", "long"])
def test_hostile_words_are_shown_as_typed_and_do_nothing(world: World, words: str) -> None:
    task = open_task(world)
    client = signed_in(world, Role.COORDINATOR)
    post(client, f"/worklist/{task}/note", {"words": words}, page=f"/worklist/{task}")
    with world.store.reading() as unit:
        assert unit.worklist.history(world.clinic.id, task)[-1].words == words
    page = client.get(f"/worklist/{task}").text
    assert "<script>alert" not in page
    assert "49" not in page.partition("{{ 7 * 7 }}")[2][:3]
    for path in ("/patients", "/patients/found", "/worklist"):
        assert client.get(path, params={"q": words[:200], "kind": words[:64]}).status_code == 200


@pytest.mark.parametrize("path", ["/worklist/0", "/worklist/99999999999999", "/worklist/abc", "/patients/none"])
def test_what_is_not_there_is_said_to_be_not_there(world: World, path: str) -> None:
    assert signed_in(world, Role.COORDINATOR).get(path).status_code == 404


# Supplements


def asked(world: World) -> int:
    """A patient asks about a supplement; returns the case's number."""
    world.enrol_sms("P1", name="Ruth Adler")
    world.receive("P1", "SUPP magnesium")
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(world.clinic.id)
    return case.id


def decide(client: TestClient, case: int, **fields: str) -> Any:
    return post(client, f"/supplements/{case}/decide", fields, page="/supplements")


def test_a_clinician_signs_a_decision_with_their_password(world: World) -> None:
    case = asked(world)
    client = signed_in(world, Role.CLINICIAN)
    assert "magnesium" in client.get("/supplements").text
    refused = decide(client, case, decision="cleared", signature="not the password")
    assert refused.status_code == 422
    assert "not your password" in refused.text
    assert decide(client, case, signature=PASSWORD).status_code == 422
    assert decide(client, case, decision="cleared", signature=PASSWORD).status_code == 303
    with world.store.reading() as unit:
        (decided,) = unit.worklist.clearances(world.clinic.id)
    assert (decided.decision, decided.decided_by) == ("cleared", address_of(Role.CLINICIAN, world.clinic))
    again = decide(client, case, decision="not_cleared", signature=PASSWORD)
    assert "already decided" in again.text


def test_a_page_says_that_one_answer_waits_for_the_other_decision(world: World) -> None:
    case = asked(world)
    world.receive("P1", "SUPP Iron")
    client = signed_in(world, Role.CLINICIAN)
    page = client.get("/supplements").text
    assert "Nothing is sent to the patient yet: they still wait for the decision on “Iron”." in page
    assert "The patient reads:" not in page
    assert decide(client, case, decision="not_cleared", signature=PASSWORD).status_code == 303
    page = client.get("/supplements").text
    assert page.count("so they are asked to come in. The patient reads:") == 1  # cleared alone differs in its words
    assert "They are fine with it" not in page
    with world.store.reading() as unit:
        decided, waiting = unit.worklist.clearances(world.clinic.id)
    assert decided.shown is not None
    assert "nothing is sent to the patient yet" in decided.shown
    assert decide(client, waiting.id, decision="cleared", signature=PASSWORD).status_code == 303
    assert [row.template for row in world.ledger("P1")][-1] == "come_in"
    assert world.open_tasks() == set()


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (Leaving.DECEASED, "Nothing is sent to the patient: the patient has died."),
        (Leaving.DISCHARGED, "Nothing is sent to the patient: the patient has left the clinic&#39;s care."),
    ],
)
def test_a_case_of_somebody_who_has_gone_shows_no_words_and_says_why(world: World, why: Leaving, said: str) -> None:
    case = asked(world)
    leave(world.store, world.rules, Deciding(world.clinic, "P1", "desk@harbor.example", world.clock.at), why)
    client = signed_in(world, Role.CLINICIAN)
    page = client.get("/supplements").text
    assert said in page
    assert "The patient reads:" not in page
    assert "Tell them yourself" not in page
    assert decide(client, case, decision="cleared", signature=PASSWORD).status_code == 303
    with world.store.reading() as unit:
        (decided,) = unit.worklist.clearances(world.clinic.id)
    assert decided.shown is not None
    assert "nothing is sent to the patient: the patient has" in decided.shown


def test_a_case_of_somebody_who_wants_no_messages_says_so(world: World) -> None:
    asked(world)
    world.receive("P1", "STOP")
    page = signed_in(world, Role.CLINICIAN).get("/supplements").text
    assert "Nothing is sent to the patient: the patient wants no messages. Tell them yourself." in page


def test_nobody_but_a_clinician_of_the_clinic_decides(world: World) -> None:
    case = asked(world)
    assert decide(signed_in(world, Role.ADMIN), case, decision="cleared", signature=PASSWORD).status_code == 403
    foreign = signed_in(world, Role.CLINICIAN, world.add_clinic("theirs"))
    assert decide(foreign, case, decision="cleared", signature=PASSWORD).status_code == 404
