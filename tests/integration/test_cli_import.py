"""`import` as a clinic's IT person meets it: clumsy files, clear answers, nothing lost, nothing half done."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scheduler.services.importing import BATCH
from tests.support.cli import MAIN, ROOT, Ran
from tests.support.commands import CLINIC, Commands, ready

FAULTS = """\
mrn,name,phone,timezone,contact_time,sms_consent
10,Good One,+16175550110,,,yes
10,Same Number,+16175550111,,,yes
11,Shared Phone,+16175550110,,,yes
12,=cmd|'/c calc'!A1,+16175550112,,,yes
13,Short Zone,+16175550113,EST,,yes
14,Late Hour,+16175550114,,25:00,yes
16,No Phone,,,,yes
17,Cut Phone,12,,,yes
18,Cut Row
19,Long Row,+16175550119,,,yes,extra
,No Number,+16175550119,,,yes
"""
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Lee", "given": ["Ann"]}]}


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


def load(bonewise: Commands, file: str | Path, *options: str | Path) -> Ran:
    return bonewise("import", file, "--clinic", CLINIC, "--phone-check", "possible", *options)


def report(bonewise: Commands, file: str | Path, *options: str | Path) -> dict[str, Any]:
    ran = load(bonewise, file, *options, "--json")
    assert ran.code == (1 if ran.json["rejected"] else 0)
    return dict(ran.json)


def counts(found: dict[str, Any]) -> tuple[int, int, int, int, int]:
    return found["created"], found["updated"], found["unchanged"], found["rejected"], found["excluded"]


def enrolled(bonewise: Commands) -> list[str]:
    return [patient["mrn"] for patient in bonewise.done("patients", "--clinic", CLINIC, "--json").json]


# Files that cannot be imported at all

WHOLE_FILES: list[tuple[str, bytes | None, str]] = [
    ("nowhere.csv", None, "nowhere.csv cannot be read: No such file or directory"),
    ("empty.csv", b"", "empty.csv is empty; it needs a header line that names at least mrn and name"),
    ("blank.csv", b"\n\n", "blank.csv is empty; it needs a header line"),
    ("ansi.csv", b"mrn,name\n1,Zo\xeb B\n", "ansi.csv: line 2, byte 5 is not UTF-8 (0xeb, perhaps Windows-1252)"),
    ("wide.csv", "mrn,name\n1,Zoë\n".encode("utf-16"), 'wide.csv is UTF-16 text; save it as "CSV UTF-8'),
    ("wide-le.csv", "mrn,name\n1,Zoë\n".encode("utf-16-le"), "line 1 holds a NUL byte, so this is not a text file"),
    ("book.csv", b"PK\x03\x04....", "book.csv is an Excel workbook or a zip file"),
    ("list.csv.gz", b"\x1f\x8b....", "list.csv.gz is compressed with gzip; decompress it first"),
    ("mac.csv", b"mrn,name\r1,Ann Lee\r", "mac.csv has old Macintosh line ends"),
    ("long.csv", b"mrn,name\n1," + b"x" * 10_000_000, "long.csv: line 2 is longer than 1,000,000 bytes"),
    ("bare.csv", b"1,Ann Lee\n", "no header; the first line has to name the columns: mrn, name, "),
    ("alien.csv", b"mrn,name,colour\n1,Ann Lee,red\n", '"colour" is not a column; rename or remove it'),
    ("close.csv", b"id,full_name,mobile\n1,Ann Lee,x\n", '"mobile" is not a column (perhaps "phone"?)'),
    ("twice.csv", b"mrn,name,name\n1,Ann,Lee\n", "the column name stands there 2 times; keep one"),
    ("cut.ndjson", b"", "cut.ndjson is empty; it needs FHIR resources, as NDJSON or a Bundle"),
    ("list.json", b"[1, 2]", "list.json is JSON, but not a FHIR resource (it has no resourceType)"),
    ("broken.json", b'{"resourceType": ', "broken.json, line 1, column "),
]


@pytest.mark.parametrize(("name", "content", "says"), WHOLE_FILES, ids=[name for name, _, _ in WHOLE_FILES])
def test_a_file_that_cannot_be_imported_is_one_sentence_and_nothing_happens(
    name: str, content: bytes | None, says: str, bonewise: Commands
) -> None:
    if content is not None:
        bonewise.write(name, content)
    ran = load(bonewise, name, "--json", "--errors", "errors.csv")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("bonewise: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err
    assert not (bonewise.folder / "errors.csv").exists()
    assert enrolled(bonewise) == []


def test_a_folder_is_not_a_file(bonewise: Commands) -> None:
    ran = load(bonewise, "var")
    assert (ran.code, ran.err.split(";")[0]) == (1, "bonewise: var is not a file")


def test_csv_taken_for_fhir_and_fhir_for_csv_say_which_format_to_give(bonewise: Commands) -> None:
    listed = bonewise.write("list.csv", "mrn,name\n1,Ann Lee\n")
    exported = bonewise.write("export.ndjson", json.dumps(PATIENT))
    assert "if this is CSV, import it with --format csv" in load(bonewise, listed, "--format", "fhir").err
    assert "this is JSON; import it with --format fhir" in load(bonewise, exported, "--format", "csv").err
    assert enrolled(bonewise) == []


def test_the_format_is_found_from_the_content_where_the_name_does_not_say_it(bonewise: Commands) -> None:
    bonewise.write("export", "\ufeff" + json.dumps(PATIENT))
    bonewise.write("list", "mrn,name\n2,Bo Lee\n")
    assert counts(report(bonewise, "export")) == (1, 0, 0, 0, 0)
    assert counts(report(bonewise, "list")) == (1, 0, 0, 0, 0)
    assert enrolled(bonewise) == ["2", "p1"]


# Files of which some rows load


def test_each_bad_row_is_named_and_the_good_ones_load(bonewise: Commands) -> None:
    file = bonewise.write("list.csv", FAULTS)
    found = report(bonewise, file)
    assert counts(found) == (2, 0, 0, 9, 0)
    assert [(error["line"], error["column"]) for error in found["errors"]] == [
        (3, "mrn"),
        (5, "name"),
        (6, "timezone"),
        (7, "contact_time"),
        (8, "sms_consent"),
        (9, "phone"),
        (10, ""),
        (11, ""),
        (12, "mrn"),
    ]
    assert all(error["reason"] for error in found["errors"])
    assert enrolled(bonewise) == ["10", "11"]  # two patients may share a phone


def test_people_see_the_first_faults_and_where_the_rest_are(bonewise: Commands) -> None:
    rows = "".join(f"{number},Ann Lee,12\n" for number in range(30))
    file = bonewise.write("list.csv", f"mrn,name,phone\n{rows}")
    ran = load(bonewise, file)
    assert (ran.code, ran.out) == (1, "0 created, 0 updated, 0 unchanged, 30 rejected, 0 excluded.\n")
    lines = ran.err.splitlines()
    assert lines[0] == "  line 2, phone: the phone number is too short; write it in full, with its area code"
    assert lines[-1] == "  and 10 more; --errors FILE keeps them all"
    assert len(lines) == 21


def test_a_landline_cannot_have_consent_to_texts(bonewise: Commands) -> None:
    file = bonewise.write("list.csv", "mrn,name,phone,sms_consent\n1,Ann Lee,+44 20 7946 0018,yes\n")
    ran = bonewise("import", file, "--clinic", CLINIC)
    assert ran.code == 1
    assert "line 2, phone: a landline cannot receive texts; give a mobile number" in ran.err


def test_a_broken_line_of_ndjson_costs_only_that_patient(bonewise: Commands) -> None:
    second = json.dumps({**PATIENT, "id": "p2"})
    file = bonewise.write("export.ndjson", f'{json.dumps(PATIENT)}\n{{"resourceType": "Patient", broken\n{second}\n')
    found = report(bonewise, file)
    assert counts(found) == (2, 0, 0, 1, 0)
    assert found["errors"][0]["line"] == 2
    assert found["errors"][0]["reason"].startswith("not JSON")


def test_a_bundle_loads_its_patients_and_names_what_else_is_in_it(bonewise: Commands) -> None:
    entries = [{"resource": PATIENT}, {"resource": {"resourceType": "Observation", "id": "o1"}}]
    file = bonewise.write(
        "bundle.json", json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
    )
    ran = load(bonewise, file, "--json")
    assert (counts(ran.json), ran.json["ignored"]) == ((1, 0, 0, 0, 0), {"Observation": 1})
    assert ran.err == "bonewise: passed over, because only Patients are imported: 1 Observation\n"


@pytest.mark.parametrize(
    ("name", "content"), [("h.csv", "mrn,name\n"), ("o.json", '{"resourceType": "Observation", "id": "o1"}')]
)
def test_a_file_without_any_patient_says_so(name: str, content: str, bonewise: Commands) -> None:
    ran = load(bonewise, bonewise.write(name, content))
    assert (ran.code, ran.out) == (0, "0 created, 0 updated, 0 unchanged, 0 rejected, 0 excluded.\n")
    assert ran.err.splitlines()[-1].endswith(f"{name} holds no patient")


def test_the_dead_are_not_enrolled_and_are_counted(bonewise: Commands) -> None:
    file = bonewise.write("export.ndjson", json.dumps({**PATIENT, "deceasedBoolean": True}))
    assert counts(report(bonewise, file)) == (0, 0, 0, 0, 1)
    assert enrolled(bonewise) == []


def test_notes_are_told_once_with_an_example(bonewise: Commands) -> None:
    ran = load(bonewise, bonewise.write("list.csv", "mrn,name,contact_time\n1,Ann Lee,07:00\n2,Bo Lee,06:00\n"))
    assert ran.code == 0
    assert ran.err.startswith("bonewise: 2 notes, the first: line 2, contact_time: nobody is contacted outside ")
    assert ran.err.count("\n") == 1


# Again, and again


def test_the_same_file_again_changes_nothing(bonewise: Commands) -> None:
    file = bonewise.write("list.csv", "\ufeffmrn;name;phone;sms_consent\r\n1;Zoë Lee;617 555 0123;yes\r\n")
    assert counts(report(bonewise, file)) == (1, 0, 0, 0, 0)
    before = bonewise.done("patients", "--clinic", CLINIC, "--json").out
    assert counts(report(bonewise, file)) == (0, 0, 1, 0, 0)
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").out == before


def test_a_changed_row_updates_its_patient(bonewise: Commands) -> None:
    report(bonewise, bonewise.write("list.csv", "mrn,name,phone\n1,Ann Lee,+16175550123\n2,Bo Lee,\n"))
    found = report(bonewise, bonewise.write("list.csv", "mrn,name,phone\n1,Ann Lee,+16175550124\n2,Bo Lee,\n"))
    assert counts(found) == (0, 1, 1, 0, 0)
    (ann, _) = bonewise.done("patients", "--clinic", CLINIC, "--json").json
    assert ann["phone"] == "+16175550124"


def test_a_dry_run_says_the_same_and_changes_nothing(bonewise: Commands) -> None:
    file = bonewise.write("list.csv", FAULTS)
    tried = report(bonewise, file, "--dry-run")
    assert enrolled(bonewise) == []
    assert report(bonewise, file) == tried
    assert "2 unchanged" in load(bonewise, file, "--dry-run").out
    ran = load(bonewise, bonewise.write("new.csv", "mrn,name\n99,New One\n"), "--dry-run")
    assert ran.out == "1 would be created, 0 would be updated, 0 unchanged, 0 rejected, 0 excluded.\n"


# The file of rejected rows


def test_rejected_csv_rows_can_be_corrected_in_their_file_and_imported(bonewise: Commands) -> None:
    errors = bonewise.folder / "errors.csv"
    ran = load(bonewise, bonewise.write("list.csv", FAULTS), "--errors", errors)
    assert f"bonewise: the rejected rows are in {errors}: correct them there and import that file\n" in ran.err
    assert errors.stat().st_mode & 0o777 == 0o600
    with errors.open(newline="", encoding="utf-8-sig") as stream:
        header, *rows = csv.reader(stream)
    assert header[-1] == "error"
    assert len(rows) == 9
    for number, row in enumerate(rows):
        row[:] = [f"20{number}", "Now Right", "+16175550120", "", "", "yes", *([""] * (len(header) - 6))]
    with errors.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    assert counts(report(bonewise, errors)) == (9, 0, 0, 0, 0)


def test_rejected_rows_imported_as_they_are_are_rejected_for_the_same_reasons(bonewise: Commands) -> None:
    once = report(bonewise, bonewise.write("list.csv", FAULTS), "--errors", "errors.csv")
    again = report(bonewise, "errors.csv", "--errors", "again.csv")
    # The second patient with record number 10 is, in a file without the first, a change to the first.
    assert counts(again) == (0, 1, 0, 8, 0)
    assert [error["column"] for error in again["errors"]] == [error["column"] for error in once["errors"][1:]]


def test_rejected_resources_can_be_imported_again(bonewise: Commands) -> None:
    bad = json.dumps({**PATIENT, "name": []})
    file = bonewise.write("export.ndjson", f"{bad}\n{json.dumps({**PATIENT, 'id': 'p2'})}\n")
    assert counts(report(bonewise, file, "--errors", "errors.ndjson")) == (1, 0, 0, 1, 0)
    kept = (bonewise.folder / "errors.ndjson").read_text()
    assert '"OperationOutcome"' in kept
    bonewise.write("errors.ndjson", kept.replace('"name": []', '"name": [{"text": "Ann Lee"}]'))
    assert counts(report(bonewise, "errors.ndjson")) == (1, 0, 0, 0, 0)


def test_no_file_is_left_where_nothing_was_rejected(bonewise: Commands) -> None:
    report(bonewise, bonewise.write("list.csv", "mrn,name\n1,Ann Lee\n"), "--errors", "errors.csv")
    assert not (bonewise.folder / "errors.csv").exists()


def test_an_earlier_errors_file_is_replaced(bonewise: Commands) -> None:
    file = bonewise.write("list.csv", FAULTS)
    report(bonewise, file, "--errors", "errors.csv")
    first = (bonewise.folder / "errors.csv").read_text()
    report(bonewise, file, "--errors", "errors.csv")
    assert (bonewise.folder / "errors.csv").read_text() == first


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("/nowhere/errors.csv", "/nowhere/errors.csv cannot be written: no such file or directory; choose another"),
        ("var", "var is not a file; name one for the rejected rows"),
        ("list.csv", "list.csv is the file being imported; choose another name for the rejected rows"),
        ("./var/../list.csv", "is the file being imported"),
        ("letters.txt", "letters.txt is there already, and holds no rejected rows; choose another name"),
    ],
)
def test_a_place_where_rejected_rows_cannot_go_stops_the_import_before_it_begins(
    place: str, says: str, bonewise: Commands
) -> None:
    file = bonewise.write("list.csv", FAULTS)
    letters = bonewise.write("letters.txt", "Dear patients,\n")
    ran = load(bonewise, file, "--errors", place)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert enrolled(bonewise) == []
    assert (file.read_text(), letters.read_text()) == (FAULTS, "Dear patients,\n")


# Consent


def test_fhir_patients_come_without_consent_unless_the_clinic_grants_it(bonewise: Commands) -> None:
    phone = {"system": "phone", "value": "+16175550123", "use": "mobile"}
    file = bonewise.write("export.ndjson", json.dumps({**PATIENT, "telecom": [phone]}))
    report(bonewise, file)
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").json[0]["sms_consent"] is False
    assert counts(report(bonewise, file, "--grant-consent")) == (0, 1, 0, 0, 0)
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").json[0]["sms_consent"] is True


def test_granting_consent_is_not_for_csv(bonewise: Commands) -> None:
    ran = load(bonewise, bonewise.write("list.csv", "mrn,name\n1,Ann Lee\n"), "--grant-consent")
    assert (ran.code, ran.out) == (2, "")
    assert "in CSV the columns sms_consent and email_consent say it" in ran.err
    assert enrolled(bonewise) == []


# Interrupted


def test_an_import_that_is_interrupted_keeps_whole_batches_and_is_finished_by_importing_again(
    bonewise: Commands,
) -> None:
    total = 20_000
    rows = "".join(f"{number},Ann Lee,+16175550123,yes\n" for number in range(total))
    file = bonewise.write("list.csv", f"mrn,name,phone,sms_consent\n{rows}")
    running = subprocess.Popen(
        [sys.executable, "-c", MAIN, "import", file, "--clinic", CLINIC, "--phone-check", "possible", "--json"],
        cwd=bonewise.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in the background with SIGINT ignored, and that would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here yet
    )
    with closing(sqlite3.connect(bonewise.folder / "var" / "bonewise.db")) as database:
        # By the shortest way: listing the patients would take as long as importing them.
        while running.poll() is None and database.execute("SELECT count(*) FROM patients").fetchone()[0] <= BATCH:
            pass
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (running.returncode, out) == (1, "")
    done = len(enrolled(bonewise))
    assert 0 < done < total
    told = re.search(r"bonewise: (\d+) rows were done before this; import the same file again to finish\n", err)
    assert told is not None
    # The interrupt may fall between a batch's commit and its being counted.
    assert done - BATCH <= int(told[1]) <= done
    assert err.endswith("bonewise: stopped\n")
    assert counts(report(bonewise, file)) == (total - done, 0, done, 0, 0)
