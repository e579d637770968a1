"""A CSV file of patients: its header, its rows, and what is wrong with either."""

from __future__ import annotations

import csv
import io
import tracemalloc
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility, RiskFactor
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.csv_records import split_records
from scheduler.services.intake.csv_rows import read_csv
from scheduler.services.intake.draft import (
    IntakeDefaults,
    PatientDraft,
    PhoneCheck,
    Rejected,
    Row,
    UnreadableFile,
)
from scheduler.services.intake.fields import COLUMNS

SAMPLES = Path(__file__).parent.parent / "data" / "import"
CLINIC = IntakeDefaults(
    country="US",
    phone_check=PhoneCheck.VALID,
    pathway_names=frozenset({"vitamin_d", "dexa", "exercise", "supplement"}),
    today=date(2026, 11, 22),
)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "patients.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(folder: Path, content: str | bytes, defaults: IntakeDefaults = CLINIC) -> list[Row]:
    return list(read_csv(write(folder, content), defaults=defaults))


def only(found: list[Row]) -> PatientDraft:
    assert len(found) == 1
    assert isinstance(found[0], PatientDraft), found[0]
    return found[0]


def complaints(row: Row) -> dict[str, str]:
    assert isinstance(row, Rejected), row
    return {error.column: error.reason for error in row.errors}


def refused(folder: Path, content: str | bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_csv(write(folder, content), defaults=CLINIC)  # at once, before any row is asked for
    return str(caught.value)


def test_every_column_of_a_full_row_reaches_the_draft() -> None:
    patricia = list(read_csv(SAMPLES / "patients.csv", defaults=CLINIC))[1]
    assert patricia == PatientDraft(
        mrn="A-002",
        name="Quinn, Patricia",
        birth_date=date(1974, 11, 30),
        phone="+14157365001",
        email="Pat.Quinn@example.org",
        language="en",
        timezone="America/Los_Angeles",
        contact_time=time(9, 15),
        channel=Channel.EMAIL,
        mobility=Mobility.WHEELCHAIR,
        sms_consent=True,
        email_consent=True,
        consent_date=date(2026, 2, 17),
        pathways=("vitamin_d", "dexa"),
        exercise_days=frozenset({Weekday.MON, Weekday.WED, Weekday.FRI}),
        discreet=True,
        given=frozenset(COLUMNS),
    )


def test_empty_cells_say_nothing_and_a_row_of_little_is_a_patient_all_the_same() -> None:
    found = list(read_csv(SAMPLES / "patients.csv", defaults=CLINIC))
    assert [type(row) for row in found] == [PatientDraft] * 4
    assert found[3] == PatientDraft(
        mrn="A-004", name="José O'Neil", birth_date=date(1980, 2, 29), given=frozenset(COLUMNS)
    )


def test_a_draft_tells_which_columns_the_file_has_so_that_an_update_leaves_the_others_alone(
    tmp_path: Path,
) -> None:
    draft = only(rows(tmp_path, "phone,mrn,name\n,A1,Ann\n"))
    assert draft.given == {"mrn", "name", "phone"}
    assert draft.phone is None


def test_header_names_may_differ_in_case_and_spacing(tmp_path: Path) -> None:
    draft = only(rows(tmp_path, " MRN , Birth Date ,Name,,\nA1,1970-01-01,Ann,,\n"))
    assert (draft.mrn, draft.birth_date, draft.name) == ("A1", date(1970, 1, 1), "Ann")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_either_line_end_make_no_difference(tmp_path: Path, bom: bytes, ending: str) -> None:
    draft = only(rows(tmp_path, bom + f"mrn,name{ending}A1,Zoë{ending}".encode()))
    assert (draft.mrn, draft.name) == ("A1", "Zoë")


def test_a_file_from_a_spreadsheet_with_decimal_commas_is_read_with_its_semicolons() -> None:
    german = replace(CLINIC, country="DE")
    draft = only(list(read_csv(SAMPLES / "semicolons.csv", defaults=german)))
    assert draft.risk_factors == (RiskFactor.STEROIDS, RiskFactor.SSRI)
    assert draft.exercise_days == frozenset({Weekday.MON, Weekday.THU})
    assert draft.phone == "+4915123456789"


@pytest.mark.parametrize(
    "content", ["mrn\tname\nA1\tAnn\n", "sep=;\r\nmrn;name\r\nA1;Ann\r\n", "\n\nmrn|name\nA1|Ann\n"]
)
def test_tabs_bars_and_the_delimiter_hint_of_excel_are_understood(tmp_path: Path, content: str) -> None:
    assert only(rows(tmp_path, content)).name == "Ann"


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    found = rows(tmp_path, 'sep=,\nmrn,name\n\nA1,Ann\n,,\nA2,"Bo\n"\nA3,Cy\n')
    assert [(row.line, getattr(row, "name", None)) for row in found] == [(4, "Ann"), (6, "Bo"), (8, "Cy")]


def test_every_kind_of_bad_row_is_rejected_by_line_and_column_and_the_good_rows_load() -> None:
    found = list(read_csv(SAMPLES / "faults.csv", defaults=CLINIC))
    good = [row.mrn for row in found if isinstance(row, PatientDraft)]
    bad = {row.line: [error.column for error in row.errors] for row in found if isinstance(row, Rejected)}
    assert good == ["B-001", "B-027"]
    assert bad == {
        3: ["mrn"],
        4: ["name"],
        5: ["mrn"],
        6: ["birth_date"],
        7: ["birth_date"],
        8: ["birth_date"],
        9: ["phone"],
        10: ["phone"],
        11: ["email"],
        12: ["language"],
        13: ["timezone"],
        14: ["contact_time"],
        15: ["channel"],
        16: ["mobility"],
        17: ["sms_consent"],
        18: ["consent_date"],
        19: ["sms_consent"],
        20: ["channel"],
        21: ["pathways"],
        22: ["exercise_days"],
        23: ["risk_factors"],
        24: ["name"],
        25: [""],
        26: [""],
        27: [""],
    }


def test_a_row_is_rejected_with_everything_that_is_wrong_with_it(tmp_path: Path) -> None:
    [row] = rows(tmp_path, "mrn,name,phone,email\n,Ann,123,nobody\n")
    assert set(complaints(row)) == {"mrn", "phone", "email"}


def test_a_reason_repeats_no_name_number_or_address_and_neither_does_a_representation(tmp_path: Path) -> None:
    [row] = rows(tmp_path, "mrn,name,phone,email,birth_date\nA1,=Zoe,212-1,zoe.example,1870-01-01\n")
    for personal in ("Zoe", "212-1", "zoe.example", "1870"):
        assert personal not in repr(row)
    draft = only(rows(tmp_path, "mrn,name,phone\nA1,Zoe,212-736-5000\n"))
    assert "Zoe" not in repr(draft)
    assert "7365000" not in repr(draft)


def test_the_second_row_with_a_record_number_names_the_line_of_the_first_even_if_that_was_bad(
    tmp_path: Path,
) -> None:
    found = rows(tmp_path, "mrn,name,phone\nA1,Ann,123\nA2,Bo,\nA1,Ann,212-736-5000\n")
    assert [type(row).__name__ for row in found] == ["Rejected", "PatientDraft", "Rejected"]
    assert "line 2" in complaints(found[2])["mrn"]


def test_a_family_may_share_a_phone(tmp_path: Path) -> None:
    found = rows(tmp_path, "mrn,name,phone\nA1,Ann,212-736-5000\nA2,Bo,+12127365000\n")
    assert [row.phone for row in found if isinstance(row, PatientDraft)] == ["+12127365000"] * 2


def test_consent_without_the_address_it_is_for_is_refused_with_or_without_such_a_column(
    tmp_path: Path,
) -> None:
    [row] = rows(tmp_path, "mrn,name,phone,sms_consent\nA1,Ann,,yes\n")
    assert "add the phone" in complaints(row)["sms_consent"]
    [row] = rows(tmp_path, "mrn,name,email_consent\nA1,Ann,yes\n")
    assert "add the email" in complaints(row)["email_consent"]
    assert only(rows(tmp_path, "mrn,name,sms_consent\nA1,Ann,no\n")).sms_consent is False


def test_one_bad_phone_is_one_complaint_and_not_a_second_about_the_missing_address(tmp_path: Path) -> None:
    [row] = rows(tmp_path, "mrn,name,phone,channel,sms_consent\nA1,Ann,123,sms,yes\n")
    assert list(complaints(row)) == ["phone"]


def test_a_channel_needs_its_address_unless_the_file_does_not_speak_of_addresses(tmp_path: Path) -> None:
    [row] = rows(tmp_path, "mrn,name,email,channel\nA1,Ann,,email\n")
    assert "add the email" in complaints(row)["channel"]
    assert only(rows(tmp_path, "mrn,name,channel\nA1,Ann,email\n")).channel is Channel.EMAIL


def test_a_landline_is_refused_when_texts_are_counted_on(tmp_path: Path) -> None:
    for cells in (
        "+44 20 7946 0958,,yes,,",
        "+44 20 7946 0958,a@example.org,yes,yes,sms",
        "+44 20 7946 0958,,,,sms",
    ):
        [row] = rows(tmp_path, f"mrn,name,phone,email,sms_consent,email_consent,channel\nA1,Ann,{cells}\n")
        assert "landline" in complaints(row)["phone"]


def test_a_landline_beside_an_email_address_is_kept_without_consent_to_texts_and_says_so(
    tmp_path: Path,
) -> None:
    draft = only(rows(tmp_path, "mrn,name,phone,email,sms_consent\nA1,Ann,+44 20 7946 0958,a@example.org,yes\n"))
    assert (draft.phone, draft.sms_consent) == ("+442079460958", None)
    assert [warning.column for warning in draft.warnings] == ["phone"]


def test_a_contact_time_at_night_is_kept_with_a_warning_that_it_will_be_moved(tmp_path: Path) -> None:
    draft = only(rows(tmp_path, "mrn,name,contact_time\nA1,Ann,03:00\n"))
    assert draft.contact_time == time(3)
    assert "08:00-21:00" in draft.warnings[0].reason


def test_a_draft_that_the_store_refuses_becomes_a_rejected_row_with_its_cells(tmp_path: Path) -> None:
    draft = only(rows(tmp_path, "mrn,name\nA1, Ann\n"))
    row = draft.refused(column="mrn", value="A1", reason="was erased; give it a new number")
    assert (row.line, row.raw, complaints(row)) == (
        2,
        ("A1", " Ann"),
        {"mrn": "was erased; give it a new number"},
    )


def test_the_same_rules_hold_for_a_patient_who_comes_from_no_file() -> None:
    draft = draft_from_cells({"mrn": "A1", "name": "Ann", "phone": "212-736-5000"}, defaults=CLINIC)
    assert isinstance(draft, PatientDraft)
    assert draft.given == {"mrn", "name", "phone"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("A1,Ann,1970-01-01\n", "no header"),
        ("name,phone\nAnn,1\n", "the column mrn is missing"),
        ("mrn,phone\nA1,1\n", "the column name is missing"),
        ("mrn,name,dob\n", '"dob" is not a column (perhaps "birth_date"?)'),
        ("mrn,name,mobillity\n", 'did you mean "mobility"?'),
        ("mrn,name,favourite colour\n", '"favourite_colour" is not a column; rename or remove it'),
        ("mrn,name,Name\n", "the column name stands there 2 times"),
        ("mrn,,name\n", "column 2 has no name"),
        ('{"resourceType":"Patient"}\n', "--format fhir"),
        (b"PK\x03\x04\x14\x00", "Excel workbook"),
        ("mrn,name\nA1,Ann\n".encode("utf-16"), "UTF-16"),
        ("mrn,name\nA1,Ann\n".encode("utf-16-le"), "NUL"),
        (b"mrn,name\nA1,Ann\nA2,Zo\xeb\n", "line 3, byte 6 is not UTF-8 (0xeb, perhaps Windows-1252)"),
        (b"mrn,name\nA1,A\0nn\n", "line 2 holds a NUL byte"),
        (b"mrn,name\nA1," + b"x" * 10_000_000 + b"\n", "line 2 is longer than 1,000,000 bytes"),
        (b"mrn,name\rA1,Ann\rA2,Bo\r", "old Macintosh"),
    ],
)
def test_a_file_that_cannot_be_imported_as_a_whole_says_why_before_its_first_row(
    tmp_path: Path, content: str | bytes, why: str
) -> None:
    assert why in refused(tmp_path, content)


def test_all_faults_of_a_header_are_told_at_once_and_no_patient_is_quoted(tmp_path: Path) -> None:
    message = refused(tmp_path, "name,name,dob\n")
    assert "mrn is missing" in message
    assert "2 times" in message
    assert '"dob"' in message
    assert "Ann Lee" not in refused(tmp_path, "A1,Ann Lee\n")


def test_of_very_many_unknown_columns_the_first_few_are_named_and_all_are_counted(tmp_path: Path) -> None:
    message = refused(tmp_path, "mrn,name," + ",".join(f"odd{n}" for n in range(100_000)) + "\n")
    assert '"odd0" is not a column' in message
    assert '"odd4" is not a column' in message
    assert "odd5" not in message
    assert "in all 100,000 names are not columns" in message
    assert len(message) < 1_500


def test_of_very_many_repeated_columns_the_first_few_are_named_and_all_are_counted(tmp_path: Path) -> None:
    message = refused(tmp_path, "mrn,name," + ",".join(f"c{n},c{n}" for n in range(1_000)) + "\n")
    assert "the column c4 stands there 2 times" in message
    assert "in all 1,000 names stand there more than once" in message
    assert len(message) < 2_000


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(UnreadableFile, match=r"cannot be read|not a file"):
            read_csv(path, defaults=CLINIC)


def test_an_open_quotation_mark_costs_its_own_row_and_no_other(tmp_path: Path) -> None:
    found = rows(tmp_path, 'mrn,name\nA1,"Ann\nA2,Bo\nA3,"Lee, Cy"\nA4,"D"d\nA5,Eve\n')
    assert [row.mrn for row in found if isinstance(row, PatientDraft)] == ["A2", "A3", "A5"]
    assert [row.line for row in found if isinstance(row, Rejected)] == [2, 5]
    assert "quotation mark" in complaints(found[0])[""]


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    padding = " " * 4_000
    path = write(tmp_path, "mrn,name\n" + "".join(f"A{number},Ann{padding}\n" for number in range(2_000)))
    tracemalloc.start()
    count = sum(isinstance(row, PatientDraft) for row in read_csv(path, defaults=CLINIC))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2_000
    assert peak < path.stat().st_size / 4


def test_the_number_of_lines_is_known_before_the_first_row_for_showing_progress(tmp_path: Path) -> None:
    assert read_csv(write(tmp_path, "mrn,name\nA1,Ann\nA2,Bo"), defaults=CLINIC).lines == 3


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_whatever_a_csv_writer_writes_is_split_into_the_same_cells(table: list[list[str]], delimiter: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    lines = written.getvalue().split("\n")
    physical = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    found = list(split_records(physical, delimiter))
    assert [list(record.cells) for record in found] == table
    assert not any(record.fault for record in found)


@given(st.lists(st.text(st.sampled_from('ab",'), max_size=8), max_size=12))
def test_every_line_of_a_broken_file_is_accounted_for_once(lines: list[str]) -> None:
    records = list(split_records([f"{line}\n" for line in lines], ","))
    numbers = [record.line for record in records]
    assert numbers == sorted(set(numbers))
    spans = [record.line + sum(cell.count("\n") for cell in record.cells) for record in records]
    covered = {line for start, end in zip(numbers, spans, strict=True) for line in range(start, end + 1)}
    assert covered >= {number for number, line in enumerate(lines, 1) if line}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=len(COLUMNS)))
def test_any_cells_give_a_draft_or_a_rejection_with_a_reason(named: dict[str, str]) -> None:
    row = draft_from_cells(named, defaults=CLINIC)
    assert isinstance(row, PatientDraft) or (row.errors and all(error.reason for error in row.errors))
