"""What keeps a command from working: no database, other keys, a full disk, wrong settings. One sentence each."""

from __future__ import annotations

import base64
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.cli import MAIN, ROOT
from tests.support.commands import CLINIC, Commands, bare, ready

OTHER_KEY = "1:" + base64.b64encode(bytes(32)).decode()
ON_A_DATABASE = [
    ["tick"],
    ["serve"],
    ["web"],
    ["worker"],
    ["status"],
    ["status", "--json"],
    ["clinic", "list", "--json"],
    ["clinic", "add", "--code", "x", "--name", "X", "--timezone", "UTC"],
    ["staff", "add", "--clinic", "x", "--email", "a@b.example", "--role", "admin"],
    ["sample", "load"],
    ["import", "list.csv", "--clinic", "x", "--json"],
    ["enrol", "--clinic", "x", "--mrn", "1", "--name", "Ann Lee"],
    ["patients", "--clinic", "x", "--json"],
    ["messages", "--clinic", "x"],
    ["replies", "--clinic", "x"],
    ["tasks", "--clinic", "x"],
    ["simulate", "--clinic", "x", "--days", "3"],
    ["result", "add", "--clinic", "x", "--patient", "1", "--kind", "dexa", "--date", "2026-01-01"],
    ["clearance", "list"],
    ["clearance", "decide", "1", "--decision", "cleared", "--by", "a@b.example"],
    ["rotate-keys"],
]


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


@pytest.fixture
def database(bonewise: Commands) -> Path:
    return bonewise.folder / "var" / "bonewise.db"


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()


def refused(bonewise: Commands, *arguments: str) -> str:
    """The one sentence with which a command fails, without the program's name before it."""
    ran = bonewise(*arguments)
    assert (ran.code, ran.out) == (1, ""), ran
    assert ran.err.startswith("bonewise: ")
    assert ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("bonewise: ").rstrip("\n")


# The database


@pytest.mark.parametrize("arguments", ON_A_DATABASE, ids=" ".join)
def test_before_init_every_command_says_to_run_it_and_leaves_nothing_behind(
    arguments: list[str], tmp_path: Path
) -> None:
    said = refused(bare(tmp_path), *arguments)
    assert said == f"the database {tmp_path}/var/bonewise.db has not been set up; run `bonewise init`"
    assert list(tmp_path.iterdir()) == []


def test_check_and_preview_need_no_database(tmp_path: Path) -> None:
    assert bare(tmp_path).done("check").out.startswith("No faults: ")
    assert "Reply 1 talked" in bare(tmp_path).done("preview", "dexa/ask").out
    assert list(tmp_path.iterdir()) == []


def test_init_says_whether_there_was_anything_to_do(tmp_path: Path) -> None:
    assert bare(tmp_path).done("init").out == "The database is ready.\n"
    assert bare(tmp_path).done("init").out == "The database was ready already.\n"
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["bonewise.db", "keys"]


@pytest.mark.parametrize(
    ("version", "command", "says"),
    [
        ("0001", "tick", "has the tables of an older version (0001, now "),
        ("9999", "tick", "has the tables of a newer version (9999, this one knows "),
        ("9999", "init", "install that version of Bonewise again, or restore a backup"),
    ],
)
def test_a_database_of_another_version_says_which_and_what_to_do(
    version: str, command: str, says: str, bonewise: Commands, database: Path
) -> None:
    change(database, f"UPDATE alembic_version SET version_num = '{version}'")
    said = refused(bonewise, command)
    assert said.startswith(f"the database {database} has the tables of ")
    assert says in said


def test_tables_that_no_version_is_noted_for_are_left_alone(bonewise: Commands, database: Path) -> None:
    change(database, "DROP TABLE alembic_version")
    said = refused(bonewise, "init")
    assert said.startswith(f"the database {database} has tables that no version of Bonewise is noted for (table ")
    assert said.endswith("; restore a backup, or correct BONEWISE_DATABASE_URL")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"no database at all, but a text that is long enough to look like one " * 20,
            "is no database; move that file",
        ),
        (None, "is damaged; stop the service and restore a backup"),
    ],
    ids=["text", "cut short"],
)
def test_a_file_that_is_no_sound_database_is_named(
    content: bytes | None, says: str, bonewise: Commands, database: Path
) -> None:
    database.write_bytes(content or database.read_bytes()[:5000])
    assert refused(bonewise, "clinic", "list").startswith(f"the database {database} {says}")


def test_a_database_that_another_program_holds_is_named_after_a_while(bonewise: Commands, database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = refused(bonewise, "enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee")
        assert bonewise.done("patients", "--clinic", CLINIC, "--json").json == []  # reading goes on meanwhile
        other.execute("ROLLBACK")
    assert (
        said == f"the database {database} is locked by another program; end what else has the file open, or try again"
    )


def test_a_database_that_cannot_be_written_is_read_and_says_so_when_it_has_to_be(
    bonewise: Commands, database: Path
) -> None:
    address = f"sqlite:///file:{database}?mode=ro&uri=true"
    reader = bonewise.given(BONEWISE_DATABASE_URL=address)
    assert reader.done("patients", "--clinic", CLINIC, "--json").json == []
    said = refused(reader, "enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee")
    assert said.endswith(f"{database} cannot be written to; make the file and its folder writable")


def test_a_full_disk_stops_an_import_which_goes_on_where_it_stopped(bonewise: Commands, full_disk: Path) -> None:
    shutil.copytree(bonewise.folder / "var", full_disk / "var")
    there = Commands(bonewise.folder, {"BONEWISE_DATA_DIR": str(full_disk / "var")})
    rows = "".join(f"{number},Ann Lee,+16175550123,yes\n" for number in range(4000))
    file = bonewise.write("list.csv", f"mrn,name,phone,sms_consent\n{rows}")
    ran = there("import", file, "--clinic", CLINIC, "--phone-check", "possible")
    assert (ran.code, ran.out) == (1, "")
    done, said = ran.err.splitlines()
    assert done.endswith("rows were done before this; import the same file again to finish")
    assert said == (
        f"bonewise: the database {full_disk}/var/bonewise.db cannot grow because the disk is full; free some space"
    )
    loaded = len(there.done("patients", "--clinic", CLINIC, "--json").json)
    assert done.startswith(f"bonewise: {loaded} rows")
    shutil.copytree(full_disk / "var", bonewise.folder / "bigger")
    bigger = Commands(bonewise.folder, {"BONEWISE_DATA_DIR": "bigger"})
    report = bigger.done("import", file, "--clinic", CLINIC, "--phone-check", "possible", "--json").json
    assert (report["created"], report["unchanged"]) == (4000 - loaded, loaded)


@pytest.fixture
def full_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of three megabytes."""
    folder = tmp_path_factory.mktemp("small")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("needs a user whom the mode of a folder binds")
        yield
    finally:
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_named_by_init(tmp_path: Path) -> None:
    with unwritable(tmp_path):
        said = refused(bare(tmp_path), "init")
    assert said.startswith(f"the key file {Path('var')}/keys cannot be written: Permission denied")


def test_where_a_file_stands_in_the_way_of_the_data_folder_it_is_named(tmp_path: Path) -> None:
    commands = bare(tmp_path)
    commands.write("var", "a file")
    assert refused(commands, "init").endswith(
        "var/keys cannot be read: Not a directory; correct it or BONEWISE_DATA_DIR"
    )
    given = commands.given(BONEWISE_SECRET_KEYS=OTHER_KEY)
    said = refused(given, "init")
    assert said == (
        f"the database {tmp_path}/var/bonewise.db would lie in a file, not in a folder; correct BONEWISE_DATABASE_URL"
    )


# The keys


def test_a_missing_key_file_is_not_silently_made_anew(bonewise: Commands) -> None:
    (bonewise.folder / "var" / "keys").unlink()
    for command in (["tick"], ["init"], ["patients", "--clinic", CLINIC]):
        assert refused(bonewise, *command).startswith("the key file var/keys is missing; restore it from a backup")
    assert not (bonewise.folder / "var" / "keys").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the key file var/keys is empty; restore it from a backup"),
        (b"\xff\xfe", "the key file var/keys cannot be read: it is not text; correct it or BONEWISE_DATA_DIR"),
        (b"secret", "key 1 in var/keys is not written as <id>:<base64>, with an id from 1 to 255"),
    ],
    ids=["empty", "binary", "malformed"],
)
def test_a_key_file_that_holds_no_key_is_named(content: bytes, says: str, bonewise: Commands) -> None:
    bonewise.write("var/keys", content)
    assert refused(bonewise, "tick") == says


@pytest.mark.parametrize(
    "command", [["tick"], ["init"], ["enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "A B"]]
)
def test_keys_of_another_database_are_refused_before_anything_is_sealed_with_them(
    command: list[str], bonewise: Commands
) -> None:
    bonewise.write("var/keys", OTHER_KEY)
    said = refused(bonewise, *command)
    assert said.startswith("the keys in var/keys do not belong to this database; restore the key file that does")
    from_outside = bonewise.given(BONEWISE_SECRET_KEYS=OTHER_KEY)
    assert refused(from_outside, *command).startswith("the keys in BONEWISE_SECRET_KEYS do not belong")


def test_a_newer_key_before_the_old_one_is_welcome(bonewise: Commands) -> None:
    keys = bonewise.folder / "var" / "keys"
    newer = OTHER_KEY.replace("1:", "2:")
    assert bonewise.given(BONEWISE_SECRET_KEYS=f"{newer},{keys.read_text()}").done("tick").json["planned"] == 0


def test_after_a_rotation_the_newest_key_is_enough(bonewise: Commands) -> None:
    bonewise.done("enrol", "--clinic", CLINIC, "--mrn", "1", "--name", "Ann Lee")
    bonewise.done("rotate-keys")
    keys = bonewise.folder / "var" / "keys"
    keys.write_text(keys.read_text().splitlines()[0] + "\n")
    assert bonewise.done("patients", "--clinic", CLINIC, "--json").json[0]["name"] == "Ann Lee"


def test_a_key_file_open_to_others_is_a_warning_beside_the_answer(bonewise: Commands) -> None:
    (bonewise.folder / "var" / "keys").chmod(0o644)
    ran = process(bonewise, "patients", "--clinic", CLINIC, "--json")
    assert (ran.returncode, ran.stdout) == (0, "[]\n")
    assert ran.stderr == (
        "bonewise: the key file var/keys can be read by every user of this machine; run `chmod 600 var/keys`\n"
    )


def process(commands: Commands, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **commands.settings, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments], cwd=commands.folder, env=environment, capture_output=True, text=True
    )


# The settings


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("garbage", "BONEWISE_DATABASE_URL is not a database address; write sqlite:///var/bonewise.db or "),
        ("var/bonewise.db", "BONEWISE_DATABASE_URL is not a database address"),
        ("postgresql://user:se@cret@host:port/db", "BONEWISE_DATABASE_URL is not a database address"),
        ("mysql://user:secret@host/db", "BONEWISE_DATABASE_URL names 'mysql'; Bonewise runs on sqlite:///... and "),
        ("sqlite://", "BONEWISE_DATABASE_URL names no file; write sqlite:///var/bonewise.db"),
        ("sqlite:///:memory:", "BONEWISE_DATABASE_URL is in memory and would forget everything; name a file"),
        ("sqlite:///var", "var is a folder; name a file in BONEWISE_DATABASE_URL"),
        (
            "postgresql://user:secret@127.0.0.1:1/db",
            "the PostgreSQL database db at 127.0.0.1:1 does not answer; start it, or correct the host and port",
        ),
        (
            "postgresql://user:secret@nowhere.invalid/db",
            "the PostgreSQL database db at nowhere.invalid:5432 has an unknown host; correct BONEWISE_DATABASE_URL",
        ),
    ],
)
def test_a_database_address_that_cannot_be_used_is_explained(address: str, says: str, bonewise: Commands) -> None:
    said = refused(bonewise.given(BONEWISE_DATABASE_URL=address), "tick")
    assert says in said
    assert "secret" not in said
    assert "cret@" not in said


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"username": "stranger", "password": "secret"},
            "knows no such user; correct the user in BONEWISE_DATABASE_URL",
        ),
        (
            {"database": "elsewhere"},
            "has no such database; create it with `createdb` or correct BONEWISE_DATABASE_URL",
        ),
        ({}, "has not been set up; run `bonewise init`"),
    ],
    ids=["user", "database", "empty"],
)
def test_what_postgresql_refuses_is_explained(
    changes: dict[str, str], says: str, postgres_url: str, bonewise: Commands
) -> None:
    address = make_url(postgres_url).set(**changes).render_as_string(hide_password=False)  # type: ignore[arg-type]
    said = refused(bonewise.given(BONEWISE_DATABASE_URL=address), "tick")
    assert said.startswith("the PostgreSQL database ")
    assert said.endswith(says)


def test_every_fault_of_the_settings_is_a_line_of_its_own(bonewise: Commands) -> None:
    ran = bonewise.given(BONEWISE_SMS="twilio", BONEWISE_EMAIL="smtp", BONEWISE_TICK_SECONDS="x")("tick")
    assert (ran.code, ran.out) == (1, "")
    assert [line.split()[:2] for line in ran.err.splitlines()] == [
        ["bonewise:", "BONEWISE_TICK_SECONDS"],
        ["bonewise:", "TWILIO_ACCOUNT_SID"],
        ["bonewise:", "TWILIO_AUTH_TOKEN"],
        ["bonewise:", "BONEWISE_SMTP_URL"],
    ]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("garbage", "it must begin with smtp:// or smtps://"),
        ("smtp://user:secret@host:port", "the port or the host is malformed"),
        ("smtp://host?starttls=perhaps", "starttls=perhaps is unknown: use required, optional or no"),
        ("smtp://user:secret@host?starttls=no", "starttls=no would send the password unencrypted"),
    ],
)
def test_a_mail_server_that_cannot_be_read_stops_the_start_by_name(url: str, says: str, bonewise: Commands) -> None:
    said = refused(bonewise.given(BONEWISE_EMAIL="smtp", BONEWISE_SMTP_URL=url), "tick")
    assert said.startswith(f"BONEWISE_SMTP_URL: {says}")
    assert "secret" not in said


def test_a_misspelt_setting_is_named_beside_the_answer(bonewise: Commands) -> None:
    ran = bonewise.given(BONEWISE_TICK_SECOND="5").done("patients", "--clinic", CLINIC, "--json")
    assert ran.json == []
    assert ran.err == (
        "bonewise: BONEWISE_TICK_SECOND is not a setting and has no effect; did you mean BONEWISE_TICK_SECONDS?\n"
    )


def test_a_dotenv_file_is_read_from_the_working_folder(bonewise: Commands) -> None:
    bonewise.write(".env", "BONEWISE_SMS=carrier-pigeon\n")
    assert refused(bonewise, "tick") == "BONEWISE_SMS is 'carrier-pigeon'; write simulated or twilio"
