"""Working ahead in processes of their own: the next batch is made ready while the one before it is being stored."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from scheduler.services.intake.draft import UnreadableFile

_END = None

T = TypeVar("T")


def can_work_ahead() -> bool:
    """Whether a second process would help: there is a processor for it, and it can start where this one stands."""
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1


@contextmanager
def work_ahead(pieces: Iterator[T]) -> Iterator[Iterator[T]]:
    """`pieces`, each made by another process while the one before it is used.

    Raises what making them raises, and `UnreadableFile` when the other process is killed. Leaving the context ends
    it. What making them leaves behind, apart from the pieces, stays in the other process. It may use no connection
    to a database, for both processes would talk over the same one.
    """
    forked = multiprocessing.get_context("fork")
    ours, theirs = forked.Pipe(duplex=False)
    maker = forked.Process(target=_send, args=(pieces, theirs, ours), name="bonewise-reader", daemon=True)
    maker.start()
    theirs.close()
    try:
        yield _received(ours)
    finally:
        ours.close()
        maker.terminate()
        maker.join()


def _received(pipe: Connection) -> Iterator[Any]:
    while True:
        try:
            piece = pipe.recv()
        except EOFError:
            raise UnreadableFile("the process that read the file was ended; import the same file again") from None
        if isinstance(piece, Exception):
            raise piece
        if piece is _END:
            return
        yield piece


def _send(pieces: Iterator[Any], pipe: Connection, other_end: Connection) -> None:
    """The other process. It ends with its parent, who alone answers an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    other_end.close()  # else a parent that dies would not be noticed
    with suppress(BrokenPipeError):
        try:
            for piece in pieces:
                pipe.send(piece)
            pipe.send(_END)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - it is the parent's to raise
            pipe.send(error)
