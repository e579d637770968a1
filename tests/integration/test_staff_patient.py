"""The patient's page in depth: why things went, what comes, contact data, consent, carers, pathways, notes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.messages import MessageStatus
from scheduler.domain.number_check import UNASKED
from scheduler.domain.people import CarerMode, Channel, Mobility, PatientStatus
from scheduler.services.contact_data import FIELDS
from scheduler.services.intake.draft import Exclusion
from scheduler.services.simulate import simulate
from scheduler.store.engine import reading
from scheduler.store.tables import patient_notes
from scheduler.web.staff import patient_page
from tests.support.staff import PASSWORD, address_of, post, signed_in
from tests.support.web import words_of
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as made:
        yield made


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        yield made


def told(client: TestClient, what: str, **fields: str) -> Any:
    return post(client, f"/patients/P1/{what}", fields, page="/sign-in")


def page_of(client: TestClient, path: str = "/patients/P1") -> str:
    """The words of a page, as people read them."""
    return words_of(client.get(path).text)


def sent(world: World) -> list[str]:
    return [row.pathway for row in world.ledger("P1") if row.status is MessageStatus.SENT]


# Why, and what next


def test_each_reminder_says_when_it_was_due_and_what_the_provider_said(either: World) -> None:
    either.enrol_sms("P1", pathways="vitamin_d;exercise")
    either.run_until(new_york(3, 4, 12))
    page = page_of(signed_in(either, Role.VIEWER))
    assert "Due on Tuesday 3 March by the pathway “Vitamin D check”, at its step “ask”." in page
    assert "It could go from 09:30 until 20:00, Tuesday 3 March." in page
    assert "Try 1: the provider took it." in page
    assert "It did not go: another reminder had the day" in page
    assert "Nothing to do: it comes on the next day, or gives way." in page


def test_a_reminder_without_consent_says_what_helps(world: World) -> None:
    world.enrol("P1", phone="+16175550111", pathways="vitamin_d")
    world.run_until(new_york(3, 4, 12))
    page = page_of(signed_in(world, Role.VIEWER))
    assert "there is no consent on record" in page
    assert "What helps: Ask the patient, and record the consent" in page
    assert "Nothing: the patient has not agreed to texts" in page


def test_what_comes_next_is_what_the_simulation_says(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d;dexa;exercise")
    page = page_of(signed_in(world, Role.VIEWER))
    ahead = list(
        simulate(world.store, world.rules, world.app.composer, world.clinic, days=30, start=MONDAY, mrn="P1")
    )
    for pathway in ("vitamin_d", "dexa", "exercise"):
        first = next(one for one in ahead if one.pathway == pathway)
        title = world.rules.pathways[pathway].title
        assert f"{first.at:%A} {first.at.day} {first.at:%B}, {first.at:%H:%M} · {title}" in page


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("pause", "all reminders are paused until somebody at the clinic lets them go on"),
        ("stop", "the patient has said stop"),
    ],
)
def test_where_nothing_comes_the_reason_stands_there(world: World, what: str, says: str) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(world, Role.COORDINATOR)
    if what == "pause":
        told(client, "pause", until="")
    else:
        world.receive("P1", "STOP")
        world.tick()
    assert says in page_of(client)


@pytest.mark.parametrize("why", ["stopped", "discharged", "deceased"])
def test_where_nothing_comes_any_more_no_pathway_says_when_it_comes(world: World, why: str) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(world, Role.COORDINATOR)
    assert "next: " in page_of(client)
    if why == "stopped":
        world.receive("P1", "STOP")
        world.tick()
    else:
        told(client, "leave", why=why, certain="yes")
    page = page_of(client)
    assert "Nothing: " in page
    assert "next: " not in page


def test_a_long_thread_shows_its_end_first_and_all_of_it_on_request(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_page, "MOST_SAID", 5)
    world.enrol_sms("P1", pathways="exercise")
    world.run_until(new_york(3, 10, 12))
    client = signed_in(world, Role.VIEWER)
    short, whole = client.get("/patients/P1").text, client.get("/patients/P1?whole=1").text
    assert "Show all" in short
    assert "Show all" not in whole
    assert short.count('class="turn') == 5
    assert "Tuesday 10 March" in short
    assert whole.count('class="turn') == 8


def test_no_page_shows_the_key_of_a_patients_link(world: World) -> None:
    world.enrol_email("P1", pathways="vitamin_d;supplement")
    world.run_until(new_york(3, 4, 12))
    (went,) = [row.body for row in world.ledger("P1") if row.sent_at]
    assert went is not None
    link = world.app.links.unsubscribe(world.clinic.id, world.patient().id)
    token = link.rpartition("/")[2]
    assert link in went
    coordinator, clinician = signed_in(world, Role.COORDINATOR), signed_in(world, Role.CLINICIAN)
    assert told(coordinator, "supplement", named="magnesium").status_code == 303
    note = f"The patient forwarded {link}"
    assert told(coordinator, "note", words=note).status_code == 303
    preview = told(coordinator, "message/preview", words="Please call us.", channel="email")
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(world.clinic.id)
    asked = clinician.get("/supplements").text
    signed = {"decision": "come_in", "signature": PASSWORD}
    assert post(clinician, f"/supplements/{case.id}/decide", signed, page="/supplements").status_code == 303
    for page in (coordinator.get("/patients/P1").text, preview.text, asked, clinician.get("/supplements").text):
        assert "/u/…" in page
        assert token not in page


# Contact data


def test_a_new_number_is_used_at_once_and_must_be_confirmed_anew(either: World) -> None:
    either.change_clinic(either.clinic, confirm_numbers=True)
    either.enrol_sms("P1", pathways="vitamin_d")
    either.run_until(new_york(3, 3, 10))
    either.receive("P1", "1")
    either.tick()
    assert either.patient().phone_confirmed
    client = signed_in(either, Role.COORDINATOR)
    assert told(client, "contact", phone="(617) 253-0177").status_code == 303
    after = either.patient()
    assert (after.phone, after.phone_confirmed, after.number_check) == ("+16172530177", False, UNASKED)
    assert "Somebody at a new number is asked" in page_of(client, "/patients/P1/contact")


def test_everything_on_file_can_be_corrected(either: World) -> None:
    either.enrol_sms("P1", pathways="exercise")
    client = signed_in(either, Role.CLINICIAN)
    given = {
        "name": "Ruth Adler-Baum",
        "birth_date": "1970-04-05",
        "email": "Ruth@Patients.example",
        "channel": "email",
        "language": "es",
        "timezone": "America/Chicago",
        "mobility": "wheelchair",
        "days": "yes",
        "day-mon": "yes",
        "day-thu": "yes",
    }
    assert told(client, "contact", **given).status_code == 303
    one = either.patient()
    assert (one.name, one.language, one.timezone) == ("Ruth Adler-Baum", "es", "America/Chicago")
    assert (one.channel, one.mobility, len(one.exercise_days)) == (Channel.EMAIL, Mobility.WHEELCHAIR, 2)
    assert one.phone is not None
    with either.store.reading() as unit:
        entries = [
            (one[2], one[4])
            for one in unit.installation.audit_entries(either.clinic.id)
            if one[2] == "patient updated"
        ]
    changed = "name,birth_date,email,channel,language,timezone,mobility,exercise_days"
    assert entries == [("patient updated", changed)]
    either.run_until(new_york(3, 6, 20))
    assert [str(row.due_date) for row in either.ledger("P1") if row.sent_at] == ["2026-03-05"]


def test_the_same_list_again_does_not_undo_what_staff_entered(world: World) -> None:
    cells = {"phone": "+16175550111", "sms_consent": "yes", "name": "Ruth Adler"}
    world.enrol("P1", **cells)
    client = signed_in(world, Role.COORDINATOR)
    told(client, "contact", name="Ruth Baum", phone="+16172530177")
    assert world.enrol("P1", **cells).unchanged == 1
    assert (world.patient().name, world.patient().phone) == ("Ruth Baum", "+16172530177")
    world.enrol("P1", **{**cells, "phone": "+16175550112"})
    assert (world.patient().name, world.patient().phone) == ("Ruth Baum", "+16175550112")


def test_who_has_a_record_number_that_none_may_have_any_more_can_be_corrected(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("scheduler.services.intake.names.PAGES", frozenset())
        world.enrol_sms("chosen")
    client = signed_in(world, Role.COORDINATOR)
    assert post(client, "/patients/chosen/contact", {"name": "Ruth Baum"}, page="/sign-in").status_code == 303
    assert world.patient("chosen").name == "Ruth Baum"


def opened(client: TestClient) -> dict[str, str]:
    """The form for contact data, as a browser would send it when nothing is typed."""
    return fields_of(client.get("/patients/P1/contact").text)


def fields_of(page: str) -> dict[str, str]:
    form = page[page.index('action="/patients/P1/contact"') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form[: form.index("</form>")]):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        assert name is not None
        if ("radio" not in tag and "checkbox" not in tag) or " checked" in tag:
            found[name[1]] = html.unescape(value[1]) if value else ""
    mobility = re.search(r'<option value="([^"]*)" selected', form)
    assert mobility is not None
    return {**found, "mobility": mobility[1]}


def test_a_form_that_was_open_meanwhile_changes_only_what_was_typed_in_it(either: World) -> None:
    either.enrol_sms("P1", phone="+16172530100")
    client = signed_in(either, Role.COORDINATOR)
    mine, theirs = opened(client), opened(client)
    assert told(client, "contact", **{**theirs, "phone": "+16172530177"}).status_code == 303
    assert told(client, "contact", **{**mine, "name": "Ruth Baum"}).status_code == 303
    assert (either.patient().name, either.patient().phone) == ("Ruth Baum", "+16172530177")


def test_where_both_changed_the_same_the_form_says_to_what_and_a_second_press_decides(world: World) -> None:
    world.enrol_sms("P1", phone="+16172530100")
    client = signed_in(world, Role.COORDINATOR)
    mine, theirs = opened(client), opened(client)
    told(client, "contact", **{**theirs, "phone": "+16172530177", "name": "Ruth Baum"})
    refused = told(client, "contact", **{**mine, "phone": "(617) 253-0188", "timezone": "Bostn"})
    assert refused.status_code == 422
    beside = re.search(r'id="phone-wrong">(.*?)</p>', refused.text)
    assert beside is not None
    assert "+16172530177" in beside[1]
    assert 'id="timezone-wrong"' in refused.text
    again = fields_of(refused.text)
    assert (again["phone"], again["name"], again["timezone"]) == ("(617) 253-0188", "Ruth Baum", "Bostn")
    assert (world.patient().name, world.patient().phone) == ("Ruth Baum", "+16172530177")
    assert told(client, "contact", **{**again, "timezone": "America/Chicago"}).status_code == 303
    assert (world.patient().name, world.patient().phone) == ("Ruth Baum", "+16172530188")
    assert world.patient().timezone == "America/Chicago"


def test_where_both_changed_it_alike_nothing_is_asked(world: World) -> None:
    world.enrol_sms("P1", phone="+16172530100")
    client = signed_in(world, Role.COORDINATOR)
    mine, theirs = opened(client), opened(client)
    told(client, "contact", **{**theirs, "phone": "+16172530177"})
    assert told(client, "contact", **{**mine, "phone": "(617) 253-0177"}).status_code == 303


def test_what_a_form_holds_of_the_values_that_it_showed_says_nothing_of_them(world: World) -> None:
    world.enrol_sms("P1", phone="+16172530100", name="Ruth Adler")
    shown = {name: value for name, value in opened(signed_in(world, Role.COORDINATOR)).items() if "shown" in name}
    assert len(set(shown.values())) == len(FIELDS)
    assert all(re.fullmatch("[0-9a-f]{24}", value) for value in shown.values())


@pytest.mark.parametrize("by_stop", [False, True])
def test_a_number_that_somebody_else_has_is_pointed_out_and_saved_by_a_second_press(
    either: World, *, by_stop: bool
) -> None:
    either.enrol_sms("P1", phone="+16172530100")
    either.enrol_sms("P2", phone="+16172530188", name="Hugo Adler")
    if by_stop:
        either.receive("P2", "STOP")
        either.tick()
    client = signed_in(either, Role.COORDINATOR)
    warned = told(client, "contact", **{**opened(client), "phone": "(617) 253-0188"})
    assert warned.status_code == 422
    page = html.unescape(warned.text)
    assert "on file for somebody else" in page
    assert ("Somebody said STOP at this phone number, on 2026-03-02" in page) is by_stop
    assert "Hugo Adler" not in page
    assert either.patient("P1").phone == "+16172530100"
    assert told(client, "contact", **fields_of(warned.text)).status_code == 303
    assert either.patient("P1").phone == "+16172530188"


def test_an_address_that_is_left_as_it_is_is_not_pointed_out(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, phone="+16172530100", email="family@patients.example")
    client = signed_in(world, Role.COORDINATOR)
    assert told(client, "contact", **{**opened(client), "name": "Ruth Baum"}).status_code == 303


@pytest.mark.parametrize("digest", ["", "zz", "00" * 12, "é"])
def test_a_digest_that_is_none_counts_as_changed_by_somebody_else(world: World, digest: str) -> None:
    world.enrol_sms("P1", phone="+16172530100")
    client = signed_in(world, Role.COORDINATOR)
    refused = told(client, "contact", **{**opened(client), "shown-phone": digest, "phone": "+16172530177"})
    assert refused.status_code == 422
    assert world.patient().phone == "+16172530100"


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": " "}, "name", "the name is missing"),
        ({"phone": "12"}, "phone", ""),
        ({"email": "nobody"}, "email", ""),
        ({"timezone": "Boston"}, "timezone", ""),
        ({"language": "??"}, "language", ""),
        ({"mobility": "flying"}, "mobility", "is not one of"),
        ({"birth_date": "2030-01-01"}, "birth_date", "lies in the future"),
        ({"days": "yes"}, "exercise_days", "choose at least one day"),
        ({"phone": "", "channel": "sms"}, "channel", "there is no phone number"),
        ({"name": "x" * 400}, "name", "too long"),
        ({"name": "Ruth", "phone": "<script>alert(1)</script>"}, "phone", ""),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_changes(
    world: World, fields: dict[str, str], field: str, says: str
) -> None:
    before = world.enrol_sms("P1")
    refused = told(signed_in(world, Role.COORDINATOR), "contact", **fields)
    assert refused.status_code == 422
    beside = re.search(rf'id="{field}-wrong">([^<]*)<', refused.text)
    assert beside is not None
    assert says in html.unescape(beside[1])
    assert "<script>alert" not in refused.text
    assert world.patient() == before


def test_a_landline_does_not_take_the_place_of_a_number_that_gets_texts(world: World) -> None:
    world.enrol_sms("P1", email="a@patients.example", email_consent="yes", timezone="Europe/Madrid")
    refused = told(signed_in(world, Role.COORDINATOR), "contact", phone="+34 912 34 56 78", channel="email")
    assert refused.status_code == 422
    assert "landline" in refused.text


def test_a_number_that_was_marked_is_right_after_all(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.receive("P1", "Wrong number")
    world.tick()
    client = signed_in(world, Role.COORDINATOR)
    assert world.patient().status is PatientStatus.UNREACHABLE
    assert "This number is right" in page_of(client)
    assert told(client, "number", channel="sms").status_code == 303
    assert world.patient().status is PatientStatus.ACTIVE
    assert told(client, "number", channel="fax").status_code == 422


def test_who_shares_a_number_is_named(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler", phone="+16175550111")
    world.enrol_sms("P2", name="Ana Adler", phone="+16175550111")
    assert "Ana Adler has the same number or address" in page_of(signed_in(world, Role.VIEWER))


# Consent and carers


def test_what_a_patient_says_on_the_phone_holds_at_once(either: World) -> None:
    either.enrol_sms("P1", pathways="exercise")
    client = signed_in(either, Role.COORDINATOR)
    fields = {"decision": "revoked", "how": "phone", "channel": "all", "wording": "call note 4", "on": "2026-03-01"}
    answer = told(client, "consent", **fields)
    assert answer.headers["location"] == "/patients/P1/consent"
    assert either.patient().status is PatientStatus.STOPPED
    page = page_of(client, "/patients/P1/consent")
    assert "Took back consent to texts , Sunday 1 March 2026 On the phone, recorded by" in page
    assert "wording “call note 4”" in page
    given = {"decision": "given", "how": "form", "channel": "sms", "wording": "form 7"}
    told(client, "consent", **given)
    either.run_until(new_york(3, 4, 12))
    assert sent(either) == ["exercise", "exercise"][: len(sent(either))]
    assert sent(either)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"how": "phone", "channel": "all"}, "choose whether the patient agrees"),
        ({"decision": "given", "channel": "all"}, "choose how the patient told you"),
        ({"decision": "given", "how": "reply", "channel": "all"}, "choose how the patient told you"),
        ({"decision": "given", "how": "phone", "channel": "fax"}, "choose what it is about"),
        ({"decision": "given", "how": "phone", "channel": "email"}, "has no e-mail address on file; add it, or"),
        ({"decision": "revoked", "how": "phone", "channel": "all", "on": "2027-01-01"}, "is in the future"),
        ({"decision": "given", "how": "phone", "channel": "sms", "wording": "x" * 65}, "at most 64"),
    ],
)
def test_consent_that_cannot_be_recorded_is_refused_whole(world: World, fields: dict[str, str], says: str) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    before = page_of(client, "/patients/P1/consent").count("recorded by")
    refused = told(client, "consent", **fields)
    assert refused.status_code == 422
    assert says in html.unescape(refused.text)
    assert page_of(client, "/patients/P1/consent").count("recorded by") == before


def test_a_carer_is_named_shown_and_taken_away(either: World) -> None:
    either.enrol_sms("P1", pathways="exercise")
    client = signed_in(either, Role.COORDINATOR)
    given = {
        "name": "Eva Lund",
        "mode": "instead",
        "channel": "sms",
        "address": "+1 617 253 0199",
        "consented_on": "2026-03-01",
        "agreed": "yes",
    }
    assert told(client, "carer", **given).status_code == 303
    assert either.patient().carer_mode is CarerMode.INSTEAD
    assert "Eva Lund" in page_of(client)
    assert "Agreed , Sunday 1 March 2026" in page_of(client, "/patients/P1/carer")
    either.run_until(new_york(3, 3, 12))
    assert [one.address for one in either.app.simulated_inbox.received()] == ["+16172530199"]
    assert "to the carer" in page_of(client)
    assert told(client, "carer/remove").status_code == 303
    assert either.patient().carer_mode is None


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"agreed": ""}, ""),
        ({"name": ""}, "the name: write"),
        ({"address": "12"}, "the number:"),
        ({"mode": "above"}, "choose what the carer gets"),
        ({"consented_on": "2027-01-01"}, "has not come yet"),
    ],
)
def test_a_carer_who_cannot_be_is_refused_with_what_was_typed(
    world: World, changed: dict[str, str], says: str
) -> None:
    world.enrol_sms("P1")
    given = {"name": "Eva Lund", "mode": "beside", "channel": "sms", "address": "+16172530199", "agreed": "yes"}
    fields = {**given, **changed}
    if not fields["agreed"]:
        del fields["agreed"]
    refused = told(signed_in(world, Role.COORDINATOR), "carer", **fields)
    assert refused.status_code == 422
    assert says in words_of(refused.text)
    assert "--" not in words_of(refused.text)  # an option of the command line means nothing here
    assert world.patient().carer_mode is None


# The plan


def test_a_pathway_begins_ends_and_begins_again(either: World) -> None:
    either.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(either, Role.COORDINATOR)
    assert told(client, "pathway", pathway="dexa").status_code == 303
    assert told(client, "pathway", pathway="vitamin_d", off="yes").status_code == 303
    assert "on hold" in page_of(client)
    either.run_until(new_york(3, 8, 12))
    assert sent(either) == ["dexa"]
    assert told(client, "pathway", pathway="vitamin_d").status_code == 303
    either.run_until(new_york(3, 10, 12))
    assert sent(either) == ["dexa", "vitamin_d"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"pathway": "nothing"}, "choose a pathway"),
        ({"pathway": "vitamin_d"}, "is on “Vitamin D check” already"),
        ({"pathway": "dexa", "off": "yes"}, "is not on that pathway"),
    ],
)
def test_a_pathway_that_cannot_be_changed_is_refused(world: World, fields: dict[str, str], says: str) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    refused = told(signed_in(world, Role.COORDINATOR), "pathway", **fields)
    assert refused.status_code == 422
    assert says in html.unescape(refused.text)


def test_nothing_ever_goes_to_a_patient_who_has_died(either: World) -> None:
    either.enrol_sms("P1", pathways="exercise;dexa")
    client = signed_in(either, Role.COORDINATOR)
    either.clock.at = new_york(3, 2, 22)
    written = {"words": "See you on Friday", "channel": "sms", "once": "m" * 24}
    told(client, "message/send", **written)
    unsure = told(client, "leave", why="deceased")
    assert unsure.status_code == 422
    assert "tick the box" in unsure.text
    assert told(client, "leave", why="deceased", certain="yes", words="Told by the family").status_code == 303
    assert either.patient().status is PatientStatus.DECEASED
    either.run_until(new_york(3, 20, 12))
    assert either.app.simulated_inbox.received() == []
    page = page_of(client)
    assert "Told by the family" in page
    assert "Nothing is ever sent" in page
    assert told(client, "message/send", words="x", channel="sms", once="n" * 24).status_code == 422
    assert told(client, "back").status_code == 422
    assert told(client, "pathway", pathway="vitamin_d").status_code == 422
    assert told(client, "leave", why="discharged", certain="yes").status_code == 422
    assert told(client, "consent", decision="given", how="phone", channel="sms").status_code == 422


def test_who_has_left_comes_back_to_what_they_agreed_to(either: World) -> None:
    either.enrol_sms("P1", pathways="exercise")
    client = signed_in(either, Role.COORDINATOR)
    told(client, "leave", why="discharged", certain="yes")
    either.run_until(new_york(3, 5, 12))
    assert sent(either) == []
    assert told(client, "back").status_code == 303
    either.run_until(new_york(3, 7, 12))
    assert [str(row.due_date) for row in either.ledger("P1") if row.sent_at] == ["2026-03-06", "2026-03-07"]


def test_notes_are_kept_with_who_and_when_and_sealed(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    for words in ("Prefers calls after noon", "<script>alert(1)</script>"):
        assert told(client, "note", words=words).status_code == 303
    page = client.get("/patients/P1").text
    assert "Prefers calls after noon" in page
    assert "<script>alert" not in page
    assert address_of(Role.COORDINATOR, either.clinic) in page
    with reading(either.app.engine) as connection:
        assert b"Prefers" not in b"".join(connection.execute(select(patient_notes.c.words)).scalars())
    for bad in ("  ", "x" * 4001):
        refused = told(client, "note", words=bad)
        assert refused.status_code == 422
    assert "x" * 4001 in refused.text


def test_a_note_whose_button_is_pressed_twice_is_one_and_the_same_words_later_are_another(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    for _ in range(2):
        assert told(client, "note", words="Called, no answer").status_code == 303
    assert page_of(client).count("Called, no answer") == 1
    either.clock.at += timedelta(minutes=11)
    told(client, "note", words="Called, no answer")
    assert page_of(client).count("Called, no answer") == 2


def test_a_note_is_seen_by_its_own_clinic_only(world: World) -> None:
    world.enrol_sms("P1")
    told(signed_in(world, Role.COORDINATOR), "note", words="Ours alone")
    theirs = world.add_clinic("theirs")
    world.enrol_sms("P1", theirs)
    assert "Ours alone" not in page_of(signed_in(world, Role.COORDINATOR, theirs))


def test_results_are_listed_with_who_recorded_them(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(world, Role.COORDINATOR)
    told(client, "result", kind="vitamin_d", taken_on="2026-03-01", value="31", unit="ng/mL", next_months="3")
    page = page_of(client)
    assert "Vitamin D level , Sunday 1 March 2026: 31 ng/mL" in page
    assert "next after 3 months" in page


# Supplements


def test_staff_open_a_case_and_a_clinician_signs_what_they_saw(either: World) -> None:
    either.enrol_sms("P1", name="Ruth Adler", pathways="supplement")
    desk = signed_in(either, Role.COORDINATOR)
    assert told(desk, "supplement", named=" Fish  oil ").status_code == 303
    assert either.open_tasks() == {"supplement_clearance"}
    clinician = signed_in(either, Role.CLINICIAN)
    page = page_of(clinician, "/supplements")
    assert "“Fish oil”" in page
    assert "The patient reads: Harbor Clinic:" in page
    with either.store.reading() as unit:
        (case,) = unit.worklist.clearances(either.clinic.id)
    signed = {"decision": "come_in", "signature": PASSWORD}
    assert post(clinician, f"/supplements/{case.id}/decide", signed, page="/supplements").status_code == 303
    with either.store.reading() as unit:
        (case,) = unit.worklist.clearances(either.clinic.id)
    assert case.signed_with == "password"
    assert case.shown is not None
    either.tick()
    (text,) = [one.body for one in either.app.simulated_inbox.received()]
    assert case.shown == f"Fish oil\ncome_in\nto the patient: {text}"
    assert either.open_tasks() == set()
    assert "Come in to talk about it, signed by" in page_of(desk)


def test_a_supplement_that_waits_is_not_asked_about_twice(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    assert told(client, "supplement", named="Zinc").status_code == 303
    refused = told(client, "supplement", named=" ZINC. ")
    assert refused.status_code == 422
    assert "“Zinc” waits for a clinician already" in refused.text
    with world.store.reading() as unit:
        assert len(unit.worklist.clearances(world.clinic.id)) == 1


def test_a_case_needs_a_name(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    assert told(client, "supplement", named=" ").status_code == 422
    assert told(client, "supplement", named="x" * 201).status_code == 422
    assert world.open_tasks() == set()


def test_a_topic_alone_is_stopped_where_the_clinic_lets_it(world: World) -> None:
    world.change_clinic(world.clinic, stop_scope="topic")
    world.enrol_sms("P1", pathways="exercise;dexa")
    client = signed_in(world, Role.COORDINATOR)
    fields = {"decision": "revoked", "how": "phone", "channel": "all", "topic": "exercise"}
    assert told(client, "consent", **fields).status_code == 303
    page = page_of(client)
    assert "the patient wants no more of it" in page
    assert told(client, "pathway", pathway="exercise").status_code == 422


def test_a_patient_whom_a_list_takes_off_shows_so(world: World) -> None:
    world.enrol_sms("P1")
    world.exclude("P1", Exclusion.DECEASED)
    assert "Nothing is ever sent" in page_of(signed_in(world, Role.COORDINATOR))
