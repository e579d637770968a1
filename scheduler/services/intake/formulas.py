"""Cells that a spreadsheet would run as formulas: made harmless when written, restored when read again.

The marks are those of OWASP's page on CSV injection.
"""

from __future__ import annotations

import re

_LIVE = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"''*[=+\-@\t\r]")


def harmless(cell: str) -> str:
    """`cell` with an apostrophe in front when a spreadsheet would take it for a formula.

    A cell that already looks like that gets one more, so that `original` gives back exactly what was there.
    """
    return f"'{cell}" if _LIVE.match(cell) else cell


def original(cell: str) -> str:
    """What `harmless` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell
