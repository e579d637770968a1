"""FHIR exports of patients: whichever shape the file has, and what is made of a Patient resource."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.services.intake.draft import (
    Excluded,
    Exclusion,
    IntakeDefaults,
    PatientDraft,
    PhoneCheck,
    Rejected,
    Row,
    UnreadableFile,
)
from scheduler.services.intake.fhir_json import Found
from scheduler.services.intake.fhir_patient import row_from_patient
from scheduler.services.intake.fhir_patients import FhirRows, read_fhir

SAMPLES = Path(__file__).parent.parent / "data" / "import"
EXPORTS = Path(__file__).parents[3] / "shared" / "data"
CLINIC = IntakeDefaults(
    country="US", phone_check=PhoneCheck.VALID, pathway_names=frozenset({"dexa"}), today=date(2026, 11, 22)
)
POSSIBLE = replace(CLINIC, phone_check=PhoneCheck.POSSIBLE)
MR = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
MOBILE = {"system": "phone", "use": "mobile", "value": "212-736-5000"}


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "name": [{"family": "Lee", "given": ["Ann"]}], **elements}


def row(resource: dict[str, Any], *, grant_consent: bool = False, defaults: IntakeDefaults = CLINIC) -> Row:
    found = Found(7, "Patient", resource, json.dumps(resource))
    return row_from_patient(found, defaults=defaults, grant_consent=grant_consent)


def draft(resource: dict[str, Any], *, grant_consent: bool = False) -> PatientDraft:
    made = row(resource, grant_consent=grant_consent)
    assert isinstance(made, PatientDraft), made
    return made


def reachable_by(*telecom: dict[str, Any]) -> tuple[str | None, str | None]:
    made = draft(patient(telecom=list(telecom)))
    return made.phone, made.email


def paths(made: Row) -> list[str]:
    assert isinstance(made, Rejected), made
    return [error.column for error in made.errors]


def warned(made: Row) -> list[str]:
    assert isinstance(made, PatientDraft), made
    return [warning.column for warning in made.warnings]


def read(folder: Path, content: str | bytes, defaults: IntakeDefaults = CLINIC) -> FhirRows:
    path = folder / "export.ndjson"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_fhir(path, defaults=defaults, grant_consent=False)


def line(**elements: Any) -> str:
    return json.dumps(patient(**elements)) + "\n"


def export(name: str) -> Path:
    path = EXPORTS / name / "Patient.ndjson"
    if not path.exists():
        pytest.skip(f"the sample export {name} is not there")
    return path


@pytest.mark.parametrize(("name", "alive", "deceased"), [("fhir-bulk-100", 100, 20), ("fhir-bulk-10", 10, 3)])
def test_a_bulk_export_gives_its_living_patients_and_excludes_the_dead(name: str, alive: int, deceased: int) -> None:
    found = Counter(
        found.reason if isinstance(found, Excluded) else type(found)
        for found in read_fhir(export(name), defaults=POSSIBLE, grant_consent=True)
    )
    assert found == {PatientDraft: alive, Exclusion.DECEASED: deceased}


def test_numbers_that_cannot_exist_are_rejected_by_path_when_validity_is_asked_for() -> None:
    found = list(read_fhir(export("fhir-bulk-100"), defaults=CLINIC, grant_consent=True))
    rejected = [made for made in found if isinstance(made, Rejected)]
    assert len(rejected) == 100
    assert {column for made in rejected for column in paths(made)} == {"Patient.telecom[0].value"}


def test_a_bulk_export_is_read_as_an_independent_library_reads_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = pytest.importorskip("fhir.resources.R4B.patient").Patient
    path = export("fhir-bulk-100")
    resources = [oracle.model_validate_json(text) for text in path.read_text().splitlines()]
    living = {resource.id: resource for resource in resources if resource.deceasedDateTime is None}
    drafts = [
        made for made in read_fhir(path, defaults=POSSIBLE, grant_consent=False) if isinstance(made, PatientDraft)
    ]
    assert {made.mrn for made in drafts} == set(living)
    for made in drafts:
        resource = living[made.mrn]
        assert made.name == " ".join([*resource.name[0].given, resource.name[0].family])
        assert made.birth_date == resource.birthDate
        assert made.phone == "+1" + resource.telecom[0].value.replace("-", "")
        assert made.language == resource.communication[0].language.coding[0].code
        assert (made.email, made.sms_consent, made.timezone) == (None, None, None)


def test_the_record_number_is_the_identifier_typed_mr_and_else_the_resource_id() -> None:
    other = {"system": "urn:x", "value": "other"}
    old = {"type": MR, "use": "old", "value": "old"}
    ended = {"type": MR, "period": {"end": "2020"}, "value": "ended"}
    typed = {"type": MR, "value": " 00042 "}
    foreign = {"type": {"coding": [{"system": "urn:elsewhere", "code": "MR"}]}, "value": "foreign"}
    assert draft(patient(identifier=[other, old, ended, foreign, typed])).mrn == "00042"
    assert draft(patient(identifier=[other, old])).mrn == "p1"
    assert paths(row(patient(id=None))) == ["Patient.identifier"]


def test_a_record_number_without_a_page_is_refused_but_who_has_one_is_still_taken_off() -> None:
    named = patient(identifier=[{"type": MR, "value": "a/b"}])
    assert paths(row(named)) == ["Patient.identifier"]
    assert row({**named, "deceasedBoolean": True}) == Excluded(line=7, reason=Exclusion.DECEASED, mrn="a/b")


def test_the_official_name_goes_before_the_usual_one_and_an_old_one_never() -> None:
    old, maiden = {"use": "old", "text": "Old"}, {"use": "maiden", "text": "Maiden"}
    usual, official = (
        {"use": "usual", "text": "Usual"},
        {"use": "official", "given": ["Ann", "Bea"], "family": "Lee"},
    )
    assert draft(patient(name=[old, usual, official])).name == "Ann Bea Lee"
    assert draft(patient(name=[old, maiden, usual])).name == "Usual"
    assert paths(row(patient(name=[old, maiden]))) == ["Patient.name"]
    assert paths(row(patient(name=[{"text": "=cmd"}]))) == ["Patient.name"]


def test_a_phone_is_chosen_by_rank_then_mobile_then_home_then_work() -> None:
    home = {"system": "phone", "use": "home", "value": "212-736-5001"}
    work = {"system": "phone", "use": "work", "value": "212-736-5002"}
    texts = {"system": "sms", "value": "212-736-5003"}
    assert reachable_by(work, home, MOBILE) == ("+12127365000", None)
    assert reachable_by(work, home) == ("+12127365001", None)
    assert reachable_by(home, texts) == ("+12127365003", None)
    assert reachable_by(MOBILE, {**work, "rank": 1}, {**home, "rank": 2}) == ("+12127365002", None)


def test_old_and_expired_numbers_faxes_and_pagers_are_not_used() -> None:
    old = {**MOBILE, "use": "old"}
    expired = {**MOBILE, "period": {"end": "2026-11-21T23:00:00Z"}}
    not_yet = {**MOBILE, "period": {"start": "2027"}}
    fax, pager = {**MOBILE, "system": "fax"}, {**MOBILE, "system": "pager"}
    email = {"system": "email", "value": "Ann@Example.org"}
    assert reachable_by(old, expired, not_yet, fax, pager, email) == (None, "Ann@example.org")
    assert reachable_by({**MOBILE, "period": {"start": "2020", "end": "2026-11"}}) == ("+12127365000", None)


def test_a_bad_phone_gives_way_to_the_next_one_and_to_an_email_address_with_a_warning() -> None:
    bad = {"system": "phone", "use": "mobile", "value": "123"}
    made = draft(patient(telecom=[bad, {**MOBILE, "use": "home"}]))
    assert (made.phone, warned(made)) == ("+12127365000", ["Patient.telecom[0].value"])
    made = draft(patient(telecom=[bad, {"system": "email", "value": "ann@example.org"}]))
    assert (made.phone, made.email, warned(made)) == (None, "ann@example.org", ["Patient.telecom[0].value"])


def test_a_patient_whose_every_address_is_bad_is_rejected_with_each_of_them() -> None:
    telecom = [{"system": "phone", "value": "123"}, {"system": "email", "value": "nobody"}]
    made = row(patient(telecom=telecom))
    assert paths(made) == ["Patient.telecom[0].value", "Patient.telecom[1].value"]
    landline = {"system": "phone", "value": "+44 20 7946 0958"}
    assert paths(row(patient(telecom=[landline]))) == ["Patient.telecom[0].value"]


def test_a_patient_without_any_address_is_enrolled_with_a_warning() -> None:
    made = draft(patient(), grant_consent=True)
    assert (made.phone, made.email, made.sms_consent, made.consent_date) == (None, None, None, None)
    assert warned(made) == ["Patient.telecom"]


def test_codes_that_fhir_does_not_have_cost_the_entry_and_not_the_patient() -> None:
    made = draft(patient(telecom=[{**MOBILE, "system": "smoke"}, {**MOBILE, "use": "signal"}, MOBILE]))
    assert made.phone == "+12127365000"
    assert warned(made) == ["Patient.telecom[0].system", "Patient.telecom[1].use"]


def test_a_partial_birth_date_is_left_out_with_a_warning_and_an_impossible_one_rejected() -> None:
    for partial in ("1970", "1970-05"):
        made = draft(patient(birthDate=partial, telecom=[MOBILE]))
        assert (made.birth_date, warned(made)) == (None, ["Patient.birthDate"])
        assert "birth_date" not in made.given
    assert paths(row(patient(birthDate="1970-02-30"))) == ["Patient.birthDate"]


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"deceasedBoolean": True}, Exclusion.DECEASED),
        ({"deceasedDateTime": "2020-01"}, Exclusion.DECEASED),
        ({"active": False}, Exclusion.INACTIVE),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}, Exclusion.MERGED),
    ],
)
def test_who_died_is_inactive_or_was_merged_is_excluded_even_from_an_otherwise_bad_record(
    elements: dict[str, Any], reason: Exclusion
) -> None:
    assert row(patient(**elements, name=[], birthDate="x")) == Excluded(line=7, reason=reason, mrn="p1")


def test_who_is_alive_and_active_in_so_many_words_is_enrolled() -> None:
    made = draft(patient(deceasedBoolean=False, active=True, link=[{"type": "seealso"}]))
    assert made.mrn == "p1"


def test_whether_somebody_lives_is_not_guessed_from_a_malformed_element() -> None:
    assert paths(row(patient(deceasedBoolean="true"))) == ["Patient.deceasedBoolean"]
    assert paths(row(patient(active="false"))) == ["Patient.active"]


def test_the_preferred_language_is_taken_and_one_that_is_no_tag_left_out() -> None:
    def speaks(code: str, **more: Any) -> dict[str, Any]:
        return {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}, **more}

    assert draft(patient(communication=[speaks("en"), speaks("es-mx", preferred=True)])).language == "es-MX"
    assert draft(patient(communication=[speaks("pl"), speaks("en")])).language == "pl"
    made = draft(patient(communication=[speaks("english")], telecom=[MOBILE]))
    assert (made.language, warned(made)) == (None, ["Patient.communication"])


@pytest.mark.parametrize("member", ["valueCode", "valueString"])
def test_the_time_zone_extension_is_read_in_both_of_its_forms(member: str) -> None:
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", member: "America/Denver"}
    assert draft(patient(extension=[{"url": "urn:x"}, extension])).timezone == "America/Denver"
    made = draft(patient(extension=[{**extension, member: "EST"}], telecom=[MOBILE]))
    assert (made.timezone, warned(made)) == (None, ["Patient.extension"])


def test_consent_is_none_unless_the_clinic_grants_it_and_then_for_each_address_that_is_there() -> None:
    made = draft(patient(telecom=[MOBILE]))
    assert (made.sms_consent, made.email_consent, made.consent_date) == (None, None, None)
    made = draft(patient(telecom=[MOBILE]), grant_consent=True)
    assert (made.sms_consent, made.email_consent, made.consent_date) == (True, None, CLINIC.today)


def test_a_resource_gives_only_what_it_speaks_about() -> None:
    assert draft(patient()).given == {"mrn", "name"}
    replaced = {**MOBILE, "use": "old"}
    assert draft(patient(telecom=[replaced], birthDate="1970-01-01")).given == {
        "mrn",
        "name",
        "phone",
        "birth_date",
    }


@pytest.mark.parametrize(
    "elements",
    [
        {"telecom": {}},
        {"telecom": ["x"]},
        {"name": "Ann"},
        {"identifier": 5},
        {"link": [None]},
        {"communication": "en"},
        {"extension": [1]},
    ],
)
def test_an_element_of_the_wrong_shape_is_named(elements: dict[str, Any]) -> None:
    [element] = elements
    assert all(path.startswith(f"Patient.{element}") for path in paths(row(patient(**elements))))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["system", "use", "value", "period", "end", "type", "coding", "code"]), inner
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "active",
                "name",
                "identifier",
                "telecom",
                "birthDate",
                "deceasedBoolean",
                "communication",
                "link",
                "extension",
            ]
        ),
        json_values | st.lists(json_values, max_size=3),
    )
)
def test_no_patient_however_malformed_stops_the_import(elements: dict[str, Any]) -> None:
    made = row({"resourceType": "Patient", **elements})
    assert isinstance(made, PatientDraft | Excluded) or (made.errors and all(e.reason for e in made.errors))


def test_a_bundle_is_opened_up_and_its_faults_are_found_by_line_and_entry() -> None:
    reader = read_fhir(SAMPLES / "bundle.json", defaults=CLINIC, grant_consent=False)
    first, second = list(reader)
    assert isinstance(first, PatientDraft)
    assert (first.mrn, first.name, first.line) == ("p1", "Ann Marie Lee", 6)
    assert paths(second) == ["Bundle.entry[2].resource.telecom[0].value"]
    assert second.line == 16
    assert reader.ignored == {"Practitioner": 1}
    assert "one page of a longer result" in reader.notices[0]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_patient_and_a_bundle_are_read_on_one_line_or_many(tmp_path: Path, indent: int | None) -> None:
    bundle = {"entry": [{"resource": patient()}], "resourceType": "Bundle", "type": "collection"}
    for document in (patient(), bundle):
        [made] = read(tmp_path, "\ufeff" + json.dumps(document, indent=indent))
        assert isinstance(made, PatientDraft)


def test_a_broken_line_is_rejected_with_its_place_and_the_other_lines_load(tmp_path: Path) -> None:
    good = [line(id="a"), line(id="b"), line(id="c")]
    broken = ['{"resourceType":"Patient",\n', "\n", '["x"]\n', '{"id":"x"}\n', "[" * 100_000 + "\n"]
    found = list(read(tmp_path, "".join([good[0], *broken, good[1], good[2]])))
    assert [made.line for made in found if isinstance(made, Rejected)] == [2, 4, 5, 6]
    assert [made.mrn for made in found if isinstance(made, PatientDraft)] == ["a", "b", "c"]
    assert isinstance(found[1], Rejected)
    assert "at character 27" in found[1].errors[0].reason


def test_a_first_line_that_is_broken_does_not_hide_that_the_file_is_ndjson(tmp_path: Path) -> None:
    found = list(read(tmp_path, '{"resourceType":"Pat\n' + line(id="a") + line(id="b")))
    assert [type(made) for made in found] == [Rejected, PatientDraft, PatientDraft]


def test_a_line_that_is_not_utf8_or_much_too_long_costs_that_line(tmp_path: Path) -> None:
    content = line(id="a").encode() + b'{"x":"\xff"}\n' + b'"' + b"x" * 10_000_001 + b'"\n' + line(id="b").encode()
    found = list(read(tmp_path, content))
    assert [(type(made), made.line) for made in found] == [
        (PatientDraft, 1),
        (Rejected, 2),
        (Rejected, 3),
        (PatientDraft, 4),
    ]


def test_the_second_resource_of_a_patient_is_rejected_unless_it_says_that_they_died(tmp_path: Path) -> None:
    found = list(read(tmp_path, line() + line() + line(deceasedBoolean=True)))
    assert [type(made) for made in found] == [PatientDraft, Rejected, Excluded]
    on_one_line = json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient()}] * 2})
    assert [type(made) for made in read(tmp_path, on_one_line)] == [PatientDraft, Rejected]


def test_other_resources_are_counted_and_deleted_entries_passed_over(tmp_path: Path) -> None:
    deletion = {"request": {"method": "DELETE", "url": "Patient/x"}}
    bundle = {"resourceType": "Bundle", "entry": [deletion, {"resource": {"resourceType": "Group"}}]}
    reader = read(tmp_path, json.dumps(bundle) + '\n{"resourceType":"Group"}\n')
    assert list(reader) == []
    assert reader.ignored == {"Group": 2}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("mrn,name\nA1,Ann\n", "line 1, column 1 is not JSON"),
        ('{\n  "resourceType": "Bundle",\n  "entry": [\n    {]\n', "line 4, column 6 is not JSON"),
        ('{\n"resourceType": "Bundle"\n} x', "line 3, column 3 is not JSON"),
        ("[\n1]", "not a FHIR resource"),
        ('{\n"id": "x"}', "not a FHIR resource"),
        (b'{\n"id": "\xff"}', "line 2 is not UTF-8"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08", "gzip"),
        ("[\n" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_fhir_says_why(tmp_path: Path, content: str | bytes, why: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, content)
    assert why in str(caught.value)
