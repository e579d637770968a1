"""`python -m tests.bench.child MODULE:FUNCTION ARGUMENTS`: one measured process. Prints its run as JSON."""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module

from tests.bench.laps import Run
from tests.bench.process_tree import peak_memory_mb


def main() -> None:
    where, arguments = sys.argv[1:]
    logging.basicConfig(level=logging.ERROR)
    module, _, function = where.partition(":")
    run: Run = getattr(import_module(f"tests.bench.{module}"), function)(**json.loads(arguments))
    run.peak_mb = peak_memory_mb()
    print(json.dumps(run.as_json()))


if __name__ == "__main__":
    main()
