"""What should be known of a number or address before a patient is given it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from scheduler.domain.people import Channel
from scheduler.ports import Unit

ADDRESSES: Mapping[Channel, str] = MappingProxyType({Channel.SMS: "phone", Channel.EMAIL: "email"})
WHAT: Mapping[Channel, str] = MappingProxyType({Channel.SMS: "phone number", Channel.EMAIL: "e-mail address"})


def address_warnings(
    unit: Unit, clinic_id: int, channel: Channel, address: str, *, but: UUID | None
) -> dict[str, str]:
    """A sentence by a name for it: others of the clinic have the address, said STOP there, or were not reached.

    `but` is the patient whom it is for.
    """
    what, name = WHAT[channel], ADDRESSES[channel]
    found: dict[str, str] = {}
    sharers = [one.id for one in unit.patients.by_address(channel, address, clinic_id=clinic_id) if one.id != but]
    if sharers or unit.carers.at(clinic_id, channel, address):
        found[f"shared-{name}"] = (
            f"This {what} is on file for somebody else of this clinic too. Each message will then say for whom "
            "it is, and STOP from there ends the messages to all who share it."
        )
    latest = unit.patients.latest_consents(clinic_id, sharers) if sharers else {}
    stopped = [on for (_, via), (granted, on) in latest.items() if via is channel and not granted]
    if stopped:
        found[f"stopped-{name}"] = (
            f"Somebody said STOP at this {what}, on {max(stopped):%Y-%m-%d}. Use it only when this patient has "
            "agreed since; messages may be refused until START comes from there."
        )
    bad = unit.numbers.bad_of(clinic_id, sharers) if sharers else {}
    if any((channel, address.lower()) in marked for marked in bad.values()):
        found[f"bad-{name}"] = f"Messages to this {what} did not arrive before. Ask whether it is right."
    return found
