"""Alive, ready, and the figures for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update
from starlette.testclient import TestClient

from scheduler.domain.breaker import Breaker
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.tasks import ServiceTask
from scheduler.records import Lane
from scheduler.runtime.scheduler import EmbeddedScheduler
from scheduler.services import lanes
from scheduler.services.attempt_counts import SETTLED, AttemptCounts
from scheduler.services.new_tasks import clinic_task
from scheduler.services.overview import overview
from scheduler.services.turn import Turn
from scheduler.services.vitals import ALIVE
from scheduler.store.engine import reading, writing
from scheduler.store.tables import messages
from scheduler.web.metrics import REST, Resting
from scheduler.web.work_times import WORK_TIMES, WorkTimes
from tests.support.fake_sms import Answer, texting_over_fake
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until
from tests.support.web import TWILIO, browser
from tests.support.worlds import MONDAY, World, new_york, world_at

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yml"
DUE = new_york(3, 3, 10, 30)


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


@pytest.fixture
def over_twilio(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


def figures(client: TestClient) -> dict[tuple[str, ...], float]:
    """The samples of /metrics by name and label values."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def refuse(world: World, key: str, code: str = "20003") -> None:
    """The provider refuses an account or sender from now on."""
    with world.store.writing() as unit:
        lanes.refuse(unit, key, code, now=world.clock.at)


# Alive and ready


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


def test_it_is_not_ready_when_the_database_is_gone_and_its_figures_say_so(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.create_database()
    with world_at(MONDAY, database_url=url, folder=tmp_path) as world:
        client = browser(world.app)
        assert client.get("/readyz").status_code == 200
        assert figures(client)["bonewise_database_up",] == 1
        postgres_server.drop_database(url)
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "PostgreSQL database" in answer.json()["database"]
        assert client.get("/healthz").status_code == 200
        page = client.get("/")
        assert page.status_code == 503
        assert "The database cannot be reached" in page.text
        left = figures(client)
        assert left["bonewise_database_up",] == 0
        assert ("bonewise_patients_due",) not in left
        assert ("bonewise_webhooks_refused_total", "status") in left


# What waits


def test_the_figures_follow_the_work(world: World) -> None:
    client = browser(world.app)
    world.enrol_sms("P1", pathways="vitamin_d")
    world.enrol_email("E1", pathways="vitamin_d")
    world.enrol("N1", pathways="vitamin_d", phone="+16175550177")
    world.clock.at = DUE
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


def test_messages_that_cannot_go_are_counted_with_the_age_of_the_first(world: World) -> None:
    client = browser(world.app)
    world.enrol_sms("P1", pathways="vitamin_d")
    refuse(world, "sms")
    with world.store.writing() as unit:  # and no message is tried meanwhile
        held = unit.lanes.hold(["sms"])["sms"]
        unit.lanes.write(Lane(key="sms", breaker=Breaker(open_since=held.breaker.open_since, code="20003")))
    world.tick_at(DUE)
    world.clock.at = DUE + timedelta(minutes=30)
    seen = figures(client)
    assert seen["bonewise_messages_waiting", "sms"] == 1
    assert seen["bonewise_oldest_waiting_seconds", "sms"] >= 1800
    assert seen["bonewise_messages_waiting", "email"] == 0
    assert seen["bonewise_oldest_waiting_seconds", "email"] == 0


def test_messages_of_unknown_fate_are_counted_until_somebody_knows(over_twilio: World) -> None:
    world = over_twilio
    fake = texting_over_fake(world)
    fake.answers = [Answer.TAKEN_UNSAID]
    fake.hidden = True
    client = browser(world.app)
    world.enrol_sms("P1", pathways="vitamin_d")
    world.tick_at(DUE)
    seen = figures(client)
    assert seen["bonewise_messages_unknown",] == 1
    assert seen["bonewise_messages_unknown_for_person",] == 0, "the provider is asked first"
    fake.hidden = False
    world.tick_at(DUE + timedelta(hours=1))
    assert figures(client)["bonewise_messages_unknown",] == 0


def test_messages_under_way_and_those_of_a_dead_worker_are_told_apart(over_twilio: World) -> None:
    world = over_twilio

    class Killed(BaseException):
        """The worker's process ends here."""

    def take_one_and_die(batch: Any) -> Any:
        next(iter(batch))
        raise Killed

    fake: Any = texting_over_fake(world)
    fake.send = take_one_and_die
    client = browser(world.app)
    world.enrol_sms("P1", pathways="vitamin_d")
    with pytest.raises(Killed):
        world.tick_at(DUE)
    seen = figures(client)
    assert (seen["bonewise_messages_sending", "sms"], seen["bonewise_messages_abandoned",]) == (1, 0)
    world.clock.at = DUE + timedelta(hours=1)
    seen = figures(client)
    assert (seen["bonewise_messages_sending", "sms"], seen["bonewise_messages_abandoned",]) == (1, 1)


def test_tasks_are_counted_and_those_whose_day_is_over(world: World) -> None:
    client = browser(world.app)
    world.enrol_sms("P1")
    world.receive("P1", "what is this going to cost me?")
    assert figures(client)["bonewise_tasks_open",] == 1
    world.clock.at = new_york(3, 3, 23, 59)  # due on this day
    assert figures(client)["bonewise_tasks_overdue",] == 0
    world.clock.at = new_york(3, 4, 0, 1)
    assert figures(client)["bonewise_tasks_overdue",] == 1


def test_a_figure_that_took_long_rests() -> None:
    now = [0.0]
    found = 0

    def find() -> dict[Any, int]:
        nonlocal found
        found += 1
        now[0] += 2.0
        return {}

    slow = Resting(find, monotonic=lambda: now[0])
    slow.get()
    slow.get()
    assert found == 1
    now[0] = 2.0 * REST
    slow.get()
    assert found == 2


def test_a_figure_that_is_found_at_once_is_always_fresh() -> None:
    values = iter([{}, {(Channel.SMS, "sent"): 1}])
    quick: Resting = Resting(lambda: next(values), monotonic=lambda: 0.0)  # type: ignore[arg-type]
    assert (len(quick.get()), len(quick.get())) == (0, 1)


# Attempts


def test_attempts_of_every_worker_are_counted_by_channel_and_outcome(over_twilio: World) -> None:
    world = over_twilio
    client = browser(world.app)
    before = figures(client)
    assert before["bonewise_attempts_total", "sms", "accepted"] == 0, "a counter begins with nothing"
    other = world.second_process()
    fake = texting_over_fake(other)
    fake.answers = [Answer.ACCEPTED, Answer.LOST]
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, pathways="vitamin_d")
    world.enrol_email("E1", pathways="vitamin_d")
    other.tick_at(DUE)
    seen = figures(client)
    assert seen["bonewise_attempts_total", "sms", "accepted"] == 1
    assert seen["bonewise_attempts_total", "sms", "unknown"] == 1
    assert seen["bonewise_attempts_total", "email", "accepted"] == 1
    assert figures(client) | seen == figures(client) | before | seen, "looking again counts nothing twice"
    assert figures(client)["bonewise_attempts_total", "sms", "accepted"] == 1
    other.app.close()


def test_the_time_of_attempts_is_a_histogram(world: World) -> None:
    client = browser(world.app)
    figures(client)
    world.enrol_sms("P1", pathways="vitamin_d")
    world.tick_at(DUE)
    seen = figures(client)
    name, labels = "bonewise_attempt_seconds", ("sms", "accepted")
    assert seen[f"{name}_count", *labels] == 1
    assert seen[f"{name}_sum", *labels] == 0, "the test's clock stands still while it sends"
    buckets = [n for key, n in seen.items() if key[0] == f"{name}_bucket" and {*labels} < {*key}]
    assert len(buckets) > 5
    assert set(buckets) == {1}, "each bucket holds all that took no longer than its bound"


def test_how_long_an_attempt_took_is_read_from_the_ledger(over_twilio: World) -> None:
    world = over_twilio
    fake: Any = texting_over_fake(world)
    client = browser(world.app)
    figures(client)
    answer = fake.send

    def slowly(batch: Any) -> Any:
        for result in answer(batch):
            world.clock.at += timedelta(seconds=3)
            yield result

    fake.send = slowly
    world.enrol_sms("P1", pathways="vitamin_d")
    world.tick_at(DUE)
    seen = figures(client)
    assert seen["bonewise_attempt_seconds_sum", "sms", "accepted"] == pytest.approx(3, abs=0.01)
    assert seen["bonewise_attempt_seconds_bucket", "sms", "2.5", "accepted"] == 0
    assert seen["bonewise_attempt_seconds_bucket", "sms", "5.0", "accepted"] == 1


def test_what_was_counted_stays_counted_when_it_is_no_longer_looked_at(world: World) -> None:
    counts = AttemptCounts()
    now = datetime.now(UTC)
    counts.look(world.store, machine_now=now - timedelta(seconds=1))
    world.enrol_sms("P1", pathways="vitamin_d")
    world.tick_at(DUE)
    key = (Channel.SMS, "accepted")
    later = now + SETTLED + timedelta(minutes=1)
    seen = [counts.look(world.store, machine_now=at)[key].total for at in (now, later, later, later + SETTLED)]
    assert seen == [1, 1, 1, 1]
    statements = asked(world, lambda: counts.look(world.store, machine_now=later + SETTLED))
    assert len(statements) == 1


# Providers, webhooks, workers


def test_what_providers_refuse_is_counted_by_channel_and_scope_and_not_by_sender(world: World) -> None:
    client = browser(world.app)
    assert figures(client)["bonewise_breakers_open", "sms", "account"] == 0
    refuse(world, "sms")
    refuse(world, "email:care@harbor.example", "550")
    world.clock.at += timedelta(minutes=10)
    seen = figures(client)
    assert seen["bonewise_breakers_open", "sms", "account"] == 1
    assert seen["bonewise_breakers_open", "sms", "sender"] == 0
    assert seen["bonewise_breakers_open", "email", "sender"] == 1
    assert seen["bonewise_breaker_open_seconds", "sms", "account"] == 600
    assert seen["bonewise_breaker_open_seconds", "email", "account"] == 0
    assert "harbor" not in client.get("/metrics").text


def test_refused_webhooks_are_counted(over_twilio: World) -> None:
    client = browser(over_twilio.app)
    before = figures(client)["bonewise_webhooks_refused_total", "status"]
    assert client.post("/hooks/twilio/status", data={"MessageStatus": "delivered"}).status_code == 403
    assert figures(client)["bonewise_webhooks_refused_total", "status"] == before + 1


def test_workers_are_alive_as_long_as_their_hearts_beat(world: World) -> None:
    client = browser(world.app)
    never = figures(client)
    assert never["bonewise_workers_alive",] == 0
    assert ("bonewise_heartbeat_age_seconds",) not in never
    now = datetime.now(UTC)
    with world.store.writing() as unit:
        unit.installation.beat("here:1", now=now)
        unit.installation.beat("there:2", now=now - 2 * ALIVE)
    seen = figures(client)
    assert seen["bonewise_workers_alive",] == 1
    assert 0 <= seen["bonewise_heartbeat_age_seconds",] < 30
    assert "here:1" not in client.get("/metrics").text


def test_the_databases_clock_is_compared_with_this_machines(world: World) -> None:
    assert abs(figures(browser(world.app))["bonewise_database_clock_skew_seconds",]) < 2


def test_the_scheduler_of_this_process_says_how_long_it_takes(world: World) -> None:
    client = browser(world.app)
    before = figures(client).get(("bonewise_work_seconds_count", "look"), 0)
    scheduler = EmbeddedScheduler(work=world.app.ticker, store=world.store, worker="here:1", every=0.05, turn=Turn())
    scheduler.start()
    try:
        wait_until(
            lambda: figures(client).get(("bonewise_work_seconds_count", "look"), 0) > before,
            what="a look at what waits",
        )
    finally:
        scheduler.stop()
    assert figures(client)["bonewise_work_failures_total", "look"] >= 0


def test_work_that_fails_is_timed_and_counted() -> None:
    now = [0.0]
    times = WorkTimes(monotonic=lambda: now[0])
    with times.of("plan"):
        now[0] += 0.3
    with pytest.raises(RuntimeError), times.of("plan"):
        now[0] += 40
        raise RuntimeError("no such luck")
    spans = times.spans()["plan"]
    assert spans.total == 2
    assert spans.seconds == pytest.approx(40.3)
    assert times.failures() == {"plan": 1}


def test_what_runs_here_is_named(world: World) -> None:
    (labels,) = [key[1:] for key in figures(browser(world.app)) if key[0] == "bonewise_build_info"]
    assert world.app.engine.dialect.name in labels
    assert any(re.fullmatch(r"20\d\d[a-z]", label) for label in labels)


# What the figures must not be


def test_no_figure_says_who(over_twilio: World) -> None:
    world = over_twilio
    texting_over_fake(world)
    patient = world.enrol_sms("P1", name="Ruth Adler")
    world.run_until(new_york(3, 4))
    refuse(world, "sms:+16175550100", "21606")
    with WORK_TIMES.of("sms"):
        pass
    text = browser(world.app).get("/metrics").text
    for personal in ("Ruth", "P1", str(patient.phone), "6175550100", world.clinic.name, f'"{world.clinic.code}"'):
        assert personal not in text


def asked(world: World, do: Any) -> list[tuple[str, Any]]:
    """The statements that `do` sends to the database, with their parameters."""
    found: list[tuple[str, Any]] = []
    lock = Lock()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _ctx: Any, _many: bool) -> None:
        with lock:
            found.append((statement, parameters))

    event.listen(world.app.engine, "before_cursor_execute", note)
    try:
        do()
    finally:
        event.remove(world.app.engine, "before_cursor_execute", note)
    return [one for one in found if one[0].startswith("SELECT")]


def reads_whole(world: World, statement: str, parameters: Any) -> set[str]:
    """The tables that a statement reads from end to end, where the database can avoid it at all."""
    with reading(world.app.engine) as connection:
        if world.app.engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scans = [re.fullmatch(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", row[-1]) for row in rows]
            return {scan[1] for scan in scans if scan and scan[2] not in OF_FEW}
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    return set(_whole(found[0]["Plan"], None))


def _whole(node: dict[str, Any], above: str | None) -> Iterator[str]:
    table = node.get("Relation Name", above)
    is_bounded = "Index Cond" in node or node.get("Index Name") in OF_FEW
    if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Heap Scan" and not is_bounded:
        yield str(table)
    for below in node.get("Plans", ()):
        yield from _whole(below, table)


LARGE = {"patients", "messages", "attempts", "tasks"}
OF_FEW = ("ix_messages_ready", "ix_messages_unknown", "uq_tasks_open_cause")  # partial indexes


def test_no_figure_reads_a_whole_table(world: World) -> None:
    client = browser(world.app)
    world.enrol_sms("P1")
    world.run_until(new_york(3, 4))
    figures(client)
    statements = asked(world, lambda: figures(client))
    assert {name for name in LARGE for text, _ in statements if f"FROM {name}" in text} == LARGE
    for text, given in statements:
        assert not reads_whole(world, text, given) & LARGE, text


def test_the_check_sees_a_whole_table_read(world: World) -> None:
    assert reads_whole(world, "SELECT mrn FROM patients", ()) == {"patients"}
    assert reads_whole(world, "SELECT count(*) FROM messages WHERE language = 'en'", ()) == {"messages"}


# The alert rules


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_every_alert_is_about_figures_that_there_are_with_labels_that_they_have(world: World) -> None:
    with WORK_TIMES.of("look"):
        pass
    client = browser(world.app)
    samples = [
        sample for family in text_string_to_metric_families(client.get("/metrics").text) for sample in family.samples
    ]
    labels = {
        name: {key for one in samples if one.name == name for key in one.labels} for name in {s.name for s in samples}
    }
    for rule in rules():
        named = re.findall(r"bonewise_\w+", rule["expr"])
        assert named, rule
        assert [name for name in named if name not in labels] == [], rule["alert"]
        used = {word for group in re.findall(r"(?:by|on) \(([^)]*)\)", rule["expr"]) for word in group.split(", ")}
        used |= set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        assert used <= set.union(*(labels[name] for name in named)), rule["alert"]


def test_every_alert_says_in_a_sentence_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        assert re.fullmatch(r"Bonewise\w+", rule["alert"])
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "remedy"}
        assert all(text.endswith(".") for text in rule["annotations"].values()), rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")"), rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


# In words


def test_the_overview_says_that_nothing_plans_when_patients_wait(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.clock.at = DUE
    seen = overview(world.store, now=world.clock.at)
    assert seen.due == 1
    assert any("the first for 60 minutes: start `bonewise serve`" in line for line in seen.sentences())
    world.tick()
    after = overview(world.store, now=world.clock.at)
    assert "Nothing is due now." in after.sentences()
    assert after.as_dict()["sent"] == 1


def test_the_overview_tells_what_the_provider_is_asked_about_from_what_a_person_is(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.clock.at = DUE
    world.tick()
    (entry,) = world.ledger("P1")
    mine = update(messages).where(messages.c.id == entry.id)
    with writing(world.app.engine) as connection:
        connection.execute(mine.values(status=MessageStatus.UNKNOWN.value, ask_at=DUE + timedelta(minutes=2)))
    seen = overview(world.store, now=world.clock.at).sentences()
    assert seen[-1] == "Of 1 message nobody knows yet whether it went: the provider is being asked."
    assert "bonewise tasks" not in " ".join(seen)
    with world.store.writing() as unit:
        kind, now = ServiceTask.DELIVERY_UNKNOWN, world.clock.at
        unit.worklist.open([clinic_task(world.rules, kind, world.clinic, cause="doubt", now=now)], now=now)
    with writing(world.app.engine) as connection:
        connection.execute(mine.values(ask_at=None))
    seen = overview(world.store, now=world.clock.at).sentences()
    assert seen[-2:] == [
        "Of 1 message only a person can find out whether it went; see `bonewise tasks`.",
        "1 task for a person: `bonewise tasks` lists them.",
    ]
