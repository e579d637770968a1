"""The one place that wires parts together. Parts are made when first asked for: a small command stays quick."""

from scheduler.bootstrap.app import App
from scheduler.bootstrap.content import FaultyContentError
from scheduler.bootstrap.storage import CLOCK_OFFSET

__all__ = ["CLOCK_OFFSET", "App", "FaultyContentError"]
