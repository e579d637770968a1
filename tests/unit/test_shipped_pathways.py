"""The shipped pathways have the defaults that clinics rely on: days, digits, waits, priorities."""

from __future__ import annotations

import pytest

from scheduler.catalogue.pathway_files import LoadedPathways, load_pathways
from scheduler.catalogue.reply_words import load_reply_words
from scheduler.catalogue.task_kinds import load_task_kinds
from scheduler.domain.pathway import NOW, Action, Every, Late, Pathway, Step, Unit, Wait
from scheduler.domain.tasks import TaskRole
from tests.support.config_folder import SHIPPED

FORTNIGHT = Wait(14)


@pytest.fixture(scope="module")
def loaded() -> LoadedPathways:
    return load_pathways(SHIPPED)


@pytest.fixture(scope="module")
def pathways(loaded: LoadedPathways) -> dict[str, Pathway]:
    return loaded.pathways


def digits(step: Step) -> dict[str | None, str]:
    return {answer.digit: answer.name for answer in step.answers}


def leads(step: Step) -> dict[str, tuple[str | None, Wait]]:
    return {answer.name: (answer.action.target, answer.action.after) for answer in step.answers}


def silences(step: Step) -> list[tuple[Wait, str | None, str | None, str | None]]:
    return [(entry.after, entry.send, entry.action.task, entry.action.target) for entry in step.silence]


def rests(step: Step) -> tuple[Wait | None, Action]:
    return (step.rest, step.then)


def test_they_have_no_fault_and_two_are_off(loaded: LoadedPathways) -> None:
    assert loaded.faults == []
    assert loaded.disabled == {"falls", "nutrition"}
    assert set(loaded.pathways) == {"vitamin_d", "dexa", "exercise", "supplement", "falls", "nutrition"}


def test_the_shipped_reply_words_and_task_kinds_have_no_fault(pathways: dict[str, Pathway]) -> None:
    words = load_reply_words(SHIPPED, pathways)
    assert words.faults == []
    assert set(words.words) == {"en", "es"}
    assert load_task_kinds(SHIPPED).faults == []


@pytest.mark.parametrize(
    ("name", "priority", "late", "first_day"),
    [
        ("supplement", 10, Late.SLIDE, 5),
        ("vitamin_d", 20, Late.SLIDE, 1),
        ("dexa", 30, Late.SLIDE, 3),
        ("exercise", 40, Late.SKIP, 1),
    ],
)
def test_priority_late_rule_and_first_day(
    pathways: dict[str, Pathway], name: str, priority: int, late: Late, first_day: int
) -> None:
    pathway = pathways[name]
    assert (pathway.priority, pathway.late, pathway.begin.after) == (priority, late, Wait(first_day))


# Vitamin D


def test_vitamin_d_asks_whether_the_level_was_checked(pathways: dict[str, Pathway]) -> None:
    ask = pathways["vitamin_d"].steps["ask"]
    assert pathways["vitamin_d"].first_step == "ask"
    assert digits(ask) == {"1": "done", "2": "booked", "3": "not_yet"}
    assert leads(ask) == {
        "done": ("awaiting_result", NOW),
        "booked": ("ask", FORTNIGHT),
        "not_yet": ("ask", FORTNIGHT),
    }


def test_vitamin_d_asks_twice_more_and_then_tells_the_clinic_and_rests(pathways: dict[str, Pathway]) -> None:
    steps = pathways["vitamin_d"].steps
    again, again_later, given_up = silences(steps["ask"])
    assert again == (Wait(7), "again", None, None)
    assert again_later == (Wait(21), "again", None, None)
    assert given_up[1:] == (None, "no_answer", "unanswered")
    assert rests(steps["unanswered"]) == (Wait(90), Action(restart="ask"))


@pytest.mark.parametrize("name", ["vitamin_d", "dexa"])
def test_a_late_answer_counts_while_the_pathway_rests(pathways: dict[str, Pathway], name: str) -> None:
    steps = pathways[name].steps
    assert steps["unanswered"].answers == steps["ask"].answers


def test_a_vitamin_d_result_that_does_not_come_in_21_days_is_a_task(pathways: dict[str, Pathway]) -> None:
    waiting = pathways["vitamin_d"].steps["awaiting_result"]
    assert silences(waiting) == [(Wait(21), None, "result_not_in", "unanswered")]


def test_a_vitamin_d_result_ends_the_cycle_for_12_months(pathways: dict[str, Pathway]) -> None:
    result = pathways["vitamin_d"].facts["vitamin_d_result"]
    assert (result.go, result.task) == ("settled", "review_result")
    assert set(result.close) == {"no_answer", "result_not_in"}
    assert rests(pathways["vitamin_d"].steps["settled"]) == (Wait(12, Unit.MONTHS), Action(restart="ask"))


# DEXA


@pytest.mark.parametrize("name", ["ask", "talked"])
def test_dexa_asks_about_the_talk_and_then_the_booking(pathways: dict[str, Pathway], name: str) -> None:
    step = pathways["dexa"].steps[name]
    assert digits(step) == {"1": "talked", "2": "booked", "3": "not_yet", "4": "no"}
    assert leads(step) == {
        "talked": ("talked", Wait(30)),
        "booked": ("booked", Wait(30)),
        "not_yet": ("ask", FORTNIGHT),
        "no": ("declined", NOW),
    }


def test_dexa_asks_whether_a_booked_scan_was_done(pathways: dict[str, Pathway]) -> None:
    step = pathways["dexa"].steps["booked"]
    assert digits(step) == {"1": "done", "2": "not_yet", "3": "no"}
    assert leads(step)["not_yet"] == ("booked", Wait(30))


@pytest.mark.parametrize("name", ["ask", "talked", "booked"])
def test_dexa_asks_once_more_and_then_has_the_patient_called(pathways: dict[str, Pathway], name: str) -> None:
    again, call = silences(pathways["dexa"].steps[name])
    assert (again[0], again[2:]) == (Wait(10), (None, None))
    assert again[1] is not None
    assert call == (Wait(24), None, "call_patient", "unanswered")
    assert rests(pathways["dexa"].steps["unanswered"]) == (Wait(90), Action(restart="ask"))


def test_a_declined_scan_is_a_clinician_s_task_and_rests_12_months(pathways: dict[str, Pathway]) -> None:
    declined = pathways["dexa"].steps["declined"]
    assert declined.task == "scan_declined"
    assert load_task_kinds(SHIPPED).kinds["scan_declined"].role is TaskRole.CLINICIAN
    assert rests(declined) == (Wait(12, Unit.MONTHS), Action(restart="ask"))


@pytest.mark.parametrize("fact", ["dexa_result", "dexa_done"])
def test_a_scan_or_its_result_ends_the_cycle_for_24_months(pathways: dict[str, Pathway], fact: str) -> None:
    assert pathways["dexa"].facts[fact].go == "settled"
    assert rests(pathways["dexa"].steps["settled"]) == (Wait(24, Unit.MONTHS), Action(restart="ask"))


def test_a_steroid_course_begins_a_new_dexa_cycle(pathways: dict[str, Pathway]) -> None:
    assert pathways["dexa"].facts["steroid_course"] == Action(restart="ask")


# Exercise


def test_exercise_goes_daily_with_the_week_on_sunday_and_counts_done(pathways: dict[str, Pathway]) -> None:
    daily = pathways["exercise"].steps["daily"]
    assert (daily.every, daily.send, daily.on_sunday) == (Every.DAY, "activity", "week")
    done = daily.answer("done")
    assert done is not None
    assert (done.digit, done.action.counts, done.action.target) == (None, True, None)


def test_exercise_steps_down_to_weekly_after_14_unanswered_and_says_so(pathways: dict[str, Pathway]) -> None:
    steps = pathways["exercise"].steps
    (down,) = steps["daily"].silence
    assert (down.times, down.action) == (14, Action(go="weekly"))
    assert (steps["weekly"].every, steps["weekly"].first) == (Every.WEEK, "stepped_down")


@pytest.mark.parametrize("reply", ["done", "anything_at_all"])
def test_any_answer_steps_exercise_up_again(pathways: dict[str, Pathway], reply: str) -> None:
    answer = pathways["exercise"].steps["weekly"].answer(reply)
    assert answer is not None
    assert answer.action.go == "daily"


# Supplement


def test_supplement_asks_every_90_days(pathways: dict[str, Pathway]) -> None:
    steps = pathways["supplement"].steps
    assert digits(steps["ask"]) == {"1": "taking", "2": "none"}
    assert silences(steps["ask"]) == [(Wait(90), None, None, "ask")]
    assert rests(steps["resting"]) == (Wait(90), Action(restart="ask"))


def test_the_name_of_a_supplement_opens_a_clearance(pathways: dict[str, Pathway]) -> None:
    pathway = pathways["supplement"]
    text = pathway.steps["naming"].free_text
    assert text == Action(close=("supplement_unnamed",), opens_clearance=True, say="clinic_asked", go="waiting")
    assert pathway.facts["supplement_named"] == text


def test_a_clearance_is_due_from_a_clinician_in_3_working_days() -> None:
    kind = load_task_kinds(SHIPPED).kinds["supplement_clearance"]
    assert (kind.role, kind.due_working_days) == (TaskRole.CLINICIAN, 3)


def test_an_undecided_clearance_escalates_on_day_5_and_the_patient_hears_on_day_7(
    pathways: dict[str, Pathway],
) -> None:
    escalate, tell, _ = pathways["supplement"].steps["waiting"].silence
    assert (escalate.after, escalate.action.escalate) == (Wait(5), "supplement_clearance")
    assert (tell.after, tell.send) == (Wait(7), "still_waiting")


@pytest.mark.parametrize("decision", ["cleared", "not_cleared", "come_in"])
def test_each_decision_closes_the_task_and_has_its_own_wording(pathways: dict[str, Pathway], decision: str) -> None:
    assert pathways["supplement"].facts[decision] == Action(
        close=("supplement_clearance",), say=decision, go="resting"
    )


# Falls and food


def test_a_fall_leads_to_a_task_and_to_the_offer_of_a_physical_therapist(pathways: dict[str, Pathway]) -> None:
    steps = pathways["falls"].steps
    assert digits(steps["ask"]) == {"1": "fell", "2": "no_fall"}
    assert leads(steps["ask"]) == {"fell": ("fell", NOW), "no_fall": ("resting", NOW)}
    tasks = {answer.name: answer.action.task for answer in steps["fell"].answers}
    assert tasks == {"hurt": "hurt_in_a_fall", "not_hurt": "had_a_fall"}
    assert {target for target, _ in leads(steps["fell"]).values()} == {"offer"}
    wanted = steps["offer"].answer("wanted")
    assert wanted is not None
    assert wanted.action.task == "referral_pt"


def test_falls_are_asked_about_four_times_a_year(pathways: dict[str, Pathway]) -> None:
    rest, then = rests(pathways["falls"].steps["resting"])
    assert rest == Wait(3, Unit.MONTHS)
    assert then.target == "ask"


def test_a_fall_that_nobody_hears_more_of_is_a_task_too(pathways: dict[str, Pathway]) -> None:
    assert silences(pathways["falls"].steps["fell"]) == [(Wait(2), None, "had_a_fall", "offer")]
    assert silences(pathways["falls"].steps["ask"])[-1] == (Wait(24), None, "call_about_falls", "resting")


def test_being_hurt_in_a_fall_is_a_clinician_s_task_of_the_same_day() -> None:
    kind = load_task_kinds(SHIPPED).kinds["hurt_in_a_fall"]
    assert (kind.role, kind.priority, kind.due_working_days) == (TaskRole.CLINICIAN, "urgent", 0)


def test_a_food_idea_comes_once_a_week(pathways: dict[str, Pathway]) -> None:
    weekly = pathways["nutrition"].steps["weekly"]
    assert (weekly.every, weekly.first, weekly.send) == (Every.WEEK, "hello", "idea")
    assert pathways["nutrition"].late is Late.SKIP
