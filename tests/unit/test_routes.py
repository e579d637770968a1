"""Which lanes there are at a moment, and which clinics' messages each of them carries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.domain.breaker import CLOSED
from scheduler.domain.people import Channel
from scheduler.records import Clinic, Lane
from scheduler.services.lanes import Route, routes, sender_key

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=1), NOW + timedelta(hours=1)
REFUSED = CLOSED.refused("20003", NOW - timedelta(minutes=5))
JUST_REFUSED = CLOSED.refused("20003", NOW)


def clinic(
    number: int, *, mps: float | None = None, sms_from: str | None = None, service: str | None = None
) -> Clinic:
    return Clinic(
        id=number,
        code=f"c{number}",
        name=f"Clinic {number}",
        message_name=f"Clinic {number}",
        timezone="America/New_York",
        country="US",
        sms_from=sms_from or f"+1617555010{number}",
        messaging_service=service,
        email_from=f"care@c{number}.example",
        messages_per_second=mps,
    )


def found(*clinics: Clinic, stored: tuple[Lane, ...] = (), channel: Channel = Channel.SMS) -> dict[str, Route]:
    """The routes by key; fails when two have the same."""
    listed = routes(channel, clinics, {lane.key: lane for lane in stored}, NOW)
    by_key = {route.key: route for route in listed}
    assert len(by_key) == len(listed)
    return by_key


# Which lanes there are


def test_senders_without_a_pace_share_one_lane() -> None:
    assert found(clinic(1), clinic(2)) == {"sms": Route(channel=Channel.SMS, key="sms")}


def test_without_any_clinic_there_is_still_the_shared_lane() -> None:
    assert found() == {"sms": Route(channel=Channel.SMS, key="sms")}


def test_a_sender_with_a_pace_has_a_lane_of_its_own_and_is_not_in_the_shared_one() -> None:
    lanes_found = found(clinic(1), clinic(2, mps=20), clinic(3))
    assert lanes_found == {
        "sms": Route(channel=Channel.SMS, key="sms", but=(2,)),
        "sms:+16175550102": Route(channel=Channel.SMS, key="sms:+16175550102", only=(2,), rate=20),
    }


def test_clinics_with_one_sender_share_its_lane_at_the_slowest_of_their_paces() -> None:
    same = {"service": "MG" + "0" * 32}
    lanes_found = found(clinic(1, mps=20, **same), clinic(2, mps=3, **same), clinic(3, mps=5))
    assert lanes_found["sms"].but == (1, 2, 3)
    shared = lanes_found[f"sms:{same['service']}"]
    assert (shared.only, shared.rate) == ((1, 2), 3)


def test_a_messaging_service_is_the_sender_where_a_clinic_has_one() -> None:
    assert sender_key(Channel.SMS, clinic(1, service="MG1")) == "sms:MG1"
    assert sender_key(Channel.SMS, clinic(1)) == "sms:+16175550101"
    assert sender_key(Channel.EMAIL, clinic(1, service="MG1")) == "email:care@c1.example"
    assert sender_key(Channel.SMS, replace(clinic(1), sms_from=None)) == "sms:-"


def test_every_clinic_is_in_exactly_one_lane_when_nothing_is_stopped() -> None:
    some = [clinic(number, mps=mps) for number, mps in enumerate([None, 1, 20, None, 0.5], start=1)]
    listed = routes(Channel.SMS, some, {}, NOW)
    for one in some:
        serving = [r for r in listed if (r.only is None or one.id in r.only) and one.id not in r.but]
        assert len(serving) == 1


# What is stopped


def test_nothing_goes_while_the_account_is_to_be_left_alone() -> None:
    assert found(clinic(1), clinic(2, mps=1), stored=(Lane(key="sms", quiet_until=SOON),)) == {}


def test_a_silence_that_is_over_stops_nothing() -> None:
    assert set(found(clinic(1), stored=(Lane(key="sms", quiet_until=NOW),))) == {"sms"}


def test_one_channel_stopped_does_not_stop_the_other() -> None:
    quiet = Lane(key="sms", quiet_until=LATER, breaker=JUST_REFUSED)
    assert set(found(clinic(1), stored=(quiet,), channel=Channel.EMAIL)) == {"email"}


def test_while_the_account_is_refused_nothing_goes_until_a_probe_may() -> None:
    assert found(clinic(1), clinic(2, mps=1), stored=(Lane(key="sms", breaker=JUST_REFUSED),)) == {}
    probing = found(clinic(1), clinic(2, mps=1), stored=(Lane(key="sms", breaker=REFUSED),))
    assert probing == {"sms": Route(channel=Channel.SMS, key="sms", is_probe=True)}
    assert probing["sms"].limit(500) == 1


def test_a_refused_sender_is_taken_out_of_the_shared_lane_and_probed_alone() -> None:
    key = "sms:+16175550102"
    waiting = found(clinic(1), clinic(2), stored=(Lane(key=key, breaker=JUST_REFUSED),))
    assert waiting == {"sms": Route(channel=Channel.SMS, key="sms", but=(2,))}
    probing = found(clinic(1), clinic(2), stored=(Lane(key=key, breaker=REFUSED),))
    assert probing[key] == Route(channel=Channel.SMS, key=key, only=(2,), is_probe=True)
    assert probing[key].limit(500) == 1


def test_a_sender_with_a_pace_that_rests_or_is_refused_is_left_out_and_not_shared() -> None:
    key = "sms:+16175550101"
    for stopped in (Lane(key=key, quiet_until=SOON), Lane(key=key, breaker=JUST_REFUSED)):
        assert found(clinic(1, mps=1), clinic(2), stored=(stopped,)) == {
            "sms": Route(channel=Channel.SMS, key="sms", but=(1,))
        }


def test_a_refused_sender_keeps_its_pace_while_it_is_probed() -> None:
    key = "sms:+16175550101"
    probe = found(clinic(1, mps=20), stored=(Lane(key=key, breaker=REFUSED),))[key]
    assert (probe.is_probe, probe.rate, probe.limit(500)) == (True, 20, 1)


@pytest.mark.parametrize(("rate", "limit"), [(None, 500), (20, 200), (100, 500), (0.5, 5), (0.01, 1)])
def test_a_batch_at_a_pace_is_what_ten_seconds_can_hold(rate: float | None, limit: int) -> None:
    assert Route(channel=Channel.SMS, key="sms", rate=rate).limit(500) == limit
