"""What a measured process hands back: laps with their counts and times, its peak memory, what was wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Self

_KIB_PER_MB = 1024


@dataclass(slots=True)
class Lap:
    """So many units of work in so many seconds; `cpu` is this process's own, user and system."""

    done: float
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    def __add__(self, other: Lap) -> Lap:
        return Lap(self.done + other.done, self.seconds + other.seconds, self.cpu + other.cpu)


@dataclass(slots=True)
class Run:
    """One run of one measured process. `faults` are sentences; empty when all work was done, once each."""

    laps: dict[str, Lap] = field(default_factory=dict)
    peak_mb: float = 0.0
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def lap(self, name: str, *, done: float) -> Iterator[None]:
        """Time the block as a lap of `done` units."""
        started, cpu = time.perf_counter(), time.process_time()
        yield
        self.laps[name] = Lap(done, time.perf_counter() - started, time.process_time() - cpu)

    def expect(self, what: str, *, found: object, wanted: object) -> None:
        """Note a fault unless `found` is what it should be."""
        if found != wanted:
            self.faults.append(f"{what}: {found}, not {wanted}")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        laps = {name: Lap(**lap) for name, lap in values["laps"].items()}
        return cls(laps=laps, peak_mb=values["peak_mb"], faults=values["faults"])


def peak_memory_mb() -> float:
    """The most memory this process has held.

    `ru_maxrss` survives `exec` on Linux and would show the parent's, so the kernel's own count comes first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _KIB_PER_MB
    return getrusage(RUSAGE_SELF).ru_maxrss / _KIB_PER_MB
