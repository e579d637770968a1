"""A list of patients that somebody sent to the clinic's pages: where it stands on its way to being imported. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class UploadState(StrEnum):
    """Where a list stands."""

    NEW = "new"  # it has come; which of its columns is which may be asked
    CHECKING = "checking"  # being read, without changing anything
    CHECKED = "checked"  # what importing it would do is known
    RUNNING = "running"  # being imported
    DONE = "done"
    FAILED = "failed"  # it cannot be read
    BROKEN_OFF = "broken_off"  # the process ended, or the database; what was done stays, and it can be checked again
    CANCELLED = "cancelled"  # by somebody of the clinic; what was done stays
    EXPIRED = "expired"  # nobody went on with it, and the file is gone

    @property
    def is_at_work(self) -> bool:
        """Whether a process reads it now."""
        return self in (UploadState.CHECKING, UploadState.RUNNING)


_AT_REST = frozenset({UploadState.NEW, UploadState.CHECKED, UploadState.BROKEN_OFF})
_AT_WORK = frozenset({UploadState.CHECKING, UploadState.RUNNING})

COMES_FROM: Mapping[UploadState, frozenset[UploadState]] = {
    UploadState.CHECKING: _AT_REST,
    UploadState.CHECKED: frozenset({UploadState.CHECKING}),
    UploadState.RUNNING: frozenset({UploadState.CHECKED}),
    UploadState.DONE: frozenset({UploadState.RUNNING}),
    UploadState.FAILED: _AT_WORK,
    UploadState.BROKEN_OFF: _AT_WORK,
    UploadState.CANCELLED: _AT_REST | _AT_WORK,
    UploadState.EXPIRED: _AT_REST,
}
"""The states that each may follow; `NEW` follows none."""
