"""The wheel is complete: what works from a checkout works where only the wheel was installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built now."""
    pytest.importorskip("hatchling", reason="needs hatchling, which `make setup` installs")
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = target.glob("bonewise-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_below(folder: str) -> set[str]:
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in paths}


def test_the_package_is_in_it_with_migrations_and_web_assets(contents: set[str]) -> None:
    assert files_below("scheduler") - contents == set()


@pytest.mark.parametrize("folder", ["config", "templates"])
def test_what_lies_next_to_the_package_is_inside_it(contents: set[str], folder: str) -> None:
    expected = {f"scheduler/_shipped/{name}" for name in files_below(folder)}
    assert expected
    assert expected - contents == set()


def test_nothing_else_is_in_it(contents: set[str]) -> None:
    tops = {name.partition("/")[0] for name in contents}
    assert {top for top in tops if not top.startswith("bonewise-")} == {"scheduler"}
    assert [name for name in contents if name.endswith((".pyc", ".db", ".env"))] == []
