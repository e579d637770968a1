"""Key rotation: everything sealed under an older key is sealed again under the newest, with its blind indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Column, Engine, Table, select, tuple_, update

from scheduler.store.engine import writing
from scheduler.store.tables import carers, metadata, patients, replies
from scheduler.store.types import Sealed
from scheduler.store.vault import Vault

BATCH = 500  # rows per transaction


# Each blind index, the sealed column of its table that it is made from (in lower case), and what it is made as.
_INDEXES: dict[Column[Any], tuple[str, str]] = {
    patients.c.phone_index: ("phone", "patients.phone"),
    patients.c.email_index: ("email", "patients.email"),
    carers.c.phone_index: ("phone", "patients.phone"),
    carers.c.email_index: ("email", "patients.email"),
    replies.c.sender_index: ("sender", "replies.sender"),
}


def sealed_columns(table: Table) -> list[str]:
    """The names of a table's columns that hold ciphertext."""
    return [column.name for column in table.c if isinstance(column.type, Sealed)]


def reseal(engine: Engine, vault: Vault, *, on_progress: Callable[[int], None] = lambda _: None) -> int:
    """Seal every value that is under an older key again, batch by batch; returns the number of rows changed.

    May be stopped at any point and run again: what is done stays done, and both keys open what is not.
    """
    changed = 0
    for table in metadata.sorted_tables:
        names = sealed_columns(table)
        if names:
            for rows in _resealed(engine, vault, table, names):
                changed += rows
                on_progress(rows)
    return changed


def _resealed(engine: Engine, vault: Vault, table: Table, names: list[str]) -> Iterator[int]:
    keys = list(table.primary_key.columns)
    after: tuple[Any, ...] | None = None
    while True:
        query = select(*keys, *(table.c[name] for name in names)).order_by(*keys).limit(BATCH)
        if after is not None:
            query = query.where(tuple_(*keys) > after)
        with writing(engine) as connection:
            rows = connection.execute(query.with_for_update()).all()
            done = 0
            for row in rows:
                values = _values(vault, table, names, row._mapping)
                if values:
                    same = [key == row._mapping[key.name] for key in keys]
                    connection.execute(update(table).where(*same).values(**values))
                    done += 1
        if not rows:
            return
        after = tuple(rows[-1][: len(keys)])
        yield done


def _values(vault: Vault, table: Table, names: list[str], row: Any) -> dict[str, Any]:
    """The columns of one row to write anew: sealed values under older keys, and the indexes made from them."""
    old = [name for name in names if vault.needs_rotation(row[name])]
    values: dict[str, Any] = {}
    for name in old:
        place = f"{table.name}.{name}"
        text = vault.open(place, row[name])
        values[name] = vault.seal(place, text)
        for column, (source, made_as) in _INDEXES.items():
            if column.table is table and source == name and text is not None:
                values[column.name] = vault.index(made_as, text.lower())
    return values
