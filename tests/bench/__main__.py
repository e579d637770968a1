"""`make bench`: what the service does in a second, beside its peers and the limits of its parts, in one run.

All cases take turns, round after round, and each line shows the median, so that a machine that is busy for a while
slows all of them alike. Slow figures never fail a run; a message that is lost or doubled does.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import replace

from tests.bench import report
from tests.bench.cases import CASES, COMPARISONS
from tests.bench.laps import Run
from tests.bench.stage import ROOT, Sizes, Stage, open_stage

FULL = Sizes(patients=3_000, slow_patients=500, looped_patients=600, year_patients=24)
QUICK = Sizes(patients=1_000, slow_patients=300, looped_patients=300, year_patients=12)
JSON_FILE = ROOT / "var" / "bench.json"


def main() -> int:
    options = _options()
    started = time.monotonic()
    sizes = QUICK if options.quick else FULL
    with open_stage(replace(sizes, patients=options.patients or sizes.patients)) as stage:
        runs = _rounds(stage, options, until=started + options.seconds)
        postgres = _postgres_version(stage)
    found, where = report.groups(COMPARISONS, runs), report.machine(postgres)
    rounds = max((len(several) for several in runs.values()), default=0)
    print(report.table(found))
    print(f"\n{where['cores']} cores, Python {where['python']}, PostgreSQL {postgres}; median of {rounds} rounds")
    if options.json:
        JSON_FILE.parent.mkdir(exist_ok=True)
        JSON_FILE.write_text(json.dumps(report.as_json(found, runs, where), indent=1) + "\n", encoding="utf-8")
        print(f"written to {JSON_FILE.relative_to(ROOT)}")
    problems = report.faults(runs)
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    if not problems:
        print("nothing was lost, doubled or left undone, by ledger and journal")
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="one round of less work: a minute or so")
    parser.add_argument("--rounds", type=int, help="rounds (3, with --quick 1)")
    parser.add_argument("--patients", type=int, help="patients due in the same minute (3000, with --quick 1000)")
    parser.add_argument("--seconds", type=float, default=280, help="begin no round that would end after this (280)")
    parser.add_argument("--only", metavar="WORD", help="only cases whose name has this word")
    parser.add_argument("--json", action="store_true", help=f"also write {JSON_FILE.relative_to(ROOT)}")
    return parser.parse_args()


def _rounds(stage: Stage, options: argparse.Namespace, *, until: float) -> dict[str, list[Run]]:
    chosen = [case for case in CASES if not options.only or options.only in case.name.split()]
    if stage.postgres is None:
        print(f"without PostgreSQL: {stage.why_no_postgres}", file=sys.stderr)
        chosen = [case for case in chosen if not case.needs_postgres]
    runs: dict[str, list[Run]] = defaultdict(list)
    rounds = options.rounds or (1 if options.quick else 3)
    for number in range(rounds):
        began = time.monotonic()
        for case in chosen:
            print(f"round {number + 1}: {case.name}", file=sys.stderr)
            runs[case.name].append(case.measure(stage))
        ended = time.monotonic()
        if number + 1 < rounds and 2 * ended - began > until:
            print(f"no time for another round of {ended - began:.0f} s", file=sys.stderr)
            break
    return runs


def _postgres_version(stage: Stage) -> str:
    if stage.postgres is None:
        return "none"
    with stage.postgres.connect() as connection:
        return str(connection.info.parameter_status("server_version") or "").split()[0]


if __name__ == "__main__":
    sys.exit(main())
