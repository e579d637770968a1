"""The pages that are measured, in how large a clinic, and what is told of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scheduler.services.message_lists import Which
from tests.bench import text
from tests.bench.pages.measure import Page, measure
from tests.bench.stage import Stage

FULL = {"PostgreSQL": 100_000, "SQLite": 20_000}
QUICK = {"PostgreSQL": 5_000, "SQLite": 5_000}
P95, SEARCH_P95 = 100.0, 50.0  # milliseconds
_SEARCH = "search"


def pages(patients: int) -> dict[str, list[str]]:
    """By name the paths of each page, asked for in turn."""
    some = [f"C{1 + number * (patients - 200) // 30}" for number in range(30)]
    return {
        "today": ["/"],
        "worklist": ["/worklist", "/worklist?mine=1", "/worklist?due=overdue"],
        "patients": ["/patients", *(f"/patients?after={mrn}" for mrn in some)],
        "patients of a status": [
            "/patients?status=active",
            *(f"/patients?status=active&after={mrn}" for mrn in some),
        ],
        "search": [f"/patients/found?q={words}" for words in ("Ada", "an", "patient 7", "C99", some[7], "617555")],
        "a patient": [f"/patients/{mrn}" for mrn in some],
        "supplements": ["/supplements"],
        "lists of today": [f"/today/messages?status={one}" for one in Which],
        "messages": ["/messages", "/messages?pathway=exercise&language=es"],
        "pathways": ["/pathways", "/pathways/dexa", "/pathways/exercise"],
        "reports": ["/reports"],
        "audit": ["/audit", *(f"/audit?mrn={mrn}" for mrn in some[:5]), "/audit?action=patient+viewed"],
        "settings": ["/settings"],
        "enrol and import": ["/patients/new", "/patients/import"],
    }


def run(stage: Stage, databases: Sequence[str], *, quick: bool) -> list[Page]:
    """Every page on each kind of database."""
    found = []
    for database in databases:
        patients = (QUICK if quick else FULL)[database]
        print(f"pages: {patients:,} patients, {database}", file=sys.stderr)
        found.extend(measure(stage, database, patients=patients, pages=pages(patients)))
    return found


def table(found: Sequence[Page]) -> str:
    """One line a page; times in milliseconds."""
    headings = ["page", "patients", "p50 ms", "p95 ms", "longest", "kB"]
    rows = [
        [
            one.name,
            f"{one.patients:,}, {one.database}",
            *(text.number(value) for value in (one.p50, one.p95, one.longest, one.kilobytes)),
        ]
        for one in found
    ]
    return text.table(headings, rows)


def verdicts(found: Sequence[Page]) -> list[str]:
    """Those that take longer than a page may."""
    slow = [one for one in found if one.p95 > (SEARCH_P95 if one.name == _SEARCH else P95)]
    said = [
        f"{one.name}, {one.patients:,} patients on {one.database}: p95 {one.p95:.0f} ms is too long" for one in slow
    ]
    return said or [f"every page: p95 under {P95:.0f} ms, search under {SEARCH_P95:.0f} ms"]
