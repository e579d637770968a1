"""Whatever is typed into any field of any form: nothing executes, nothing breaks, and what is refused says where.

The pages are walked as a browser without script walks them, so that a form which is added is tried by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.services.facts import ResultKind, add_result
from scheduler.web.app import ROUTERS
from tests.support.forms_found import Form, Pair, body, read_page
from tests.support.hostile import PRODUCT, SHOWN, payloads
from tests.support.own_page import BORN, opened
from tests.support.staff import PASSWORD, address_of, signed_in
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, new_york, world_at

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
ELSEWHERE = ("/static", "/sign-out", "/phones", "/clock")  # no page of staff, or the end of the walk
MARKUP = [SHOWN[name] for name in ("script", "attribute", "handler")]
LONG_ADDRESS = 60_000  # characters: a server takes no longer line

# What forms take, where any word will not do.
USUAL = {
    "/patients/{mrn}/carer": {"address": "+16175550188", "mode": "beside", "channel": "sms"},
    "/patients/new": {"mrn": "N1", "name": "Ida Baum", "phone": "+16175550187"},
    "/supplements/{case_id}/decide": {"signature": PASSWORD},
    "/settings/test-text": {"test_number": "+16175550186"},
}

# Where what was typed is not shown again, and why.
NOT_SHOWN = {
    ("/sign-in", "email"): "who is not known is not told so",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One field of one form."""

    route: str
    form: Form
    field: str

    def __str__(self) -> str:
        return f"{self.form.method.upper()} {self.route} {self.field}"


MILD = ("nothing about it is in the audit trail", "it is nowhere to be seen", "the field is not marked")


class Walk:
    """Somebody who tries every form of the pages that they can reach."""

    def __init__(self, world: World, client: TestClient, *, actor: str | None) -> None:
        self.world = world
        self.client = client
        self.actor = actor
        self.faults: list[str] = []
        self._taken: dict[tuple[str, str, tuple[str, ...]], bool] = {}
        self._file = world.app.settings.database_url.removeprefix("sqlite:///")
        self._kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._file)) as now:
            now.backup(self._kept)

    # Finding

    def forms(self, *starts: str) -> dict[tuple[str, str, tuple[str, ...]], Form]:
        """Each different form of the pages that `starts` lead to."""
        found: dict[tuple[str, str, tuple[str, ...]], Form] = {}
        seen, waiting = set[str](), list(starts)
        while waiting:
            path = unescape(waiting.pop(0))
            route = route_of(path)
            if route is None or route + "?" * ("?" in path) in seen or path.startswith(ELSEWHERE):
                continue
            seen.add(route + "?" * ("?" in path))
            answer = self.client.get(path)
            if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/html"):
                continue
            page = read_page(answer.text, path)
            for form in page.forms:
                where = route_of(form.action)
                if where is not None and not form.action.startswith(ELSEWHERE) and not form.has_file:
                    found.setdefault((where, form.method, tuple(form.fields)), form)
            waiting += page.links
        return found

    # Trying

    def try_all(self, forms: dict[tuple[str, str, tuple[str, ...]], Form]) -> int:
        """Send everything to every field that is typed into; returns how many fields there were."""
        places = [
            Place(route, form, one.name)
            for (route, _, _), form in forms.items()
            for one in form.fields.values()
            if one.is_typed
        ]
        for place in places:
            for name, payload in payloads().items():
                self._try(place, name, replaced(place, payload))
            usual = usual_of(place.route, place.form)
            others = [pair for pair in usual if pair[0] != place.field]
            self._try(place, "missing", others)
            self._try(place, "repeated", [*usual, (place.field, MARKUP[0].encode())])
            self._try(place, "unexpected", [*usual, ("zzz", MARKUP[0].encode()), ("__proto__", b"{{7*7}}")])
        for (route, _, _), form in forms.items():
            for one in form.fields.values():
                if not one.is_typed and one.name != "form_token":
                    for name in ("script", "nul", "not utf-8", "empty"):
                        place = Place(route, form, one.name)
                        self._try(place, name, replaced(place, payloads()[name]))
        return len(places)

    def _try(self, place: Place, name: str, pairs: list[Pair]) -> None:
        before = len(self._audited())
        answer = self._send(place.form, pairs)
        for fault in self._faults(place, name, answer):
            self.faults.append(f"{place} {name}: {fault}")
        if place.form.method == "post":
            noted = self._audited()[before:]
            is_as_usual = name in ("missing", "repeated", "unexpected")  # which may change nothing
            if answer.status_code == 303 and self.actor is not None and not noted and not is_as_usual:
                self.faults.append(f"{place} {name}: nothing about it is in the audit trail")
            if any(holds(one, name) for one in noted):
                self.faults.append(f"{place} {name}: the audit trail holds it")
            self._restore()

    def _send(self, form: Form, pairs: list[Pair]) -> Any:
        if form.method == "get":
            query = body([(name, value[:LONG_ADDRESS]) for name, value in pairs]).decode()
            return self.client.get(f"{form.action.partition('?')[0]}?{query}")
        return self.client.post(form.action, content=body(pairs), headers=URLENCODED)

    def _faults(self, place: Place, name: str, answer: Any) -> Iterator[str]:
        status = answer.status_code
        control = place.form.fields[place.field]
        if status >= 500:
            yield f"{status}"
            return
        if status not in (200, 303, 422):
            is_expected = (status == 404 and not control.is_typed) or (status == 401 and self.actor is None)
            is_expected = is_expected or (status == 413 and self.actor is None and name == "much")
            if not is_expected:
                yield f"{status}: {answer.text[:80]!r}"
            return
        pages = [answer.text]
        if status == 303:
            pages = [self.client.get(answer.headers["location"]).text, self.client.get(place.form.page).text]
        for html in pages:
            yield from unsafe(html)
        is_refused = status == 422
        if is_refused and control.is_typed and name not in ("unexpected", "repeated") and self._is_taken(place):
            yield from self._unmarked(place, answer.text)
        is_text = control.kind in ("text", "textarea") and (place.route, place.field) not in NOT_SHOWN
        if status == 303 and is_text and name in SHOWN and not any(SHOWN[name] in unescape(html) for html in pages):
            yield "it is nowhere to be seen"

    def _is_taken(self, place: Place) -> bool:
        """Whether the form goes through as it is usually sent: else it is refused for something else."""
        key = (place.route, place.form.page, tuple(place.form.fields))
        if key not in self._taken:
            self._restore()
            self._taken[key] = self._send(place.form, usual_of(place.route, place.form)).status_code != 422
            self._restore()
        return self._taken[key]

    def _unmarked(self, place: Place, html: str) -> Iterator[str]:
        page = read_page(html, place.form.page)
        marked = [
            one
            for form in page.forms
            for one in form.fields.values()
            if one.is_wrong and (form.action, one.name) == (place.form.action, place.field)
        ]
        if not marked:
            yield "refused, and the field is not marked"
        elif not page.described or set(page.described) - page.ids:
            yield f"refused, and no sentence stands beside the field: {page.described}"

    def _audited(self) -> list[tuple[Any, ...]]:
        with self.world.store.reading() as unit:
            return unit.installation.audit_entries(self.world.clinic.id)

    def _restore(self) -> None:
        with closing(sqlite3.connect(self._file)) as now:
            self._kept.backup(now)


def route_of(path: str) -> str | None:
    """The path of the route that a path leads to."""
    plain = path.partition("?")[0]
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if route.path_regex.match(plain):
                return route.path
    return None


def usual_of(route: str, form: Form) -> list[Pair]:
    """What somebody sends by this form who means well."""
    return form.filled(USUAL.get(route, {}))


def replaced(place: Place, payload: bytes) -> list[Pair]:
    """What the form would send, with this in one of its fields."""
    usual = usual_of(place.route, place.form)
    return [pair for pair in usual if pair[0] != place.field] + [(place.field, payload)]


def unsafe(html: str) -> Iterator[str]:
    """What would execute, or has been."""
    for markup in MARKUP:
        if markup in html:
            yield f"{markup} stands in the page as it is"
    if PRODUCT in html:
        yield "a template was carried out"


def holds(entry: tuple[Any, ...], name: str) -> bool:
    """Whether an entry of the trail holds what somebody typed; of settings it holds what they were and are."""
    return entry[2] != "clinic changed" and name in SHOWN and SHOWN[name] in str(entry)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """A clinic with somebody of whom there is a bit of everything."""
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.enrol_sms("P1", name="Ruth Adler", birth_date=BORN, email="ruth@patients.example", email_consent="yes")
        world.run_until(new_york(3, 3, 12, 0))
        world.receive("P1", "SUPP magnesium")
        world.receive("P1", "What does it cost?")
        world.tick()
        add_result(
            world.store,
            world.rules,
            world.clinic,
            mrn="P1",
            kind=ResultKind.DEXA,
            taken_on=date(2026, 3, 1),
            value=None,
            unit=None,
            next_months=None,
            by="dr@main.example",
            now=world.clock.at,
        )
        yield world


def walk_as(world: World, role: Role, *starts: str, some: Callable[[str], bool] = lambda _: True) -> Walk:
    """Everything that this role can reach, of routes that `some` lets pass."""
    client = signed_in(world, role)
    walk = Walk(world, client, actor=address_of(role, world.clinic))
    forms = {key: form for key, form in walk.forms(*starts).items() if some(key[0])}
    assert walk.try_all(forms) > 0
    return walk


def test_nothing_that_a_clinician_types_when_signing_does_harm(world: World) -> None:
    walk = walk_as(world, Role.CLINICIAN, "/supplements", some=lambda route: route.startswith("/supplements"))
    assert "\n".join(walk.faults) == ""


def test_nothing_that_somebody_types_who_is_not_signed_in_does_harm(world: World) -> None:
    walk = Walk(world, browser(world.app), actor=None)
    forms = walk.forms("/sign-in", "/forgot")
    assert walk.try_all(forms) >= 2
    assert "\n".join(walk.faults) == ""


def test_nothing_that_a_patient_types_on_their_own_page_does_harm(world: World) -> None:
    page = opened(world)
    walk = Walk(world, page.client, actor=None)
    forms = walk.forms(page.path)
    walk.try_all(forms)
    assert forms
    assert "\n".join(walk.faults) == ""


@pytest.mark.parametrize("part", ["patient", "settings", "rest"])
def test_nothing_that_an_admin_types_anywhere_does_harm(world: World, part: str) -> None:
    def is_of(route: str) -> bool:
        kinds = {"patient": route.startswith("/patients"), "settings": route.startswith(("/settings", "/staff"))}
        return kinds.get(part, not any(kinds.values()))

    task = world.tasks("P1")[0].id
    walk = walk_as(world, Role.ADMIN, "/", "/patients/P1", "/patients/new", f"/worklist/{task}", some=is_of)
    # Of so many fields some say less than they might about what they refuse; none may do harm.
    harm = [fault for fault in walk.faults if not fault.endswith(MILD)]
    assert "\n".join(harm) == ""
