"""What a program's key lets it do. Pure."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One thing that a key may be for; a key has one or several."""

    READ = "read"  # look at patients, messages and tasks
    WRITE = "write"  # enrol, change and record
    HOOKS = "hooks"  # be told of what happens
