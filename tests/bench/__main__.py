"""`make bench`: what the service does in a second, beside its peers and the limits of its parts, in one run.

All cases take turns, round after round, and each line shows the median, so that a machine that is busy for a while
slows all of them alike. Slow figures never fail a run; a message that the service lost or doubled does.

`python -m tests.bench growth` measures instead what a tick costs among ten thousand patients and among a million, and
`python -m tests.bench inbound` how many texts a second come in through one web process, and
`python -m tests.bench pages` how long the pages of staff take in a clinic of a hundred thousand patients.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, replace

from tests.bench import figures, report, text
from tests.bench.cases import CASES, lacking
from tests.bench.growth import sizes as growth
from tests.bench.inbound import rounds as inbound
from tests.bench.laps import Run
from tests.bench.pages import sizes as pages
from tests.bench.report import Reached, Runs
from tests.bench.stage import ROOT, Sizes, Stage, open_stage

FULL = Sizes(patients=10_000, quick_peers=2_000, slow_peers=800, year_patients=24)
QUICK = Sizes(patients=1_000, quick_peers=400, slow_peers=200, year_patients=4)
_TEXTERS = 5_000  # patients who may write
JSON_FILE = ROOT / "var" / "bench.json"


def main() -> int:
    options = _options()
    started = time.monotonic()
    sizes = QUICK if options.quick else FULL
    if options.patients:
        sizes = replace(sizes, patients=options.patients)
    if options.what == "inbound":
        return _inbound(replace(sizes, patients=options.patients or _TEXTERS), quick=options.quick)
    if options.what == "pages":
        return _pages(sizes, quick=options.quick)
    runs: Runs = {}
    with open_stage(sizes) as (stage, missing):
        if options.what != "growth":
            runs = _rounds(stage, missing, options, until=started + options.seconds)
        grown = [] if options.only else growth.measure(stage, _growth_sizes(options), _databases(missing))
        where = report.machine(_postgres_version(stage), asdict(sizes))
    shown = {one.title: (one.unit, found) for one in figures.TABLES if (found := report.figures(one, runs))}
    targets = [*report.reached(figures.TARGETS, runs), *_memory(runs), *growth.targets(grown)]
    for title, (unit, found) in shown.items():
        print(f"\n### {title}\n\n{text.of_figures(unit, found)}")
    if grown:
        print(f"\n### Growth: 1,000 patients due among so many\n\n{growth.table(grown)}")
    if targets:
        print(f"\n### Ratios\n\n{text.of_targets(targets)}")
    rounds = max((len(several) for several in runs.values()), default=0)
    print(f"\n{where['cores']} cores, Python {where['python']}, PostgreSQL {where['postgresql']}; ", end="")
    print(f"median of {rounds} rounds, {time.monotonic() - started:.0f} s")
    if options.json:
        tables = {title: found for title, (_, found) in shown.items()}
        document = report.as_json(tables, targets, runs, where) | {"growth": [asdict(one) for one in grown]}
        JSON_FILE.parent.mkdir(exist_ok=True)
        JSON_FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"written to {JSON_FILE.relative_to(ROOT)}")
    return _conclude([*report.faults(runs, figures.TABLES), *growth.faults(grown)])


def _inbound(sizes: Sizes, *, quick: bool) -> int:
    with open_stage(sizes, needs_redis=False) as (stage, missing):
        _say_left_out(missing)
        found = inbound.run(stage, _databases(missing), quick=quick)
    print(f"\n### Texts that come in, through one process\n\n{inbound.table(found)}\n")
    for verdict in inbound.verdicts(found):
        print(verdict)
    return _conclude(inbound.faults(found))


def _pages(sizes: Sizes, *, quick: bool) -> int:
    with open_stage(sizes, needs_redis=False) as (stage, missing):
        _say_left_out(missing)
        found = pages.run(stage, _databases(missing), quick=quick)
    print(f"\n### Pages, from request to answer\n\n{pages.table(found)}\n")
    for verdict in pages.verdicts(found):
        print(verdict)
    return 0


def _say_left_out(reasons: Mapping[str, str]) -> None:
    for name, reason in reasons.items():
        print(f"left out: {name}, because {reason}", file=sys.stderr)


def _conclude(problems: list[str]) -> int:
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    if not problems:
        print("of ours nothing was lost, doubled or left undone, by ledger and journal")
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("what", nargs="?", choices=("all", "growth", "inbound", "pages"), default="all")
    parser.add_argument("--quick", action="store_true", help="one round of less work: under two minutes")
    parser.add_argument("--huge", action="store_true", help="growth also with ten million patients: an hour, 40 GB")
    parser.add_argument("--rounds", type=int, help="rounds (3, with --quick 1)")
    parser.add_argument("--patients", type=int, help="patients due in the same minute (10000, with --quick 1000)")
    parser.add_argument("--seconds", type=float, default=480, help="begin no round that would end after this (480)")
    parser.add_argument("--only", metavar="WORD", help="only cases whose name has this word")
    parser.add_argument("--json", action="store_true", help=f"also write {JSON_FILE.relative_to(ROOT)}")
    return parser.parse_args()


def _rounds(stage: Stage, missing: dict[str, str], options: argparse.Namespace, *, until: float) -> Runs:
    chosen = [case for case in CASES if not options.only or options.only in case.name.split()]
    if options.quick and not options.only:
        chosen = [case for case in chosen if case.is_quick]
    left_out = lacking(chosen, missing)
    _say_left_out(left_out)
    runs: dict[str, list[Run]] = defaultdict(list)
    rounds = options.rounds or (1 if options.quick else 3)
    for number in range(rounds):
        began = time.monotonic()
        for case in chosen:
            if case.name not in left_out:
                print(f"round {number + 1}: {case.name}", end="", file=sys.stderr, flush=True)
                since = time.monotonic()
                runs[case.name].append(case.measure(stage))
                print(f", {time.monotonic() - since:.1f} s", file=sys.stderr)
        ended = time.monotonic()
        if number + 1 < rounds and 2 * ended - began > until:
            print(f"no time for another round of {ended - began:.0f} s", file=sys.stderr)
            break
    return runs


def _memory(runs: Runs) -> list[Reached]:
    measured = [run.peak_mb for run in runs.get(figures.MEMORY_OF.case, ())]
    if not measured:
        return []
    bars = figures.MEMORY_AT_LEAST, figures.MEMORY_AIM
    return [Reached("memory in the spike", "MB", max(measured), *bars, less_is_better=True)]


def _growth_sizes(options: argparse.Namespace) -> tuple[int, ...]:
    if options.what != "growth":
        return growth.QUICK if options.quick else growth.FULL
    return growth.HUGE if options.huge else growth.LARGE


def _databases(missing: dict[str, str]) -> tuple[str, ...]:
    return ("SQLite",) if "PostgreSQL" in missing else ("SQLite", "PostgreSQL")


def _postgres_version(stage: Stage) -> str:
    if stage.postgres is None:
        return "none"
    with stage.postgres.connect() as connection:
        return str(connection.info.parameter_status("server_version") or "").split()[0]


if __name__ == "__main__":
    sys.exit(main())
