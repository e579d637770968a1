"""The provider error table: what a code of Twilio or of a mail server means for a reminder.

The table is data, `config/provider_errors.yaml`, because providers move causes between codes. A code that it
does not list is `AMBIGUOUS`; looking one up never fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.channels.error_file import ErrorEntry, SmtpStage, read_error_file
from scheduler.domain.faults import Fault
from scheduler.ports import ErrorClass

__all__ = [
    "ErrorEntry",
    "ErrorTable",
    "FaultyErrorTableError",
    "SmtpStage",
    "error_table_faults",
    "load_error_table",
]


class FaultyErrorTableError(ValueError):
    """The table cannot be used; `faults` says where and why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """Error codes by section. Keys are as written in the file: `21610`, `4xx`, `5.7.x`."""

    twilio_codes: Mapping[str, ErrorEntry]
    http_statuses: Mapping[str, ErrorEntry]
    smtp_statuses: Mapping[str, ErrorEntry]
    smtp_replies: Mapping[str, Mapping[str, ErrorEntry]]

    def twilio(self, code: str | int | None) -> ErrorClass:
        """The class of a Twilio error code, or of the HTTP status that stands in for a missing one."""
        return self.twilio_entry(code).error_class

    def twilio_entry(self, code: str | int | None) -> ErrorEntry:
        """As `twilio`, with the meaning in words."""
        key = "" if code is None else str(code)
        entry = self.twilio_codes.get(key) or self.http_statuses.get(key)
        if entry is None and len(key) == 3:
            entry = self.http_statuses.get(f"{key[0]}xx")
        return entry or _UNLISTED

    def smtp(self, stage: SmtpStage, reply: int, status: str | None) -> ErrorClass:
        """The class of a mail server's answer.

        `reply` is its three digits (550), `status` its RFC 3463 code (`5.1.1`) where it gave one.
        """
        return self.smtp_entry(stage, reply, status).error_class

    def smtp_entry(self, stage: SmtpStage, reply: int, status: str | None) -> ErrorEntry:
        """As `smtp`, with the meaning in words."""
        for key in _from_exact_to_general(status):
            if key in self.smtp_statuses:
                return self.smtp_statuses[key]
        replies = self.smtp_replies.get(stage, {})
        return replies.get(str(reply)) or replies.get(f"{str(reply)[0]}xx") or _UNLISTED


_UNLISTED = ErrorEntry(error_class=ErrorClass.AMBIGUOUS, meaning="a code that the error table does not list")


def _from_exact_to_general(status: str | None) -> tuple[str, ...]:
    """`5.7.26` -> `5.7.26`, `5.7.x`, `5.x.x`."""
    parts = (status or "").split(".")
    if len(parts) != 3:
        return ()
    kind, subject, detail = parts
    return f"{kind}.{subject}.{detail}", f"{kind}.{subject}.x", f"{kind}.x.x"


def load_error_table(path: Path) -> ErrorTable:
    """Read the table. Raises `FaultyErrorTableError` with every fault in the file."""
    found = read_error_file(path)
    if found.faults:
        raise FaultyErrorTableError(found.faults)
    return ErrorTable(
        twilio_codes=found.sections["twilio"],
        http_statuses=found.sections["http"],
        smtp_statuses=found.sections["smtp_status"],
        smtp_replies={stage: found.sections[f"smtp_reply.{stage}"] for stage in SmtpStage},
    )


def error_table_faults(path: Path) -> list[Fault]:
    """Every fault in the table, with file and line, for `bonewise check`. Empty when the file is good."""
    return read_error_file(path).faults
