"""Why something was not done, and what helps: on the command line a command, on a page what the page offers."""

from __future__ import annotations


class RefusedError(ValueError):
    """The text ends with what helps on the command line, `on_page` with what helps there.

    `field` is what of a form is wrong.
    """

    def __init__(self, says: str, *, field: str = "", command: str = "", page: str = "") -> None:
        super().__init__(f"{says}{command}")
        self.field = field
        self.on_page = f"{says}{page}"
