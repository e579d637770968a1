"""Two records of one file for one patient: the first counts, the second is handed back."""

from __future__ import annotations

from scheduler.services.intake.draft import Excluded, Rejected, Row, RowError


def first_of_its_mrn(row: Row, seen: dict[str, int], *, column: str = "mrn") -> Row:
    """`row`, or its rejection when an earlier record of the file, sound or not, had its record number.

    `seen` keeps the record numbers so far with their lines. `column` is where the number stands in such a
    record. A patient who is excluded stays so: that somebody died may be said twice.
    """
    if row.mrn is None:
        return row
    first = seen.get(row.mrn)
    if first is None:
        seen[row.mrn] = row.line
        return row
    if isinstance(row, Excluded):
        return row
    reason = f"line {first} has the same record number; keep one of the two"
    errors = row.errors if isinstance(row, Rejected) else ()
    duplicate = RowError(row.line, column, row.mrn, reason)
    return Rejected(line=row.line, errors=(duplicate, *errors), raw=row.raw, mrn=row.mrn)
