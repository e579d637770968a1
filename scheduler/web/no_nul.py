"""NUL is no character of any word: what has one in its address is read as if something unreadable stood there.

PostgreSQL takes no NUL in a text. Without this each query by what somebody typed would have to think of that.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

UNREADABLE = "\ufffd"  # as for bytes that are not UTF-8
_QUOTED = b"%EF%BF%BD"


class NoNul:
    """Puts the mark for what cannot be read in place of every NUL in the path and query of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            query = scope["query_string"].replace(b"%00", _QUOTED)
            scope = dict(scope, path=without_nul(scope["path"]), query_string=query)
        await self._app(scope, receive, send)


def without_nul(text: str) -> str:
    """The text with the mark in place of each NUL."""
    return text.replace("\0", UNREADABLE)
