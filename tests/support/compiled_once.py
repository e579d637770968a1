"""Templates compiled once a process: an installation of its own for each test would compile them all anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scheduler.catalogue import templates
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


@contextmanager
def compiled_once() -> Iterator[None]:
    """Of pages and of messages, each with a memory of its own: they are compiled differently."""
    messages = partial(ImmutableSandboxedEnvironment, bytecode_cache=_InMemory())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "Environment", partial(Environment, bytecode_cache=_InMemory()))
        patch.setattr(templates, "ImmutableSandboxedEnvironment", messages)
        yield
