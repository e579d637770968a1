"""Faults of a pathway as a graph, and of what its steps hold: each is named with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_folder import faults_of

SOUND = """\
ask:
  send: ask
  answers:
    1 fine: {say: thanks, go: resting}
    2 fell: {task: call_patient, go: resting}
  silence:
    - {after: 10 days, send: ask}
    - {after: 24 days, go: resting}
resting:
  rest: 90 days
  restart: ask
"""


def one_fault(root: Path, steps: str, *, more: str = "") -> str:
    faults = faults_of(root, steps, more=more)
    assert len(faults) == 1, faults
    return faults[0]


def test_a_sound_pathway_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, SOUND) == []


def test_an_unknown_step_is_named_with_the_answer_that_leads_there_and_the_likely_step(
    tmp_path: Path,
) -> None:
    fault = one_fault(tmp_path, SOUND.replace("thanks, go: resting", "thanks, go: restin"))
    assert fault == (
        "11: step 'ask', answer '1 fine': go leads to 'restin', which is not a step of this pathway; "
        "did you mean 'resting'?"
    )


def test_restart_to_an_unknown_step_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND.replace("restart: ask", "restart: beginning"))
    assert fault.startswith("18: step 'resting', rest: restart leads to 'beginning', which is not a step")


def test_a_slip_in_the_only_way_to_a_step_is_not_reported_as_unreachable_too(tmp_path: Path) -> None:
    steps = """\
    ask: {send: ask, silence: [{after: 3 days, go: restng}]}
    resting: {rest: 90 days, restart: ask}
    """
    assert "did you mean 'resting'?" in one_fault(tmp_path, steps)


def test_an_unreachable_step_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND + "island: {rest: 3 days, restart: ask}\n")
    assert fault.startswith("19: step 'island': nothing leads here")


def test_a_step_that_only_an_island_leads_to_is_unreachable_as_well(tmp_path: Path) -> None:
    more = "far: {rest: 3 days, go: island}\nisland: {rest: 3 days, go: far}\n"
    assert len(faults_of(tmp_path, SOUND + more)) == 2


@pytest.mark.parametrize("more", ["facts:\n  dexa_done: {go: island}\n", "moved:\n  gone: island\n"])
def test_a_step_that_a_fact_or_a_removed_step_leads_to_is_reachable(tmp_path: Path, more: str) -> None:
    assert faults_of(tmp_path, SOUND + "island: {rest: 3 days, restart: ask}\n", more=more) == []


def test_moved_to_an_unknown_step_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND, more="moved:\n  gone: asks\n")
    assert fault == "20: moved: 'gone' leads to 'asks', which is not a step of this pathway; did you mean 'ask'?"


def test_moved_from_a_step_that_still_exists_is_a_fault(tmp_path: Path) -> None:
    assert "'resting' still exists" in one_fault(tmp_path, SOUND, more="moved:\n  resting: ask\n")


def test_a_fact_that_nobody_ever_records_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND, more="facts:\n  dexa_don: {go: resting}\n")
    assert fault == "20: fact 'dexa_don' is never recorded; did you mean 'dexa_done'?"


def test_a_fact_like_none_that_is_recorded_is_answered_with_all_of_them(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND, more="facts:\n  fell: {go: resting}\n")
    assert fault.startswith("20: fact 'fell' is never recorded; known: vitamin_d_result, dexa_result, ")


def test_a_fact_that_leads_nowhere_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND, more="facts:\n  dexa_done: {go: nowhere}\n")
    assert fault.startswith("20: fact 'dexa_done': go leads to 'nowhere'")


def test_a_step_without_any_way_out_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, "ask: {send: ask, answers: {1 fine: {say: thanks}}}\n")
    assert fault.startswith("8: step 'ask': a patient who does not answer stays here for ever")


def test_a_silence_that_ends_in_nothing_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, "ask: {send: ask, silence: [{after: 3 days, send: ask}]}\n")
    assert "after the last 'silence' nothing ever happens again" in fault


@pytest.mark.parametrize(
    "step",
    [
        "ask: {send: ask, task: call_patient}\n",
        "ask: {send: ask, silence: [{after: 3 days, task: call_patient}]}\n",
    ],
)
def test_an_open_task_is_a_way_out_of_silence(tmp_path: Path, step: str) -> None:
    assert faults_of(tmp_path, step) == []


def test_steps_that_go_round_without_a_wait_are_named_as_a_loop(tmp_path: Path) -> None:
    steps = """\
    ask: {silence: [{after: 0 days, go: other}]}
    other: {rest: 0 days, go: ask}
    """
    faults = faults_of(tmp_path, steps)
    assert [fault for fault in faults if "round without a wait" in fault] == [
        "8: step 'ask', silence 1: the steps 'ask' -> 'other' -> 'ask' go round without a wait; "
        "give one of them a wait"
    ]


def test_one_wait_in_a_round_is_enough(tmp_path: Path) -> None:
    steps = """\
    ask: {silence: [{after: 1 day, go: other}]}
    other: {rest: 1 day, go: ask}
    """
    assert faults_of(tmp_path, steps) == []


def test_an_answer_that_asks_the_same_again_at_once_is_a_fault(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND.replace("thanks, go: resting", "thanks, go: ask"))
    assert fault.startswith("11: step 'ask', answer '1 fine': leads straight back to its own step without a wait")


def test_an_answer_that_asks_the_same_again_later_is_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, SOUND.replace("thanks, go: resting", "thanks, go: ask, after: 14 days")) == []


@pytest.mark.parametrize("key", ["every: day", "send: ask", "silence: [{after: 3 days, go: ask}]"])
def test_a_rest_with_a_second_timer_is_a_fault(tmp_path: Path, key: str) -> None:
    fault = one_fault(tmp_path, SOUND + f"  {key}\n")
    assert fault.startswith("16: step 'resting': a step that rests sends nothing")
    assert f"'{key.partition(':')[0]}'" in fault


@pytest.mark.parametrize("key", ["first", "on_sunday"])
def test_words_of_a_routine_are_faults_without_every(tmp_path: Path, key: str) -> None:
    fault = one_fault(tmp_path, SOUND.replace("  send: ask\n", f"  send: ask\n  {key}: week\n", 1))
    assert f"'{key}' is for a step that repeats" in fault


def test_a_routine_needs_a_message_to_repeat(tmp_path: Path) -> None:
    assert "'every' needs a 'send'" in one_fault(tmp_path, "ask: {every: day}\n")


def test_a_weekly_step_has_no_sunday_message(tmp_path: Path) -> None:
    assert "'on_sunday' is for 'every: day'" in one_fault(
        tmp_path, "ask: {every: week, send: ask, on_sunday: week}\n"
    )


def test_unanswered_is_counted_in_routine_steps_only(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND.replace("24 days", "24 unanswered"))
    assert fault.startswith("15: step 'ask', silence 2: only a step with 'every' counts unanswered messages")


def test_a_routine_step_counts_messages_not_days(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, "ask: {every: day, send: ask, silence: [{after: 14 days, restart: ask}]}\n")
    assert "a step with 'every' counts messages: write for example '14 unanswered'" in fault


@pytest.mark.parametrize("what", ["task: call_patient", "send: ask"])
def test_silence_in_a_routine_step_must_lead_on(tmp_path: Path, what: str) -> None:
    fault = one_fault(tmp_path, f"ask: {{every: day, send: ask, silence: [{{after: 14 unanswered, {what}}}]}}\n")
    assert fault.startswith("8: step 'ask': silence 1: ")
    assert "'go'" in fault


def test_a_silence_after_one_that_has_left_the_step_is_never_reached(tmp_path: Path) -> None:
    steps = SOUND.replace("{after: 10 days, send: ask}", "{after: 10 days, go: resting}")
    assert "silence 2: is never reached, because silence 1 has left" in one_fault(tmp_path, steps)


def test_silences_that_count_from_the_same_message_stand_in_order(tmp_path: Path) -> None:
    steps = SOUND.replace("{after: 10 days, send: ask}", "{after: 30 days, task: call_patient}")
    assert "silence 2: comes no later than the entry before it" in one_fault(tmp_path, steps)


def test_a_silence_after_a_new_message_counts_anew(tmp_path: Path) -> None:
    assert faults_of(tmp_path, SOUND.replace("24 days", "5 days")) == []


def test_answers_to_a_question_nobody_asked_are_a_fault(tmp_path: Path) -> None:
    steps = """\
    ask:
      answers: {1 fine: {go: resting}}
      silence: [{after: 3 days, go: resting}]
    resting: {rest: 90 days, restart: ask}
    """
    fault = one_fault(tmp_path, steps)
    assert fault.startswith("8: step 'ask': waits for an answer to a question that nobody asked")


def test_a_late_answer_may_count_while_the_step_rests(tmp_path: Path) -> None:
    steps = SOUND.replace("answers:", "answers: &late") + "  answers: *late\n"
    assert faults_of(tmp_path, steps) == []


def test_a_step_may_wait_for_the_answer_to_what_the_way_into_it_says(tmp_path: Path) -> None:
    steps = SOUND.replace("{say: thanks, go: resting}", "{say: which, go: naming}")
    naming = "naming:\n  text: {open: clearance, go: resting}\n  silence: [{after: 7 days, go: resting}]\n"
    assert faults_of(tmp_path, steps + naming) == []


def test_counting_a_day_needs_a_step_that_repeats(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, SOUND.replace("{say: thanks, go", "{say: thanks, count: today, go"))
    assert "'count: today' is for a step that repeats" in fault
