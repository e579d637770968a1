"""Rejected records in a file that can be corrected and imported again."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.services.intake.csv_rows import read_csv
from scheduler.services.intake.draft import IntakeDefaults, PatientDraft, PhoneCheck, Rejected
from scheduler.services.intake.errors_file import csv_errors_file, fhir_errors_file
from scheduler.services.intake.fhir_patients import read_fhir
from scheduler.services.intake.formulas import harmless, original

SAMPLES = Path(__file__).parent.parent / "data" / "import"
CLINIC = IntakeDefaults(
    country="US",
    phone_check=PhoneCheck.VALID,
    pathway_names=frozenset({"dexa", "vitamin_d"}),
    today=date(2026, 11, 22),
)


def rejected_csv(source: Path, errors: Path) -> list[Rejected]:
    reader = read_csv(source, defaults=CLINIC)
    with csv_errors_file(errors, source=source, header=reader.header) as file:
        rejected = [row for row in reader if isinstance(row, Rejected)]
        for row in rejected:
            file.write(row)
    return rejected


def rejected_fhir(source: Path, errors: Path) -> list[Rejected]:
    with fhir_errors_file(errors, source=source) as file:
        rows = read_fhir(source, defaults=CLINIC, grant_consent=False)
        rejected = [row for row in rows if isinstance(row, Rejected)]
        for row in rejected:
            file.write(row)
    return rejected


def columns(rows: Sequence[Rejected]) -> list[list[str]]:
    return [[error.column for error in row.errors] for row in rows]


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_rejected_rows_keep_their_cells_and_get_their_reasons_in_a_last_column(tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    source = tmp_path / "patients.csv"
    source.write_text("Name,MRN,phone\nAnn,A1,123\nBo,A2,212-736-5000\nCy,A3,456\n")
    assert len(rejected_csv(source, errors)) == 2
    header, ann, cy = table(errors)
    assert header == ["Name", "MRN", "phone", "error"]
    assert ann[:3] == ["Ann", "A1", "123"]
    assert ann[3].startswith("phone: the phone number is too short")
    assert cy[:3] == ["Cy", "A3", "456"]


def test_a_corrected_errors_file_imports_and_an_uncorrected_one_is_rejected_as_before(tmp_path: Path) -> None:
    source, errors, again = SAMPLES / "faults.csv", tmp_path / "errors.csv", tmp_path / "again.csv"
    first = rejected_csv(source, errors)
    # The first row of B-001 was sound and is not in the errors file, so its second is now the first.
    kept = [row for row in first if "the same record number" not in row.errors[0].reason]
    assert [set(found) for found in columns(rejected_csv(errors, again))] == [
        {"name"} if "Open Quote" in str(row.raw) else set(found)
        for row, found in zip(kept, columns(kept), strict=True)
    ]
    errors.write_text(errors.read_text().replace("25:00", "15:00").replace("wheel chair", "wheelchair"))
    corrected = {row.mrn for row in read_csv(errors, defaults=CLINIC) if isinstance(row, PatientDraft)}
    assert {"B-013", "B-015"} <= corrected


def test_a_second_errors_file_has_one_error_column_and_keeps_the_delimiter(tmp_path: Path) -> None:
    source, errors, again = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    source.write_text("mrn;name;phone\nA1;Ann;123\n")
    rejected_csv(source, errors)
    rejected_csv(errors, again)
    assert again.read_bytes() == errors.read_bytes()
    assert again.read_bytes().startswith(b"\xef\xbb\xbfmrn;name;phone;error\r\n")


def test_no_cell_of_an_errors_file_is_a_formula_and_yet_it_reads_back_as_it_was(tmp_path: Path) -> None:
    source, errors, again = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    source.write_text("mrn,name,phone\n-A1,=cmd|x,+1 212 736 50\n@A2,'=x,123\n")
    first = rejected_csv(source, errors)
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in table(errors) for cell in line)
    second = rejected_csv(errors, again)
    assert [row.raw[:3] for row in second] == [row.raw for row in first]
    assert columns(second) == columns(first)


@given(st.text(st.sampled_from("'=+-@\t\rab"), max_size=6))
def test_making_a_cell_harmless_can_always_be_undone(cell: str) -> None:
    assert original(harmless(cell)) == cell
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(table=st.lists(st.lists(st.text(st.sampled_from("'=+-@,;\"\nAé "), max_size=5), max_size=5), max_size=8))
def test_nothing_that_was_rejected_slips_in_when_its_errors_file_comes_back_uncorrected(
    tmp_path: Path, table: list[list[str]]
) -> None:
    source, errors, again = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    with source.open("w", newline="") as stream:
        csv.writer(stream).writerows([["mrn", "name", "phone"], *([f"M{n}", *row] for n, row in enumerate(table))])
    first = rejected_csv(source, errors)
    if not first:
        assert not errors.exists()
        return
    assert len(rejected_csv(errors, again)) == len(first)


def test_an_errors_file_is_for_its_owner_alone_and_is_not_left_behind_empty(tmp_path: Path) -> None:
    source, errors = SAMPLES / "faults.csv", tmp_path / "errors.csv"
    rejected_csv(source, errors)
    assert errors.stat().st_mode & 0o777 == 0o600
    assert rejected_csv(SAMPLES / "patients.csv", errors) == []
    assert not errors.exists()


def test_an_errors_file_never_overwrites_the_file_being_imported(tmp_path: Path) -> None:
    source = tmp_path / "patients.csv"
    source.write_text("mrn,name\n")
    with pytest.raises(ValueError, match="choose another name"):
        csv_errors_file(
            tmp_path / "." / "patients.csv", source=source, header=read_csv(source, defaults=CLINIC).header
        )
    assert source.read_text() == "mrn,name\n"


def test_rejected_resources_are_ndjson_with_an_operation_outcome_before_each(tmp_path: Path) -> None:
    source, errors, again = tmp_path / "a.ndjson", tmp_path / "b.ndjson", tmp_path / "c.ndjson"
    bad = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"text": "Zoë"}],
        "telecom": [{"system": "phone", "value": "1"}],
    }
    text = json.dumps(bad, ensure_ascii=False)
    broken = b'{"resourceType":"Patient","id":"\xff\n'
    source.write_bytes(
        text.encode() + b"\n" + broken + b'{"resourceType":"Patient","id":"p2","name":[{"text":"Bo"}]}\n'
    )
    first = rejected_fhir(source, errors)
    outcome, resource, second_outcome, rest = errors.read_bytes().splitlines(keepends=True)
    issue = json.loads(outcome)["issue"][0]
    assert issue["expression"] == ["Patient.telecom[0].value"]
    assert issue["diagnostics"].startswith("line 1: ")
    assert (resource.decode(), rest) == (text + "\n", broken)
    assert json.loads(second_outcome)["resourceType"] == "OperationOutcome"
    assert columns(rejected_fhir(errors, again)) == columns(first)
    errors.write_text(errors.read_text(errors="replace").replace('"value": "1"', '"value": "212-736-5000"'))
    reader = read_fhir(errors, defaults=CLINIC, grant_consent=False)
    assert [row.mrn for row in reader if isinstance(row, PatientDraft)] == ["p1"]
    assert reader.ignored == {"OperationOutcome": 2}


def test_a_rejected_entry_of_a_bundle_becomes_a_line_that_can_be_imported(tmp_path: Path) -> None:
    errors = tmp_path / "errors.ndjson"
    rejected_fhir(SAMPLES / "bundle.json", errors)
    errors.write_text(errors.read_text().replace('"123"', '"212-736-5000"'))
    [row] = read_fhir(errors, defaults=CLINIC, grant_consent=False)
    assert isinstance(row, PatientDraft)
    assert (row.mrn, row.phone) == ("p2", "+12127365000")
