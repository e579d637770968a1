"""What every test may use: an empty database of either kind, and an environment free of outside settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scheduler.bootstrap.content import Content
from scheduler.domain.faults import Fault
from scheduler.services import office
from scheduler.services.rules import Rules
from tests.support.compiled_once import compiled_once
from tests.support.postgres import PostgresServer, PostgresUnavailableError, running_server

# A shared machine may be slow for a second: time limits are for benchmarks, not for properties.
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci", deadline=None, max_examples=100, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

_ROOT = Path(__file__).resolve().parents[1]
SHIPPED = (_ROOT / "config", _ROOT / "templates")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's exported settings, a real Twilio account among them, never reach a test."""
    for name in list(os.environ):
        if name.startswith(("BONEWISE_", "TWILIO_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _reports_counted_where_read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting days for reports is a tenth of a test's time and more: tests that need it are marked `reports`."""
    if request.node.get_closest_marker("reports") is None:
        monkeypatch.setattr(office, "count_stale", lambda *_, **__: 0)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server, one per test process; skips, saying why, where none can be had."""
    try:
        running = running_server()
        server = running.__enter__()
    except PostgresUnavailableError as unavailable:
        if os.environ.get("CI"):
            raise  # .ci/run installs it: a skip would hide that half of the tests did not run
        pytest.skip(f"needs PostgreSQL: {unavailable}")
    try:
        yield server
    finally:
        running.__exit__(None, None, None)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """`postgresql+psycopg://...` of an empty database, which is dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """`sqlite:///...` of a file that is not there yet."""
    return f"sqlite:///{tmp_path / 'bonewise.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of each kind that the tests of a file share; what fills it is dear."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('lasting') / 'bonewise.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session", autouse=True)
def _shipped_rules_read_once() -> Iterator[None]:
    """Pathways and words as they are shipped do not change in a run: reading them is most of a short test."""
    read_anew, kept = Content._load_rules, {}

    def load_rules(content: Content, *, templates_dir: Path | None = None) -> tuple[Rules, list[Fault]]:
        folders = content.settings.config_dir, templates_dir
        if not all(folder is None or folder.resolve() in SHIPPED for folder in folders):
            return read_anew(content, templates_dir=templates_dir)
        if folders not in kept:
            kept[folders] = read_anew(content, templates_dir=templates_dir)
        rules, faults = kept[folders]
        return rules, [*faults]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Content, "_load_rules", load_rules)
        yield


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> Iterator[None]:
    with compiled_once():
        yield
