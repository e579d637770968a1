"""The secret keys: how they are written, checked, kept in a file and added to.

A key is written `<id>:<base64 of 32 bytes>`, its id a number from 1 to 255; several are separated by commas
or lines, newest first. The newest seals; every key still in the ring opens what it sealed.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

KEY_BYTES = 32
HIGHEST_KEY_ID = 255  # the id takes one byte of every sealed value

_log = logging.getLogger(__name__)


class KeyFault(ValueError):  # noqa: N818 - a fault in what a person wrote
    """A secret key that cannot be used. The message names the key's place and the remedy, never the key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One master key. `secret` is 32 random bytes and is kept out of `repr`."""

    id: int
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{self.id}:{base64.b64encode(self.secret).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The master keys, newest first; never empty, no id twice."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyFault("there is no secret key; run `bonewise init` to make one")
        ids = [key.id for key in self.keys]
        if twice := sorted({key_id for key_id in ids if ids.count(key_id) > 1}):
            raise KeyFault(f"secret key id {twice[0]} is given twice; every key needs an id of its own")

    @classmethod
    def parse(cls, text: str, *, source: str = "BONEWISE_SECRET_KEYS") -> KeyRing:
        """Reads keys as a person or a file wrote them; `source` is the place that a `KeyFault` names."""
        written = [part for line in text.splitlines() for part in _without_comment(line).split(",")]
        parts = [part.strip() for part in written if part.strip()]
        if not parts:
            raise KeyFault(f"{source} holds no secret key; run `bonewise init` to make one")
        try:
            return cls(tuple(_parse_key(part, place=f"key {n} in {source}") for n, part in enumerate(parts, 1)))
        except KeyFault as fault:
            if source in str(fault):
                raise
            raise KeyFault(f"{source}: {fault}") from fault

    @property
    def newest(self) -> Key:
        return self.keys[0]

    def with_new_key(self) -> KeyRing:
        """The ring with a fresh key in front: the first half of a rotation. Everything old still opens."""
        fresh = make_key(taken=[key.id for key in self.keys])
        return KeyRing((_parse_key(fresh, place="the new key"), *self.keys))

    def with_only_newest(self) -> KeyRing:
        """The ring without its old keys: the last half of a rotation, once nothing needs them any more."""
        return KeyRing(self.keys[:1])

    def as_text(self) -> str:
        """One key a line, newest first, as `parse` reads it."""
        return "".join(f"{key}\n" for key in self.keys)


def make_key(*, taken: Collection[int] = ()) -> str:
    """A fresh random key as text, with the id after the highest taken (or, at 255, the lowest free one)."""
    following = max(taken, default=0) + 1
    free = [following, *range(1, HIGHEST_KEY_ID + 1)]
    key_id = next((n for n in free if n <= HIGHEST_KEY_ID and n not in taken), None)
    if key_id is None:
        raise KeyFault("all 255 key ids are in use; finish a rotation and drop the old keys first")
    return str(Key(key_id, secrets.token_bytes(KEY_BYTES)))


def load(path: Path) -> KeyRing:
    """Reads the key file. Raises `KeyFault` when it is missing, unreadable or holds anything but keys.

    A file that other users of the machine may read still loads, with a warning in the log: on some mounted
    file systems the mode cannot be changed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise KeyFault(
            f"the key file {path} is missing; restore it from a backup, for without it nothing in the database can "
            "be read (to start anew, move the database away and run `bonewise init`)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise KeyFault(f"the key file {path} cannot be read: {reason}; correct it or BONEWISE_DATA_DIR") from error
    if not text.strip():
        raise KeyFault(f"the key file {path} is empty; restore it from a backup")
    if warning := exposure(path):
        _log.warning("%s", warning)
    return KeyRing.parse(text, source=str(path))


def load_or_create(path: Path) -> KeyRing:
    """Reads the key file, or makes it with one fresh key when there is none.

    The file gets mode 0600, a folder made for it 0700. Processes that start together agree on one key. Only
    for a database without data: beside an old database a new key opens nothing.
    """
    if not path.exists():
        with suppress(FileExistsError):  # another process was first; its key is the one to use
            _write(path, make_key() + "\n", replace=False)
    return load(path)


def save(path: Path, ring: KeyRing) -> None:
    """Replaces the key file in one step, mode 0600: a crash leaves either the old keys or the new ones."""
    _write(path, ring.as_text(), replace=True)


def exposure(path: Path) -> str | None:
    """A warning when users other than the owner and its group may read the key file, else None."""
    if path.stat().st_mode & 0o007:
        return f"the key file {path} can be read by every user of this machine; run `chmod 600 {path}`"
    return None


def _without_comment(line: str) -> str:
    return line.split("#", 1)[0]


def _parse_key(text: str, *, place: str) -> Key:
    written = re.fullmatch(r"([0-9]{1,3}):([A-Za-z0-9+/_=-]+)", text)
    if written is None:
        raise KeyFault(f"{place} is not written as <id>:<base64>, with an id from 1 to {HIGHEST_KEY_ID}")
    key_id = int(written[1])
    if not 1 <= key_id <= HIGHEST_KEY_ID:
        raise KeyFault(f"{place} has the id {key_id}; an id is a number from 1 to {HIGHEST_KEY_ID}")
    try:
        secret = base64.b64decode(written[2].replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise KeyFault(f"{place} (id {key_id}) is not valid base64; copy it again in full") from error
    if len(secret) != KEY_BYTES:
        raise KeyFault(f"{place} (id {key_id}) has {len(secret)} bytes instead of {KEY_BYTES}; copy it in full")
    return Key(key_id, secret)


def _write(path: Path, text: str, *, replace: bool) -> None:
    """Writes beside the file, then moves into place; raises `FileExistsError` unless `replace`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                beside.replace(path)
            else:
                path.hardlink_to(beside)  # unlike a rename, a link never overwrites
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise KeyFault(
            f"the key file {path} cannot be written: {reason}; choose a writable folder with BONEWISE_DATA_DIR"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Makes the file's name durable too: a key lost in a power cut would take the data with it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
