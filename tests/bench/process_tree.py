"""What a process and all that it started use: processor time and memory, as the kernel counts them.

Where there is no /proc, only the process itself and the children that have ended are counted.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

_PROC = Path("/proc")
_KIB_PER_MB = 1024
_LOOK_EVERY = 0.5  # seconds; adding up the memory of ten processes takes some milliseconds of a core
_PARENT, _CPU = 1, slice(11, 15)  # places in /proc/PID/stat after the name: user, system, and both of ended children


def cpu_seconds() -> float:
    """Processor time so far, user and system, of this process and all below it."""
    ended = getrusage(RUSAGE_CHILDREN)
    ticks = sum(sum(map(int, fields[_CPU])) for fields in _below(os.getpid()).values())
    return time.process_time() + ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def peak_memory_mb() -> float:
    """The most memory this process has held.

    `ru_maxrss` survives `exec` on Linux and would show the parent's, so the kernel's own count comes first.
    """
    status = _PROC / "self" / "status"
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / _KIB_PER_MB
    return getrusage(RUSAGE_SELF).ru_maxrss / _KIB_PER_MB


class TreeMemory:
    """The most that a process and those below it held together. Pages that they share count once."""

    def __init__(self) -> None:
        self.peak_mb = 0.0  # 0 while the process was alone: then its own count is exact

    @contextmanager
    def watched(self, pid: int) -> Iterator[None]:
        """Look again and again while the block runs."""
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(pid, stop), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()

    def _watch(self, pid: int, stop: threading.Event) -> None:
        while not stop.wait(_LOOK_EVERY):
            below = _below(pid)
            if below:
                self.peak_mb = max(self.peak_mb, sum(map(_proportional_mb, (pid, *below))))


def _proportional_mb(pid: int) -> float:
    """The process's memory, each page divided by the number of processes that share it; 0 once it has ended."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / _KIB_PER_MB
    return 0.0


def _below(pid: int) -> dict[int, list[str]]:
    """All processes that descend from `pid`, with what /proc says of each after its name."""
    children: dict[int, list[int]] = defaultdict(list)
    stats: dict[int, list[str]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            number = int(entry.parent.name)
            stats[number] = fields
            children[int(fields[_PARENT])].append(number)
    found: dict[int, list[str]] = {}
    waiting = children[pid]
    while waiting:
        one = waiting.pop()
        found[one] = stats[one]
        waiting += children[one]
    return found
