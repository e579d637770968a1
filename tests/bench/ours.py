"""What is measured of the service itself, through its public services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from scheduler import garbage
from scheduler.bootstrap import App
from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.planning import next_contact, plan
from scheduler.ports import Handed, OutboundEmail, OutboundSms, Outcome, SendResult
from scheduler.services.plan import plan_all_due
from scheduler.services.rules import Rules
from scheduler.services.simulate import simulate
from scheduler.store.engine import reading
from scheduler.store.tables import messages
from tests.bench.clinic import StandingClock, import_csv, new_clinic, open_app, stored_clinic
from tests.bench.laps import Run
from tests.bench.people import ENROLLED, YEAR


class NullSms:
    """A provider that takes everything at once: what is left is the service's own work."""

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is not None:
                yield SendResult(
                    attempt_id=message.attempt_id,
                    outcome=Outcome.ACCEPTED,
                    provider_id=f"SM{message.attempt_id.hex}",
                )

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        raise AssertionError("nothing here is left unknown, so nobody asks")

    def close(self) -> None:
        pass


class NoEmail:
    """Nobody here is mailed."""

    def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
        raise AssertionError(f"{len(list(batch))} mails, where all patients are texted")

    def close(self) -> None:
        pass


def open_worker(environment: dict[str, str], *, at: datetime, null_sender: bool) -> tuple[App, StandingClock]:
    """A worker that has looked a minute before `at`, when nothing was due, and the clock that it lives by.

    What is measured begins when the minute comes, not when a process starts.
    """
    clock = StandingClock(at - timedelta(minutes=1))
    app = open_app(environment, at=clock.at)
    app.clock = clock
    if null_sender:
        app.sms_channel = NullSms()
        app._email = NoEmail  # type: ignore[method-assign]
    app.warm_up()
    garbage.never_look_again()  # as the command does
    app.ticker.tick()
    clock.at = at
    return app, clock


def spike(*, environment: dict[str, str], at: str, patients: int, null_sender: bool = False) -> Run:
    """Everybody due in one minute: one tick, which plans, renders, seals, sends and records."""
    run, (app, _) = Run(), open_worker(environment, at=datetime.fromisoformat(at), null_sender=null_sender)
    with run.lap("spike", done=patients):
        report = app.ticker.tick()
    run.expect("patients planned", found=report.planned_patients, wanted=patients)
    run.expect("messages planned", found=report.planned, wanted=patients)
    run.expect("messages recorded as sent", found=report.sent, wanted=patients)
    check_ledger(app, run, patients)
    app.close()
    return run


def plan_only(*, environment: dict[str, str], at: str, patients: int) -> Run:
    """The first half of the spike: decide about everybody."""
    run, (app, _) = Run(), open_worker(environment, at=datetime.fromisoformat(at), null_sender=True)
    with run.lap("plan", done=patients):
        planned = plan_all_due(app.store, app.rules, app.clock.now())
    run.expect("messages planned", found=planned.messages, wanted=patients)
    app.close()
    return run


def deliver(*, environment: dict[str, str], at: str, patients: int, null_sender: bool = False) -> Run:
    """The second half of the spike, for messages that are planned already."""
    run, (app, _) = Run(), open_worker(environment, at=datetime.fromisoformat(at), null_sender=null_sender)
    with run.lap("deliver", done=patients):
        delivered = app.delivery.deliver_all(Channel.SMS)
    run.expect("messages recorded as sent", found=delivered.sent, wanted=patients)
    check_ledger(app, run, patients)
    app.close()
    return run


def check_ledger(app: App, run: Run, patients: int) -> None:
    """Note a fault unless the ledger has one message of now for each patient, sent, under an id of its own."""
    clinic, at = stored_clinic(app), app.clock.now()
    with reading(app.engine) as connection:
        sent = connection.execute(
            select(messages.c.patient_id, messages.c.provider_id)
            .where(messages.c.clinic_id == clinic.id, messages.c.planned_at >= at)
            .where(messages.c.status == MessageStatus.SENT.value)
        ).all()
    run.expect("messages in the ledger that are sent", found=len(sent), wanted=patients)
    run.expect("patients in the ledger", found=len({one.patient_id for one in sent}), wanted=patients)
    run.expect("provider ids in the ledger", found=len({one.provider_id for one in sent}), wanted=patients)


def enrol(*, environment: dict[str, str], csv: str, rows: int) -> Run:
    """Import a CSV file into an empty installation."""
    app = open_app(environment, at=ENROLLED)
    clinic = new_clinic(app)
    _ = app.rules
    run = Run()
    with run.lap("enrol", done=rows):
        report = import_csv(app, clinic, Path(csv))
    run.expect("patients created", found=report.created, wanted=rows)
    app.close()
    return run


def year_ahead(*, environment: dict[str, str]) -> Run:
    """Every patient of the clinic through a year: with the words of each message, and as bare decisions."""
    app = open_app(environment, at=ENROLLED)
    clinic, run = stored_clinic(app), Run()
    with app.store.reading() as unit:
        patients = unit.patients.of_clinic(clinic.id)
        enrolled = unit.patients.enrolments([patient.id for patient in patients])
    with run.lap("simulate", done=len(patients)):
        told = list(simulate(app.store, app.rules, app.composer, clinic, days=YEAR, start=ENROLLED))
    with run.lap("decide", done=len(patients)):
        decided = sum(_walk(app.rules, one.contact(clinic), enrolled[one.id], ENROLLED) for one in patients)
    run.expect("messages of the bare decisions", found=decided, wanted=len(told))
    app.close()
    return run


def _walk(rules: Rules, contact: Contact, enrolled: Sequence[Enrolled], start: datetime) -> int:
    """The number of messages that the planner alone comes to in a year."""
    end, messages = start + timedelta(days=YEAR), 0
    due = next_contact(contact, enrolled, rules.pathways, start)
    while due is not None and due < end:
        change = plan(contact, enrolled, rules.pathways, max(due, start))
        contact, enrolled, due = change.contact, change.enrolments, change.next_contact_at
        messages += len(change.messages)
    return messages
