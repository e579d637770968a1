"""What an installation of its own for each test would do anew each time, done once a process or more cheaply.

Templates and statements are compiled once, routes are taken apart once, our own program is searched for texts once,
and passwords are hashed with less memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlalchemy import create_engine
from starlette.routing import BaseRoute

from scheduler.catalogue import templates, ui_texts
from scheduler.services.accounts import passwords
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


def _including_once() -> Callable[[FastAPI, APIRouter], None]:
    """`FastAPI.include_router` that takes a router's routes apart once: how depends on the router alone."""
    include, kept = FastAPI.include_router, dict[int, BaseRoute]()

    def include_router(web: FastAPI, router: APIRouter) -> None:
        if id(router) in kept:
            web.router.routes.append(kept[id(router)])
        else:
            include(web, router)
            kept[id(router)] = web.router.routes[-1]

    return include_router


def _searching_once() -> Callable[[Path], list[tuple[ui_texts.UiText, int]]]:
    """`ui_texts._in_program` that reads each of our files once."""
    search = ui_texts._in_program
    return cache(lambda path: [*search(path)])


@contextmanager
def compiled_once() -> Iterator[None]:
    """Pages and messages each have a memory of their own: they are compiled differently."""
    messages = partial(ImmutableSandboxedEnvironment, bytecode_cache=_InMemory())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=_InMemory()))
        patch.setattr(templates, "ImmutableSandboxedEnvironment", messages)
        options = {"compiled_cache": _Statements()}
        patch.setattr(engine, "create_engine", partial(create_engine, execution_options=options))
        patch.setattr(FastAPI, "include_router", _including_once())
        patch.setattr(ui_texts, "_in_program", _searching_once())
        patch.setattr(passwords, "_MEMORY_KIB", 64)
        yield
