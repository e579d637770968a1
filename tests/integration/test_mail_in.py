"""Letters that patients and others write: whose they are taken to be, what they may do, what the clinic hears."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.records import LedgerEntry, Reply
from scheduler.services.letters.verdicts import Handled, Verdict
from tests.support import letters
from tests.support.letters import OURS, PATIENT, automatic, letter, multipart, photo
from tests.support.smtp_sink import SmtpSink
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)
STRANGER = "Sam <sam@elsewhere.example>"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def world(database_url: str, tmp_path: Path, sink: SmtpSink) -> Iterator[World]:
    """A clinic that mails over a real server."""
    settings = {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": sink.url}
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=settings) as made:
        yield made


@pytest.fixture
def asked(world: World) -> str:
    """Patient E1 has been asked about vitamin D by e-mail: the Message-ID of that mail."""
    world.enrol_email("E1", pathways="vitamin_d")
    world.tick_at(DAY_1)
    (row,) = world.ledger("E1")
    assert row.provider_id is not None
    return row.provider_id


def take(world: World, raw: bytes, *, after: timedelta = timedelta(minutes=5)) -> Handled:
    world.clock.at += after
    return world.app.mail_in.take(raw)


def replies(world: World) -> list[Reply]:
    with world.store.reading() as unit:
        return [reply for clinic in unit.installation.clinics() for reply in unit.inbox.replies(clinic)]


def said(world: World) -> list[tuple[str | None, str, str | None, str | None]]:
    """Whose each reply is taken to be, its words, and what they mean."""
    return [(reply.mrn, reply.body, reply.meaning, reply.answer) for reply in replies(world)]


def notes(world: World) -> list[tuple[str | None, str]]:
    return [(task.patient, task.note) for task in world.tasks() if task.kind == "unclear_reply"]


def mails(world: World, mrn: str = "E1") -> list[LedgerEntry]:
    return [row for row in world.ledger(mrn) if row.reason != "budget"]


# A patient answers


@pytest.mark.parametrize("program", letters.PROGRAMS, ids=lambda program: program.__name__)
def test_an_answer_from_any_mail_program_is_the_patients_reply(world: World, asked: str, program: object) -> None:
    assert callable(program)
    assert take(world, program("2", answers=asked)).verdict is Verdict.REPLY
    ((mrn, body, meaning, answer),) = said(world)
    assert (mrn, body.split()[0], meaning, answer) == ("E1", "2", "answer", "booked")
    assert world.open_tasks() == set()


def test_the_answer_to_it_goes_by_mail_and_is_marked_as_automatic(world: World, asked: str, sink: SmtpSink) -> None:
    take(world, letter("2", answers=asked))
    world.tick()
    reply = sink.mails[-1].message
    assert (reply["To"], reply["Auto-Submitted"]) == (PATIENT, "auto-replied")


def test_the_answer_stands_in_the_patients_thread(world: World, asked: str, sink: SmtpSink) -> None:
    earlier = "".join(f" <{number}@patients.example>" for number in range(20))
    head = f"References: {asked}{earlier}\n"
    take(world, letter("1", head=f"In-Reply-To: {asked}\n{head}", message_id="<new@patients.example>"))
    world.tick()
    first, answer = (mail.message for mail in sink.mails)
    assert (first["In-Reply-To"], first["References"]) == (None, None)
    assert answer["In-Reply-To"] == "<new@patients.example>"
    thread = answer["References"].split()
    assert (thread[0], thread[-2:]) == (asked, ["<19@patients.example>", "<new@patients.example>"])
    assert len(thread) == 10


def test_each_of_two_answers_stands_under_its_own_mail(world: World, asked: str, sink: SmtpSink) -> None:
    for name in ("one", "two"):
        take(world, letter("HELP", answers=asked, message_id=f"<{name}@patients.example>"))
        world.tick()
    answered = [mail.message["In-Reply-To"] for mail in sink.mails[1:]]
    assert answered == ["<one@patients.example>", "<two@patients.example>"]


def test_a_mail_without_a_usable_name_is_answered_outside_of_any_thread(
    world: World, asked: str, sink: SmtpSink
) -> None:
    take(world, letter("1", answers=asked, message_id="<not a name>"))
    world.tick()
    assert sink.mails[-1].message["In-Reply-To"] is None


def test_the_same_mail_again_changes_nothing(world: World, asked: str) -> None:
    raw = letter("2", answers=asked)
    first, again = take(world, raw), take(world, b"Received: by another way\n" + raw)
    assert (first.verdict, again.verdict) == (Verdict.REPLY, Verdict.REPEATED)
    assert len(replies(world)) == 1


@pytest.mark.parametrize("answers", [True, False], ids=["in the thread", "a mail of its own"])
def test_a_stop_takes_effect_at_once(world: World, asked: str, answers: bool) -> None:
    assert take(world, letter("", subject="STOP", answers=asked if answers else "")).verdict is Verdict.REPLY
    assert world.patient("E1").status is PatientStatus.STOPPED
    assert not world.patient("E1").email_consent
    assert take(world, letter("start", message_id="<2@x>")).verdict is Verdict.REPLY
    assert world.patient("E1").status is PatientStatus.ACTIVE


def test_a_patient_who_writes_anew_is_known_by_the_address(world: World, asked: str) -> None:
    raw = letter("I have moved house.", sender=f"Pat <{PATIENT.upper()}>", subject="my address")
    assert take(world, raw).verdict is Verdict.REPLY
    assert said(world)[0][:2] == ("E1", "I have moved house.\n(my address)")
    assert world.open_tasks() == {"unclear_reply"}


def test_an_answer_from_the_address_that_was_written_to_counts_after_it_has_changed(world: World, asked: str) -> None:
    world.store_patient(replace(world.patient("E1"), email="new@patients.example"))
    assert take(world, letter("2", answers=asked)).verdict is Verdict.REPLY
    assert said(world) == [("E1", "2", "answer", "booked")]


def test_of_two_patients_with_one_address_it_is_the_one_whose_mail_is_answered(world: World, asked: str) -> None:
    world.enrol_email("E2", email=PATIENT, pathways="vitamin_d")
    world.tick_at(new_york(3, 4, 12))
    world.tick()
    take(world, letter("2", answers=asked))
    assert said(world)[0][:2] == ("E1", "2")


def test_a_file_without_words_is_a_task(world: World, asked: str) -> None:
    raw = multipart("mixed", photo(), answers=asked)
    assert take(world, raw).verdict is Verdict.REPLY
    ((mrn, note),) = notes(world)
    assert mrn == "E1"
    assert "a picture or file came without words" in note


def test_a_mail_of_which_only_the_beginning_was_read_is_looked_at_by_a_person_too(world: World, asked: str) -> None:
    raw = multipart("mixed", (letters.PLAIN, "2"), (photo()[0], "x" * (10 * 1024 * 1024)), answers=asked)
    assert take(world, raw).verdict is Verdict.REPLY
    assert said(world) == [("E1", "2", "answer", "booked")]
    assert world.open_tasks() == {"unclear_reply"}


def test_of_two_processes_that_read_the_same_letter_one_takes_it_in(world: World, asked: str) -> None:
    raw, other = letter("2", answers=asked), world.second_process()
    try:
        with ThreadPoolExecutor(2) as both:
            verdicts = list(both.map(lambda one: one.app.mail_in.take(raw).verdict, (world, other)))
    finally:
        other.app.close()
    assert sorted(verdicts) == [Verdict.REPEATED, Verdict.REPLY]
    assert len(replies(world)) == 1


def test_what_is_stored_when_the_rules_fail_waits_for_the_next_tick(
    world: World, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("as if something were wrong")

    with monkeypatch.context() as patched:
        patched.setattr("scheduler.services.hearing.Hearing.hear_until", fail)
        assert take(world, letter("2", answers=asked)).verdict is Verdict.REPLY
    assert said(world) == [("E1", "2", None, None)]
    world.tick()
    assert said(world) == [("E1", "2", "answer", "booked")]


# Somebody else writes


@pytest.mark.parametrize("words", ["2", "START", "PAUSE 2 weeks", "wrong person"])
def test_from_another_address_an_answer_changes_nothing_and_the_clinic_reads_it(
    world: World, asked: str, words: str
) -> None:
    before = (world.patient("E1"), world.enrolment("vitamin_d", "E1"), mails(world))
    handled = take(world, letter(words, answers=asked, sender=STRANGER))
    assert handled.verdict is Verdict.TASK
    assert (world.patient("E1"), world.enrolment("vitamin_d", "E1"), mails(world)) == before
    assert said(world) == [(None, words, None, None)]
    ((mrn, note),) = notes(world)
    assert mrn == "E1"
    assert "sam@elsewhere.example" in note
    assert words in note
    assert "elsewhere" not in handled.said


def test_from_another_address_a_stop_that_answers_our_mail_ends_the_mails(world: World, asked: str) -> None:
    world.store_patient(replace(world.patient("E1"), phone="+16175550142", sms_consent=True))
    handled = take(world, letter("please stop writing to me", answers=asked, sender=STRANGER))
    assert handled.verdict is Verdict.TASK
    after = world.patient("E1")
    assert (after.email_consent, after.sms_consent) == (False, True)
    assert "the e-mails to the patient have ended" in notes(world)[0][1]


def test_a_stop_that_came_before_a_fresh_start_does_not_stop_it_again(world: World, asked: str) -> None:
    stop = letter("STOP", answers=asked, sender=STRANGER)
    take(world, stop)
    take(world, letter("START", message_id="<2@x>"))
    assert world.patient("E1").email_consent
    assert take(world, stop).verdict is Verdict.REPEATED
    assert world.patient("E1").email_consent


@pytest.mark.parametrize("quoted", ["", f"<{uuid4().hex}@harbor.example>"], ids=["nothing", "made up"])
def test_a_strangers_stop_stops_nobody(world: World, asked: str, quoted: str) -> None:
    handled = take(world, letter(f"STOP {PATIENT}", answers=quoted, sender=STRANGER))
    assert handled.verdict is Verdict.TASK
    assert world.patient("E1").email_consent
    assert notes(world) == [(None, f"STOP {PATIENT}")]


def test_another_patient_who_answers_this_ones_mail_is_not_taken_for_either(world: World, asked: str) -> None:
    world.enrol_email("E2", pathways="vitamin_d")
    take(world, letter("2", answers=asked, sender="e2@patients.example"))
    assert said(world) == [(None, "2", None, None)]
    assert [mrn for mrn, _ in notes(world)] == ["E1"]


def test_a_mail_that_its_domain_disowns_is_read_by_a_person(world: World, asked: str) -> None:
    forged = "Authentication-Results: mx.harbor.example; dmarc=fail header.from=patients.example\n"
    assert take(world, letter("PAUSE", answers=asked, head=forged)).verdict is Verdict.TASK
    assert take(world, letter("START", head=forged, message_id="<2@x>")).verdict is Verdict.TASK
    assert {meaning for _, _, meaning, _ in said(world)} == {None}


def test_what_one_stranger_writes_is_one_task(world: World, asked: str) -> None:
    for number in range(3):
        take(world, letter(f"hello {number}", sender=STRANGER, message_id=f"<{number}@x>"))
    assert len(notes(world)) == 1
    assert len(replies(world)) == 3


# Which clinic


def test_the_clinic_is_the_one_it_was_sent_to(world: World, asked: str) -> None:
    other = world.add_clinic("other")
    world.change_clinic(other, email_from="hello@other.example")
    raw = letter("hello", sender=STRANGER, to="x <X@y.example>", head="X-Original-To: Hello+tag@other.example\n")
    take(world, raw)
    assert [reply.clinic_id for reply in replies(world)] == [other.id]


def test_clinics_that_share_an_address_are_told_apart_by_the_sender(world: World, asked: str) -> None:
    first = world.clinic
    world.add_clinic("other")
    world.enrol_email("E9")
    take(world, letter("hello"))
    take(world, letter("hello", sender="e9@patients.example", message_id="<9@x>"))
    assert [(reply.clinic_id == first.id, reply.mrn) for reply in replies(world)] == [(True, "E1"), (False, "E9")]


def test_sent_to_no_clinic_it_is_the_senders(world: World, asked: str) -> None:
    other = world.add_clinic("other")
    world.change_clinic(other, email_from="hello@other.example")
    take(world, letter("hello", to="bounces@harbor.example"))
    assert [reply.mrn for reply in replies(world)] == ["E1"]


def test_for_no_clinic_its_words_are_kept_once(world: World, asked: str) -> None:
    other = world.add_clinic("other")
    world.change_clinic(other, email_from="hello@other.example")
    raw = letter("hello", sender=STRANGER, to="bounces@harbor.example")
    assert [take(world, raw).verdict for _ in range(2)] == [Verdict.KEPT, Verdict.KEPT]
    with world.store.reading() as unit:
        count, (kept,) = unit.orphans.latest(limit=9)
    assert (count, kept.sender, kept.body) == (1, "sam@elsewhere.example", "hello")


# Machines


@pytest.mark.parametrize(
    "raw",
    [
        automatic("Auto-Submitted: auto-replied", text="STOP"),
        automatic("Precedence: bulk", text="STOP"),
        automatic("X-Autoreply: yes", text="STOP"),
        automatic("", subject="Abwesenheitsnotiz: Ihre Nachricht", text="Ich bin ab Montag wieder da."),
        automatic("", subject="Respuesta automática: Un aviso", text="Estoy fuera. Vuelvo el 12."),
        automatic("List-Id: <news.example>", text="STOP").replace(PATIENT.encode(), b"news@shop.example"),
        letter("STOP", sender=OURS),
    ],
    ids=["auto-submitted", "bulk", "autoreply", "german", "spanish", "newsletter", "our own"],
)
def test_automatic_mail_is_neither_understood_nor_answered(world: World, asked: str, raw: bytes) -> None:
    before = (world.patient("E1"), world.ledger("E1"), world.tasks())
    assert take(world, raw).verdict is Verdict.AUTOMATIC
    assert (world.patient("E1"), world.ledger("E1"), world.tasks()) == before
    assert replies(world) == []


def test_a_patients_words_that_came_by_a_mailing_list_are_read_by_a_person(world: World, asked: str) -> None:
    raw = automatic("List-Id: <care.harbor.example>\nPrecedence: list", answers=asked, text="2")
    assert take(world, raw).verdict is Verdict.TASK
    assert said(world) == [(None, "2", None, None)]
    assert [mrn for mrn, _ in notes(world)] == ["E1"]


def test_a_stop_counts_whatever_list_it_came_by(world: World, asked: str) -> None:
    assert take(world, automatic("List-Id: <care.harbor.example>", text="STOP")).verdict is Verdict.REPLY
    assert world.patient("E1").status is PatientStatus.STOPPED


def test_a_stop_under_the_subject_of_a_holiday_notice_counts_if_a_patient_wrote_it(world: World, asked: str) -> None:
    raw = automatic("", subject="Automatic reply: A reminder", text="STOP")
    assert take(world, raw.replace(PATIENT.encode(), b"sam@elsewhere.example")).verdict is Verdict.AUTOMATIC
    assert take(world, raw).verdict is Verdict.REPLY
    assert world.patient("E1").status is PatientStatus.STOPPED


def test_our_own_subjects_ask_for_nothing(world: World) -> None:
    folder = Path(__file__).resolve().parents[2] / "templates" / "messages"
    subjects = {
        path.read_text().strip().replace("{{ clinic }}", "Harbor Clinic") for path in folder.rglob("*.subject.txt")
    }
    assert len(subjects) > 10
    for number, subject in enumerate(sorted(subjects)):
        world.enrol_email(f"S{number}")
        take(world, letter("2", subject=subject, sender=f"s{number}@patients.example", message_id=f"<s{number}@x>"))
        assert world.patient(f"S{number}").email_consent, subject
        assert replies(world)[-1].body == "2", subject


# What is on record


def test_the_record_says_how_the_mails_were_stopped(world: World, asked: str) -> None:
    take(world, letter("STOP", answers=asked, sender=STRANGER))
    patient = world.patient("E1")
    with world.store.reading() as unit:
        granted, _ = unit.patients.latest_consents(world.clinic.id, [patient.id])[patient.id, Channel.EMAIL]
        entries = unit.installation.audit_entries(world.clinic.id)
    assert granted is False
    assert f"email, {ConsentSource.REPLY.value}" in {entry[4] for entry in entries} | {entry[3] for entry in entries}


# Anything


def test_damaged_mails_have_a_verdict_whatever_is_wrong_with_them(world: World, asked: str) -> None:
    chance = random.Random(7)
    sound = [program("2", answers=asked) for program in letters.PROGRAMS]
    pieces = [b"\x00", b"\xff", b"\n", b"--=_p", b"\r", b"=", b'"', b"<", b">", b";", b"*0*=", b"\xed\xa0\x80", b""]
    for _ in range(150):
        raw = chance.choice(sound)
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(raw))
            raw = raw[:at] + chance.choice(pieces) * chance.randrange(1, 4) + raw[at + chance.randrange(40) :]
        assert isinstance(world.app.mail_in.take(raw).verdict, Verdict)
