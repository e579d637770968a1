"""Two clinics in one installation, with a patient of the same MRN, the same phone and the same mailbox: neither ever
sees or moves anything of the other's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.records import Clinic, Consent
from scheduler.services import listing
from scheduler.services.clearing import Decision
from scheduler.services.clinics import add_staff
from scheduler.services.facts import CaseError, ResultKind, add_result, decide_clearance
from scheduler.services.intake.draft import Exclusion
from scheduler.services.plan import plan_all_due, plan_anew
from scheduler.services.simulate import simulate
from tests.support.worlds import MONDAY, World, new_york, world_at

PHONE = "+16175551234"
NOON = new_york(3, 3, 12, 0)


@dataclass
class Two:
    """The installation and its clinics."""

    world: World
    ours: Clinic
    theirs: Clinic

    def snapshot(self, clinic: Clinic) -> tuple[object, ...]:
        """All that can be read of a clinic."""
        with self.world.store.reading() as unit:
            return (
                listing.patients(unit, self.world.rules, clinic),
                listing.messages(unit, clinic),
                listing.replies(unit, clinic),
                listing.tasks(unit, clinic),
                unit.worklist.clearances(clinic.id),
                unit.installation.audit_entries(clinic.id),
                unit.patients.of_clinic(clinic.id),
                unit.installation.staff_role(clinic.id, "dr@ours.example"),
            )


@pytest.fixture
def two(database_url: str, tmp_path: Path) -> Iterator[Two]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        theirs = world.clinic
        ours = world.add_clinic("ours")
        for clinic in (theirs, ours):
            world.enrol_sms("P1", clinic, phone=PHONE, email="pat@patients.example", email_consent="yes")
        world.run_until(NOON)
        yield Two(world, ours, theirs)


def test_what_happens_in_one_clinic_shows_nowhere_in_the_other(two: Two) -> None:
    world, ours, theirs = two.world, two.ours, two.theirs
    before = two.snapshot(theirs)
    add_staff(world.store, ours, email="dr@ours.example", role="clinician", now=world.clock.at)
    world.receive("P1", "SUPP zinc", clinic=ours)
    world.receive("P1", "1", clinic=ours)
    world.receive("P1", "who is this", clinic=ours)
    add_result(
        world.store,
        world.rules,
        ours,
        mrn="P1",
        kind=ResultKind.DEXA,
        taken_on=date(2026, 3, 1),
        value="-2.5",
        unit="T",
        next_months=None,
        by="test",
        now=world.clock.at,
    )
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(ours.id)
    decide_clearance(
        world.store, world.rules, case=case.id, decision=Decision.COME_IN, by="dr@ours.example", now=world.clock.at
    )
    world.enrol("P1", ours, timezone="Asia/Tokyo", name="Someone Else", contact_time="19:00")
    world.tick()
    assert two.snapshot(theirs) == before
    assert two.snapshot(ours) != before


def test_stop_to_one_clinic_is_no_stop_to_another_with_its_own_number(two: Two) -> None:
    two.world.change_clinic(two.theirs, sms_from="+16175550200")
    two.world.receive("P1", "STOP", clinic=two.ours)
    two.world.run_until(new_york(3, 6, 12, 0))
    assert two.world.patient("P1", clinic=two.ours).status is PatientStatus.STOPPED
    assert two.world.patient("P1", clinic=two.theirs).status is PatientStatus.ACTIVE
    assert sum(row.sent_at is not None for row in two.world.ledger(clinic=two.theirs)) == 4


def test_a_patient_whom_one_clinic_takes_off_stays_with_the_other(two: Two) -> None:
    two.world.exclude("P1", Exclusion.DECEASED, clinic=two.ours)
    assert two.world.patient("P1", clinic=two.theirs).status is PatientStatus.ACTIVE


def test_an_import_counts_its_own_clinics_patients_only(two: Two) -> None:
    report = two.world.enrol("P2", two.ours, phone=PHONE)
    assert report.created == 1
    with two.world.store.reading() as unit:
        assert unit.patients.count(two.ours.id) == 2
        assert unit.patients.count(two.theirs.id) == 1


def test_a_simulation_shows_only_the_clinics_own_patients(two: Two) -> None:
    two.world.enrol("P2", two.theirs, phone="+16175559999", sms_consent="yes")
    found = simulate(
        two.world.store, two.world.rules, two.world.app.composer, two.ours, days=10, start=two.world.clock.at
    )
    assert {one.patient for one in found} == {"P1"}


def test_a_supplement_case_is_decided_only_by_a_clinician_of_its_own_clinic(two: Two) -> None:
    two.world.receive("P1", "SUPP zinc", clinic=two.theirs)
    add_staff(two.world.store, two.ours, email="dr@ours.example", role="clinician", now=two.world.clock.at)
    with two.world.store.reading() as unit:
        (case,) = unit.worklist.clearances(two.theirs.id)
    with pytest.raises(CaseError, match=r"dr@ours\.example is not a clinician of clinic main"):
        decide_clearance(
            two.world.store,
            two.world.rules,
            case=case.id,
            decision=Decision.CLEARED,
            by="dr@ours.example",
            now=two.world.clock.at,
        )


def test_recomputing_one_clinic_leaves_the_others_instants(two: Two) -> None:
    theirs = two.world.patient("P1", clinic=two.theirs)
    with two.world.store.writing() as unit:
        unit.patients.set_next_contact(two.theirs.id, theirs.id, new_york(3, 9, 3, 0))
        unit.replanning.ask(two.ours.id)
    assert plan_anew(two.world.store, two.world.rules, two.world.clock.at) > 0
    assert two.world.patient("P1", clinic=two.theirs).next_contact_at == new_york(3, 9, 3, 0)


# The store itself: an id of the other clinic's opens nothing


def test_reading_by_id_or_address_with_the_wrong_clinic_finds_nothing(two: Two) -> None:
    theirs = two.world.patient("P1", clinic=two.theirs)
    with two.world.store.reading() as unit:
        assert unit.patients.get(two.ours.id, theirs.id) is None
        assert [one.id for one in unit.patients.by_address(Channel.SMS, PHONE, clinic_id=two.theirs.id)] == [
            theirs.id
        ]
        assert unit.patients.latest_consents(two.ours.id, [theirs.id]) == {}
        assert len(unit.patients.by_address(Channel.SMS, PHONE)) == 2  # for who answers for the whole installation


def test_writing_with_the_wrong_clinic_changes_nothing(two: Two) -> None:
    world, ours, theirs = two.world, two.ours, two.theirs
    patient = world.patient("P1", clinic=theirs)
    world.clock.at = new_york(3, 4)
    plan_all_due(world.store, world.rules, world.clock.at)
    planned = [row for row in world.ledger(clinic=theirs) if row.status is MessageStatus.PLANNED]
    assert len(planned) == 1
    before = two.snapshot(theirs)
    with world.store.writing() as unit:
        enrolled = unit.patients.enrolments([patient.id])[patient.id]
        unit.patients.update([replace(patient, clinic_id=ours.id, name="Mallory")], now=world.clock.at)
        unit.patients.set_next_contact(ours.id, patient.id, None)
        unit.patients.set_consent(ours.id, patient.id, Channel.SMS, granted=False)
        unit.patients.mark_bad(ours.id, patient.id, Channel.SMS)
        unit.patients.set_stop_line(ours.id, patient.id, None)
        unit.patients.update_enrolments((ours.id, one.id, replace(one.state, cycle=9)) for one in enrolled)
        unit.ledger.supersede([one.id for one in enrolled], clinic_id=ours.id)
        unit.ledger.move(MessageStatus.SKIPPED, [(planned[0].id, ours.id, "budget")])
        unit.ledger.postpone(
            planned[0].id,
            ours.id,
            send_from=NOON,
            send_until=NOON,
            channel=Channel.EMAIL,
            stop_line=True,
        )
        unit.worklist.close(ours.id, [f"{patient.id.hex}:review_result"], now=world.clock.at)
    assert two.snapshot(theirs) == before
    with world.store.reading() as unit:
        assert unit.patients.enrolments([patient.id])[patient.id] == enrolled


def test_a_consent_is_read_back_by_its_own_clinic_only(two: Two) -> None:
    patient = two.world.patient("P1", clinic=two.ours)
    with two.world.store.writing() as unit:
        consent = Consent(
            patient_id=patient.id,
            clinic_id=two.ours.id,
            channel=Channel.SMS,
            granted=False,
            source=ConsentSource.STAFF,
            given_on=date(2026, 3, 3),
            recorded_by="test",
        )
        unit.patients.record_consents([consent], now=two.world.clock.at)
    with two.world.store.reading() as unit:
        ours = unit.patients.latest_consents(two.ours.id, [patient.id])
        assert ours[patient.id, Channel.SMS] == (False, date(2026, 3, 3))
        assert unit.patients.latest_consents(two.theirs.id, [patient.id]) == {}
