"""The history of the tables: one script per change in `versions/`, run by `scheduler.store.migrate`.

To change a table: change `scheduler/store/tables.py`; `python -m scheduler.store.migrations "what it does"`
drafts the script; read and correct it, and set `HEAD` in `scheduler/store/migrate.py`. A script is never
changed once released, imports nothing of Bonewise, and has no way back: going back means restoring a backup.
Batch mode rebuilds a table on SQLite without its triggers: the script must create those of `audit` and
`consents` again.
"""
