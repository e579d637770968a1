"""What `bonewise init` makes, copied instead of made again: making the tables is most of a short test."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scheduler.bootstrap.app import App
from scheduler.settings import load_settings
from tests.support.postgres import server_at

_KEYS, _FILE = "keys", "bonewise.db"
_SQLITE = "sqlite:///"


def install(url: str, data_dir: Path) -> None:
    """Fill an empty database and a data folder without keys; does nothing where either is there already."""
    if (data_dir / _KEYS).exists():
        return
    if url.startswith(_SQLITE):
        file = Path(url.removeprefix(_SQLITE))
        if file.exists():
            return
        made = _sqlite()
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / _FILE, file)
    else:
        server = server_at(url)
        if not server.is_empty(url):
            return
        made = _folder(server.port)
        template = server.ensure_template("installed", lambda empty: _initialise(empty, made))
        server.drop_database(url)
        server.create_database(template=template, name=url.rpartition("/")[2])
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy2(made / _KEYS, data_dir / _KEYS)


@cache
def _sqlite() -> Path:
    made = _folder(0)
    _initialise(f"{_SQLITE}{made / _FILE}", made)
    return made


def _folder(number: int) -> Path:
    return Path(_temporary(number).name)


@cache
def _temporary(number: int) -> TemporaryDirectory[str]:
    """One for each server, with the keys of its template; goes away with the process."""
    return TemporaryDirectory(prefix=f"bonewise-{number}-")


def _initialise(url: str, data_dir: Path) -> None:
    app = App(load_settings({"BONEWISE_DATABASE_URL": url, "BONEWISE_DATA_DIR": str(data_dir)}))
    app.initialise()
    app.close()
