"""The daily digest: every working day the clinic hears how many tasks are open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from scheduler.domain.staff_mail import StaffMailKind
from scheduler.domain.tasks import TaskPriority, TaskRole
from scheduler.domain.when import instant
from scheduler.ports import Stopping, Store, Unit
from scheduler.records import Clinic, OpenTasks
from scheduler.services.digest_words import DigestCounts, digest_text
from scheduler.services.rules import Rules
from scheduler.services.staff_mail import plan_staff_mail
from scheduler.services.working_days import working_days


def plan_digests(store: Store, rules: Rules, now: datetime, *, public_url: str, stopping: Stopping) -> int:
    """Put the digests that are due at `now` (UTC) into the outbox; returns how many.

    One for each clinic and day of the clinic's, whoever else plans them: whoever moves the clinic's next digest on
    plans this one. Days that went by are not caught up on, and where nothing is open nothing is sent.
    """
    with store.reading() as unit:
        due = unit.installation.digests_due(now)
    planned = 0
    for clinic_id, seen in due.items():
        if stopping():
            break
        with store.writing() as unit:
            clinic = unit.installation.clinics()[clinic_id]
            upcoming = working_days(rules.holidays, clinic).next_at(clinic.digest_at, after=now)
            if unit.installation.move_digest(clinic_id, seen=seen, to=upcoming):
                planned += _plan(unit, rules, clinic, now, public_url=public_url)
    return planned


def _plan(unit: Unit, rules: Rules, clinic: Clinic, now: datetime, *, public_url: str) -> bool:
    days = working_days(rules.holidays, clinic)
    today = days.today(now)
    is_time = today in days and instant(today, clinic.digest_at, days.zone) <= now
    if clinic.digest_to is None or not is_time:
        return False
    counts = count_tasks(unit.worklist.open_counts(clinic.id), rules, today=today)
    if counts.open == 0:
        return False
    subject, text = digest_text(
        counts,
        clinic=clinic.name,
        language=clinic.language,
        at=f"{clinic.digest_at:%H:%M}",
        public_url=public_url,
    )
    return plan_staff_mail(
        unit,
        clinic,
        kind=StaffMailKind.DIGEST,
        to=clinic.digest_to,
        subject=subject,
        text=text,
        cause=f"digest:{today}",
        now=now,
        until=instant(today + timedelta(days=1), time.min, days.zone),
    )


def count_tasks(alike: Iterable[OpenTasks], rules: Rules, *, today: date) -> DigestCounts:
    """What the digest counts, on the clinic's date `today`. A kind that is no longer known is for a coordinator."""
    found = list(alike)

    def of_role(task: OpenTasks, role: TaskRole) -> bool:
        kind = rules.task_kinds.get(task.kind)
        return role is (kind.role if kind else TaskRole.COORDINATOR)

    return DigestCounts(
        open=sum(task.count for task in found),
        urgent=sum(task.count for task in found if task.priority == TaskPriority.URGENT.value),
        overdue=sum(task.count for task in found if task.due < today),
        due_today=sum(task.count for task in found if task.due == today),
        clinicians=sum(task.count for task in found if of_role(task, TaskRole.CLINICIAN)),
        coordinators=sum(task.count for task in found if of_role(task, TaskRole.COORDINATOR)),
        unassigned=sum(task.count for task in found if not task.is_assigned),
    )
