"""Several tasks of the worklist at once: taken, given back, or ended with one note. All of them, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from scheduler.domain.tasks import Resolution
from scheduler.ports import Store
from scheduler.records import Clinic
from scheduler.services.tasks import Act, TaskError, assign_in, close_in

MOST = 100  # tasks at once


def assign_all(
    store: Store, clinic: Clinic, task_ids: Sequence[int], *, to: str | None, by: str, now: datetime
) -> None:
    """Give open tasks of the clinic to a member of staff, or with None to nobody. Raises `TaskError`."""
    acts = _acts(clinic, task_ids, by=by, now=now)
    with store.writing() as unit:
        for act in acts:
            assign_in(unit, act, to=to)


def close_all(
    store: Store,
    clinic: Clinic,
    task_ids: Sequence[int],
    *,
    resolution: Resolution,
    words: str,
    by: str,
    now: datetime,
) -> None:
    """End open tasks of the clinic in one way, each with the same words. Raises `TaskError`."""
    acts = _acts(clinic, task_ids, by=by, now=now)
    with store.writing() as unit:
        for act in acts:
            close_in(unit, act, resolution=resolution, words=words)


def _acts(clinic: Clinic, task_ids: Iterable[int], *, by: str, now: datetime) -> list[Act]:
    """In the order of their numbers, in which everybody holds them who holds several."""
    wanted = sorted(set(task_ids))
    if not wanted:
        raise TaskError("choose at least one task")
    if len(wanted) > MOST:
        raise TaskError(f"these are {len(wanted)} tasks; choose at most {MOST} at once")
    return [Act(clinic=clinic, task_id=task_id, by=by, now=now) for task_id in wanted]
