"""Reports: every number counted by hand in small worlds, on both databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from scheduler.domain.accounts import Role
from scheduler.domain.reporting import Period, PeriodError, spread
from scheduler.domain.tasks import Resolution
from scheduler.services.clearing import Decision
from scheduler.services.clinics import add_staff
from scheduler.services.counting import count_clinic, count_stale
from scheduler.services.deliver import never
from scheduler.services.facts import ResultKind, add_result, decide_clearance
from scheduler.services.report_tables import tables
from scheduler.services.reports import Funnel, Report, report
from scheduler.services.tasks import Act
from scheduler.services.tasks import close as close_task
from scheduler.store.engine import writing
from scheduler.store.tables import messages
from tests.support.staff import signed_in
from tests.support.worlds import MONDAY, NEW_YORK, World, new_york, world_at

FIRST = date(2026, 3, 2)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def counted(world: World, *, first: date = FIRST, last: date | None = None) -> Report:
    """The report of a period, everything counted anew."""
    count_clinic(world.store, world.rules, world.clinic, since=MONDAY, now=world.clock.at)
    period = Period(first, last or world.clock.at.date())
    return report(world.store, world.rules, world.clinic, period, meaning=world.app.meaning_of_failure)


def funnel(found: Report, pathway: str) -> Funnel:
    return next(one for one in found.funnels if one.pathway == pathway)


def stages(found: Report, pathway: str) -> tuple[int, ...]:
    return tuple(count for _, count in funnel(found, pathway).stages)


def becomes(world: World, mrn: str, status: str, reason: str | None = None) -> None:
    """All that was sent to a patient came to this."""
    with writing(world.app.engine) as connection:
        own = messages.c.patient_id == world.patient(mrn).id
        connection.execute(
            update(messages).where(own, messages.c.sent_at.is_not(None)).values(status=status, reason=reason)
        )


def record(world: World, mrn: str, at: datetime) -> None:
    world.run_until(at)
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn=mrn,
        kind=ResultKind.VITAMIN_D,
        taken_on=at.astimezone(NEW_YORK).date(),
        value=None,
        unit=None,
        next_months=None,
        by="x",
        now=world.clock.at,
    )


# Rounds of questions


def test_a_round_is_counted_once_however_often_it_asks_and_by_its_first_day(world: World) -> None:
    for mrn in ("P1", "P2", "P3", "P4"):
        world.enrol_sms(mrn, pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))  # all four were asked
    becomes(world, "P1", "delivered")
    becomes(world, "P3", "undelivered", "30005")
    world.receive("P1", "2")
    world.receive("P2", "1")
    world.tick()
    world.run_until(new_york(3, 25, 12))  # silence: asked again
    found = counted(world, last=date(2026, 3, 3))
    assert stages(found, "vitamin_d") == (4, 2, 2, 1)  # nobody confirmed P2's text, and yet it was answered
    assert stages(counted(world, last=date(2026, 3, 25)), "vitamin_d")[0] == 4
    assert counted(world, first=date(2026, 3, 4)).funnels == ()


def test_counting_again_changes_nothing(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d;exercise")
    world.run_until(new_york(3, 4, 12))
    world.receive("P1", "DONE")
    world.tick()
    assert counted(world) == counted(world)


def test_time_to_result_is_from_the_first_question_to_the_day_it_was_recorded(world: World) -> None:
    for mrn in ("P1", "P2", "P3", "P4"):
        world.enrol_sms(mrn, pathways="vitamin_d")
    record(world, "P1", new_york(3, 7, 12))  # asked on the 3rd: 4 days
    record(world, "P2", new_york(3, 13, 12))  # 10 days
    record(world, "P3", new_york(4, 2, 23, 30))  # 30 days, late in the evening
    record(world, "P3", new_york(4, 4, 12))  # another one of the same round
    (took,) = counted(world, last=date(2026, 4, 4)).to_results
    assert (took.asked, took.open) == (4, 1)
    assert took.took is not None
    assert (took.took.count, took.took.quarter, took.took.half, took.took.three_quarters) == (3, 4, 10, 30)
    assert [count for _, _, count in took.bins] == [1, 1, 0, 1, 0]


def test_a_signed_decision_settles_a_supplement_and_so_does_taking_none(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn, pathways="supplement")
    world.run_until(new_york(3, 7, 12))
    world.receive("P1", "1")
    world.receive("P2", "2")  # takes none
    world.tick()
    assert stages(counted(world), "supplement") == (3, 2, 2, 1)
    world.receive("P1", "magnesium")
    world.tick()
    add_staff(
        world.store, world.clinic, email="dr@x.example", role="clinician", now=MONDAY, password="four words of mine"
    )
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(world.clinic.id)
    decide_clearance(
        world.store, world.rules, case=case.id, decision=Decision.CLEARED, by="dr@x.example", now=world.clock.at
    )
    assert stages(counted(world), "supplement") == (3, 2, 2, 2)


def test_a_plain_no_to_a_scan_is_an_answer_and_settles_nothing(world: World) -> None:
    world.enrol_sms("P1", pathways="dexa")
    world.run_until(new_york(3, 5, 12))
    world.receive("P1", "4")
    world.tick()
    assert stages(counted(world), "dexa") == (1, 1, 1, 0)


# Routine pathways


def test_daily_movement_counts_messages_and_each_patients_day_once(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    world.enrol_sms("P2", pathways="exercise")
    world.run_until(new_york(3, 3, 12))
    for _ in range(2):
        world.receive("P1", "DONE")
        world.tick()
    world.run_until(new_york(3, 4, 12))
    world.receive("P2", "DONE")
    world.tick()
    becomes(world, "P1", "delivered")
    found = counted(world)
    assert stages(found, "exercise") == (4, 2, 2, 2)
    assert (found.sent, sum(week.answers for week in found.weeks)) == (4, 3)


def test_days_of_movement_are_what_the_weekly_messages_say(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn, pathways="exercise")
    for day in (3, 4, 5):
        world.run_until(new_york(3, day, 12))
        for mrn, days in (("P1", (3, 4, 5)), ("P2", (4,))):
            if day in days:
                world.receive(mrn, "DONE")
                world.tick()
    world.run_until(new_york(3, 8, 12))  # Sunday
    (found,) = counted(world).exercise
    assert found.weeks == (1, 1, 0, 1, 0, 0, 0, 0)
    assert found.count == 3
    assert found.half is not None
    assert found.half.half == 1


def test_an_email_counts_as_delivered_until_it_comes_back(world: World) -> None:
    world.enrol_email("E1", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    becomes(world, "E1", "sent")
    assert stages(counted(world), "vitamin_d")[:2] == (1, 1)
    becomes(world, "E1", "undelivered", "5.1.1")
    found = counted(world)
    assert stages(found, "vitamin_d")[:2] == (1, 0)
    assert [(one.code, one.meaning, one.count) for one in found.problems] == [("5.1.1", "no such mailbox", 1)]


# What went wrong, and what needed people


def test_problems_are_counted_by_code_with_its_meaning(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn, pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    becomes(world, "P1", "undelivered", "30005")
    becomes(world, "P2", "undelivered", "30005")
    becomes(world, "P3", "failed", "21610")
    found = counted(world)
    assert [(one.status.value, one.code, one.count) for one in found.problems] == [
        ("undelivered", "30005", 2),
        ("failed", "21610", 1),
    ]
    assert "no longer in service" in found.problems[0].meaning
    assert found.sent == 2  # what the provider refused was not sent


def test_tasks_are_counted_on_the_days_they_were_opened_and_closed(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn)
        world.receive(mrn, "What does it cost?")
    world.tick()
    add_staff(world.store, world.clinic, email="a@x.example", role="coordinator", now=MONDAY)
    opened = [task.id for task in world.tasks()]
    for task_id, days in zip(opened[:2], (0, 3), strict=True):
        close(world, task_id, MONDAY + timedelta(days=days))
    world.clock.at = MONDAY + timedelta(days=4)
    (found,) = counted(world).tasks
    assert (found.title, found.opened, found.closed, found.lapsed) == (
        "A reply that the service did not understand", 3, 2, 0
    )  # fmt: skip
    assert found.took is not None
    assert (found.took.half, found.took.three_quarters) == (0, 3)


def close(world: World, task_id: int, at: datetime) -> None:
    act = Act(clinic=world.clinic, task_id=task_id, by="a@x.example", now=at)
    close_task(world.store, act, resolution=Resolution.DONE, words="")


# When it is counted


@pytest.mark.reports
def test_a_clinic_is_counted_by_the_tick_every_hour_and_by_one_worker(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    world.run_until(new_york(3, 3, 12))
    world.tick()
    with world.store.reading() as unit:
        at = unit.reports.counted_at(world.clinic.id)
    assert at == world.clock.at or at > MONDAY
    with world.store.writing() as unit:
        assert not unit.reports.take(world.clinic.id, seen=MONDAY, now=MONDAY), "somebody else has counted since"
    assert count_stale(world.store, world.rules, at + timedelta(minutes=59), stopping=never) == 0
    assert count_stale(world.store, world.rules, at + timedelta(hours=1), stopping=never) == 1
    assert count_stale(world.store, world.rules, at + timedelta(hours=1), stopping=never) == 0


def test_a_clinic_sees_its_own_numbers_alone(world: World) -> None:
    theirs = world.clinic
    world.enrol_sms("P1", pathways="vitamin_d")
    world.add_clinic("second")
    world.run_until(new_york(3, 3, 12))
    assert counted(world).is_empty
    world.clinic = theirs
    assert counted(world).sent == 1


def test_a_receipt_that_comes_late_is_counted_with_the_first_count_of_a_day(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    becomes(world, "P1", "sent")
    assert sum(week.delivered for week in counted(world).weeks) == 0
    becomes(world, "P1", "delivered")
    now = new_york(3, 5, 9)
    count_clinic(world.store, world.rules, world.clinic, since=new_york(3, 4, 23), now=now)
    period = Period(FIRST, date(2026, 3, 5))
    found = report(world.store, world.rules, world.clinic, period, meaning=world.app.meaning_of_failure)
    assert sum(week.delivered for week in found.weeks) == 1


# Working out


@pytest.mark.parametrize(
    ("values", "quartiles"),
    [
        ({5: 1}, (5, 5, 5)),
        ({1: 1, 2: 1, 3: 1, 4: 1}, (1, 2, 3)),
        ({0: 3, 10: 1}, (0, 0, 0)),
        ({0: 1, 10: 3}, (0, 10, 10)),
    ],
)
def test_quartiles_are_values_that_occur(values: dict[int, int], quartiles: tuple[int, int, int]) -> None:
    found = spread(values)
    assert found is not None
    assert (found.quarter, found.half, found.three_quarters) == quartiles
    assert spread({}) is None


def test_weeks_are_counted_back_from_the_last_day() -> None:
    period = Period(date(2026, 3, 2), date(2026, 3, 18))
    assert [(first.day, last.day) for first, last in period.weeks()] == [(2, 4), (5, 11), (12, 18)]
    with pytest.raises(PeriodError):
        Period(date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(PeriodError):
        Period(date(2024, 3, 1), date(2026, 3, 2))


# The page


def test_the_page_shows_each_figure_with_its_table_and_its_file(here: World) -> None:
    here.enrol_sms("P1", pathways="vitamin_d;exercise")
    here.run_until(new_york(3, 8, 12))
    counted(here)
    client = signed_in(here, Role.VIEWER)
    page = client.get("/reports").text
    for words in ("Of 1 round that began", "Vitamin D check", "Download as CSV", "<desc", "Week by week"):
        assert words in page
    for name in tables(counted(here)):
        answer = client.get(f"/reports/{name}.csv?period=own&from=2026-03-02&to=2026-03-08")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(list(csv.reader(io.StringIO(answer.text)))) >= 1
    rows = list(csv.reader(io.StringIO(client.get("/reports/funnel.csv").text.lstrip("\ufeff"))))
    assert ["Vitamin D check", "rounds", "1", "0", "0", "0"] in rows


@pytest.mark.parametrize("query", ["", "?period=12w", "?period=year", "?period=nonsense"])
def test_a_clinic_without_anything_has_a_page_that_says_so(here: World, query: str) -> None:
    page = signed_in(here, Role.VIEWER).get(f"/reports{query}")
    assert page.status_code == 200
    assert "Nothing was sent or counted in these days." in page.text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=soon&to=2026-03-01", "YYYY-MM-DD"),
        ("from=2026-03-02&to=2026-03-01", "earlier day first"),
        ("from=2001-03-02&to=2026-03-01", "two years at most"),
        ("from=%3Cscript%3E&to=", "YYYY-MM-DD"),
        ("from=9999-12-31&to=9999-12-31", "too far off"),
    ],
)
def test_days_that_make_no_period_are_refused_beside_the_fields(here: World, query: str, says: str) -> None:
    client = signed_in(here, Role.VIEWER)
    answer = client.get(f"/reports?period=own&{query}")
    assert answer.status_code == 422
    assert says in answer.text
    assert "<script>" not in answer.text.replace('<script src="/static', "")
    assert client.get(f"/reports/weeks.csv?period=own&{query}").status_code == 422


def test_a_report_that_is_none_is_not_there(here: World) -> None:
    assert signed_in(here, Role.VIEWER).get("/reports/salaries.csv").status_code == 404
