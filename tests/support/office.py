"""A clinic's office in tests: its tasks, its digest, and mail to its people."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from scheduler.domain.people import Channel
from scheduler.domain.staff_mail import StaffMailKind
from scheduler.domain.tasks import TaskStep
from scheduler.records import Patient, StaffMailEntry, Task
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.deliver import never
from scheduler.services.new_tasks import clinic_task, patient_task
from scheduler.services.staff_mail import MailsDelivered, deliver_staff_mail, plan_staff_mail
from scheduler.services.tasks import find
from tests.support.fake_email import FakeEmail
from tests.support.worlds import World, new_york

TEAM, DUTY = "team@harbor.example", "duty@harbor.example"
URL = "https://care.example"
TUESDAY, WEDNESDAY = new_york(3, 3, 8, 0), new_york(3, 4, 8, 0)


def change(world: World, **wanted: str | tuple[str, ...]) -> None:
    """As `bonewise clinic set`."""
    settings = OfficeSettings(**wanted)  # type: ignore[arg-type]
    world.clinic = set_clinic(world.store, world.rules.holidays, world.clinic, settings, now=world.clock.at)


def open_tasks(world: World, *causes: str, kind: str = "call_patient") -> None:
    """Tasks of the clinic as a whole, one for each cause."""
    with world.store.writing() as unit:
        tasks = [clinic_task(world.rules, kind, world.clinic, cause=one, now=world.clock.at) for one in causes]
        unit.worklist.open(tasks, now=world.clock.at)


def escalations(world: World, task_id: int = 1) -> list[str | None]:
    """How often the task's history says that it became urgent, and why."""
    with world.store.reading() as unit:
        history = unit.worklist.history(world.clinic.id, task_id)
    return [one.detail for one in history if one.step is TaskStep.ESCALATED]


def mails(world: World) -> list[StaffMailEntry]:
    """What the clinic's people were sent, or were to be."""
    with world.store.reading() as unit:
        return unit.staff_mail.entries(world.clinic.id)


def received(world: World, address: str = TEAM) -> list[tuple[str | None, str]]:
    """Subject and text of what the simulated mailbox holds."""
    found = world.app.simulated_inbox.received()
    return [(one.subject, one.body) for one in found if one.channel is Channel.EMAIL and one.address == address]


def beside(world: World, do: Callable[[World], int], *, workers: int = 4) -> list[int]:
    """What `do` returns in several processes at the same time, as far as one process can be several."""
    others = [world.second_process() for _ in range(workers)]
    barrier = Barrier(workers)

    def run(one: World) -> int:
        barrier.wait(10)
        return do(one)

    try:
        with ThreadPoolExecutor(workers) as threads:
            return list(threads.map(run, others))
    finally:
        for one in others:
            one.app.close()


def plan(
    world: World, kind: StaffMailKind, cause: str = "c", *, until: datetime | None = None, to: str = DUTY
) -> bool:
    """Put a mail into the outbox."""
    with world.store.writing() as unit:
        return plan_staff_mail(
            unit,
            world.clinic,
            kind=kind,
            to=to,
            subject="Look",
            text=f"Please look: {URL}/tasks?a=1&b=2",
            cause=cause,
            now=world.clock.at,
            until=until,
        )


def deliver(world: World, email: FakeEmail) -> MailsDelivered:
    """Hand over what is due."""
    return deliver_staff_mail(world.store, email, clock=world.clock, worker="w", stopping=never)


def open_task(world: World, kind: str = "call_patient", patient: Patient | None = None, *, cause: str = "x") -> Task:
    """A task of the clinic, or about a patient; the only open one of its cause."""
    with world.store.writing() as unit:
        new = (
            patient_task(world.rules, kind, world.clinic, patient.id, pathway="dexa", now=world.clock.at)
            if patient
            else clinic_task(world.rules, kind, world.clinic, cause=cause, now=world.clock.at)
        )
        unit.worklist.open([new], now=world.clock.at)
    return [task for task in world.tasks() if task.kind == kind and task.status == "open"][-1]


def steps(world: World, task: Task) -> list[tuple[TaskStep, str, str | None, str]]:
    """The history of a task: step, by whom, detail, words."""
    with world.store.reading() as unit:
        return [(one.step, one.by, one.detail, one.words) for one in find(unit, world.clinic, task.id)[1]]
