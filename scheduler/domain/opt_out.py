"""What a provider makes of a text by itself: it knows the carriers' words, and answers them before we do."""

from __future__ import annotations

from enum import StrEnum


class OptOut(StrEnum):
    """What the provider took a text for, and has confirmed."""

    STOP = "stop"
    START = "start"
    HELP = "help"
