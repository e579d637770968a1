"""Tables as files that a spreadsheet opens, and runs nothing of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from fastapi.responses import StreamingResponse

from scheduler.services.intake.formulas import harmless

_MARK = "\ufeff"  # spreadsheets take a file without it for another encoding
_ROWS = 500  # written at once


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingResponse:
    """The table as a download called `name`.csv. Nothing becomes an empty cell; text that looks like a formula is
    kept from being one."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(_written(columns, rows), media_type="text/csv; charset=utf-8", headers=headers)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(_MARK)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_cell(value) for value in row])
        if number % _ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cell(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value
