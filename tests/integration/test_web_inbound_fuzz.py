"""Whatever is posted to the way in gets an answer that says what it is, and leaves a whole row or none."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from starlette.testclient import TestClient

from scheduler.services.clinics import NewClinic, add_clinic
from scheduler.store.engine import reading
from scheduler.store.tables import orphan_texts, replies
from scheduler.web.bodies import LONGEST_FORM
from scheduler.web.shedding import INBOUND
from tests.support.web import ACCOUNT, TOKEN, TWILIO, browser
from tests.support.worlds import MONDAY, World, phone_of, world_at

STATUS = "/hooks/twilio/status"
FORM = "application/x-www-form-urlencoded"
REFUSALS = {400, 403, 413, 415}
STRANGER = "+15005550006"

Fields = list[tuple[str, str]]

odd = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "\x00", "a\x00b", "STOP\x00", "\ufeff", "💚" * 30, "x" * 3000, "9" * 5000, "-1", "1e9", "%", "&="]
    ),
    st.sampled_from([phone_of("P1"), "+16175550100", "whatsapp:+16175550100", "received", "delivered", "STOP", "1"]),
)
names = st.sampled_from(
    [
        "Body",
        "From",
        "To",
        "NumMedia",
        "SmsStatus",
        "OptOutType",
        "MessagingServiceSid",
        "SmsSid",
        "MessageSid",
        "AccountSid",
        "X",
        "",
    ]
)
several = st.lists(st.tuples(names, odd), max_size=8)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        world.enrol_sms("P1")
        elsewhere = NewClinic(code="b", name="B", timezone="America/New_York", sms_from="+16175550900")
        add_clinic(world.store, elsewhere, now=MONDAY)  # so that a stranger's text to nowhere is nobody's
        yield world


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with browser(world.app) as client:
        yield client


sids = count(1)


def whole(**changes: str) -> dict[str, str]:
    """A text as Twilio posts it, with an id of its own."""
    return {
        "MessageSid": f"SM{next(sids)}",
        "AccountSid": ACCOUNT,
        "From": phone_of("P1"),
        "To": "+16175550100",
        "Body": "1",
        "NumMedia": "0",
        **changes,
    }


def signed(fields: Fields, path: str = INBOUND) -> str:
    """As Twilio's own library signs a form, whose fields may be repeated: each name with its values in order."""
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    joined = "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.new(TOKEN.encode(), (TWILIO["BONEWISE_PUBLIC_URL"] + path + joined).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def encoded(fields: Fields) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()


def post(
    client: TestClient, body: bytes, *, signature: str = "", kind: str | None = FORM, path: str = INBOUND
) -> int:
    headers = {"x-twilio-signature": signature} if signature else {}
    if kind is not None:
        headers["content-type"] = kind
    return client.post(path, content=body, headers=headers).status_code


def kept(world: World) -> int:
    """How many texts are stored, a clinic's or nobody's."""
    with reading(world.app.engine) as connection:
        return sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (replies, orphan_texts)
        )


many = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(
    body=st.binary(max_size=400),
    kind=st.sampled_from([FORM, FORM.upper(), f"{FORM}; charset=x", "text/xml", "", None]),
)
def test_bytes_that_nobody_signed_are_refused(
    world: World, client: TestClient, body: bytes, kind: str | None
) -> None:
    assert post(client, body, kind=kind, signature="AAAA") in REFUSALS
    assert kept(world) == 0


@many
@given(changed=st.dictionaries(names.filter(lambda name: name != "AccountSid"), odd, max_size=4), missing=names)
def test_a_signed_form_is_kept_whole_once_or_refused(
    world: World, client: TestClient, changed: dict[str, str], missing: str
) -> None:
    fields = {name: value for name, value in whole(**changed).items() if name not in {missing} - {"AccountSid"}}
    before, status = kept(world), post(client, encoded(list(fields.items())), signature=signed(list(fields.items())))
    assert status in {200} | REFUSALS
    assert kept(world) - before in ({0, 1} if status == 200 else {0})


@many
@given(more=several)
def test_repeated_fields_do_no_harm(world: World, client: TestClient, more: Fields) -> None:
    fields = [*whole().items(), *more]
    before, status = kept(world), post(client, encoded(fields), signature=signed(fields))
    assert status in {200} | REFUSALS
    assert kept(world) - before in ({0, 1} if status == 200 else {0})


def test_a_huge_form_is_refused_though_it_is_signed(world: World, client: TestClient) -> None:
    for size in (LONGEST_FORM + 1, 20 * LONGEST_FORM):
        fields = list(whole(Body="x" * size).items())
        assert post(client, encoded(fields), signature=signed(fields)) == 413
    assert kept(world) == 0


def test_a_text_as_long_as_a_form_can_be_is_kept_whole(world: World, client: TestClient) -> None:
    body = "x" * (LONGEST_FORM - 1000)
    fields = list(whole(Body=body).items())
    assert post(client, encoded(fields), signature=signed(fields)) == 200
    with world.store.reading() as unit:
        assert [one.body for one in unit.inbox.replies(world.clinic.id)] == [body]


def test_another_kind_of_content_is_refused(world: World, client: TestClient) -> None:
    fields = list(whole().items())
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", "", None):
        assert post(client, encoded(fields), signature=signed(fields), kind=kind) == 415
    assert kept(world) == 0


def test_another_method_is_refused(client: TestClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        assert client.request(method, INBOUND).status_code == 405


UNKEEPABLE = (
    ({"MessageSid": "SM\x00x"}, 400),
    ({"MessageSid": "SM\u00e9"}, 400),
    ({"Body": "a\x00b"}, 200),
    ({"From": "+1617555\x000"}, 200),
    ({"From": "x" * 5000}, 200),
    ({"To": "\x00", "From": STRANGER}, 200),
    ({"To": "+1" + "9" * 3000, "From": STRANGER}, 200),
    ({"MessagingServiceSid": "MG" + "\x00" * 70, "From": STRANGER}, 200),
    ({"NumMedia": "9" * 5000}, 200),
    ({"OptOutType": "\x00"}, 200),
)


def test_what_a_database_could_choke_on_is_kept_or_refused(world: World, client: TestClient) -> None:
    for changes, wanted in UNKEEPABLE:
        before, fields = kept(world), list(whole(**changes).items())
        assert post(client, encoded(fields), signature=signed(fields)) == wanted, changes
        assert kept(world) - before == (wanted == 200), changes


@many
@given(changed=st.dictionaries(st.sampled_from(["MessageSid", "MessageStatus", "ErrorCode", "To"]), odd, max_size=4))
def test_a_receipt_that_makes_no_sense_changes_nothing(
    world: World, client: TestClient, changed: dict[str, str]
) -> None:
    fields = list({"MessageSid": "SM1", "AccountSid": ACCOUNT, "MessageStatus": "delivered", **changed}.items())
    path = STATUS + "?a=" + str(world.clinic.id)
    assert post(client, encoded(fields), signature=signed(fields, path), path=path) in {200} | REFUSALS
