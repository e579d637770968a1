"""A pathway as a drawing: its steps one below the other, each with what can happen there, and lines to what follows.

Lines down run on the right of the boxes, lines up on the left. All lines to one step share a lane, and two lanes
that are never side by side share a place; so the drawing stays narrow however many ways there are. Pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scheduler.domain.outline import Outline, Way, WayKind
from scheduler.domain.pathway import NOW
from scheduler.services.pathway_words import cause, in_short, purpose, titled, wait_words, when

BOX = 416  # width
_HEAD = 68
_ROW, _TALL_ROW = 32, 54
_GAP = 28  # between two boxes
_LANE = 16
_MARGIN = 20  # from a box to its first lane
_EDGE = 10  # around it all
_FOOT = 8
_BEGIN = 42  # the foot of what says when it begins
_ENTERS = 34  # below the top of a box: where lines come in
ANYWHERE = ""  # the name of the box of what can happen at every step


@dataclass(frozen=True, slots=True)
class Row:
    """One way out of a box. `middle` is the height from which its line leaves."""

    kind: WayKind
    label: str
    aside: str  # when
    detail: str
    baseline: int
    middle: int


@dataclass(frozen=True, slots=True)
class Box:
    """One step; the one named `ANYWHERE` holds what can happen at every step."""

    name: str
    title: str
    purpose: str
    x: int
    y: int
    height: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its arrow at the end, as the `d` of an SVG path."""

    kind: str  # of the way, or `begin`
    path: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """A drawing of `width` by `height`."""

    width: int
    height: int
    begins: str  # when the first step begins
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Bundle:
    """All lines to one step that run on one side of the boxes."""

    enters: int
    leaves: tuple[tuple[int, WayKind], ...]

    @property
    def top(self) -> int:
        return min(self.enters, *(y for y, _ in self.leaves))

    @property
    def bottom(self) -> int:
        return max(self.enters, *(y for y, _ in self.leaves))


def draw(outline: Outline) -> Diagram:
    """The drawing of a pathway."""
    boxes = _boxes(outline)
    places = {box.name: box for box in boxes}
    ways = [
        (box, row, way)
        for box, all_of_it in zip(boxes, _ways(outline), strict=True)
        for row, way in zip(box.rows, all_of_it, strict=True)
    ]
    down, up = _bundles(ways, places, is_down=True), _bundles(ways, places, is_down=False)
    right, left = _lanes(down), _lanes(up)
    x = _EDGE + (_MARGIN + _LANE * max(left, default=0) if up else 0)
    width = x + BOX + (_MARGIN + _LANE * max(right, default=0) if down else 0) + _EDGE
    lines = [Line("begin", f"M{x + 40} {_BEGIN}V{boxes[0].y - 2}")]
    lines += _lines(down, right, edge=x + BOX, outward=1)
    lines += _lines(up, left, edge=x, outward=-1)
    begin = outline.pathway.begin.after
    return Diagram(
        width=width,
        height=boxes[-1].y + boxes[-1].height + _EDGE,
        begins="Enrolled" if begin == NOW else f"{wait_words(begin)} after enrolment",
        boxes=tuple(_moved(box, x) for box in boxes),
        lines=tuple(lines),
    )


def _ways(outline: Outline) -> list[tuple[Way, ...]]:
    return [*(stop.ways for stop in outline.stops), *([outline.anywhere] if outline.anywhere else [])]


def _boxes(outline: Outline) -> list[Box]:
    boxes: list[Box] = []
    y = _BEGIN + _GAP
    for stop in outline.stops:
        boxes.append(_box(stop.step.name, titled(stop.step.name), purpose(stop.step), stop.ways, y))
        y += boxes[-1].height + _GAP
    if outline.anywhere:
        boxes.append(_box(ANYWHERE, "At any step", "What staff or another system records", outline.anywhere, y))
    return boxes


def _box(name: str, title: str, says: str, ways: Sequence[Way], y: int) -> Box:
    rows: list[Row] = []
    at = y + _HEAD
    for way in ways:
        detail = in_short(way)
        rows.append(Row(way.kind, cause(way), when(way), detail, baseline=at + 21, middle=at + 16))
        at += _TALL_ROW if detail else _ROW
    return Box(name, title, says, x=0, y=y, height=at - y + (_FOOT if ways else 0), rows=tuple(rows))


def _moved(box: Box, x: int) -> Box:
    return Box(box.name, box.title, box.purpose, x, box.y, box.height, box.rows)


def _bundles(ways: Iterable[tuple[Box, Row, Way]], places: dict[str, Box], *, is_down: bool) -> list[_Bundle]:
    """The lines that go down (or up, and back to their own step), by where they lead."""
    found: dict[str, list[tuple[int, WayKind]]] = {}
    for box, row, way in ways:
        target = places.get(way.target or ANYWHERE) if way.target else None
        if target is not None and (target.y > box.y) is is_down:
            found.setdefault(target.name, []).append((row.middle, way.kind))
    return [_Bundle(places[name].y + _ENTERS, tuple(leaves)) for name, leaves in found.items()]


def _lanes(bundles: Sequence[_Bundle]) -> list[int]:
    """The lane of each bundle, 0 the nearest to the boxes: short ones first, never two on the same stretch."""
    taken: list[list[_Bundle]] = []
    lanes = [0] * len(bundles)
    for place in sorted(range(len(bundles)), key=lambda one: bundles[one].bottom - bundles[one].top):
        bundle = bundles[place]
        lane = next(
            (number for number, others in enumerate(taken) if not any(_overlap(bundle, other) for other in others)),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append(bundle)
        lanes[place] = lane
    return lanes


def _overlap(one: _Bundle, other: _Bundle) -> bool:
    return one.top <= other.bottom + _EDGE and other.top <= one.bottom + _EDGE


def _lines(bundles: Sequence[_Bundle], lanes: Sequence[int], *, edge: int, outward: int) -> list[Line]:
    """Each line: out of its row, along its lane with round corners, and into the box with its arrow."""
    lines: list[Line] = []
    for bundle, lane in zip(bundles, lanes, strict=True):
        x = edge + outward * (_MARGIN + _LANE * lane)
        for leaves, kind in bundle.leaves:
            turn = 8 if bundle.enters > leaves else -8
            lines.append(
                Line(
                    kind.value,
                    f"M{edge} {leaves}H{x - outward * 8}Q{x} {leaves} {x} {leaves + turn}"
                    f"V{bundle.enters - turn}Q{x} {bundle.enters} {x - outward * 8} {bundle.enters}"
                    f"H{edge + outward * 2}",
                )
            )
    return lines
