"""Drafts the next migration script: `python -m scheduler.store.migrations "what it does"`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from scheduler.store.migrate import draft


def main(words: list[str]) -> int:
    if len(words) != 1:
        sys.stderr.write('usage: python -m scheduler.store.migrations "what it does"\n')
        return 2
    with TemporaryDirectory() as folder:
        path = draft(words[0], scratch=Path(folder) / "draft.db")
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
