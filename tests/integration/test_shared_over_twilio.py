"""Shared phones and carers over Twilio: what comes in by its webhook, and what it reports of a carer's number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import CarerMode, Channel
from scheduler.ids import new_id
from scheduler.records import Attempt
from scheduler.services.carer_records import CarerWish, set_carer
from scheduler.services.clinics import add_staff
from scheduler.services.intake.draft import PhoneCheck
from scheduler.services.plan import plan_all_due
from scheduler.services.receipts import Receipt
from scheduler.services.replies import Arrival, Fate, Inbound, Reception
from scheduler.services.understanding import Understanding
from scheduler.web.shedding import INBOUND
from tests.support.attempts import begin_in, ended, second_tries
from tests.support.waiting import wait_until
from tests.support.web import ACCOUNT, TWILIO, browser, signature
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

PHONE = "+16175551234"
CARER = "+16175559876"
BY = "desk@harbor.example"
ADDRESS = TWILIO["BONEWISE_PUBLIC_URL"] + INBOUND


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as made:
        add_staff(made.store, made.clinic, email=BY, role="coordinator", now=MONDAY)
        yield made


def couple(world: World) -> None:
    """Ana and Rob, on one phone, both asked about vitamin D by a text that has gone."""
    for mrn, name in (("A1", "Ana Moss"), ("R1", "Rob Moss")):
        world.enrol_sms(mrn, phone=PHONE, name=name, pathways="vitamin_d")
    world.clock.at = new_york(3, 3)
    plan_all_due(world.store, world.rules, world.clock.at)
    for mrn in ("A1", "R1"):
        ended(world, begun(world, mrn, address=PHONE), MessageStatus.SENT, f"SM{mrn}")


def begun(world: World, mrn: str, *, address: str) -> UUID:
    """An attempt at the patient's planned message, to whom it goes now."""
    with world.store.writing() as unit:
        ready = unit.ledger.claim_ready(Channel.SMS, world.clock.at, limit=10, clinics=unit.installation.clinics())
        (one,) = [each for each in ready if each.to.id == world.patient(mrn).id]
        attempt = Attempt(
            id=new_id(),
            message_id=one.message.id,
            clinic_id=world.clinic.id,
            number=1,
            channel=Channel.SMS,
            address=address,
            subject=None,
            body="text",
            language="en",
            segments=1,
            template_version="1",
            to=one.to.contact.addressee,
        )
        begin_in(unit, world, attempt)
    return attempt.id


def cared_for(world: World, mode: CarerMode = CarerMode.INSTEAD, **cells: str) -> UUID:
    """A patient whose carer has just been texted; returns the attempt."""
    world.enrol("P1", name="Ana Moss", pathways="vitamin_d", phone=phone_of("P1"), **cells)
    wish = CarerWish(
        name="Eva Lund",
        phone=CARER,
        mode=mode,
        consented_on=date(2026, 3, 1),
        phone_check=PhoneCheck.POSSIBLE,
    )
    set_carer(world.store, world.rules, world.clinic, "P1", wish, by=BY, now=MONDAY)
    world.clock.at = new_york(3, 3)
    plan_all_due(world.store, world.rules, world.clock.at)
    attempt = begun(world, "P1", address=CARER)
    ended(world, attempt, MessageStatus.SENT, "SM1")
    return attempt


def told(world: World, attempt: UUID, word: str, code: str) -> None:
    target, error_class = world.app.read_twilio_status(word, code)
    assert target is not None
    report = Receipt(attempt_id=attempt, provider_id="SM1", target=target, code=code, error_class=error_class)
    world.app.receipts.record(report, now=world.clock.at)


def test_an_answer_by_the_webhook_waits_for_who_and_the_letter_settles_it(world: World) -> None:
    couple(world)
    with browser(world.app) as client:
        for sid, body in (("SM91", "2"), ("SM92", "R")):
            fields = {
                "MessageSid": sid,
                "AccountSid": ACCOUNT,
                "From": PHONE,
                "To": "+16175550100",
                "Body": body,
                "NumMedia": "0",
            }
            headers = {"x-twilio-signature": signature(ADDRESS, fields)}
            assert client.post(INBOUND, data=fields, headers=headers).status_code == 200
            wait_until(lambda: held(world) == ["2"] or len(replies_of(world)) == 2, what=f"{body} is heard")
        wait_until(lambda: len(replies_of(world)) == 2, what="both are heard")
    assert next(row.template for row in world.ledger() if row.kind == "reply") == "who"
    assert sorted(replies_of(world)) == [("R1", "2", "answer"), ("R1", "R", "answer")]


def replies_of(world: World) -> list[tuple[str | None, str, str | None]]:
    with world.store.reading() as unit:
        found = unit.inbox.replies(world.clinic.id)
    return [(one.mrn, one.body, one.meaning) for one in found if one.meaning is not None]


def held(world: World) -> list[str]:
    with world.store.reading() as unit:
        return [one.body for one in unit.inbox.held(world.clinic.id, Channel.SMS, PHONE)]


def arrive(world: World, *texts: str, opt_out: OptOut | None = None) -> list[Fate]:
    """Texts from the couple's phone, stored in one transaction and not heard yet."""
    arrivals = [
        Arrival(
            inbound=Inbound(channel=Channel.SMS, sender=PHONE, body=text, provider_id=f"IN{text}", opt_out=opt_out),
            at=world.clock.at + timedelta(seconds=n),
            number="+16175550100",
        )
        for n, text in enumerate(texts)
    ]
    return [one.fate for one in Reception(store=world.store, rules=world.rules).take_in(arrivals)]


def test_texts_that_came_together_are_heard_in_their_order_by_whoever_is_free(world: World) -> None:
    couple(world)
    arrive(world, "2", "Rob")
    world.clock.at += timedelta(seconds=5)
    heard = Understanding(store=world.store, rules=world.rules, clock=world.clock).run()
    assert heard == 2
    assert replies_of(world) == [("R1", "2", "answer"), ("R1", "Rob", "answer")]
    with world.store.reading() as unit:
        assert not unit.gauges.look(world.clock.at).is_spoken_to


def test_what_is_held_is_not_counted_as_waiting_to_be_understood(world: World) -> None:
    couple(world)
    arrive(world, "2")
    Understanding(store=world.store, rules=world.rules, clock=world.clock).run()
    with world.store.reading() as unit:
        assert unit.inbox.waiting() == (0, None)
        assert not unit.gauges.look(world.clock.at).is_spoken_to
    assert arrive(world, "2") == [Fate.REPEATED]
    assert held(world) == ["2"]


def test_a_stop_that_the_provider_answered_ends_it_for_both_without_another_word(world: World) -> None:
    couple(world)
    arrive(world, "salut", opt_out=OptOut.STOP)
    Understanding(store=world.store, rules=world.rules, clock=world.clock).run()
    assert [world.patient(mrn).sms_consent for mrn in ("A1", "R1")] == [False, False]
    assert [row.template for row in world.ledger() if row.kind == "reply"] == []


def test_a_carers_number_that_does_not_work_is_theirs_to_correct(world: World) -> None:
    attempt = cared_for(world)
    told(world, attempt, "undelivered", "30005")
    assert not world.patient("P1").phone_bad
    assert world.patient("P1").carer_mode is None
    assert world.open_tasks("P1") == {"check_number", "no_channel"}


def test_a_patient_who_agreed_gets_the_text_that_did_not_reach_the_carer(world: World) -> None:
    attempt = cared_for(world, sms_consent="yes")
    (message,) = [row.id for row in world.ledger("P1")]
    told(world, attempt, "undelivered", "30005")
    assert second_tries(world, message) == [("sms", "planned")]
    assert world.open_tasks("P1") == {"check_number"}


def test_an_opt_out_that_the_provider_holds_for_a_carer_is_the_carers(world: World) -> None:
    attempt = cared_for(world, sms_consent="yes")
    world.clock.at = new_york(3, 3, 21, 0)  # the next day by UTC
    told(world, attempt, "undelivered", "21610")
    assert world.patient("P1").sms_consent
    with world.store.reading() as unit:
        carer = unit.carers.of([(world.clinic.id, world.patient("P1").id)])[world.patient("P1").id]
        history = unit.carers.consents(world.clinic.id, carer.id)
    assert not carer.consent
    assert [(one.granted, one.source.value) for one in history] == [(True, "staff"), (False, "provider")]
    assert history[-1].given_on == date(2026, 3, 3)


def test_clinics_do_not_see_each_others_carers(world: World) -> None:
    cared_for(world)
    theirs, patient = world.clinic, world.patient("P1")
    ours = world.add_clinic("ours")
    with world.store.reading() as unit:
        carer = unit.carers.of([(theirs.id, patient.id)])[patient.id]
        assert unit.carers.of([(ours.id, patient.id)]) == {}
        assert unit.carers.get(ours.id, carer.id) is None
        assert unit.carers.at(ours.id, Channel.SMS, CARER) == []
        assert unit.carers.consents(ours.id, carer.id) == []
        assert unit.sharing.people_at(ours.id, Channel.SMS, CARER) == []
        assert len(unit.sharing.people_at(theirs.id, Channel.SMS, CARER)) == 1
