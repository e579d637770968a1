"""Reading pathway files: what each word becomes, and every fault of every file with its line."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.pathway_actions import ACTION_KEYS
from scheduler.catalogue.pathway_checks import check_graph
from scheduler.catalogue.pathway_steps import STEP_KEYS, TOP_KEYS, read_pathway
from scheduler.catalogue.yaml_nodes import FaultLog, parse_yaml
from scheduler.domain.pathway import Action, Answer, Every, Late, Pathway, Silence, Step, Unit, Wait
from scheduler.domain.replies.words import CARRIER_WORDS
from tests.support.config_folder import SHIPPED, ConfigFolder, config_folder, faults_of, pathway_text

WHOLE = """\
ask:
  task: call_patient
  send: ask
  answers:
    1 fine: {say: thanks, go: resting, after: 2 weeks}
    any: {escalate: call_patient}
  text: {open: clearance, close: [call_patient, no_answer], restart: ask, after: 1 year}
  silence:
    - {after: 10 days, send: again, task: no_answer}
    - {after: 24 days, go: daily}
daily:
  every: day
  first: hello
  send: activity
  on_sunday: week
  answers: {done: {count: today}}
  silence: [{after: 14 unanswered, go: resting}]
resting:
  rest: 12 months
  restart: ask
"""
WHOLE_MORE = "facts:\n  dexa_done: {close: no_answer, go: resting}\nmoved:\n  old: ask\n"
REST = "ask: {rest: 90 days, restart: ask}\n"


@pytest.fixture
def folder(tmp_path: Path) -> ConfigFolder:
    return config_folder(tmp_path)


def one_fault(root: Path, steps: str, *, more: str = "") -> str:
    faults = faults_of(root, steps, more=more)
    assert len(faults) == 1, faults
    return faults[0]


def test_every_word_of_the_language_becomes_its_part_of_the_model(folder: ConfigFolder) -> None:
    file = folder.write("pathways/falls.yaml", pathway_text(WHOLE, more=WHOLE_MORE))
    loaded = folder.load()
    assert loaded.faults == []
    assert loaded.disabled == frozenset()
    ask = Step(
        name="ask",
        task="call_patient",
        send="ask",
        answers=(
            Answer("fine", "1", Action(say="thanks", go="resting", after=Wait(14))),
            Answer("any", None, Action(escalate="call_patient")),
        ),
        free_text=Action(
            opens_clearance=True,
            close=("call_patient", "no_answer"),
            restart="ask",
            after=Wait(12, Unit.MONTHS),
        ),
        silence=(
            Silence(Wait(10), send="again", action=Action(task="no_answer")),
            Silence(Wait(24), action=Action(go="daily")),
        ),
    )
    daily = Step(
        name="daily",
        every=Every.DAY,
        first="hello",
        send="activity",
        on_sunday="week",
        answers=(Answer("done", None, Action(counts=True)),),
        silence=(Silence(Wait(0), times=14, action=Action(go="resting")),),
    )
    resting = Step(name="resting", rest=Wait(12, Unit.MONTHS), then=Action(restart="ask"))
    assert loaded.pathways["falls"] == Pathway(
        name="falls",
        title="Falls check",
        priority=50,
        late=Late.SLIDE,
        begin=Action(go="ask", after=Wait(1)),
        steps={"ask": ask, "daily": daily, "resting": resting},
        facts={"dexa_done": Action(close=("no_answer",), go="resting")},
        moved={"old": "ask"},
        version=hashlib.sha256(file.read_bytes()).hexdigest()[:12],
    )


def test_a_pathway_can_be_shipped_off(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", "enabled: no\n" + pathway_text(REST))
    loaded = folder.load()
    assert (loaded.faults, list(loaded.pathways), loaded.disabled) == ([], ["falls"], frozenset({"falls"}))


def test_anchors_aliases_and_merges_are_understood(folder: ConfigFolder) -> None:
    steps = """\
    ask:
      send: ask
      answers: &both
        1 fine: &thanks {say: thanks, go: later}
        2 fell: {<<: *thanks, task: call_patient}
      silence: &wait [{after: 3 days, go: later}]
    later:
      send: ask
      answers: {<<: *both, 2 fell: {task: call_patient}}
      silence: [{after: 3 days, restart: ask}]
    """
    # `later` would lead straight back to itself by the merged answer 1: the merge is seen through.
    folder.write("pathways/falls.yaml", pathway_text(steps))
    (fault,) = folder.faults()
    assert "leads straight back to its own step" in fault


def test_a_merged_answer_is_overridden_by_the_step_s_own(folder: ConfigFolder) -> None:
    steps = """\
    ask:
      send: ask
      answers: &both
        1 fine: &thanks {say: thanks, go: later}
        2 fell: {<<: *thanks, task: call_patient}
      silence: [{after: 3 days, go: later}]
    later:
      send: ask
      answers: {<<: *both, 1 fine: {say: bye, restart: ask}, 2 fell: {task: call_patient}}
      silence: [{after: 3 days, restart: ask}]
    """
    folder.write("pathways/falls.yaml", pathway_text(steps))
    loaded = folder.load()
    assert loaded.faults == []
    assert loaded.pathways["falls"].steps["ask"].answers[1].action == Action(
        say="thanks", task="call_patient", go="later"
    )
    assert loaded.pathways["falls"].steps["later"].answers[0].action == Action(say="bye", restart="ask")


# Waits


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("1 day", Wait(1)),
        ("3 days", Wait(3)),
        ("2 weeks", Wait(14)),
        ("1 month", Wait(1, Unit.MONTHS)),
        ("12 months", Wait(12, Unit.MONTHS)),
        ("1 year", Wait(12, Unit.MONTHS)),
        ("10 years", Wait(120, Unit.MONTHS)),
    ],
)
def test_a_wait_is_a_number_and_a_unit(folder: ConfigFolder, text: str, wait: Wait) -> None:
    folder.write("pathways/falls.yaml", pathway_text(f"ask: {{rest: {text}, restart: ask}}\n"))
    assert folder.load().pathways["falls"].steps["ask"].rest == wait


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 days", "'0 days' is no wait; give at least 1 day"),
        ("-3 days", "'-3 days' is no wait"),
        ("11 years", "more than 10 years"),
        ("999999999 days", "more than 10 years"),
        ("3", "'3' is not a wait; write a number and a unit, such as '10 days'"),
        ("soon", "'soon' is not a wait"),
        ("1.5 days", "'1.5 days' is not a wait"),
        ("3 fortnights", "'3 fortnights' is not a wait"),
        ("[3 days]", "'rest' must be one text, not a list"),
        ("", "'rest' must be one text, not nothing"),
    ],
)
def test_a_wait_that_is_none_is_a_fault(tmp_path: Path, text: str, told: str) -> None:
    faults = faults_of(tmp_path, f"ask:\n  rest: {text}\n  restart: asking\nasking: {{rest: 1 day, go: ask}}\n")
    assert len(faults) == 1
    assert faults[0].startswith("9: step 'ask': ")
    assert told in faults[0]


@pytest.mark.parametrize("text", ["0 unanswered", "-1 unanswered", "400 unanswered"])
def test_unanswered_must_be_a_count_that_can_be_reached(tmp_path: Path, text: str) -> None:
    steps = f"ask: {{every: day, send: ask, silence: [{{after: {text}, go: other}}]}}\n"
    fault = faults_of(tmp_path, steps + "other: {rest: 3 days, restart: ask}\n")
    assert fault == [f"8: step 'ask', silence 1: after: '{text}' must be from 1 to 366 unanswered"]


# YAML


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("pathway: falls\nsteps: [1, 2\nlate: slide\n", 3, "is not valid YAML"),
        ("pathway: falls\nsteps:\n\task: x\n", 3, "indented with a tab"),
        ("pathway: falls\nsteps: *nothing\n", 2, "an alias (*name) needs an anchor"),
        ("pathway: falls\n---\npathway: two\n", 2, "a file holds one"),
        ("- a\n- b\n", 1, "must be a mapping"),
        ("pathway: falls\ntitle: a\x00b\n", 2, "a character that YAML does not allow"),
        ("# nothing\n", 0, "the file is empty"),
        ("", 0, "the file is empty"),
    ],
)
def test_a_file_that_is_no_yaml_mapping_is_a_fault(folder: ConfigFolder, text: str, line: int, told: str) -> None:
    folder.write("pathways/falls.yaml", text)
    (fault,) = folder.load().faults
    assert (fault.path, fault.line) == ("config/pathways/falls.yaml", line)
    assert told in fault.message


def test_a_file_in_another_encoding_is_a_fault(folder: ConfigFolder) -> None:
    file = folder.write("pathways/falls.yaml", "")
    file.write_bytes("pathway: falls\ntitle: Caída\n".encode("cp1252"))
    assert folder.faults() == ["config/pathways/falls.yaml:2: is not UTF-8 text; save the file as UTF-8"]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: ConfigFolder) -> None:
    file = folder.write("pathways/falls.yaml", "")
    file.write_bytes(b"\xef\xbb\xbf" + pathway_text(REST).replace("\n", "\r\n").encode())
    assert folder.faults() == []


def test_a_key_that_stands_twice_is_a_fault_at_its_second_line(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, "ask:\n  rest: 90 days\n  restart: ask\n  rest: 80 days\n")
    assert fault == "11: 'rest' stands here twice, first in line 9; keep one"


def test_a_part_that_contains_itself_is_a_fault_and_does_not_hang(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, "ask: &me\n  rest: 90 days\n  restart: ask\n  text: *me\n")
    assert any("contains itself through an alias" in fault for fault in faults)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_a_fault_and_does_not_crash(folder: ConfigFolder, opening: str) -> None:
    folder.write("pathways/falls.yaml", "pathway:\n " + opening * 300_000)
    (fault,) = folder.faults()
    assert fault.startswith("config/pathways/falls.yaml:2: brackets or lists are nested more than 50 deep")


# Keys and values


def test_an_unknown_word_is_named_with_the_likely_one(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, "ask:\n  send: ask\n  silnce: [{after: 3 days, restart: ask}]\n")
    assert fault == "10: step 'ask': 'silnce' is not a word of this place; did you mean 'silence'?"


def test_an_unknown_word_like_none_is_told_what_is_known(tmp_path: Path) -> None:
    fault = one_fault(tmp_path, REST, more="xyzzy: 1\n")
    assert fault.startswith("9: 'xyzzy' is not a word of this place; known here: pathway, title, priority")


@pytest.mark.parametrize("key", ["pathway", "title", "priority", "late", "begin", "steps"])
def test_what_every_pathway_needs_is_missed(folder: ConfigFolder, key: str) -> None:
    lines = pathway_text(REST).splitlines()
    kept = [line for line in lines if not line.startswith(key) and (key != "steps" or not line.startswith(" "))]
    folder.write("pathways/falls.yaml", "\n".join(kept))
    assert f"config/pathways/falls.yaml:1: '{key}' is missing" in folder.faults()


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("priority: 50", "priority: high", "3: priority: 'high' must be a whole number from 1 to 1000"),
        ("priority: 50", "priority: 0", "3: priority: '0' must be a whole number from 1 to 1000"),
        ("late: slide", "late: slied", "4: late: 'slied' must be one of slide, skip; did you mean 'slide'?"),
        ("late: slide", "late: [slide]", "4: 'late' must be one text, not a list"),
        ("title: Falls check", "title:", "2: 'title' must be one text, not nothing"),
        ("title: Falls check", "enabled: maybe\ntitle: x", "2: enabled: 'maybe' must be yes or no"),
        (
            "begin: {go: ask, after: 1 day}",
            "begin: ask",
            "5: 'begin' must be keys and values, as in {go: ask}",
        ),
        ("begin: {go: ask, after: 1 day}", "begin: {after: 1 day}", "5: begin: 'go' is missing"),
        ("begin: {go: ask, after: 1 day}", "begin: {go: ask, say: x}", "5: begin: 'say' cannot stand here"),
        ("begin: {go: ask, after: 1 day}", "begin: {go: Ask}", "5: begin: go: 'Ask' is not a name"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_fault(folder: ConfigFolder, was: str, now: str, told: str) -> None:
    folder.write("pathways/falls.yaml", pathway_text(REST).replace(was, now))
    assert any(fault.startswith(f"config/pathways/falls.yaml:{told}") for fault in folder.faults())


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("ask: {rest: 9 days}\n", "8: step 'ask': 'rest' must say what comes after it"),
        ("ask: {task: no_answer, go: ask}\n", "8: step 'ask': 'go' needs a 'rest' beside it"),
        ("ask: {rest: 9 days, go: ask, restart: ask}\n", "'go' and 'restart' exclude each other"),
        ("ask: {task: no_answer, say: x}\n", "8: step 'ask': 'say' cannot stand here"),
        ("ask: {task: no_answer, silence: {after: 3 days}}\n", "'silence' must be a list"),
        ("ask: {task: no_answer, silence: [3 days]}\n", "silence 1: must be keys and values"),
        ("ask: {task: no_answer, silence: [{send: ask}]}\n", "silence 1: 'after' is missing"),
        ("ask: {task: no_answer, silence: [{after: 3 days}]}\n", "silence 1: does nothing"),
        ("ask: {task: no_answer, every: month, send: x}\n", "every: 'month' must be one of day, week"),
        (
            "ask: {task: no_answer, silence: [{after: 3 days, say: x}]}\n",
            "'say' cannot stand here: it answers",
        ),
        (
            "ask: {task: no_answer, silence: [{after: 3 days, send: x, go: ask}]}\n",
            "the message could get lost",
        ),
        ("ask: {task: no_answer, send: x, answers: {1 a: {after: 3 days}}}\n", "'after' delays the step"),
        ("ask: {task: no_answer, send: x, answers: {1 a: {open: clearance}}}\n", "'open' cannot stand here"),
        ("ask: {task: no_answer, send: x, answers: {1 a: thanks}}\n", "'1 a' must be keys and values"),
        (
            "ask: {task: no_answer, send: x, text: {open: case}}\n",
            "open: 'case' is not known; write 'open: cl",
        ),
        ("ask: {task: no_answer, send: x, text: {close: []}}\n", "'close' must be a name or a list of names"),
        ("ask: {task: no_answer, send: x, text: {}}\n", "text: does nothing"),
        ("ask: {task: no_answer, send: ../x}\n", "send: '../x' is not a name"),
        ("Ask: {task: no_answer}\n", "step 'Ask' has no proper name"),
        ("ask: talk\n", "'ask' must be keys and values"),
        ("{}\n", "'steps' is empty"),
    ],
)
def test_a_fault_within_a_step_is_named(tmp_path: Path, steps: str, told: str) -> None:
    assert any(told in fault for fault in faults_of(tmp_path, steps))


# Answers


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ("{1 fine: {}, 1 fell: {}}", "digit 1 stands for both 'fine' and 'fell'; renumber one"),
        ("{1 fine: {}, 2 fine: {}}", "answer 'fine' stands here twice"),
        ("{0 fine: {}}", "answer '0 fine': the digit must be one of 1 to 9"),
        ("{10 fine: {}}", "answer '10 fine': the digit must be one of 1 to 9"),
        ("{3: {}}", "answer '3' has no name; write a digit and a name, as in '1 talked'"),
        ("{3 not yet: {}}", "'not yet' is not a name"),
        ("{3 not yet: {}}", "; write 'not_yet'"),
        ("{1 any: {}}", "answer 'any' is for whatever the patient writes, so it has no digit"),
    ],
)
def test_an_answer_that_cannot_be_given_is_a_fault(tmp_path: Path, answers: str, told: str) -> None:
    fault = one_fault(tmp_path, f"ask: {{task: no_answer, send: ask, answers: {answers}}}\n")
    assert fault.startswith("8: step 'ask': ")
    assert told in fault


@pytest.mark.parametrize("word", [*(word.replace(" ", "_") for word in CARRIER_WORDS), "YES"])
def test_a_word_that_carriers_act_on_is_no_answer(tmp_path: Path, word: str) -> None:
    fault = one_fault(tmp_path, f"ask: {{task: no_answer, send: ask, answers: {{1 {word}: {{}}}}}}\n")
    assert f"answer '1 {word}': phone carriers treat '{word}' as " in fault


def test_no_is_an_answer_and_not_a_yaml_boolean(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text("ask: {task: no_answer, send: x, answers: {no: {}}}\n"))
    loaded = folder.load()
    assert loaded.faults == []
    assert loaded.pathways["falls"].steps["ask"].answers == (Answer("no", None, Action()),)


# Tasks and messages


@pytest.mark.parametrize("key", ["task", "escalate", "close"])
def test_an_unknown_task_kind_is_a_fault_wherever_it_stands(tmp_path: Path, key: str) -> None:
    fault = one_fault(tmp_path, REST, more=f"facts:\n  dexa_done: {{{key}: call_pacient}}\n")
    assert fault == (
        "10: fact 'dexa_done': task kind 'call_pacient' is not in tasks.yaml; did you mean 'call_patient'?"
    )


def test_every_message_without_a_template_folder_is_a_fault_at_its_line(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(WHOLE, more=WHOLE_MORE))
    templates = folder.root / "templates"
    for name in ("ask", "thanks", "week"):
        (templates / "messages" / "falls" / name).mkdir(parents=True)
    faults = [str(fault).partition(".yaml:")[2] for fault in folder.load(templates_dir=templates).faults]
    assert faults == [
        "16: step 'ask', silence 1: message 'again' has no template; add the folder templates/messages/falls/again",
        "20: step 'daily': message 'hello' has no template; add the folder templates/messages/falls/hello",
        "21: step 'daily': message 'activity' has no template; add the folder templates/messages/falls/activity",
    ]


def test_without_a_templates_folder_to_look_in_messages_are_not_checked(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(WHOLE, more=WHOLE_MORE))
    assert folder.faults() == []


# Several files


def test_all_faults_of_all_files_are_told_in_order(folder: ConfigFolder) -> None:
    folder.write("pathways/b.yaml", pathway_text(REST, name="b", priority="x"))
    folder.write("pathways/a.yaml", pathway_text("ask: {rest: 9 days, restart: aks, every: dya}\n", name="a"))
    folder.write("pathways/c.yaml", "a: [")
    places = [(fault.path, fault.line) for fault in folder.load().faults]
    assert places == [
        ("config/pathways/a.yaml", 8),
        ("config/pathways/a.yaml", 8),
        ("config/pathways/b.yaml", 3),
        ("config/pathways/c.yaml", 1),
    ]


def test_a_file_named_otherwise_than_its_pathway_is_a_fault(folder: ConfigFolder) -> None:
    folder.write("pathways/tumbles.yaml", pathway_text(REST))
    assert folder.faults() == [
        "config/pathways/tumbles.yaml:1: pathway: 'falls' differs from the file's name; rename one of them"
    ]


def test_two_pathways_with_one_priority_are_a_fault(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(REST))
    folder.write("pathways/feet.yaml", pathway_text(REST, name="feet"))
    (fault,) = folder.faults()
    assert fault.startswith("config/pathways/feet.yaml:3: priority: 50 is already that of config/pathways/falls.yaml")


def test_two_files_with_one_pathway_are_a_fault(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(REST))
    folder.write("pathways/feet.yaml", pathway_text(REST, priority="60"))
    faults = folder.faults()
    assert (
        "config/pathways/feet.yaml:1: pathway: 'falls' is already in config/pathways/falls.yaml; rename one" in faults
    )


def test_a_faulty_file_does_not_hide_a_sound_one(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(REST))
    folder.write("pathways/feet.yaml", "a: [")
    assert list(folder.load().pathways) == ["falls"]


def test_a_file_with_the_wrong_ending_is_not_passed_over_in_silence(folder: ConfigFolder) -> None:
    folder.write("pathways/falls.yaml", pathway_text(REST))
    folder.write("pathways/feet.yml", pathway_text(REST, name="feet", priority="60"))
    assert folder.faults() == ["config/pathways/feet.yml: is not read; rename it to feet.yaml"]


def test_a_config_folder_without_pathways_is_a_fault(folder: ConfigFolder) -> None:
    assert folder.faults() == ["config/pathways: holds no pathway files; put at least one .yaml file there"]


def test_missing_task_kinds_are_told_once_and_not_for_every_use(folder: ConfigFolder) -> None:
    shutil.copytree(SHIPPED / "pathways", folder.path / "pathways")
    (folder.path / "tasks.yaml").unlink()
    assert folder.faults() == []


TEXTS = [file.read_text(encoding="utf-8") for file in sorted((SHIPPED / "pathways").glob("*.yaml"))]


@given(
    st.sampled_from(TEXTS),
    st.integers(0, 3000),
    st.integers(0, 80),
    st.sampled_from(["", "x", ": ", "{", "]", "- ", "\n", "*", "&", "'", "0", "~"]),
)
def test_no_slip_of_the_pen_makes_the_loader_fail(text: str, start: int, length: int, instead: str) -> None:
    log = FaultLog("config/pathways/falls.yaml")
    table = parse_yaml((text[:start] + instead + text[start + length :]).encode(), log)
    if table is not None:
        draft = read_pathway(table, log, version="")
        check_graph(draft)
    lines = text.count("\n") + 2
    assert all(0 <= fault.line <= lines and fault.message for fault in log.faults)


# The reference for clinicians

GUIDE = (SHIPPED.parent / "docs" / "pathways.md").read_text(encoding="utf-8")


def test_the_guide_s_first_example_has_no_fault(folder: ConfigFolder) -> None:
    example = GUIDE.partition("```yaml\n")[2].partition("```")[0]
    folder.write("pathways/falls.yaml", example)
    loaded = folder.load()
    assert loaded.faults == []
    assert loaded.pathways["falls"].begin.after == Wait(10)


@pytest.mark.parametrize("word", [*TOP_KEYS, *STEP_KEYS, *ACTION_KEYS])
def test_the_guide_explains_every_word_of_the_language(word: str) -> None:
    assert f"\n| `{word}" in GUIDE
