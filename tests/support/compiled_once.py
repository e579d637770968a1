"""Templates and statements compiled once a process: an installation of its own for each test would do it all anew."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from functools import partial
from types import CodeType
from typing import Any

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlalchemy import create_engine

from scheduler.catalogue import templates
from scheduler.store import engine
from scheduler.web import pages


class _InMemory(BytecodeCache):
    """By a template's name and a digest of its text, wherever its file is: one that was changed is compiled anew."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


class _Statements(MutableMapping[Any, Any]):
    """By the kind of database, where SQLAlchemy keeps them apart by engine: here all engines of a kind are alike."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}

    def __getitem__(self, key: Any) -> Any:
        return self._kept[_of_kind(key)]

    def __setitem__(self, key: Any, compiled: Any) -> None:
        self._kept[_of_kind(key)] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._kept[_of_kind(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _of_kind(key: Any) -> Any:
    dialect, *statement = key
    return (dialect.name, *statement)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Of pages and of messages, each with a memory of its own: they are compiled differently."""
    messages = partial(ImmutableSandboxedEnvironment, bytecode_cache=_InMemory())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=_InMemory()))
        patch.setattr(templates, "ImmutableSandboxedEnvironment", messages)
        options = {"compiled_cache": _Statements()}
        patch.setattr(engine, "create_engine", partial(create_engine, execution_options=options))
        yield
