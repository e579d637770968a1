"""Drawing a pathway: every way has its line, and nothing lies on anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.domain.outline import Outline, WayKind, outline
from scheduler.domain.pathway import Pathway
from scheduler.services.pathway_words import cause, consequences, in_short, purpose, when
from scheduler.web.diagrams import ANYWHERE, BOX, draw

ROOT = Path(__file__).resolve().parents[2]
PATHWAYS: Mapping[str, Pathway] = load_pathways(ROOT / "config").pathways


@pytest.fixture(params=sorted(PATHWAYS))
def told(request: pytest.FixtureRequest) -> Outline:
    return outline(PATHWAYS[request.param])


def test_an_outline_has_every_step_once_and_the_first_one_first(told: Outline) -> None:
    assert told.stops[0].step.name == told.pathway.first_step
    assert sorted(stop.step.name for stop in told.stops) == sorted(told.pathway.steps)
    for stop in told.stops:
        answers = [way.name for way in stop.ways if way.kind is WayKind.ANSWER]
        assert answers == [answer.name for answer in stop.step.answers]
        assert len([way for way in stop.ways if way.kind is WayKind.SILENCE]) == len(stop.step.silence)
    assert [way.name for way in told.anywhere] == list(told.pathway.facts)


def test_every_way_that_leads_somewhere_has_its_line(told: Outline) -> None:
    ways = [way for stop in told.stops for way in stop.ways] + list(told.anywhere)
    drawn = draw(told)
    assert len(drawn.lines) == 1 + sum(way.target is not None for way in ways)  # and where it begins
    assert sum(len(box.rows) for box in drawn.boxes) == len(ways)


def test_lines_leave_from_their_rows_and_come_in_at_the_tops_of_boxes(told: Outline) -> None:
    drawn = draw(told)
    rows = {row.middle for box in drawn.boxes for row in box.rows}
    tops = {box.y for box in drawn.boxes}
    for line in drawn.lines[1:]:
        found = re.match(r"M-?\d+ (\d+)H.* (\d+)H-?\d+$", line.path)
        assert found is not None, line.path
        assert int(found[1]) in rows
        assert any(top < int(found[2]) < top + 68 for top in tops)


def test_boxes_stand_below_each_other_and_everything_is_inside_the_drawing(told: Outline) -> None:
    drawn = draw(told)
    for above, below in zip(drawn.boxes, drawn.boxes[1:], strict=False):
        assert above.y + above.height < below.y
    for box in drawn.boxes:
        assert all(box.y < row.baseline < box.y + box.height for row in box.rows)
        assert box.x >= 0
        assert box.x + BOX <= drawn.width
        assert box.y + box.height <= drawn.height
    across = [int(x) for line in drawn.lines for x in re.findall(r"[MHQ](-?\d+)", line.path)]
    assert min(across) >= 0
    assert max(across) <= drawn.width


def test_two_lines_that_lead_to_different_steps_never_share_a_stretch(told: Outline) -> None:
    stretches: dict[tuple[int, int], set[int]] = {}
    for line in draw(told).lines[1:]:
        found = re.match(r"M-?\d+ (\d+)H-?\d+Q(-?\d+) .* (\d+)H-?\d+$", line.path)
        assert found is not None
        leaves, lane, enters = int(found[1]), int(found[2]), int(found[3])
        for y in range(min(leaves, enters), max(leaves, enters)):
            stretches.setdefault((lane, y), set()).add(enters)
    assert bool(stretches) == any(way.target for stop in told.stops for way in stop.ways)
    assert all(len(enters) == 1 for enters in stretches.values())


def test_what_can_happen_anywhere_has_a_box_of_its_own() -> None:
    assert draw(outline(PATHWAYS["dexa"])).boxes[-1].name == ANYWHERE
    assert all(box.name for box in draw(outline(PATHWAYS["exercise"])).boxes)


# In words


def ways_of(pathway: str, step: str) -> list[tuple[str, str, str]]:
    found = next(stop for stop in outline(PATHWAYS[pathway]).stops if stop.step.name == step)
    return [(cause(way), when(way), in_short(way)) for way in found.ways]


def test_a_step_is_told_as_a_clinician_would_read_it() -> None:
    assert ways_of("dexa", "ask") == [
        ("Answers 1: talked", "after 30 days", "says “thanks talked”"),
        ("Answers 2: booked", "after 30 days", "says “thanks booked”"),
        ("Answers 3: not yet", "after 14 days", "says “thanks later”"),
        ("Answers 4: no", "", "says “respected”"),
        ("No answer for 10 days", "", "sends “again”"),
        ("No answer for 24 days", "", "opens a task"),
    ]
    assert ways_of("dexa", "settled") == [("Rests 24 months", "", "")]
    assert ways_of("exercise", "daily")[0] == ("Answers DONE", "", "counts the day, says “well done”")
    assert ways_of("exercise", "daily")[1] == ("14 unanswered in a row", "", "")
    assert ways_of("exercise", "weekly")[1][0] == "Answers anything else"
    assert ways_of("supplement", "naming")[0][0] == "Answers in own words"


def test_a_steps_purpose_is_one_short_sentence() -> None:
    steps = {name: step for of in ("exercise", "dexa", "falls") for name, step in PATHWAYS[of].steps.items()}
    assert purpose(steps["daily"]) == "Sends “activity” every day"
    assert purpose(steps["weekly"]) == "Sends “activity” every week"
    assert purpose(steps["talked"]) == "Sends “was it booked”"
    assert purpose(steps["settled"]) == "Rests: nothing is sent"
    assert purpose(steps["awaiting_result"]) == "Waits for the clinic"
    assert purpose(steps["fell"]) == "Waits for an answer"


def test_all_that_follows_is_said_with_the_titles_of_tasks() -> None:
    from scheduler.catalogue.task_kinds import load_task_kinds

    kinds = load_task_kinds(ROOT / "config").kinds
    (_, _, _, no, _, silent) = outline(PATHWAYS["dexa"]).stops[0].ways
    assert consequences(no, kinds) == [
        "Says “respected”.",
        "Settles “Call the patient about the bone-density scan”.",
        "Goes to “declined”.",
    ]
    assert consequences(silent, kinds)[0] == "Opens the task “Call the patient about the bone-density scan”."
    (done,) = outline(PATHWAYS["dexa"]).stops[-1].ways
    assert consequences(done, {}) == ["Begins the next cycle with “ask”."]
