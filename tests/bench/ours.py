"""What is measured of the service itself, through its public services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from scheduler.bootstrap import App
from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.people import Channel
from scheduler.domain.planning import next_contact, plan
from scheduler.ports import OutboundEmail, OutboundSms, Outcome, SendResult
from scheduler.services.deliver import Delivery
from scheduler.services.plan import plan_all_due
from scheduler.services.rules import Rules
from scheduler.services.simulate import simulate
from tests.bench.clinic import ENROLLED, MORNING, import_csv, new_clinic, open_app, stored_clinic
from tests.bench.laps import Lap, Run

YEAR = 365  # days


class NullSms:
    """A provider that takes everything at once: what is left is the service's own work."""

    def send(self, batch: Iterable[OutboundSms]) -> Iterator[SendResult]:
        for message in batch:
            yield SendResult(
                attempt_id=message.attempt_id, outcome=Outcome.ACCEPTED, provider_id=f"SM{message.attempt_id.hex}"
            )

    def close(self) -> None:
        pass


class NoEmail:
    """Nobody here is mailed."""

    def send(self, batch: Iterable[OutboundEmail]) -> Iterator[SendResult]:
        raise AssertionError(f"{len(list(batch))} mails, where all patients are texted")

    def close(self) -> None:
        pass


def spike(*, environment: dict[str, str], patients: int, null_sender: bool) -> Run:
    """Everybody due in one minute: plan, then render, seal, send and record, by one worker."""
    app = open_app(environment, at=MORNING)
    rules, delivery = app.rules, _null_delivery(app) if null_sender else app.delivery
    run = Run()
    with run.lap("plan", done=patients):
        planned = plan_all_due(app.store, rules, MORNING)
    with run.lap("deliver", done=patients):
        delivered = delivery.deliver_all(Channel.SMS)
    run.laps["spike"] = Lap(patients, 0, 0) + _without_count(run.laps["plan"]) + _without_count(run.laps["deliver"])
    run.expect("patients planned", found=planned.patients, wanted=patients)
    run.expect("messages planned", found=planned.messages, wanted=patients)
    run.expect("messages recorded as sent", found=delivered.sent, wanted=patients)
    with app.store.reading() as unit:
        statuses = [entry.status.value for entry in unit.ledger.entries(stored_clinic(app).id)]
    run.expect("messages in the ledger that are sent", found=statuses.count("sent"), wanted=patients)
    app.close()
    return run


def _null_delivery(app: App) -> Delivery:
    return Delivery(
        store=app.store,
        rules=app.rules,
        composer=app.composer,
        sms=NullSms(),
        email=NoEmail(),
        clock=app.clock,
        worker=app.worker_name,
    )


def _without_count(lap: Lap) -> Lap:
    return Lap(0, lap.seconds, lap.cpu)


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
