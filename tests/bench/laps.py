"""What a measured process hands back: laps with their counts and times, its peak memory, what was wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tests.bench.process_tree import cpu_seconds


@dataclass(slots=True)
class Lap:
    """So many units of work in so many seconds.

    `cpu` is the seconds of processor time, user and system, of the process and all below it; `started` is on the
    machine's monotonic clock, which all processes share.
    """

    done: float
    seconds: float
    cpu: float
    started: float

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Taken:
    """What the provider's journal shows of one run, against the numbers that were to be texted once.

    `first` and `last` are seconds from the moment everybody was due to when the provider took that message.
    """

    wanted: int
    lost: int
    doubled: int
    first: float | None
    last: float | None


@dataclass(slots=True)
class Run:
    """One run of one measured process. `faults` are sentences; empty when all work was done."""

    laps: dict[str, Lap] = field(default_factory=dict)
    peak_mb: float = 0.0
    faults: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)  # what is no rate, such as the milliseconds of one tick
    taken: Taken | None = None

    @contextmanager
    def lap(self, name: str, *, done: float) -> Iterator[None]:
        """Time the block as a lap of `done` units."""
        started, cpu = time.monotonic(), cpu_seconds()
        yield
        ended = time.monotonic()
        self.laps[name] = Lap(done, ended - started, cpu_seconds() - cpu, started)

    def expect(self, what: str, *, found: object, wanted: object) -> None:
        """Note a fault unless `found` is what it should be."""
        if found != wanted:
            self.faults.append(f"{what}: {found}, not {wanted}")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, read: dict[str, Any]) -> Self:
        laps = {name: Lap(**lap) for name, lap in read["laps"].items()}
        taken = Taken(**read["taken"]) if read["taken"] else None
        return cls(laps=laps, peak_mb=read["peak_mb"], faults=read["faults"], values=read["values"], taken=taken)
