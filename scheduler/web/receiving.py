"""Taking in a file that a page of ours sends (RFC 7578), straight to disk and no further than a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from fastapi import HTTPException, Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from scheduler.web.forms import TOKEN, require_own
from scheduler.web.site import Site

FILE = "file"  # the field with the file
MOST_BYTES = 64 * 1000 * 1000
_MOST_BESIDE = 64 * 1024  # bytes of the form beside the file
_LONGEST_HEADER = 4096


class TooLargeError(ValueError):
    """The file is larger than is taken."""

    def __init__(self) -> None:
        super().__init__(
            f"A list may have {MOST_BYTES // 1_000_000} MB. Send it in parts: it does not matter how it is cut."
        )


class NoFileError(ValueError):
    """No file came, or not the whole of it."""

    def __init__(self, what: str = "Choose a file.") -> None:
        super().__init__(what)


@dataclass(slots=True)
class _Part:
    """One field of the form, while it comes."""

    header: bytes = b""
    value: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None


@dataclass(slots=True)
class _Form:
    """What has come: fields in memory, the file into `sink`. `on_file` is asked before its first byte."""

    sink: IO[bytes]
    on_file: Callable[[dict[str, str]], None]
    fields: dict[str, str] = field(default_factory=dict)
    filename: str = ""
    size: int = 0
    beside: int = 0
    is_whole: bool = False
    part: _Part = field(default_factory=_Part)

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.header_field,
            "on_header_value": self.header_value,
            "on_header_end": self.header_end,
            "on_headers_finished": self.headers_finished,
            "on_part_data": self.data,
            "on_part_end": self.end,
            "on_end": self.finish,
        }

    def begin(self) -> None:
        self.part = _Part()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.part.header += data[start:end]
        self._count_beside(end - start)

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.part.value += data[start:end]
        self._count_beside(end - start)

    def header_end(self) -> None:
        self.part.headers[self.part.header.lower()] = self.part.value
        self.part.header, self.part.value = b"", b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self.part.headers.get(b"content-disposition", b"")[:_LONGEST_HEADER])
        self.part.name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        self.part.filename = None if filename is None else filename.decode("utf-8", "replace")
        if self._is_file:
            self.on_file(self.fields)
            self.filename = (self.part.filename or "").replace("\\", "/").rpartition("/")[2]

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.size += end - start
            if self.size > MOST_BYTES:
                raise TooLargeError
            self.sink.write(data[start:end])
        else:
            self._count_beside(end - start)
            self.part.value += data[start:end]

    def end(self) -> None:
        if not self._is_file:
            self.fields[self.part.name] = self.part.value.decode("utf-8", "replace")

    def finish(self) -> None:
        self.is_whole = True

    @property
    def _is_file(self) -> bool:
        return self.part.name == FILE and self.part.filename is not None

    def _count_beside(self, size: int) -> None:
        self.beside += size
        if self.beside > _MOST_BESIDE:
            raise HTTPException(413, "There is more in this form than its button sends.")


async def receive_file(request: Request, site: Site, sink: IO[bytes]) -> str:
    """Write the file of a form of ours into `sink`; returns what its sender calls it.

    Raises `NoFileError`, `TooLargeError` (at once, when the request says how large it is), and 403 for a form that is
    not ours: its token comes before the file, so nothing of a foreign one is kept.
    """
    boundary = _boundary(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MOST_BYTES + _MOST_BESIDE:
        raise TooLargeError

    def require(fields: dict[str, str]) -> None:
        require_own(request, site, fields.get(TOKEN, ""))

    form = _Form(sink, require)
    parser = MultipartParser(boundary, form.callbacks())  # type: ignore[arg-type]
    try:
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise NoFileError from error
    if not form.filename:
        raise NoFileError
    if not form.is_whole:
        raise NoFileError("The file did not come whole. Send it again.")
    return form.filename


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise NoFileError
    return boundary
