"""The locked requirements: complete, hashed, of one mind, and free of any address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("run.txt", "test.txt", "build.txt")


def text_of(file: str) -> str:
    return (ROOT / "requirements" / file).read_text()


def pins_of(file: str) -> dict[str, str]:
    """Package -> version and marker, as pinned."""
    lines = (line.removesuffix("\\").strip() for line in text_of(file).splitlines() if re.match(r"[a-z0-9]", line))
    return dict(line.split("==", 1) for line in lines)


def project() -> dict[str, list[str]]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = table["optional-dependencies"]
    return {
        "run.txt": table["dependencies"] + extras["oidc"],
        "test.txt": table["dependencies"] + extras["oidc"] + extras["test"] + extras["lint"],
    }


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_and_hashed(file: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", text_of(file).strip())
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("file", FILES)
def test_no_address_is_named(file: str) -> None:
    assert re.findall(r"\S+://\S*|^--?(?:i|f|index|extra|find|trusted)\b.*", text_of(file), flags=re.MULTILINE) == []


@pytest.mark.parametrize("file", ["run.txt", "test.txt"])
def test_every_dependency_of_the_project_is_locked(file: str) -> None:
    names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in project()[file]}
    assert names - pins_of(file).keys() == set(), "run `make lock`"


def test_tests_run_with_the_versions_that_run_in_service() -> None:
    tested = pins_of("test.txt")
    assert {name: tested.get(name) for name in pins_of("run.txt")} == pins_of("run.txt")


def test_build_tools_share_their_versions_with_the_rest() -> None:
    build, tested = pins_of("build.txt"), pins_of("test.txt")
    assert {name: build[name] for name in build.keys() & tested} == {
        name: tested[name] for name in build.keys() & tested
    }
