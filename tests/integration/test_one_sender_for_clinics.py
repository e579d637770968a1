"""Two clinics that text from one number or service: a STOP ends what comes from there, whoever of them asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel, PatientStatus
from scheduler.records import Clinic
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Arrival, Inbound, Reception, Taken
from tests.support.worlds import MONDAY, World, new_york, world_at

SENDER, PHONE = "+16175550100", "+16175551234"
SERVICE = "MG" + "a" * 32
DAY_1, NOON = new_york(3, 3), new_york(3, 3, 12, 0)


@dataclass
class Two:
    """Harbor and Hill text from one number; one person is a patient of both."""

    world: World
    harbor: Clinic
    hill: Clinic
    texts: int = 0

    def text(self, body: str, *, service: str = "", sender: str = PHONE, **more: Any) -> Taken:
        """A text from the phone to the number that both have."""
        self.texts += 1
        inbound = Inbound(channel=Channel.SMS, sender=sender, body=body, provider_id=f"SM{self.texts}", **more)
        arrival = Arrival(inbound=inbound, at=self.world.clock.at, number=SENDER, messaging_service=service)
        reception = Reception(store=self.world.store, rules=self.world.rules)
        if reception.is_stop(inbound):
            return reception.take_in_stop(arrival)
        (taken,) = reception.take_in([arrival])
        self.world.tick()
        return taken

    def sent(self, clinic: Clinic) -> list[str]:
        return [row.template for row in self.world.ledger(clinic=clinic) if row.sent_at]

    def consents(self, clinic: Clinic, mrn: str = "P1") -> list[tuple[str, bool, str]]:
        patient = self.world.patient(mrn, clinic=clinic)
        with self.world.store.reading() as unit:
            history = unit.patients.consent_history(clinic.id, patient.id)
        return [(one.channel.value, one.granted, one.source.value) for one in history]

    def statuses(self) -> list[PatientStatus]:
        return [self.world.patient("P1", clinic=each).status for each in (self.harbor, self.hill)]


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> Iterator[Two]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        harbor, hill = world.clinic, world.add_clinic("hill")
        for clinic in (harbor, hill):
            world.enrol_sms("P1", clinic, phone=PHONE, pathways="vitamin_d")
        yield Two(world, harbor, hill)


STOPPED, ACTIVE = PatientStatus.STOPPED, PatientStatus.ACTIVE


@pytest.mark.parametrize(
    ("body", "opt_out", "source", "confirmations"),
    [
        ("STOP", None, "reply", 1),
        ("please stop texting me", None, "reply", 1),
        ("arrete", OptOut.STOP, "provider", 0),
    ],
)
def test_a_stop_ends_what_both_clinics_text_and_is_confirmed_once(
    two: Two, body: str, opt_out: OptOut | None, source: str, confirmations: int
) -> None:
    two.world.run_until(NOON)
    two.text(body, opt_out=opt_out)
    assert two.statuses() == [STOPPED, STOPPED]
    assert [two.consents(each)[-1] for each in (two.harbor, two.hill)] == [("sms", False, source)] * 2
    two.world.run_until(new_york(3, 20, 12, 0))
    assert sorted(two.sent(two.harbor) + two.sent(two.hill)) == ["ask", "ask"] + ["stopped"] * confirmations


def test_what_the_other_clinic_has_planned_falls_with_it(two: Two) -> None:
    two.world.clock.at = DAY_1
    plan_all_due(two.world.store, two.world.rules, DAY_1)
    two.text("STOP")
    reminders = [
        (row.status.value, row.reason)
        for each in (two.harbor, two.hill)
        for row in two.world.ledger(clinic=each)
        if row.kind == "reminder"
    ]
    assert reminders == [("skipped", "stopped")] * 2


def test_a_stop_to_a_messaging_service_is_for_all_who_have_it(two: Two) -> None:
    for clinic in (two.harbor, two.hill):
        two.world.change_clinic(clinic, sms_from=None, messaging_service=SERVICE)
    two.text("STOP", service=SERVICE)
    assert two.statuses() == [STOPPED, STOPPED]


def test_a_clinic_with_a_sender_of_its_own_goes_on(two: Two) -> None:
    two.world.change_clinic(two.hill, sms_from="+16175550200")
    two.text("STOP")
    assert two.statuses() == [STOPPED, ACTIVE]


def test_mail_of_the_other_clinic_goes_on(two: Two) -> None:
    two.world.run_until(NOON)
    two.world.enrol("P1", two.harbor, email="pat@patients.example", email_consent="yes")
    two.world.receive("P1", "STOP", clinic=two.hill)
    patient = two.world.patient("P1", clinic=two.harbor)
    assert (patient.status, patient.sms_consent, patient.email_consent) == (ACTIVE, False, True)


def test_a_stop_where_the_patient_has_stopped_before_still_reaches_the_other(two: Two) -> None:
    two.world.run_until(NOON)
    stopped = two.world.patient("P1", clinic=two.harbor)
    with two.world.store.writing() as unit:
        unit.patients.clear_consents([(two.harbor.id, stopped.id)])
    two.world.store_patient(replace(stopped, sms_consent=False, status=STOPPED))
    two.world.receive("P1", "STOP", clinic=two.harbor)
    assert two.statuses() == [STOPPED, STOPPED]


def test_everybody_at_the_other_clinic_with_the_number_is_meant(two: Two) -> None:
    two.world.enrol_sms("P2", two.hill, phone=PHONE, pathways="vitamin_d")
    two.world.receive("P1", "STOP", clinic=two.harbor)
    assert [two.world.patient(mrn, clinic=two.hill).status for mrn in ("P1", "P2")] == [STOPPED, STOPPED]


def test_a_wrong_number_is_wrong_for_the_other_clinic_and_its_staff_hear_of_it(two: Two) -> None:
    two.world.run_until(NOON)
    two.world.receive("P1", "wrong number", clinic=two.harbor)
    assert not two.world.patient("P1", clinic=two.hill).sms_consent
    assert two.world.open_tasks("P1", clinic=two.hill) == {"wrong_number"}


# START


def test_a_start_brings_back_what_the_stop_ended(two: Two) -> None:
    two.world.run_until(NOON)
    two.text("STOP")
    two.world.clock.at += timedelta(days=2)
    two.text("START")
    assert two.statuses() == [ACTIVE, ACTIVE]
    assert [two.consents(each)[-1] for each in (two.harbor, two.hill)] == [("sms", True, "reply")] * 2
    assert sorted(two.sent(two.harbor) + two.sent(two.hill)).count("started") == 1
    before = len(two.sent(two.harbor)), len(two.sent(two.hill))
    two.world.run_until(new_york(3, 20, 12, 0))
    assert len(two.sent(two.harbor)) > before[0]
    assert len(two.sent(two.hill)) > before[1]


def test_a_start_does_not_bring_back_what_was_ended_otherwise(two: Two) -> None:
    two.world.run_until(NOON)
    patient = two.world.patient("P1", clinic=two.hill)
    with two.world.store.writing() as unit:
        unit.patients.clear_consents([(two.hill.id, patient.id)])
    two.world.store_patient(replace(patient, sms_consent=False, status=STOPPED))
    two.world.clock.at += timedelta(hours=1)
    two.world.receive("P1", "STOP", clinic=two.harbor)
    two.world.clock.at += timedelta(days=2)
    two.world.receive("P1", "START", clinic=two.harbor)
    assert two.statuses() == [ACTIVE, STOPPED]


def test_a_start_brings_nobody_back_where_several_have_the_number(two: Two) -> None:
    two.world.enrol_sms("P2", two.hill, phone=PHONE, pathways="vitamin_d")
    two.world.receive("P1", "STOP", clinic=two.harbor)
    two.world.clock.at += timedelta(days=2)
    two.world.receive("P1", "START", clinic=two.harbor)
    assert two.statuses() == [ACTIVE, STOPPED]


# Which clinic an answer is for


@pytest.mark.parametrize("last", ["harbor", "hill"])
def test_an_answer_is_for_the_clinic_that_texted_last_that_day(two: Two, last: str) -> None:
    later, sooner = (two.harbor, two.hill) if last == "harbor" else (two.hill, two.harbor)
    two.world.enrol("P1", sooner, contact_time="09:30")
    two.world.enrol("P1", later, contact_time="11:00")
    two.world.run_until(NOON)
    assert (two.sent(sooner), two.sent(later)) == (["ask"], ["ask"])
    taken = two.text("1")
    assert taken.reply is not None
    assert taken.reply.clinic_id == later.id
