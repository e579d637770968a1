"""What a patient had before a change for many, kept so that it can be given back exactly; and how to see that nothing
else has changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.enrolment import Enrolment, NotSent
from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import Situation
from scheduler.ports.bulk_changes import Waiting

_DATES = frozenset(each.name for each in fields(Enrolment) if "date" in str(each.type))


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What there was: the status, each enrolment, and the messages that waited to be sent. `begun` came anew."""

    status: PatientStatus
    paused_until: date | None
    states: Mapping[UUID, Enrolment]
    waiting: Sequence[Waiting] = ()
    begun: UUID | None = None


def before(situation: Situation, waiting: Sequence[Waiting], *, begun: UUID | None) -> Before:
    """What the situation is now; `waiting` are the planned messages that the change makes pointless."""
    contact = situation.contact
    return Before(
        status=contact.status,
        paused_until=contact.paused_until,
        states={one.id: one.state for one in situation.enrolments},
        waiting=waiting,
        begun=begun,
    )


def given_back(situation: Situation, was: Before) -> Situation:
    """The situation as it was, without what came anew."""
    contact = replace(situation.contact, status=was.status, paused_until=was.paused_until)
    enrolments = tuple(
        replace(one, state=was.states.get(one.id, one.state)) for one in situation.enrolments if one.id != was.begun
    )
    return replace(situation, contact=contact, enrolments=enrolments)


def digest(contact: Contact, enrolments: Sequence[Enrolled]) -> str:
    """The same text for the same situation of a patient, whatever the hour: any decision or message changes it."""
    said = {
        "contact": [
            contact.status.value,
            str(contact.paused_until),
            str(contact.zone),
            str(contact.contact_time),
            sorted(int(day) for day in contact.weekdays),
            contact.channel.value,
            contact.mobility.value,
            contact.reach.sms,
            contact.reach.email,
            contact.addressee.value,
            str(contact.copy_by),
            str(contact.contacted_on),
            contact.contacts_that_day,
        ],
        "enrolments": sorted(
            [str(one.id), json.dumps(state_values(one.state)), str(one.contact_time)] for one in enrolments
        ),
    }
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def as_json(was: Before) -> str:
    """What `from_json` gives back."""
    return json.dumps(
        {
            "status": was.status.value,
            "paused_until": _text(was.paused_until),
            "states": {str(one): state_values(state) for one, state in was.states.items()},
            "waiting": [[str(one.message_id), str(one.enrolment_id), _event(one.event)] for one in was.waiting],
            "begun": str(was.begun) if was.begun else None,
        }
    )


def from_json(kept: str) -> Before:
    """What there was."""
    said = json.loads(kept)
    return Before(
        status=PatientStatus(said["status"]),
        paused_until=_date(said["paused_until"]),
        states={UUID(one): state_from(state) for one, state in said["states"].items()},
        waiting=tuple(
            Waiting(UUID(message), UUID(enrolment), event and NotSent(date.fromisoformat(event[0]), *event[1:]))
            for message, enrolment, event in said["waiting"]
        ),
        begun=UUID(said["begun"]) if said["begun"] else None,
    )


def _event(event: NotSent | None) -> list[Any] | None:
    return None if event is None else [event.on.isoformat(), event.step, event.cycle, event.fired]


def state_values(state: Enrolment) -> dict[str, Any]:
    """An enrolment's state as JSON can hold it."""
    return {name: _text(value) if name in _DATES else value for name, value in asdict(state).items()}


def state_from(said: Mapping[str, Any]) -> Enrolment:
    """The state that `state_values` was made of."""
    values: dict[str, Any] = {name: _date(value) if name in _DATES else value for name, value in said.items()}
    return Enrolment(**values)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _date(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)
