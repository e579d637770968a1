"""`check`, `preview` and `simulate`: every fault with its place, and nothing made up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cli import ROOT
from tests.support.commands import CLINIC, Commands, bare, ready

PATHWAY = "config/pathways/dexa.yaml"
TEMPLATE = "templates/messages/supplement/ask/en.sms.txt"


@pytest.fixture
def own(tmp_path: Path) -> Commands:
    """A folder with a copy of the pathways and templates to spoil."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return bare(tmp_path)


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


def spoil(commands: Commands, name: str, old: str, new: str) -> int:
    """Put `new` for the first `old` in a file; returns the line."""
    text = (commands.folder / name).read_text()
    assert old in text
    commands.write(name, text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


# Check


def test_what_is_shipped_has_no_fault(tmp_path: Path) -> None:
    ran = bare(tmp_path).done("check")
    assert ran.out == "No faults: 6 pathways and all their messages are complete.\n"
    assert bare(tmp_path).done("check", "--json").json == {"faults": []}


def test_every_fault_is_named_at_once_with_file_and_line(own: Commands) -> None:
    places = {
        f"{PATHWAY}:{spoil(own, PATHWAY, 'go: booked', 'go: boked')}",
        f"{PATHWAY}:{spoil(own, PATHWAY, 'priority: 30', 'priority: high')}",
        f"config/pathways/vitamin_d.yaml:{spoil(own, 'config/pathways/vitamin_d.yaml', '21 days', '21 dayz')}",
        f"config/replies/en.yaml:{spoil(own, 'config/replies/en.yaml', 'stop:', 'stopp:')}",
        f"{TEMPLATE}:1",
        "templates/messages/supplement/ask/es.sms.txt:1",
        "config/pathways/exercise.yaml:2",
        "config/provider_errors.yaml:1",
        "config/tasks.yaml:1",
    }
    own.write(TEMPLATE, "Hello {{ nobody }}")
    own.write("templates/messages/supplement/ask/es.sms.txt", "Hola {% if clinic %}")
    own.write("config/pathways/exercise.yaml", "pathway: exercise\n  title: [cut\n")
    own.write("config/provider_errors.yaml", "nonsense")
    own.write("config/tasks.yaml", b"\xff\xfe\x00")
    ran = own("check")
    assert (ran.code, ran.err) == (1, "")
    *lines, summary = ran.out.splitlines()
    assert summary == f"{len(lines)} faults found."
    assert places <= {":".join(line.split(":")[:2]) for line in lines}
    assert lines == sorted(lines, key=lambda line: (line.split(":")[0], int(line.split(":")[1])))
    faults = own("check", "--json").json["faults"]
    assert [f"{fault['path']}:{fault['line']}: {fault['message']}" for fault in faults] == lines


def test_faults_keep_every_other_command_from_working(own: Commands) -> None:
    own.done("init")
    spoil(own, PATHWAY, "go: booked", "go: boked")
    ran = own("tick")
    assert (ran.code, ran.out) == (1, "")
    first, *faults = ran.err.splitlines()
    assert first.endswith("faults keep Bonewise from starting; `bonewise check` lists all:")
    assert all(line.startswith(f"  {PATHWAY}:") for line in faults)


def test_faults_in_a_folder_elsewhere_are_named_from_where_one_works(own: Commands, tmp_path: Path) -> None:
    line = spoil(own, PATHWAY, "go: booked", "go: boked")
    (tmp_path / "work").mkdir()
    elsewhere = Commands(tmp_path / "work", {"BONEWISE_CONFIG_DIR": str(tmp_path / "config")})
    assert elsewhere("check").out.startswith(f"{tmp_path}/{PATHWAY}:{line}: ")
    beside = Commands(tmp_path / "work", {"BONEWISE_CONFIG_DIR": "../config"})
    assert beside("check").out.startswith(f"../{PATHWAY}:{line}: ")


def test_faults_of_settings_that_only_their_users_can_judge_are_among_them(tmp_path: Path) -> None:
    wrong = bare(tmp_path).given(
        BONEWISE_DATABASE_URL="mysql://x/y",
        BONEWISE_SECRET_KEYS="secret",
        BONEWISE_EMAIL="smtp",
        BONEWISE_SMTP_URL="garbage",
    )
    ran = wrong("check")
    assert ran.code == 1
    assert [line.split(" ")[0:2] for line in ran.out.splitlines()] == [
        ["settings:", "BONEWISE_DATABASE_URL"],
        ["settings:", "BONEWISE_SMTP_URL:"],
        ["settings:", "key"],
        ["3", "faults"],
    ]


def test_a_config_folder_without_pathways_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = bare(tmp_path).given(BONEWISE_CONFIG_DIR="empty")("check")
    assert ran.code == 1
    assert "empty/pathways: holds no pathway files; put at least one .yaml file there" in ran.out


# Preview


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dexa/aks", "there is no template 'dexa/aks'; did you mean dexa/ask"),
        ("nothing", "there is no template 'nothing'; write it as pathway/message, such as dexa/ask"),
        ("../../etc/passwd", "there is no template '../../etc/passwd'; write it as pathway/message"),
    ],
)
def test_a_template_that_does_not_exist_is_answered_with_those_that_come_close(
    name: str, says: str, tmp_path: Path
) -> None:
    ran = bare(tmp_path)("preview", name)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"bonewise: {says}")


def test_a_language_that_nothing_is_written_in_shows_what_goes_instead(tmp_path: Path) -> None:
    ran = bare(tmp_path).done("preview", "dexa/ask", "--language", "fr")
    assert ran.out.startswith("dexa/ask · en · sms\n")
    assert ran.err == "bonewise: dexa/ask is not written in fr; patients get it in en\n"
    regional = bare(tmp_path).done("preview", "dexa/ask", "--language", "es_mx")
    assert (regional.out.splitlines()[0], regional.err) == ("dexa/ask · es · sms", "")


@pytest.mark.parametrize("language", ["", "123", "e", "../en"])
def test_what_is_no_language_is_wrong_usage(language: str, tmp_path: Path) -> None:
    ran = bare(tmp_path)("preview", "dexa/ask", "--language", language)
    assert (ran.code, ran.out) == (2, "")
    assert f"'{language}' is not a language; write a BCP 47 tag such as en or es-MX." in ran.err


# Simulate

ANSWERS = [
    ("", "a.csv: the column patient is missing; the first line has to name patient, date, reply"),
    ("patient,date\n1,2026-01-01\n", "a.csv: the column reply is missing"),
    ("patient,date,reply,colour\n", "a.csv: 'colour' is not a column; the columns are patient, date, reply, time"),
    ("patient,date,reply\n1,01/02/2026,1\n", "a.csv:2: '01/02/2026' is not a date; write YYYY-MM-DD"),
    ("patient,date,reply\n1,20260102,1\n", "a.csv:2: '20260102' is not a date"),
    ("patient,date,reply\n1,2026-02-30,1\n", "a.csv:2: '2026-02-30' is not a date"),
    ("patient,date,reply,time\n1,2026-01-02,1,25:00\n", "a.csv:2: there is no such time of day"),
    ("patient,date,reply,time\n1,2026-01-02,1,12:00+02:00\n", "a.csv:2: a time is written HH:MM"),
    ("patient,date,reply\n1,2026-01-02\n", "a.csv:2: the row has 2 cells, the header 3 columns"),
    ("patient,date,reply\n1,2026-01-02,yes, please\n", "a.csv:2: the row has 4 cells, the header 3 columns"),
    ("patient,date,reply\n1,2026-01-02,\n", "a.csv:2: the reply is missing; every answer needs one"),
    ('patient,date,reply\n1,2026-01-02,"open\n', "a.csv:2: this is not CSV"),
    (
        "patient,date,reply\nnobody,2026-01-02,1\n",
        "a.csv: clinic river has no patient with MRN nobody; correct the file",
    ),
]


@pytest.mark.parametrize(("content", "says"), ANSWERS, ids=[says[:40] for _, says in ANSWERS])
def test_answers_that_cannot_be_played_are_named_with_their_line(content: str, says: str, bonewise: Commands) -> None:
    bonewise.done("enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee")
    bonewise.write("a.csv", content)
    ran = bonewise("simulate", "--clinic", CLINIC, "--days", "3", "--answers", "a.csv", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"bonewise: {says}")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [("nowhere.csv", "nowhere.csv cannot be read: No such file or directory"), ("var", "var cannot be read: Is a")],
)
def test_a_file_of_answers_that_cannot_be_read_is_named(name: str, says: str, bonewise: Commands) -> None:
    ran = bonewise("simulate", "--clinic", CLINIC, "--days", "3", "--answers", name)
    assert (ran.code, ran.err[: len(says) + 10]) == (1, f"bonewise: {says}")
    latin = bonewise.write("latin.csv", "patient,date,reply\n1,2026-01-02,sí\n".encode("latin-1"))
    ran = bonewise("simulate", "--clinic", CLINIC, "--days", "3", "--answers", latin)
    assert ran.err.endswith('is not UTF-8 text; save it as "CSV UTF-8" and use that\n')


def test_answers_with_semicolons_are_heard_and_those_on_other_days_are_counted(bonewise: Commands) -> None:
    bonewise.done(
        *("enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee"),
        *("--phone", "617 253 1000", "--sms-consent", "yes"),
    )
    look = ("simulate", "--clinic", CLINIC, "--days", "4", "--json")
    silent = bonewise.done(*look).json
    asked_on = silent[0]["date"]
    bonewise.write("a.csv", f"\ufeffpatient;date;reply\r\n1;{asked_on};1\r\n1;2020-01-01;2\r\n\r\n")
    ran = bonewise.done(*look, "--answers", "a.csv")
    assert ran.err == "bonewise: a.csv: answers on days that are not simulated are not used; there are 1\n"
    assert len(ran.json) == len(silent) + 1


def test_a_patient_who_does_not_exist_has_no_future(bonewise: Commands) -> None:
    ran = bonewise("simulate", "--clinic", CLINIC, "--days", "3", "--patient", "nobody", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"bonewise: clinic {CLINIC} has no patient with MRN nobody; `bonewise patients` lists them\n"


def test_a_clinic_without_patients_has_nothing_to_send(bonewise: Commands) -> None:
    assert bonewise.done("simulate", "--clinic", CLINIC, "--days", "3").out == "Nothing would be sent in 3 days.\n"
    assert bonewise.done("simulate", "--clinic", CLINIC, "--days", "3", "--json").json == []
