"""Enrolling at the desk: what is refused and where it says so, what is warned of, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.records import Consent
from tests.support.staff import address_of, post, signed_in
from tests.support.worlds import MONDAY, World, new_york, world_at

NEW = "/patients/new"
TYPED = {
    "mrn": "N1",
    "name": "Ruth Adler",
    "birth_date": "1974-03-31",
    "phone": "+1 617 555 0144",
    "language": "en",
    "mobility": "walking",
    "pathways:vitamin_d": "yes",
    "pathways:exercise": "yes",
}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return signed_in(world, Role.COORDINATOR)


def sent(client: TestClient, fields: dict[str, str], *, but: tuple[str, ...] = ()) -> Any:
    kept = {name: value for name, value in fields.items() if name not in but}
    return post(client, NEW, kept, page=NEW)


def words_on(page: str, channel: str) -> tuple[str, str]:
    """The words of consent that a page shows, and their mark."""
    text = re.search(rf'id="{channel}-words"[^>]*>([^<]+)<', page)
    mark = re.search(rf'name="{channel}_words" value="([^"]+)"', page)
    assert text is not None
    assert mark is not None
    return unescape(text[1]), mark[1]


def agreeing(client: TestClient, **more: str) -> dict[str, str]:
    """A form with consent to texts, as somebody ticks it who has read the page."""
    _, mark = words_on(client.get(NEW).text, "sms")
    agreed = {"sms_consent": "yes", "sms_words": mark, "consent_source": "in_person"}
    return {**TYPED, **agreed, **more}


def wrong_beside(page: str, name: str) -> str:
    found = re.search(rf'id="{name}-wrong"([^>]*)>([^<]*)<', page)
    assert found is not None, name
    return "" if "hidden" in found[1] else unescape(found[2])


def consents(world: World, mrn: str = "N1") -> list[Consent]:
    with world.store.reading() as unit:
        return unit.patients.consent_history(world.clinic.id, world.patient(mrn).id)


def test_the_form_comes_with_no_consent_ticked(client: TestClient) -> None:
    page = client.get(NEW).text
    assert not re.search(r'name="(sms|email)_consent"[^>]*checked', page)
    assert not re.search(r'name="consent_source"[^>]*checked', page)


def test_a_patient_is_enrolled_with_the_words_they_agreed_to(world: World, client: TestClient) -> None:
    text, mark = words_on(client.get(NEW).text, "sms")
    answer = sent(client, agreeing(client, **{"risk_factors:falls": "yes", "exercise_days:mon": "yes"}))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/patients/N1?enrolled=yes"
    patient = world.patient("N1")
    assert (patient.name, patient.phone, patient.birth_date) == ("Ruth Adler", "+16175550144", date(1974, 3, 31))
    assert [risk.value for risk in patient.risk_factors] == ["falls"]
    assert [day.name for day in patient.exercise_days] == ["MON"]
    (consent,) = consents(world)
    assert (consent.channel, consent.granted, consent.source) == (Channel.SMS, True, ConsentSource.IN_PERSON)
    assert (consent.recorded_by, consent.given_on) == (address_of(Role.COORDINATOR, world.clinic), date(2026, 3, 2))
    assert consent.wording == mark
    with world.store.reading() as unit:
        assert unit.desk.wording(world.clinic.id, mark) == text
        entries = [(one[1], one[2], one[3]) for one in unit.installation.audit_entries(world.clinic.id)]
    by = address_of(Role.COORDINATOR, world.clinic)
    assert (by, "patient enrolled", patient.id) in entries
    assert (by, "consent granted", patient.id) in entries


def test_the_page_then_says_what_comes_next_and_it_does(world: World, client: TestClient) -> None:
    sent(client, agreeing(client))
    page = client.get("/patients/N1?enrolled=yes").text
    assert "Ruth Adler is enrolled" in page
    assert "Tuesday 3 March, 09:30" in page
    world.run_until(new_york(3, 3, 12))
    assert [one.sent_at for one in world.ledger("N1") if one.sent_at] == [new_york(3, 3, 9, 30)]


def test_without_consent_nothing_will_be_sent_and_the_page_says_so(world: World, client: TestClient) -> None:
    assert sent(client, TYPED).status_code == 303
    assert consents(world) == []
    assert "Nothing is sent, because the patient has not agreed" in client.get("/patients/N1?enrolled=yes").text


@pytest.mark.parametrize(
    ("changed", "place", "says"),
    [
        ({"mrn": ""}, "mrn", "Enter the record number."),
        ({"name": "  "}, "name", "Enter the patient"),
        ({"name": "12345"}, "name", "no letters"),
        ({"birth_date": "2031-01-01"}, "birth_date", "future"),
        ({"phone": "12"}, "phone", "too short"),
        ({"email": "ruth@"}, "email", "no dot after the @"),
        ({"timezone": "EST"}, "timezone", "not a place"),
        ({"contact_time": "25:00"}, "contact_time", "no such time"),
        ({"language": "klingonish"}, "language", "not a language tag"),
        ({"channel": "email"}, "channel", "needs an e-mail address"),
        ({"mobility": "flies"}, "mobility", "not one of"),
        ({"pathways:vitamin_d": "", "pathways:exercise": ""}, "pathways", "at least one"),
        ({"consent_source": ""}, "consent_source", "how they told you"),
        ({"consent_date": "2026-03-09"}, "consent_date", "future"),
        ({"consent_date": "1970-01-01"}, "consent_date", "birth"),
        ({"phone": ""}, "sms_consent", "no phone number to agree to"),
        ({"sms_words": "enrol-sms-en-000000000000"}, "sms_consent", "words have changed"),
    ],
)
def test_each_fault_stands_beside_its_field_and_nothing_is_lost_or_done(
    world: World, client: TestClient, changed: dict[str, str], place: str, says: str
) -> None:
    answer = sent(client, agreeing(client, **changed))
    assert answer.status_code == 422
    assert says in wrong_beside(answer.text, place)
    assert 'id="problem"' in answer.text
    assert "<title>Error:" in answer.text
    kept = [value for name, value in TYPED.items() if name in ("mrn", "name", "phone") and name not in changed]
    assert all(f'value="{value}"' in unescape(answer.text) for value in kept)
    with world.store.reading() as unit:
        assert unit.patients.count(world.clinic.id) == 0


def test_a_landline_is_refused_beside_the_consent_to_texts(world: World, client: TestClient) -> None:
    world.change_clinic(world.clinic, country="GB")
    both = {"email": "ruth@example.org", "phone": "020 7946 0958"}
    answer = sent(client, agreeing(client, **both))
    assert "landline" in answer.text
    assert answer.status_code == 422


def test_the_words_are_shown_in_the_language_of_the_patient_and_must_be_ticked_there(
    world: World, client: TestClient
) -> None:
    answer = sent(client, agreeing(client, language="es"))
    assert answer.status_code == 422
    text, mark = words_on(answer.text, "sms")
    assert text.startswith("Acepto que Harbor Clinic")
    assert 'lang="es"' in answer.text
    assert not re.search(r'name="sms_consent"[^>]*checked', answer.text)
    again = sent(client, agreeing(client, language="es", sms_words=mark))
    assert again.status_code == 303
    assert consents(world)[0].wording == mark


def test_the_same_form_twice_enrols_once(world: World, client: TestClient) -> None:
    form = agreeing(client)
    assert [sent(client, form).headers["location"] for _ in range(2)] == ["/patients/N1?enrolled=yes"] * 2
    assert len(consents(world)) == 1


def test_two_presses_at_one_time_enrol_once(world: World, client: TestClient) -> None:
    form = agreeing(client)
    with ThreadPoolExecutor(4) as pool:
        answers = [each.result() for each in [pool.submit(sent, client, form) for _ in range(4)]]
    assert [one.status_code for one in answers] == [303] * 4
    assert len(consents(world)) == 1


def test_the_record_number_of_somebody_else_is_refused_with_a_way_to_them(world: World, client: TestClient) -> None:
    before = world.enrol_sms("N1", name="Somebody Else")
    answer = sent(client, agreeing(client))
    assert "has this record number already" in wrong_beside(answer.text, "mrn")
    assert 'href="/patients/N1"' in answer.text
    assert world.patient("N1") == before


@pytest.mark.parametrize("mrn", ["a/b", "a\\b", "..", "bulk", " new "])
def test_a_record_number_that_no_page_could_be_opened_for_is_refused_beside_its_field(
    world: World, client: TestClient, mrn: str
) -> None:
    refused = sent(client, agreeing(client, mrn=mrn))
    assert refused.status_code == 422
    assert "no page could show the patient" in wrong_beside(refused.text, "mrn")
    with world.store.reading() as unit:
        assert unit.patients.count(world.clinic.id) == 0


def test_a_record_number_of_another_clinic_is_free(world: World) -> None:
    world.enrol_sms("N1", world.add_clinic("theirs"))
    ours = world.add_clinic("ours")
    client = signed_in(world, Role.CLINICIAN, ours)
    assert sent(client, agreeing(client)).status_code == 303


def test_a_shared_number_is_warned_of_once_and_then_taken(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", phone="+16175550144", name="Hugo Adler")
    warned = sent(client, agreeing(client))
    assert warned.status_code == 422
    assert "on file for somebody else" in unescape(warned.text)
    assert "Hugo Adler" not in warned.text
    seen = re.search(r'name="seen" value="([^"]*)"', warned.text)
    assert seen is not None
    assert sent(client, agreeing(client, seen=seen[1])).status_code == 303
    assert world.patient("N1").phone == world.patient("P1").phone


def test_a_number_that_said_stop_is_warned_of(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", phone="+16175550144")
    world.receive("P1", "STOP")
    world.tick()
    assert world.patient("P1").status is PatientStatus.STOPPED
    assert "Somebody said STOP at this phone number, on 2026-03-02" in unescape(sent(client, agreeing(client)).text)


def test_a_number_of_another_clinic_is_not_told_of(world: World) -> None:
    world.enrol_sms("P1", world.add_clinic("theirs"), phone="+16175550144")
    client = signed_in(world, Role.COORDINATOR, world.add_clinic("ours"))
    assert sent(client, agreeing(client)).status_code == 303


def test_the_check_says_what_the_form_would_and_changes_nothing(world: World, client: TestClient) -> None:
    answer = post(client, f"{NEW}/check", {**TYPED, "phone": "12", "language": "es"}, page=NEW).json()
    assert "too short" in answer["errors"]["phone"]
    assert answer["words"]["email"]["text"].startswith("Acepto")
    assert answer["language"] == "es"
    with world.store.reading() as unit:
        assert unit.patients.count(world.clinic.id) == 0


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "template": "{{ 7 * 7 }}{% raise %}",
    "sql": "'; DROP TABLE patients; --",
    "right to left": "\u202etxet desrever",
    "emoji": "👩🏽‍🦽 Ruth",
    "a megabyte": "x" * 1_000_000,
    "null": "a\0b",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("place", [*TYPED, "email", "contact_time", "timezone", "channel", "consent_date", "seen"])
def test_hostile_words_in_any_field_are_kept_as_typed_or_refused(
    sqlite_url: str, tmp_path: Path, place: str, words: str
) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        client = signed_in(world, Role.COORDINATOR)
        answer = sent(client, agreeing(client, **{place: words}))
        assert answer.status_code in (303, 422)
        assert "<script>alert" not in answer.text
        if answer.status_code == 422:
            assert 'id="problem"' in answer.text
        elif place in ("mrn", "name"):
            with world.store.reading() as unit:
                (patient,) = unit.patients.of_clinic(world.clinic.id)
            assert getattr(patient, place) == words.replace("\0", "\ufffd")  # which no database would keep
            assert "<script>alert" not in client.get(answer.headers["location"]).text


def test_the_check_of_hostile_words_is_no_fault_either(world: World, client: TestClient) -> None:
    for words in HOSTILE.values():
        form = dict.fromkeys((*TYPED, "email", "timezone", "consent_source", "sms_consent", "sms_words"), words)
        too_much = len(words) > 100_000
        assert post(client, f"{NEW}/check", form, page=NEW).status_code == (413 if too_much else 200)


def test_a_viewer_does_not_see_the_form(world: World) -> None:
    client = signed_in(world, Role.VIEWER)
    assert client.get(NEW).status_code == 403
    assert "Enrol a patient" not in client.get("/patients").text
