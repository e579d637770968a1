"""Clinics, staff, single patients, results and supplement cases, entered by hand and with slips of the finger."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pytest

from scheduler.cli.output import opened
from scheduler.services.care import Deciding
from scheduler.services.care_plan import open_case as ask_clinician
from tests.support.cli import Ran
from tests.support.commands import CLINIC, Commands, bare, ready

DOCTOR = "doctor@river.example"
RESULT = ("result", "add", "--clinic", CLINIC, "--patient", "1", "--kind", "vitamin_d")


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


def refused(ran: Ran) -> str:
    assert (ran.code, ran.out) == (1, ""), ran
    assert ran.err.startswith("bonewise: ")
    assert ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("bonewise: ").rstrip("\n")


# Clinics


def add_clinic(bonewise: Commands, *options: str) -> Ran:
    return bonewise(
        "clinic", "add", "--code", "lake", "--name", "Lake Clinic", "--timezone", "America/Chicago", *options
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--code", CLINIC), f"there is a clinic with the code {CLINIC} already; choose another --code"),
        (("--code", "two words"), "--code 'two words': write 1 to 32 letters, digits, hyphens or underscores"),
        (("--code", ""), "--code '': write 1 to 32 letters"),
        (("--name", ""), "--name: the name has no letters in it"),
        (
            ("--name", "Lake\u202eClinic"),
            "--name: the name has a line break or an invisible character in it (U+202E)",
        ),
        (("--name", "A\udcffB"), "--name: the name has a line break or an invisible character in it (U+DCFF)"),
        (("--name", "=Lake"), "--name: the name begins like a spreadsheet formula; remove the leading ="),
        (("--name", "x" * 121), "--name: write at most 120 characters"),
        (
            ("--name", "Lake Clinic of the Upper Peninsula and Beyond"),
            "give a shorter, neutral one with --message-name",
        ),
        (("--message-name", "Lake MS Clinic"), '--message-name: "MS" names a diagnosis or a condition'),
        (("--message-name", "Lake {name}"), "--message-name: the name has { in it"),
        (("--timezone", "EST"), "use a place such as America/New_York"),
        (("--timezone", "Mars/Base"), "--timezone: Time zone 'Mars/Base' is not known"),
        (("--timezone", ""), "--timezone: The time zone is empty"),
        (("--sms-from", "hello"), "--sms-from 'hello': write it with + and its country code, such as +16175550100"),
        (
            ("--messaging-service", "MG1"),
            "--messaging-service: write the service's SID, MG and 32 hexadecimal digits",
        ),
        (
            ("--sms-from", "+16175550100", "--messaging-service", "MG" + "0" * 32),
            "--sms-from and --messaging-service: give one of the two",
        ),
        (("--email-from", "care.lake.example"), "--email-from: the e-mail address has no @"),
        (("--phone", "call us"), "--phone 'call us': write a number that patients can call, such as 617-555-0100"),
        (("--language", "english"), "--language 'english': a language is written as its tag; write \"en\""),
        (("--language", ""), "--language '': this is not a language tag"),
        (("--country", "USA"), "--country 'USA': write the two letters of ISO 3166, such as US"),
        (("--country", "ZZ"), "--country 'ZZ': write the two letters of ISO 3166, such as US"),
        (("--mps", "1001"), "--mps 1001: write messages per second, above 0 and at most 1000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_clinic_with_a_wrong_value_is_not_added_and_the_option_is_named(
    options: tuple[str, ...], says: str, bonewise: Commands
) -> None:
    assert says in refused(add_clinic(bonewise, *options))
    assert [clinic["code"] for clinic in bonewise.done("clinic", "list", "--json").json] == [CLINIC]


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "fast"])
def test_a_rate_is_a_number_above_0(rate: str, bonewise: Commands) -> None:
    ran = add_clinic(bonewise, "--mps", rate)
    assert (ran.code, ran.out) == (2, "")
    assert f"invalid value for '--mps': '{rate}' is not a number above 0." in ran.err


@pytest.mark.parametrize("phone", ["617-555-0100", "+44 20 7946 0018", "(617) 555-0100 ext. 5", "911"])
def test_a_clinic_may_write_its_phone_as_it_likes(phone: str, bonewise: Commands) -> None:
    assert add_clinic(bonewise, "--sms-from", "+16175550100", "--phone", phone).code == 0


def test_what_a_new_clinic_may_not_have_meant_is_said_beside_the_answer(bonewise: Commands) -> None:
    ran = add_clinic(bonewise, "--language", "fr-CA", "--json")
    assert (ran.code, ran.json["code"]) == (0, "lake")
    assert ran.err.splitlines() == [
        "bonewise: no message is written in fr-CA yet; until then those in en go",
        "bonewise: the clinic has no sender yet: nothing can be sent without --sms-from or --email-from",
    ]


def test_before_there_is_a_clinic_the_way_to_one_is_named(tmp_path: Path) -> None:
    commands = bare(tmp_path)
    commands.done("init")
    assert "`bonewise clinic add` makes one" in commands.done("clinic", "list").out
    said = refused(commands("patients", "--clinic", "river"))
    assert said == "no clinic has the code 'river'; there are none yet: `bonewise clinic add` makes one"


# Staff


def test_a_member_of_staff_belongs_to_a_clinic_once(bonewise: Commands) -> None:
    add = ("staff", "add", "--clinic", CLINIC, "--role", "clinician", "--email")
    added, link = bonewise.done(*add, DOCTOR).out.splitlines()
    assert added == f"Added {DOCTOR} as clinician of {CLINIC}."
    assert "http://127.0.0.1:8000/invitation/" in link
    assert refused(bonewise(*add, DOCTOR.upper())).endswith(f"belongs to clinic {CLINIC} already")
    assert refused(bonewise(*add, "doctor")) == "--email: the e-mail address has no @"


# Patients


def enrol(bonewise: Commands, *options: str) -> Ran:
    return bonewise("enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee", *options)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--mrn", "", "the mrn is missing"),
        ("--mrn", "=1", "the record number begins like a spreadsheet formula"),
        ("--name", "", "the name is missing"),
        ("--phone", "12", "the phone number is too short; write it in full, with its area code"),
        ("--email", "ann", "the e-mail address has no @"),
        ("--birth-date", "03/04/1970", "a date is written YYYY-MM-DD, such as 1974-03-31"),
        ("--birth-date", "2190-01-01", "the birth date lies in the future; look for a wrong year"),
        ("--language", "english", 'a language is written as its tag; write "en"'),
        ("--timezone", "EST", "use a place such as America/New_York"),
        ("--contact-time", "25:00", "there is no such time of day; hours go from 00 to 23, minutes from 00 to 59"),
        ("--channel", "fax", '"fax" is not one of sms, email'),
        ("--mobility", "walkin", 'did you mean "walking"?'),
        ("--sms-consent", "maybe", "write yes or no"),
        ("--sms-consent", "yes", "consent without the phone number that it is for; add the phone"),
        ("--consent-date", "2190-01-01", "the consent date lies in the future"),
        ("--pathways", "yoga", '"yoga" is not one of dexa, exercise, falls, nutrition, supplement, vitamin_d'),
        ("--exercise-days", "mon,tue", "days are written mon;tue;wed;thu;fri;sat;sun, with ; between them"),
        ("--risk-factors", "age", '"age" is not one of steroids'),
    ],
)
def test_a_patient_with_a_wrong_value_is_rejected_and_the_option_is_named(
    option: str, value: str, says: str, bonewise: Commands
) -> None:
    said = refused(enrol(bonewise, option, value))
    assert said.startswith(f"{option}: ")
    assert says in said
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").json == []


def test_every_wrong_value_is_named_at_once(bonewise: Commands) -> None:
    ran = enrol(bonewise, "--phone", "12", "--timezone", "EST", "--channel", "fax")
    assert ran.code == 1
    named = [line.split()[1] for line in ran.err.splitlines()]
    assert named == ["--phone:", "--timezone:", "--channel:"]


def test_enrolling_again_updates_and_says_when_nothing_changed(bonewise: Commands) -> None:
    assert enrol(bonewise, "--phone", "617 253 1000").out == "Created: 1.\n"
    assert enrol(bonewise, "--phone", "617 253 1000").out == "Unchanged: 1.\n"
    assert enrol(bonewise, "--contact-time", "07:00").out == "Updated: 1.\n"
    (patient,) = bonewise.done("patients", "--clinic", CLINIC, "--json").json
    assert (patient["phone"], patient["contact_time"]) == ("+16172531000", "07:00")


def test_a_language_without_messages_is_said_beside_the_answer(bonewise: Commands) -> None:
    ran = enrol(bonewise, "--language", "fr")
    assert (ran.code, ran.out) == (0, "Created: 1.\n")
    assert ran.err == "bonewise: no message is written in fr yet; until then those in en go\n"
    assert enrol(bonewise, "--language", "es-MX").err == ""


# Results


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--date", "2190-01-01"),
            "the date of the result, 2190-01-01, is in the future; write the date it was taken",
        ),
        (("--date", "1960-01-01"), "is before the patient's birth; look for a wrong year"),
        (
            ("--date", "2020-01-01", "--patient", "2"),
            "clinic river has no patient with MRN 2; `bonewise patients` lists",
        ),
    ],
    ids=["future", "before birth", "nobody"],
)
def test_a_result_that_cannot_be_is_not_recorded(options: tuple[str, ...], says: str, bonewise: Commands) -> None:
    enrol(bonewise, "--birth-date", "1970-01-01")
    before = bonewise.done("patients", "--clinic", CLINIC, "--json").json
    assert says in refused(bonewise(*RESULT, *options))
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").json == before


def test_a_unit_needs_a_value(bonewise: Commands) -> None:
    enrol(bonewise)
    ran = bonewise(*RESULT, "--date", "2020-01-01", "--unit", "ng/mL")
    assert (ran.code, ran.out) == (2, "")
    assert "--unit says nothing without --value; give both." in ran.err


def test_a_result_is_recorded_and_asks_a_clinician_to_review_it(bonewise: Commands) -> None:
    enrol(bonewise)
    ran = bonewise.done(*RESULT, "--date", "2020-01-01", "--value", "31", "--unit", "ng/mL", "--next-months", "3")
    assert ran.out == "Recorded the vitamin_d result of 2020-01-01 for 1.\n"
    (task,) = bonewise.done("tasks", "--clinic", CLINIC, "--json").json
    assert (task["patient"], task["status"]) == ("1", "open")


def test_the_same_result_again_is_on_file_already_and_another_value_is_refused(bonewise: Commands) -> None:
    enrol(bonewise)
    given = (*RESULT, "--date", "2020-01-01", "--value", "31")
    bonewise.done(*given)
    assert (
        bonewise.done(*given).out
        == "On file already, nothing has changed: the vitamin_d result of 2020-01-01 for 1.\n"
    )
    assert "void it first" in refused(bonewise(*RESULT, "--date", "2020-01-01", "--value", "13"))
    assert "at most 32" in refused(bonewise(*RESULT, "--date", "2020-01-02", "--value", "x" * 33))


def test_a_result_that_was_a_mistake_is_voided_once_and_with_a_reason(bonewise: Commands) -> None:
    enrol(bonewise)
    bonewise.done(*RESULT, "--date", "2020-01-01")
    void = ("result", "void", *RESULT[2:], "--date", "2020-01-01", "--reason")
    assert "say why" in refused(bonewise(*void, " "))
    assert bonewise.done(*void, "Somebody else's").out == (
        "Void: the vitamin_d result of 2020-01-01 for 1.\nVitamin D check: as if it had not been recorded.\n"
    )
    assert "was voided already" in refused(bonewise(*void, "again"))
    (task,) = bonewise.done("tasks", "--clinic", CLINIC, "--json").json
    assert task["status"] != "open"
    nothing = ("result", "void", *RESULT[2:], "--date", "2020-01-02", "--reason", "x")
    assert "there is no vitamin_d result of 2020-01-02 for 1" in refused(bonewise(*nothing))


def test_a_patient_is_erased_for_good(bonewise: Commands) -> None:
    enrol(bonewise)
    ran = bonewise.done("erase", "--clinic", CLINIC, "--patient", "1", "--json")
    assert ran.json["patient"] == "1"
    assert "enrols them anew" in ran.err
    assert "has no patient with MRN 1" in refused(bonewise("erase", "--clinic", CLINIC, "--patient", "1"))


@pytest.mark.parametrize("wish", [("--discreet",), ("--discreet", "yes")])
def test_discreet_wording_is_chosen_when_somebody_is_enrolled(wish: tuple[str, ...], bonewise: Commands) -> None:
    assert "add the birth_date" in enrol(bonewise, *wish).err
    assert enrol(bonewise, "--birth-date", "1970-01-01", *wish).out == "Created: 1.\n"
    again = ("page", "wording", "--clinic", CLINIC, "--patient", "1", "--discreet", "no", "--by", DOCTOR)
    bonewise("staff", "add", "--clinic", CLINIC, "--email", DOCTOR, "--role", "clinician")
    assert "say what they are about" in bonewise.done(*again).out


# Supplement cases


@pytest.fixture
def sample(tmp_path: Path) -> Commands:
    """The sample clinic, in which one patient has asked about a supplement."""
    commands = bare(tmp_path)
    commands.done("init")
    commands.done("sample", "load")
    return commands


def test_only_a_clinician_of_the_clinic_decides_and_only_once(sample: Commands) -> None:
    (case,) = sample.done("clearance", "list", "--json").json
    decide = ("clearance", "decide", str(case["id"]), "--decision")
    stranger = refused(sample(*decide, "cleared", "--by", "stranger@other.example"))
    assert stranger == (
        "stranger@other.example is not a clinician of clinic sample; only a clinician decides: "
        "`bonewise staff add --role clinician` adds one"
    )
    sample.done("staff", "add", "--clinic", "sample", "--email", "desk@clinic.example", "--role", "coordinator")
    assert "is not a clinician" in refused(sample(*decide, "cleared", "--by", "desk@clinic.example"))
    sample.done("staff", "add", "--clinic", "sample", "--email", DOCTOR, "--role", "clinician")
    done = sample.done(*decide, "cleared", "--by", DOCTOR)
    assert done.out == f"Case {case['id']} of {case['patient']}: cleared, signed by {DOCTOR}.\n"
    again = refused(sample(*decide, "not_cleared", "--by", DOCTOR))
    assert again == f"supplement case {case['id']} was already decided: cleared by {DOCTOR}"
    (decided,) = sample.done("clearance", "list", "--json").json
    assert (decided["decision"], decided["decided_by"]) == ("cleared", DOCTOR)


def test_the_command_says_when_the_patient_hears_nothing_and_why(sample: Commands) -> None:
    (case,) = sample.done("clearance", "list", "--json").json
    sample.done("staff", "add", "--clinic", "sample", "--email", DOCTOR, "--role", "clinician")
    with chdir(sample.folder), opened() as app:
        with app.store.reading() as unit:
            clinic = next(one for one in unit.installation.clinics().values() if one.code == "sample")
        ask_clinician(
            app.store, app.rules, Deciding(clinic, case["patient"], DOCTOR, app.clock.now()), "zinc tablets"
        )
    decide = ("--decision", "cleared", "--by", DOCTOR)
    first = sample.done("clearance", "decide", str(case["id"]), *decide)
    assert first.out.splitlines()[1].startswith(
        "Nothing is sent to the patient yet: they still wait for the decision on"
    )
    (other,) = [one for one in sample.done("clearance", "list", "--json").json if not one["decision"]]
    last = sample.done("clearance", "decide", str(other["id"]), "--decision", "not_cleared", "--by", DOCTOR)
    assert last.out.splitlines()[1] == (
        "What the patient asked about with it was decided differently: they are asked to come in."
    )


def test_a_case_that_does_not_exist_is_refused(bonewise: Commands) -> None:
    decide = ("--decision", "cleared", "--by", DOCTOR)
    said = refused(bonewise("clearance", "decide", "7", *decide))
    assert said == "there is no supplement case 7; `bonewise clearance list` shows the open ones"
    for wrong in ("0", "x", "99999999999999999999"):
        ran = bonewise("clearance", "decide", wrong, *decide)
        assert ran.code == 2
        assert f"'{wrong}' is not a whole number from 1 to 2147483647." in ran.err


def test_a_password_may_come_over_standard_input(bonewise: Commands) -> None:
    add = ("staff", "add", "--clinic", CLINIC, "--role", "coordinator", "--json", "--email")
    assert bonewise(*add, "desk@x.example", given="four words of their own\n").json["link"] is None
    refused_one = bonewise(*add, "other@x.example", given="secret\n")
    assert refused_one.code == 1
    assert "Use at least 12 characters" in refused_one.err
    listed = bonewise.done("staff", "list", "--clinic", CLINIC, "--json").json
    assert listed == [{"email": "desk@x.example", "role": "coordinator", "state": "has a password"}]


def test_somebody_who_lost_their_way_in_gets_a_link_and_somebody_who_left_does_not(bonewise: Commands) -> None:
    bonewise.done("staff", "add", "--clinic", CLINIC, "--role", "clinician", "--email", DOCTOR)
    link = ("staff", "link", "--clinic", CLINIC, "--email", DOCTOR)
    first = bonewise.done(*link).out
    assert bonewise.done(*link, "--forget-second-factor").out != first
    bonewise.done("staff", "remove", "--clinic", CLINIC, "--email", DOCTOR)
    assert f"{DOCTOR} does not work at clinic {CLINIC}" in bonewise(*link).err
    assert "left on" in bonewise.done("staff", "list", "--clinic", CLINIC).out
