"""What Alembic runs for every command: it works inside the transaction that `migrate` has opened."""

from __future__ import annotations

from alembic import context

from scheduler.store.tables import for_migrations

connection = context.config.attributes["connection"]

# Batch mode rebuilds a table where SQLite cannot alter it in place.
context.configure(connection=connection, target_metadata=for_migrations(), render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
