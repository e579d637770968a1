"""A contact person who agreed to it gets a patient's messages, instead of the patient or beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from scheduler.domain.people import Addressee, CarerMode, Channel, PatientStatus
from scheduler.records import LedgerEntry, Reply
from scheduler.services import listing
from scheduler.services.carer_records import CarerError, CarerWish, Outcome, carer_row, remove_carer, set_carer
from scheduler.services.clinics import add_staff
from scheduler.services.intake.draft import PhoneCheck
from scheduler.services.replies import Inbound, receive
from scheduler.services.simulate import simulate
from scheduler.services.situations import UnknownPatientError
from scheduler.services.unsubscribe import Pressed, subscriber, unsubscribe
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

CARER = "+16175559876"
BY = "desk@harbor.example"
AGREED = date(2026, 3, 1)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        add_staff(made.store, made.clinic, email=BY, role="coordinator", now=MONDAY)
        yield made


def care(world: World, mrn: str = "P1", *, mode: CarerMode = CarerMode.INSTEAD, **values: object) -> Outcome:
    """Eva Lund cares for the patient and agreed to texts, unless `values` say otherwise."""
    given: dict[str, object] = {"name": "Eva Lund", "consented_on": AGREED, "phone_check": PhoneCheck.POSSIBLE}
    if "email" not in values:
        given["phone"] = CARER
    wish = CarerWish(mode=mode, **{**given, **values})  # type: ignore[arg-type]
    return set_carer(world.store, world.rules, world.clinic, mrn, wish, by=BY, now=world.clock.at)


def write(world: World, text: str, *, sender: str = CARER, channel: Channel = Channel.SMS) -> Reply:
    inbound = Inbound(channel=channel, sender=sender, body=text, provider_id=None)
    reply = receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)
    assert reply is not None
    world.tick()
    return reply


def sent(world: World, mrn: str = "P1", *, to: Addressee | None = None) -> list[LedgerEntry]:
    return [row for row in world.ledger(mrn) if row.sent_at and (to is None or row.to is to)]


def received(world: World, address: str) -> list[str]:
    return [one.body for one in world.app.simulated_inbox.received() if one.address == address]


# Instead


def test_a_carer_gets_what_the_patient_would_get_and_is_told_for_whom(world: World) -> None:
    patient = world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    assert care(world) is Outcome.CREATED
    world.run_until(new_york(3, 3, 12, 0))
    [text] = received(world, CARER)
    assert text.startswith("Harbor Clinic, for A.M.: Have you had your vitamin D checked")
    assert text.endswith("Reply STOP to stop.")
    assert received(world, str(patient.phone)) == []
    [row] = sent(world)
    assert row.to is Addressee.CARER


def test_a_patient_who_agreed_to_nothing_is_reached_by_their_carer_alone(world: World) -> None:
    world.enrol("P1", name="Ana Moss", phone=phone_of("P1"), pathways="vitamin_d")
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    assert len(received(world, CARER)) == 1
    assert world.open_tasks() == set()


def test_the_carers_answer_is_the_patients_and_on_record_as_the_carers(world: World) -> None:
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"))
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    before = world.enrolment("vitamin_d")
    reply = write(world, "2")
    assert (reply.mrn, reply.meaning, reply.answer, reply.written_by) == ("P1", "answer", "booked", Addressee.CARER)
    assert world.enrolment("vitamin_d") != before
    assert received(world, CARER)[-1].startswith("Harbor Clinic, for A.M.: Thank you for telling us.")
    with world.store.reading() as unit:
        [row] = listing.replies(unit, world.clinic)
        ledger = listing.messages(unit, world.clinic)
    assert row["by"] == "carer"
    assert [one["to"] for one in ledger] == ["carer", None, "carer"]


def test_texts_are_in_the_carers_language(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    care(world, language="es")
    world.run_until(new_york(3, 3, 12, 0))
    assert received(world, CARER)[0].startswith("Harbor Clinic, para A.M.: ")


def test_a_carers_stop_ends_theirs_and_is_a_task_where_the_patient_has_not_agreed(world: World) -> None:
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"))
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "STOP")
    assert received(world, CARER)[-1].startswith("Harbor Clinic: You will get no more texts")
    assert world.open_tasks("P1") == {"no_channel"}
    assert world.patient().status is PatientStatus.ACTIVE
    world.run_until(new_york(3, 30, 12, 0))
    assert len(received(world, CARER)) == 2
    assert received(world, phone_of("P1")) == []


def test_after_a_carers_stop_a_patient_who_agreed_is_written_to(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "STOP")
    assert world.open_tasks("P1") == set()
    world.run_until(new_york(3, 20, 12, 0))
    assert received(world, phone_of("P1"))
    assert all("for A.M." not in text for text in received(world, phone_of("P1")))


def test_start_brings_the_carer_back(world: World) -> None:
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"))
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "STOP")
    write(world, "START")
    assert world.open_tasks("P1") == set()
    world.run_until(new_york(3, 20, 12, 0))
    assert len(received(world, CARER)) > 3
    with world.store.reading() as unit:
        row = carer_row(unit, world.clinic, "P1")
    assert row is not None
    assert [(one["granted"], one["source"]) for one in row["history"]] == [
        (True, "staff"),
        (False, "reply"),
        (True, "reply"),
    ]


def test_a_stop_that_comes_after_planning_holds_the_carers_text_back(world: World) -> None:
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"))
    care(world)
    world.clock.at = new_york(3, 3)
    from scheduler.services.plan import plan_all_due

    plan_all_due(world.store, world.rules, world.clock.at)
    inbound = Inbound(channel=Channel.SMS, sender=CARER, body="STOP", provider_id=None)
    receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)
    world.tick()
    assert [row.template for row in sent(world)] == ["stopped"]


def test_a_wrong_number_of_the_carers_leaves_the_patients_own_alone(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "you have the wrong number")
    assert not world.patient().phone_bad
    assert world.patient().sms_consent
    assert world.open_tasks("P1") == {"wrong_number"}
    world.run_until(new_york(3, 20, 12, 0))
    assert len(received(world, CARER)) == 1


def test_danger_is_answered_to_whoever_wrote(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d;exercise")
    care(world)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "she fell and cannot get up")
    assert "Need help now?" in received(world, CARER)[-1]
    assert received(world, phone_of("P1")) == []
    assert world.open_tasks("P1") == {"safety"}


def test_one_carer_of_two_patients_is_asked_whose_an_answer_is(world: World) -> None:
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"))
    world.enrol("P2", name="Rob Lind", pathways="vitamin_d", phone=phone_of("P2"))
    care(world)
    care(world, "P2")
    world.run_until(new_york(3, 3, 12, 0))
    assert {text.partition(":")[0] for text in received(world, CARER)} == {
        "Harbor Clinic, for A.M.",
        "Harbor Clinic, for R.L.",
    }
    write(world, "2")
    assert "F = A.M., R = R.L." in received(world, CARER)[-1]
    write(world, "R")
    assert received(world, CARER)[-1].startswith("Harbor Clinic, for R.L.: Thank you")
    with world.store.reading() as unit:
        rows = listing.replies(unit, world.clinic)
    assert [(row["patient"], row["by"]) for row in rows] == [("P2", "carer"), ("P2", "carer")]
    write(world, "STOP")
    assert [world.patient(mrn).carer_mode for mrn in ("P1", "P2")] == [None, None]


# Beside


def test_beside_the_patient_the_carer_gets_a_copy_of_each_reminder(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d;exercise")
    care(world, mode=CarerMode.BESIDE)
    world.run_until(new_york(3, 9, 12, 0))
    own = [row for row in sent(world, to=Addressee.PATIENT) if row.kind == "reminder"]
    copies = sent(world, to=Addressee.CARER)
    assert [(row.kind, row.due_date, row.step) for row in copies] == [("copy", row.due_date, row.step) for row in own]
    assert all(text.startswith("Harbor Clinic, for A.M.: ") for text in received(world, CARER))
    assert all(text.startswith("Harbor Clinic: ") for text in received(world, phone_of("P1")))
    assert copies[0].body is not None
    assert copies[0].body.endswith("Reply STOP to stop.")


def test_a_copy_counts_neither_for_the_budget_nor_for_silence(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d;exercise")
    world.enrol_sms("P2", pathways="vitamin_d;exercise")
    care(world, "P1", mode=CarerMode.BESIDE)
    world.run_until(new_york(4, 2, 12, 0))

    def own(mrn: str) -> list[tuple[object, ...]]:
        rows = [row for row in world.ledger(mrn) if row.to is Addressee.PATIENT]
        return [(row.due_date, row.pathway, row.step, row.template, row.status, row.reason) for row in rows]

    assert own("P1") == own("P2")
    assert world.enrolment("vitamin_d", "P1") == world.enrolment("vitamin_d", "P2")


def test_the_carers_answer_beside_the_patient_is_thanked_for_to_the_carer(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    care(world, mode=CarerMode.BESIDE)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "2")
    assert received(world, CARER)[-1].startswith("Harbor Clinic, for A.M.: Thank you")
    assert len(received(world, phone_of("P1"))) == 1


def test_a_carers_stop_ends_the_copies_alone(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d;exercise")
    care(world, mode=CarerMode.BESIDE)
    world.run_until(new_york(3, 3, 12, 0))
    write(world, "STOP")
    world.run_until(new_york(3, 9, 12, 0))
    assert len(received(world, CARER)) == 2
    assert len(received(world, phone_of("P1"))) > 3
    assert world.open_tasks("P1") == set()


def test_a_patients_stop_ends_the_copies_too(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d;exercise")
    care(world, mode=CarerMode.BESIDE)
    world.run_until(new_york(3, 3, 12, 0))
    world.receive("P1", "STOP")
    world.run_until(new_york(3, 20, 12, 0))
    assert len(received(world, CARER)) == 1


def test_a_copy_goes_by_e_mail_where_the_carer_agreed_to_that_with_a_link_of_its_own(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d", email="ana@patients.example", email_consent="yes")
    care(world, mode=CarerMode.BESIDE, email="eva@carers.example")
    world.run_until(new_york(3, 3, 12, 0))
    [mail] = received(world, "eva@carers.example")
    assert mail.startswith("Harbor Clinic, for A.M.")
    assert "Hello Eva," in mail
    token = mail.partition("/u/")[2].split()[0]
    meant = world.app.links.unsubscribing(token)
    assert meant is not None
    clinic_id, whose = meant
    assert subscriber(world.store, clinic_id=clinic_id, patient_id=whose) is not None
    at = {"clinic_id": clinic_id, "patient_id": whose, "wording": "", "now": world.clock.at}
    assert unsubscribe(world.store, world.rules, **at) is Pressed.ENDED  # type: ignore[arg-type]
    assert unsubscribe(world.store, world.rules, **at) is Pressed.ALREADY  # type: ignore[arg-type]
    assert world.patient().email_consent
    world.run_until(new_york(3, 20, 12, 0))
    assert len(received(world, "eva@carers.example")) == 1


# Records


def test_the_same_carer_again_changes_nothing(world: World) -> None:
    world.enrol_sms("P1")
    care(world)
    assert care(world) is Outcome.UNCHANGED
    assert care(world, mode=CarerMode.BESIDE) is Outcome.UPDATED
    with world.store.reading() as unit:
        row = carer_row(unit, world.clinic, "P1")
    assert row is not None
    assert len(row["history"]) == 1


def test_somebody_who_stopped_is_not_brought_back_by_an_old_consent(world: World) -> None:
    world.enrol_sms("P1")
    care(world)
    write(world, "STOP")
    with pytest.raises(CarerError, match="2026-03-02"):
        care(world)
    world.clock.at += timedelta(days=3)
    assert care(world, consented_on=date(2026, 3, 4)) is Outcome.UPDATED
    assert world.patient().carer_mode is CarerMode.INSTEAD


def test_another_number_is_another_carer(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    care(world)
    assert care(world, phone="+16175550042") is Outcome.UPDATED
    world.run_until(new_york(3, 3, 12, 0))
    assert (len(received(world, CARER)), len(received(world, "+16175550042"))) == (0, 1)


def test_a_carer_taken_away_gets_nothing_and_the_patient_is_written_to_again(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    care(world)
    assert remove_carer(world.store, world.rules, world.clinic, "P1", by=BY, now=world.clock.at)
    assert not remove_carer(world.store, world.rules, world.clinic, "P1", by=BY, now=world.clock.at)
    world.run_until(new_york(3, 3, 12, 0))
    assert (len(received(world, CARER)), len(received(world, phone_of("P1")))) == (0, 1)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"name": " "}, "--name"),
        ({"phone": "12"}, "--phone"),
        ({"email": "nobody"}, "--email"),
        ({"consented_on": date(2026, 3, 9)}, "--consent-date"),
        ({"language": "english"}, "--language"),
        ({"phone": CARER, "email": "eva@carers.example"}, "either --phone or --email"),
        ({"phone": phone_of("P1"), "mode": CarerMode.BESIDE}, "every reminder twice"),
    ],
)
def test_what_cannot_be_is_refused_whole(world: World, values: dict[str, object], named: str) -> None:
    world.enrol_sms("P1")
    with pytest.raises(CarerError, match=named):
        care(world, **values)  # type: ignore[arg-type]
    with world.store.reading() as unit:
        assert carer_row(unit, world.clinic, "P1") is None


def test_only_staff_of_the_clinic_name_a_carer_of_a_patient_of_theirs(world: World) -> None:
    world.enrol_sms("P1")
    wish = CarerWish(name="Eva", mode=CarerMode.INSTEAD, consented_on=AGREED, email="eva@carers.example")
    with pytest.raises(CarerError, match="not on the staff"):
        set_carer(world.store, world.rules, world.clinic, "P1", wish, by="x@y.example", now=MONDAY)
    with pytest.raises(UnknownPatientError):
        care(world, "P7")


def test_the_simulation_shows_what_a_carer_would_get(world: World) -> None:
    world.enrol_sms("P1", name="Ana Moss", pathways="vitamin_d")
    care(world, language="es")
    told = simulate(world.store, world.rules, world.app.composer, world.clinic, days=2, start=world.clock.at)
    bodies = [one.body for one in told]
    world.run_until(new_york(3, 4, 12, 0))
    assert bodies == received(world, CARER)
