"""What a pathway offers in turn, one in each message: `messages/<pathway>/activities.<language>.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.catalogue.template_tree import activities_name
from scheduler.catalogue.yaml_nodes import FaultLog, Listing, Scalar, Table, YamlNode, did_you_mean, read_yaml
from scheduler.domain.people import Mobility

MIN_ACTIVITIES = 7  # a week without a repeat
EVERYBODY = "everybody"  # in place of the mobilities, where the same suits all


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing to do. `id` is the same in every language: a rotation survives a change."""

    id: str
    text: str
    line: int


Activities = Mapping[Mobility, tuple[Activity, ...]]


def read_activities(templates_dir: Path, pathway: str, language: str, log: FaultLog) -> Activities:
    """The activities in `language`, with whatever is wrong with the file in `log`."""
    table = read_yaml(templates_dir / activities_name(pathway, language), log)
    entries = list(table or ())
    if [entry.key for entry in entries] == [EVERYBODY]:
        return dict.fromkeys(Mobility, tuple(_read_group(entries[0].value, log)))
    groups: dict[Mobility, tuple[Activity, ...]] = {}
    for entry in entries:
        try:
            mobility = Mobility(entry.key)
        except ValueError:
            hint = did_you_mean(entry.key, [known.value for known in Mobility])
            known_ones = ", ".join(Mobility)
            log.add(entry.line, f"'{entry.key}' is no mobility; use {known_ones}, or {EVERYBODY} alone{hint}")
            continue
        groups[mobility] = tuple(_read_group(entry.value, log))
    return groups


def _read_group(node: YamlNode, log: FaultLog) -> list[Activity]:
    if not isinstance(node, Listing):
        log.add(node.line, "the activities must be a list, lines of the form '- id: text'")
        return []
    return [activity for item in node.items if (activity := _read_one(item, log)) is not None]


def _read_one(node: YamlNode, log: FaultLog) -> Activity | None:
    entries = node.entries if isinstance(node, Table) else ()
    if len(entries) == 1 and isinstance(value := entries[0].value, Scalar) and value.text.strip():
        return Activity(entries[0].key, " ".join(value.text.split()), entries[0].line)
    log.add(
        node.line,
        "an activity must be one line of the form '- id: text'; put quotes round a text with a colon",
    )
    return None


def check_activities(activities: Activities, model: Activities, log: FaultLog) -> None:
    """Add to `log`: mobilities with too few activities, repeated ids, ids that differ from those of `model`.

    `model` is the list in the first required language; its order counts, as the rotation goes by place.
    """
    for group, mobility in _groups(activities):
        own = activities.get(mobility, ())
        line = own[0].line if own else 0
        if len(own) < MIN_ACTIVITIES:
            log.add(
                line,
                f"{group} has {len(own)} activities; write at least {MIN_ACTIVITIES}, one for each day",
            )
        seen: set[str] = set()
        for activity in own:
            if activity.id in seen:
                log.add(activity.line, f"{group} has the id '{activity.id}' twice; give each activity its own")
            seen.add(activity.id)
        wanted = [activity.id for activity in model.get(mobility, ())]
        if wanted != [activity.id for activity in own]:
            listed = ", ".join(wanted) or "none"
            log.add(line, f"{group} must have the same ids in the same order in every language: {listed}")


def _groups(activities: Activities) -> list[tuple[str, Mobility]]:
    """Each list once: what it is called, and a mobility that it is for."""
    lists = list(activities.values())
    if len(lists) == len(Mobility) and all(one is lists[0] for one in lists):
        return [(EVERYBODY, next(iter(Mobility)))]
    return [(mobility.value, mobility) for mobility in Mobility]
