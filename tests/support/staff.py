"""Staff who are signed in, as browsers of theirs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.records import Clinic
from scheduler.services.accounts.codes import code_at
from scheduler.services.clinics import add_staff
from tests.support.web import browser, form_token
from tests.support.worlds import World

PASSWORD = "four words of their own"


def address_of(role: Role, clinic: Clinic) -> str:
    return f"{role}@{clinic.code}.example"


def add(world: World, role: Role, clinic: Clinic | None = None) -> str:
    """Somebody with this role and `PASSWORD`; returns their address."""
    at = clinic or world.clinic
    email = address_of(role, at)
    add_staff(world.store, at, email=email, role=role, now=datetime.now(UTC), password=PASSWORD)
    return email


def signed_in(world: World, role: Role, clinic: Clinic | None = None) -> TestClient:
    """A browser of somebody new with this role, signed in."""
    client = browser(world.app)
    email = add(world, role, clinic)
    answer = post(client, "/sign-in", {"email": email, "password": PASSWORD}, page="/sign-in")
    if answer.headers["location"].startswith("/sign-in/code"):
        secret = secret_on(client.get("/sign-in/code").text)
        code = code_at(secret, datetime.now(UTC))
        answer = post(client, "/sign-in/code", {"code": code}, page="/sign-in/code")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/"
    return client


def secret_on(page: str) -> str:
    """The key that an authenticator app is given."""
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


def post(client: TestClient, path: str, fields: dict[str, str], *, page: str | None = None):  # type: ignore[no-untyped-def]
    """Send a form as the page at `page` would; at the same path where none is named."""
    token = form_token(client.get(page or path).text)
    return client.post(path, data={**fields, "form_token": token})
