"""The deployment files agree with the program: the commands, settings, files and accounts they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "bonewise"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()

NAME = re.compile(r"\b(?:BONEWISE|TWILIO)_[A-Z][A-Z_]*[A-Z]\b")
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|_KEYS?\b")
ONLY_COMPOSE = {"PORT", "WORKERS"}


def offered_settings() -> dict[str, str]:
    """The lines `#NAME=value` of .env.example."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, flags=re.MULTILINE))


def known_settings() -> set[str]:
    return set(NAME.findall((ROOT / "scheduler" / "settings.py").read_text()))


def test_it_has_database_init_web_and_worker() -> None:
    assert {"db", "init", "web", "worker"} <= SERVICES.keys()
    assert [service["command"][1] for service in OURS.values()] == ["init", "web", "worker"]


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_a_command_that_exists_with_options_it_takes(service: str) -> None:
    program, *words = OURS[service]["command"]
    assert program == "bonewise"
    bonewise = Path(sys.executable).with_name("bonewise")
    run = [str(bonewise)] if bonewise.exists() else [sys.executable, "-c", "from scheduler.cli import main; main()"]
    asked = subprocess.run([*run, *words, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr


def test_every_setting_it_names_is_one_of_the_programs() -> None:
    named = set(NAME.findall((ROOT / "docker-compose.yml").read_text() + DOCKERFILE + EXAMPLE))
    assert named - known_settings() == set()


def test_the_example_mentions_every_setting_of_the_program() -> None:
    assert known_settings() - set(NAME.findall(EXAMPLE)) == set()


def test_variables_of_the_compose_file_are_in_the_example() -> None:
    variables = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert variables == ONLY_COMPOSE
    assert offered_settings().keys() >= ONLY_COMPOSE


def test_no_secret_has_a_value_in_any_of_the_files() -> None:
    settings = offered_settings() | {
        name: str(value) for service in SERVICES.values() for name, value in service.get("environment", {}).items()
    }
    assert [name for name, value in settings.items() if SECRET.search(name) and not name.endswith("_FILE")] == []
    assert [value for value in settings.values() if re.search(r"://[^/@\s]*:[^/@\s]+@", value)] == []


def test_services_and_volumes_that_are_referred_to_are_there() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= SERVICES.keys()
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= COMPOSE["volumes"].keys()


def test_nothing_of_ours_starts_before_the_database_answers_and_is_migrated() -> None:
    assert OURS["init"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert SERVICES["db"]["healthcheck"]["test"]
    for half in ("web", "worker"):
        assert OURS[half]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}


def test_the_worker_can_be_scaled() -> None:
    assert "container_name" not in SERVICES["worker"]
    assert "ports" not in SERVICES["worker"]


def test_the_image_runs_as_an_account_without_rights_and_tells_its_health() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.findall(r"^USER (\S+)$", last_stage, flags=re.MULTILINE)
    assert user == ["bonewise"]
    uid = re.search(r"useradd --uid (\d+)", last_stage)
    assert uid
    assert f"chown {uid[1]}:" in SERVICES["password"]["command"][0]  # whoever runs may read the password
    assert re.search(r"HEALTHCHECK[^\n]*\\\n[^\n]*/healthz", last_stage)


def test_what_the_image_is_built_from_exists_and_is_let_through() -> None:
    sources = [
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE)
        for source in line.split()[:-1]
    ]
    ignore = (ROOT / ".dockerignore").read_text().split()
    let_through = {line.strip("!/") for line in ignore if line.startswith("!")}
    assert "*" in ignore
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.partition("/")[0] in let_through
