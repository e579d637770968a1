"""How a provider misbehaves: single faults on request, or a mix at given rates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """How one request goes wrong."""

    ANSWER = "answer"  # refused with `status` and `code`, or with `body` as it stands
    DROP = "drop"  # the connection is reset; nothing is taken
    IGNORE = "ignore"  # not taken, never answered
    HANG = "hang"  # taken, never answered
    CLOSE = "close"  # taken, closed without an answer
    GARBAGE = "garbage"  # taken, answered 201 with `body`, by default something that is not JSON
    CUT = "cut"  # taken, closed in the middle of the answer


_TAKEN = frozenset({FaultKind.HANG, FaultKind.CLOSE, FaultKind.GARBAGE, FaultKind.CUT})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `code` is Twilio's error number; None leaves it out of the body.

    `taken` is for an ANSWER only: the message is taken although the answer says that something went wrong.
    """

    kind: FaultKind
    status: int = 500
    code: int | None = None
    retry_after: str | None = None
    body: str | None = None
    taken: bool = False

    @property
    def is_taken(self) -> bool:
        return self.taken or self.kind in _TAKEN


NAMED = {
    "500": Fault(FaultKind.ANSWER, 500, 20500),
    "500_taken": Fault(FaultKind.ANSWER, 500, 20500, taken=True),
    "503": Fault(FaultKind.ANSWER, 503, 20503),
    "503_taken": Fault(FaultKind.ANSWER, 503, 20503, taken=True),
    "429": Fault(FaultKind.ANSWER, 429, 20429, retry_after="1"),
    "reset": Fault(FaultKind.DROP),
    "hang": Fault(FaultKind.IGNORE),
    "accepted_hang": Fault(FaultKind.HANG),
    "accepted_closed": Fault(FaultKind.CLOSE),
    "accepted_cut": Fault(FaultKind.CUT),
    "garbage": Fault(FaultKind.GARBAGE),
}
"""The faults that a mix is made of, by the names it goes by in commands and JSON."""


class FaultMix:
    """Faults at random. `rates` maps names of `NAMED` to shares of all requests, 0 to 1, together at most 1.

    The draw depends on the seed, the number and how many requests there were to it, so that the order in which
    requests to different numbers arrive makes no difference.
    """

    def __init__(self, rates: Mapping[str, float], *, seed: int) -> None:
        unknown = sorted(set(rates) - set(NAMED))
        if unknown:
            raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(NAMED)}")
        if sum(rates.values()) > 1:
            raise ValueError("the rates of all faults together are above 1")
        self._rates = dict(rates)
        self._seed = seed
        self._asked: Counter[str] = Counter()

    def draw(self, to: str) -> Fault | None:
        """What becomes of the next request to this number; None for nothing out of the way."""
        self._asked[to] += 1
        drawn = hashlib.blake2b(f"{self._seed} {to} {self._asked[to]}".encode(), digest_size=8).digest()
        share = int.from_bytes(drawn, "big") / 2**64
        for name, rate in self._rates.items():
            if share < rate:
                return NAMED[name]
            share -= rate
        return None
