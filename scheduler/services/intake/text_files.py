"""Reading a file line by line, and refusing what is no text before anything is imported."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scheduler.services.intake.draft import UnreadableFile

UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SAVE_AS_UTF8 = 'save it as "CSV UTF-8 (comma delimited)" and import that'
_KNOWN_STARTS = {
    b"PK\x03\x04": f"is an Excel workbook or a zip file; open it and {SAVE_AS_UTF8}",
    b"\xd0\xcf\x11\xe0": f"is an old Excel workbook; open it and {SAVE_AS_UTF8}",
    b"\x1f\x8b": "is compressed with gzip; decompress it first",
    b"%PDF": "is a PDF; ask for the list as CSV",
    codecs.BOM_UTF16_LE: f"is UTF-16 text; {SAVE_AS_UTF8}",
    codecs.BOM_UTF16_BE: f"is UTF-16 text; {SAVE_AS_UTF8}",
}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file whose text can be read from end to end. `lines` counts physical lines, for showing progress."""

    path: Path
    lines: int

    def read(self) -> Iterator[str]:
        """The lines with their ends. Raises `UnreadableFile` when the file has changed meanwhile."""
        with open_binary(self.path) as stream:
            for number, line in enumerate(stream, 1):
                yield _text(self.path, number, line)


def examine(path: Path, *, max_line_bytes: int) -> TextFile:
    """Read `path` once from end to end and raise `UnreadableFile` on anything but UTF-8 text in lines.

    Reading twice costs little and means that a fault far down is found before the first row is written.
    """
    lines = 0
    with open_binary(path) as stream:
        while line := stream.readline(max_line_bytes + 1):
            lines += 1
            if len(line) > max_line_bytes:
                raise UnreadableFile(
                    f"{path}: line {lines} is longer than {max_line_bytes:,} bytes; "
                    "look for a missing line end or a quotation mark that is never closed"
                )
            _text(path, lines, line)
    return TextFile(path, lines)


def open_binary(path: Path) -> BinaryIO:
    """Open `path`, refusing what its first bytes show to be no text. Raises `UnreadableFile`."""
    if path.exists() and not path.is_file():
        raise UnreadableFile(f"{path} is not a file; name a file on disk, for it is read more than once")
    try:
        stream = path.open("rb")
        start = stream.read(4)
        stream.seek(0)
    except OSError as error:
        raise unreadable(path, error) from error
    for known, what in _KNOWN_STARTS.items():
        if start.startswith(known):
            stream.close()
            raise UnreadableFile(f"{path} {what}")
    return stream


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    """What the operating system said about `path`, as a sentence."""
    return UnreadableFile(f"{path} cannot be read: {error.strerror or error}")


def _text(path: Path, number: int, line: bytes) -> str:
    if b"\0" in line:
        raise UnreadableFile(f"{path}: line {number} holds a NUL byte, so this is not a text file; {SAVE_AS_UTF8}")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"{path}: line {number}, byte {error.start + 1} is not UTF-8 "
            f"(0x{line[error.start]:02x}, perhaps Windows-1252); {SAVE_AS_UTF8}"
        ) from None
