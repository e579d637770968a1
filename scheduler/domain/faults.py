"""A fault in something a person wrote: a pathway, a template, a setting, a row of an import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong, where, and what to do about it, in words a clinic's coordinator understands."""

    path: str
    line: int  # 1-based; 0 when the fault is the file as a whole
    message: str  # names the thing, what is wrong with it, and the remedy

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}"
