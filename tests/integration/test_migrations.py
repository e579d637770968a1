"""The migrations: they build what the tables say, once, whoever starts beside, and all or nothing."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, event, text
from sqlalchemy.exc import IntegrityError

from scheduler.store import migrate, tables
from scheduler.store.engine import StoreUnavailable, make_engine, reading, writing
from scheduler.store.tables import audit, clinics, consents, for_migrations, metadata, patients

SCRIPTS = Path(migrate.__file__).parent / "migrations"
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def migrated(engine: Engine) -> Engine:
    migrate.upgrade(engine)
    return engine


def with_one_consent(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(clinics.insert().values(row(clinics)))
        connection.execute(patients.insert().values(row(patients)))
        connection.execute(consents.insert().values(row(consents)))
        connection.execute(audit.insert().values(row(audit)))


def row(table: Any) -> dict[str, object]:
    """A row that the table accepts, whatever its columns mean."""
    samples: dict[type, object] = {
        int: 1,
        float: 1.0,
        bool: False,
        str: "en",
        bytes: b"sealed",
        date: date(2026, 3, 1),
        datetime: NOW,
        UUID: UUID(int=1),
        type(NOW.time()): NOW.time(),
    }
    types = {column.name: getattr(column.type, "impl_instance", column.type) for column in table.columns}
    return {name: samples[kind.python_type] for name, kind in types.items()}


def test_the_constant_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD] == [migrate.head()]


def test_a_script_of_the_past_does_not_lean_on_todays_code() -> None:
    scripts = sorted((SCRIPTS / "versions").glob("v*.py"))
    assert scripts
    assert [path.name for path in scripts if re.search(r"^(from|import) scheduler", path.read_text(), re.M)] == []


def test_an_empty_database_is_brought_to_the_newest_version(engine: Engine) -> None:
    assert migrate.current(engine) is None
    assert not migrate.is_current(engine)
    assert migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.HEAD
    assert migrate.is_current(engine)
    migrate.require_current(engine)


def test_the_migrations_build_what_the_tables_say(migrated: Engine) -> None:
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_build_the_same_as_the_tables_down_to_each_index(
    migrated: Engine, request: pytest.FixtureRequest
) -> None:
    """Alembic compares neither the conditions of partial indexes nor the names of keys."""
    direct = beside(migrated, request)
    with writing(direct) as connection:
        for_migrations().create_all(connection)
    with reading(direct) as expected, reading(migrated) as found:
        assert structure(found) == structure(expected)
        assert len(structure(found)) > len(metadata.tables)
    direct.dispose()


def beside(engine: Engine, request: pytest.FixtureRequest) -> Engine:
    """An empty database of the same kind."""
    if engine.dialect.name == "sqlite":
        return make_engine(f"sqlite:///{Path(str(engine.url.database)).with_name('direct.db')}")
    return make_engine(request.getfixturevalue("postgres_server").create_database())


STRUCTURE = {
    "sqlite": ("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite_%'",),
    "postgresql": (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT table_name || '.' || column_name,"
        " concat_ws(' ', data_type, character_maximum_length, is_nullable, column_default)"
        " FROM information_schema.columns WHERE table_schema = 'public'",
    ),
}


def structure(connection: Connection) -> dict[str, str]:
    """Name and definition of every table, column, key and index, in whatever order they were made."""
    found: dict[str, str] = {}
    for query in STRUCTURE[connection.dialect.name]:
        for name, definition in connection.exec_driver_sql(query):
            words = sorted(part.strip() for part in re.split(r",\s*\n|\n", definition or "") if part.strip())
            found[name] = "\n".join(words)
    return {name: words for name, words in found.items() if not name.startswith("alembic_version")}


def test_an_upgrade_of_a_current_database_only_reads(migrated: Engine) -> None:
    statements: list[str] = []
    event.listen(migrated, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert not migrate.upgrade(migrated)
    assert all(statement.startswith(("SELECT", "BEGIN")) for statement in statements)
    assert len(statements) <= 3


def test_asking_for_the_version_does_not_load_alembic(sqlite_url: str) -> None:
    migrate.upgrade(make_engine(sqlite_url))
    code = (
        "import sys; from scheduler.store.engine import make_engine; from scheduler.store import migrate;"
        f"print(migrate.is_current(make_engine({sqlite_url!r})), 'alembic' in sys.modules)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert asked.stdout.split() == ["True", "False"]


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    processes = multiprocessing.get_context("fork")
    barrier, results = processes.Barrier(3), processes.SimpleQueue()

    def start() -> None:
        engine = make_engine(database_url)
        barrier.wait(timeout=30)
        try:
            results.put(migrate.upgrade(engine))
        except Exception as error:
            results.put(repr(error))
            raise

    starters = [processes.Process(target=start) for _ in range(3)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert sorted(str(results.get()) for _ in starters) == ["False", "False", "True"]
    assert migrate.is_current(make_engine(database_url))


def test_a_migration_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE attempts (id INTEGER)"))  # the last table of the first script
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE attempts"))
    assert migrate.current(engine) is None
    assert migrate.upgrade(engine)


def test_a_database_that_was_never_set_up_says_to_run_init(engine: Engine) -> None:
    with pytest.raises(StoreUnavailable, match="not been set up; run `bonewise init`"):
        migrate.require_current(engine)


def test_a_database_of_an_older_version_says_to_run_init(migrated: Engine) -> None:
    set_version(migrated, "0001")
    assert not migrate.is_current(migrated)
    with pytest.raises(StoreUnavailable, match=r"older version \(0001, now \d+\); run `bonewise init`"):
        migrate.require_current(migrated)


def test_a_database_of_a_newer_version_is_left_alone(migrated: Engine) -> None:
    set_version(migrated, "9999")
    for attempt in (migrate.upgrade, migrate.require_current):
        with pytest.raises(StoreUnavailable, match=r"newer version \(9999.*install that version"):
            attempt(migrated)
    assert migrate.current(migrated) == "9999"


def set_version(engine: Engine, version: str) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


@pytest.mark.parametrize("table", ["audit", "consents"])
@pytest.mark.parametrize("change", ["UPDATE {} SET clinic_id = clinic_id", "DELETE FROM {}"])
def test_audit_and_consents_can_be_added_to_and_never_changed(migrated: Engine, table: str, change: str) -> None:
    with_one_consent(migrated)
    with pytest.raises(IntegrityError, match=f"{table} is append-only"), writing(migrated) as connection:
        connection.execute(text(change.format(table)))
    with reading(migrated) as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 1


def test_replacing_or_emptying_a_protected_table_is_no_way_round(migrated: Engine) -> None:
    with_one_consent(migrated)
    way = {
        "sqlite": "INSERT OR REPLACE INTO audit SELECT * FROM audit",
        "postgresql": "TRUNCATE audit",
    }[migrated.dialect.name]
    with pytest.raises(IntegrityError, match="audit is append-only"), writing(migrated) as connection:
        connection.execute(text(way))


def test_a_patient_with_consents_cannot_be_deleted_from_under_them(migrated: Engine) -> None:
    with_one_consent(migrated)
    with pytest.raises(IntegrityError), writing(migrated) as connection:
        connection.execute(patients.delete())


def test_sqlite_checks_foreign_keys_again_after_a_migration(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    migrate.upgrade(engine)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_postgresql_leaves_room_in_busy_tables_and_cleans_them_early(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    migrate.upgrade(engine)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL"))
        options = {name: set(settings) for name, settings in rows if name in metadata.tables}
    assert all(len(found) == 3 for found in options.values())
    full = {name: one for name, found in options.items() for one in found if one.startswith("fillfactor")}
    assert full.pop("attempts") == "fillfactor=50"
    assert full == dict.fromkeys(("patients", "enrolments", "messages"), "fillfactor=80")


def test_a_drafted_script_holds_what_the_tables_gained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, copy)
    grown = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        table.to_metadata(grown)
    Table("extra", grown, Column("id", Integer, primary_key=True))
    monkeypatch.setattr(tables, "metadata", grown)
    monkeypatch.setattr(migrate, "_SCRIPTS", copy)
    made = migrate.draft("add the extra table", scratch=tmp_path / "scratch.db")
    assert made.name == f"v{int(migrate.HEAD) + 1:04}_add_the_extra_table.py"
    source = made.read_text()
    assert f"down_revision = '{migrate.HEAD}'" in source
    assert source.count("op.create_table") == 1
    assert "'extra'" in source
    compile(source, made.name, "exec")
