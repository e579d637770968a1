"""Wrong numbers and those that do not work: suspended, corrected or confirmed; what was missed still goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports import ErrorClass, OutboundSms, Outcome, SendResult
from scheduler.services.clearing import Decision
from scheduler.services.clinics import add_staff
from scheduler.services.facts import decide_clearance
from scheduler.services.numbers import NumberError, confirm_number
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Arrival, Fate, Inbound, Reception
from tests.support.deliveries import delivery_of
from tests.support.office import steps
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

DAY_1 = new_york(3, 3)  # 09:30, the first vitamin D question
HOUR = timedelta(hours=1)
PAT = "pat@harbor.example"
NEW = "+16175558888"
BY_MAIL_TOO = {"email": "pat@patients.example", "email_consent": "yes", "channel": "sms"}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def wrong(world: World, sender: str = phone_of("P1")) -> Fate:
    """Somebody writes from the number that it is not the patient's; heard as it comes in."""
    inbound = Inbound(channel=Channel.SMS, sender=sender, body="WRONG", provider_id=f"SM{world.clock.at}{sender}")
    reception = Reception(store=world.store, rules=world.rules)
    assert reception.is_stop(inbound)
    return reception.take_in_stop(Arrival(inbound=inbound, at=world.clock.at, number="+16175550100")).fate


def again(world: World, phone: str | None = phone_of("P1"), **cells: str) -> None:
    """The clinic's list once more, as it was but for what is given."""
    consent = "yes" if phone else ""
    world.enrol("P1", phone=phone or "", sms_consent=consent, pathways="vitamin_d", **cells)


def planned(world: World, **cells: str) -> None:
    world.enrol_sms(pathways="vitamin_d", **cells)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)


def sent(world: World) -> list[tuple[str, str]]:
    """(address, template) of all that went."""
    went = [row.template for row in world.ledger("P1") if row.sent_at]
    to = [one.address for one in world.app.simulated_inbox.received()]
    return list(zip(to, went, strict=True))


def ledger(world: World) -> list[tuple[str, str, str | None]]:
    return [(row.channel.value, row.status.value, row.reason) for row in world.ledger("P1")]


# WRONG


def test_wrong_takes_effect_as_it_is_stored_and_opens_one_task(world: World) -> None:
    planned(world)
    assert wrong(world) is Fate.DONE
    assert world.patient().phone_bad
    assert world.patient().status is PatientStatus.UNREACHABLE
    assert world.open_tasks() == {"wrong_number"}
    world.run_until(new_york(6, 1))
    assert sent(world) == []
    assert world.open_tasks() == {"wrong_number"}


def test_what_was_planned_is_asked_the_other_way_the_next_day_and_only_then(world: World) -> None:
    planned(world, **BY_MAIL_TOO)
    wrong(world)
    world.run_until(new_york(3, 7, 12, 0))
    assert sent(world) == [("pat@patients.example", "ask")]
    assert world.patient().status is PatientStatus.ACTIVE


def test_an_answer_that_waits_does_not_go_to_a_wrong_number(world: World) -> None:
    planned(world)
    world.receive("P1", "HELP")
    wrong(world)
    assert ledger(world)[-1] == ("sms", "skipped", "wrong_number")


@pytest.mark.parametrize("by_mail", [False, True])
def test_a_message_that_is_claimed_is_not_handed_over_to_a_wrong_number(world: World, by_mail: bool) -> None:
    for mrn in ("P1", "P2"):
        mail = {"email": f"{mrn}@patients.example", "email_consent": "yes", "channel": "sms"} if by_mail else {}
        world.enrol_sms(mrn, pathways="vitamin_d", **mail)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    gone: list[str] = []
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for message in batch:
            assert message is not None
            if not gone:
                gone.append("P2" if message.to == phone_of("P1") else "P1")
                wrong(world, phone_of(gone[0]))
                sms.steady.at += 1
            yield accepted(message)

    sms.script = slowly
    delivered = delivery_of(world, sms).deliver(Channel.SMS)
    assert (delivered.sent, delivered.skipped) == (1, 1)
    assert phone_of(gone[0]) not in sms.numbers
    assert world.ledger(gone[0])[0].reason == "wrong_number"
    world.run_until(new_york(3, 7, 12, 0))
    went = [(row.channel, row.template) for row in world.ledger(gone[0]) if row.sent_at]
    assert went == ([(Channel.EMAIL, "ask")] if by_mail else [])


def test_the_same_number_imported_again_stays_suspended(world: World) -> None:
    planned(world)
    wrong(world)
    again(world)
    again(world, contact_time="11:00")
    assert world.patient().phone_bad
    again(world, phone=None)  # it is taken off the list, and an old export brings it back
    again(world)
    assert world.patient().phone_bad
    again(world, phone=NEW)
    again(world)
    assert world.patient().phone_bad
    assert world.patient().status is PatientStatus.UNREACHABLE


def test_words_about_an_old_number_leave_the_corrected_one_in_use(world: World) -> None:
    planned(world)
    inbound = Inbound(channel=Channel.SMS, sender=phone_of("P1"), body="WRONG", provider_id="SM1")
    arrival = Arrival(inbound=inbound, at=world.clock.at, number="+16175550100")
    Reception(store=world.store, rules=world.rules).take_in([arrival])
    again(world, phone=NEW)
    world.tick()
    assert not world.patient().phone_bad
    assert sent(world) == [(NEW, "ask")]
    again(world)
    assert world.patient().phone_bad  # the old one is known to be wrong


# A corrected number


def test_what_was_skipped_today_goes_to_the_new_number_today(world: World) -> None:
    planned(world)
    wrong(world)
    world.tick()
    assert sent(world) == []
    world.clock.at = DAY_1 + 2 * HOUR
    again(world, phone=NEW)
    world.tick()
    assert sent(world) == [(NEW, "ask")]
    world.run_until(new_york(3, 9, 9, 0))
    assert len(sent(world)) == 1  # the question is open, and its silence counts from today


def test_after_the_window_it_goes_the_next_day(world: World) -> None:
    planned(world)
    wrong(world)
    world.tick_at(DAY_1)
    world.run_until(new_york(3, 3, 20, 30))
    again(world, phone=NEW)
    world.tick()
    assert sent(world) == []
    world.run_until(new_york(3, 4, 12, 0))
    assert sent(world) == [(NEW, "ask")]


def test_what_a_patient_without_a_number_missed_today_goes_when_there_is_one(world: World) -> None:
    world.enrol("P1", pathways="vitamin_d")
    world.run_until(DAY_1 + HOUR)
    assert ledger(world) == [("sms", "skipped", "no_channel")]
    assert world.open_tasks() == {"no_channel"}
    again(world, phone=NEW)
    world.tick()
    assert sent(world) == [(NEW, "ask")]
    task = world.tasks("P1")[0]
    assert (task.status, task.resolution, task.resolution_words) == (
        "cancelled",
        "settled",
        "the phone number was added; the patient agreed to texts",
    )


def test_the_days_budget_holds_for_what_was_missed(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d;exercise")  # both are due on day 1, and exercise gives way
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    wrong(world)
    world.tick()
    world.clock.at = DAY_1 + HOUR
    world.enrol("P1", phone=NEW, sms_consent="yes", pathways="vitamin_d;exercise")
    world.run_until(new_york(3, 4, 8, 0))
    assert sent(world) == [(NEW, "ask")]
    assert world.patient().contacts_that_day == 1


def test_a_nudge_that_its_pathway_counts_as_sent_has_its_second_try(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    wrong(world)
    world.tick()
    world.clock.at = DAY_1 + HOUR
    world.enrol("P1", phone=NEW, sms_consent="yes", pathways="exercise")
    world.tick()
    assert sent(world) == [(NEW, "activity")]
    world.run_until(new_york(3, 4, 12, 0))
    assert len(sent(world)) == 2


def test_the_clinics_news_is_not_lost_for_want_of_a_number(world: World) -> None:
    add_staff(world.store, world.clinic, email=PAT, role="clinician", now=world.clock.at)
    world.enrol_sms(pathways="supplement")
    world.clock.at = DAY_1
    world.receive("P1", "SUPP magnesium")
    world.tick()
    decide_clearance(world.store, world.rules, case=1, decision=Decision.COME_IN, by=PAT, now=world.clock.at)
    wrong(world)
    world.tick()
    assert ledger(world)[-1][1] == "skipped"
    world.clock.at += HOUR
    world.enrol("P1", phone=NEW, sms_consent="yes", pathways="supplement")
    world.tick()
    assert sent(world)[-1] == (NEW, "come_in")


def test_a_correction_says_why_the_task_is_closed_and_clears_only_what_it_changed(world: World) -> None:
    planned(world, **BY_MAIL_TOO)
    wrong(world)
    with world.store.writing() as unit:
        unit.patients.mark_bad(world.clinic.id, world.patient().id, Channel.EMAIL)
    again(world, phone=NEW, **BY_MAIL_TOO)
    assert (world.patient().phone_bad, world.patient().email_bad) == (False, True)
    assert world.open_tasks() == {"wrong_number"}
    again(world, phone=NEW, email="new@patients.example", email_consent="yes", channel="sms")
    assert world.open_tasks() == set()
    assert steps(world, world.tasks("P1")[0])[-1][2:] == ("settled", "the e-mail address was corrected")


def test_a_refusal_of_the_old_number_leaves_the_one_that_came_meanwhile(world: World) -> None:
    planned(world)
    sms = Scripted()

    def refuses(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for message in batch:
            assert message is not None
            again(world, phone=NEW)  # corrected while the provider thinks
            yield SendResult(
                attempt_id=message.attempt_id,
                outcome=Outcome.REFUSED,
                code="21211",
                error_class=ErrorClass.PERMANENT,
            )

    sms.script = refuses
    delivery_of(world, sms).deliver(Channel.SMS)
    assert not world.patient().phone_bad
    assert world.open_tasks() == set()
    world.tick()
    assert sent(world) == [(NEW, "ask")]


# Staff say that it is right


def confirm(world: World, by: str = PAT, channel: Channel = Channel.SMS) -> bool:
    return confirm_number(
        world.store, world.rules, world.clinic, mrn="P1", channel=channel, by=by, now=world.clock.at
    )


def test_a_number_that_staff_confirm_is_in_use_again_today(world: World) -> None:
    add_staff(world.store, world.clinic, email=PAT, role="coordinator", now=world.clock.at)
    planned(world)
    wrong(world)
    world.tick()
    world.clock.at = DAY_1 + HOUR
    assert confirm(world)
    assert world.patient().status is PatientStatus.ACTIVE
    task = world.tasks("P1")[0]
    assert (task.status, task.resolution_words) == ("cancelled", "the phone number was confirmed")
    world.tick()
    assert sent(world) == [(phone_of("P1"), "ask")]
    again(world, contact_time="10:00")
    assert not world.patient().phone_bad
    assert not confirm(world)  # nothing is left to confirm


def test_only_staff_who_may_act_confirm_a_number_that_is_there(world: World) -> None:
    planned(world)
    wrong(world)
    with pytest.raises(NumberError, match="is not on the staff"):
        confirm(world)
    add_staff(world.store, world.clinic, email=PAT, role="viewer", now=world.clock.at)
    with pytest.raises(NumberError, match="is a viewer"):
        confirm(world)
    add_staff(world.store, world.clinic, email="sam@harbor.example", role="admin", now=world.clock.at)
    with pytest.raises(NumberError, match="has no e-mail address"):
        confirm(world, "sam@harbor.example", Channel.EMAIL)
    assert world.patient().phone_bad
