"""Signing in by a provider is an extra: nothing of it is loaded unless it is set, and a missing package is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import ROOT, Cli

OIDC = {
    "BONEWISE_OIDC_ISSUER": "http://127.0.0.1:9",
    "BONEWISE_OIDC_CLIENT_ID": "x",
    "BONEWISE_OIDC_CLIENT_SECRET": "y",
}
NEEDS = "bonewise_oidc_issuer needs the package pyjwt, which is not installed"
REMEDY = "install it with `pip install 'bonewise[oidc]'`"


def installation(folder: Path, *, has_package: bool, **settings: str) -> Cli:
    """An installation, with a Python that finds PyJWT or does not."""
    path = str(ROOT)
    if not has_package:
        (folder / "without").mkdir()
        (folder / "without" / "jwt.py").write_text("raise ModuleNotFoundError('No module named jwt', name='jwt')\n")
        path = f"{folder / 'without'}:{ROOT}"
    cli = Cli(folder, {"BONEWISE_DATA_DIR": str(folder / "var"), "PYTHONPATH": path, **settings})
    cli("init")
    return cli


@pytest.mark.parametrize("command", ["check", "doctor", "serve"])
def test_settings_without_the_package_say_what_to_install(tmp_path: Path, command: str) -> None:
    ran = installation(tmp_path, has_package=False, **OIDC).run(command)
    assert ran.code == 1
    said = " ".join((ran.out + ran.err).split()).lower()
    assert NEEDS in said
    assert REMEDY in said
    assert "Traceback" not in ran.err


def test_with_the_package_the_settings_are_sound(tmp_path: Path) -> None:
    assert installation(tmp_path, has_package=True, **OIDC).run("check").code == 0


def test_without_the_settings_nothing_needs_the_package(tmp_path: Path) -> None:
    assert installation(tmp_path, has_package=False).run("check").code == 0


@pytest.mark.parametrize("is_set", [False, True])
def test_nothing_of_it_is_loaded_unless_it_is_set(tmp_path: Path, is_set: bool) -> None:
    cli = installation(tmp_path, has_package=True, **(OIDC if is_set else {}))
    code = (
        "import sys; from scheduler.bootstrap import App; from scheduler.settings import load_settings;"
        "from scheduler.web.app import create_app; create_app(App(load_settings()));"
        "print('scheduler.identity' in sys.modules, 'jwt' in sys.modules)"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code], cwd=cli.folder, env=cli.environment, capture_output=True, text=True, check=True
    )
    assert asked.stdout.split() == [str(is_set)] * 2
