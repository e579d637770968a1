"""The tables of the job engine: made by `init`, beside ours, and made anew for another version of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from procrastinate import App as EngineApp
from procrastinate import SyncPsycopgConnector
from procrastinate.schema import SchemaManager
from sqlalchemy import Engine, text

from scheduler.bootstrap import App
from scheduler.settings import load_settings
from scheduler.store import engine_schema
from scheduler.store.engine import StoreUnavailable, make_engine, reading, writing
from scheduler.store.tables import metadata
from tests.support.commands import bare


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    made = make_engine(postgres_url)
    yield made
    made.dispose()


def made_from_another_script(engine: Engine, *, mark: str) -> None:
    """The schema as another version of the engine, or another program, would have left it."""
    with writing(engine) as connection:
        connection.execute(text("CREATE SCHEMA procrastinate"))
        connection.execute(text("CREATE TABLE procrastinate.procrastinate_jobs (old integer)"))
        connection.exec_driver_sql(f"COMMENT ON SCHEMA procrastinate IS '{mark}'")


def tables(engine: Engine, schema: str) -> set[str]:
    query = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
    with reading(engine) as connection:
        return set(connection.scalars(query, {"schema": schema}))


def test_init_makes_the_engines_tables_once(postgres_url: str, tmp_path: Path) -> None:
    commands = bare(tmp_path).given(BONEWISE_DATABASE_URL=postgres_url)
    assert commands.done("init").out == "The database is ready.\n"
    assert commands.done("init").out == "The database was ready already.\n"


def test_the_engine_finds_its_tables_by_its_own_check(engine: Engine) -> None:
    assert engine_schema.install(engine)
    assert not engine_schema.install(engine)
    engine_schema.require(engine)
    settings = {**engine_schema.connection_settings(engine), "options": f"-c search_path={engine_schema.SCHEMA}"}
    app = EngineApp(connector=SyncPsycopgConnector(kwargs=settings, min_size=1, max_size=1))
    with app.open():
        assert app.check_connection()


def test_the_script_is_the_one_the_engine_would_run() -> None:
    assert engine_schema._script() == SchemaManager.get_schema()


def test_the_engines_tables_are_none_of_ours(engine: Engine, postgres_url: str, tmp_path: Path) -> None:
    app = App(load_settings({"BONEWISE_DATABASE_URL": postgres_url, "BONEWISE_DATA_DIR": str(tmp_path)}))
    app.initialise()
    app.close()
    assert tables(engine, "public") == {*metadata.tables, "alembic_version"}
    assert "procrastinate_jobs" in tables(engine, "procrastinate")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_tables_of_another_version_are_made_anew(engine: Engine) -> None:
    made_from_another_script(engine, mark=f"{engine_schema._MARK}0123456789abcdef")
    with pytest.raises(StoreUnavailable, match="no job queue of this version; run `bonewise init`"):
        engine_schema.require(engine)
    assert engine_schema.install(engine)
    engine_schema.require(engine)
    assert "procrastinate_workers" in tables(engine, "procrastinate")


def test_a_schema_of_another_program_is_left_alone(engine: Engine) -> None:
    made_from_another_script(engine, mark="belongs to the billing system")
    with pytest.raises(StoreUnavailable, match="schema 'procrastinate' of another program"):
        engine_schema.install(engine)
    assert tables(engine, "procrastinate") == {"procrastinate_jobs"}


def test_a_worker_without_the_tables_says_what_to_do(engine: Engine, postgres_url: str, tmp_path: Path) -> None:
    commands = bare(tmp_path).given(BONEWISE_DATABASE_URL=postgres_url)
    commands.done("init")
    with writing(engine) as connection:
        connection.execute(text("DROP SCHEMA procrastinate CASCADE"))
    ran = commands("worker")
    assert ran.code == 1
    assert "has no job queue of this version; run `bonewise init`" in ran.err


def test_sqlite_has_no_job_queue(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    assert not engine_schema.is_available(engine)
    assert not engine_schema.install(engine)
