"""Replies as they come in: stored first, and understood afterwards. A STOP alone takes effect as it is stored."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.domain.tasks import ServiceTask
from scheduler.ids import new_id
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, OrphanText, Reply, Sender
from scheduler.services.hearing import Hearing
from scheduler.services.new_tasks import clinic_task
from scheduler.services.routing import Routes, written_by
from scheduler.services.rules import Rules
from scheduler.services.words import words_of

_AT_ONCE = frozenset({Meaning.STOP, Meaning.WRONG_NUMBER})
_TEXTS_KNOWN = 1024  # of which it is known whether they say STOP: most replies are the same few

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message as it came in. `sender` is E.164 or an e-mail address; `provider_id` tells repeats apart.

    `media` counts pictures and files; `opt_out` is what the provider took it for, and has answered.
    """

    channel: Channel
    sender: str
    body: str
    provider_id: str | None
    media: int = 0
    thread: tuple[str, ...] = ()  # of an e-mail: the Message-IDs that led to it, and its own
    opt_out: OptOut | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that has arrived at `at` (UTC), at a number or service of ours, or at `clinic` when that is known."""

    inbound: Inbound
    at: datetime
    number: str = ""
    messaging_service: str = ""
    clinic: Clinic | None = None


class Fate(StrEnum):
    """What has become of an arrival."""

    WAITING = "waiting"  # stored, and to be understood
    DONE = "done"  # stored, and nothing more to do
    REPEATED = "repeated"  # it had been delivered before
    ORPHANED = "orphaned"  # kept for the operator: it is for no clinic


@dataclass(frozen=True, slots=True)
class Taken:
    """An arrival once it is stored. `reply` is None when it is no clinic's."""

    fate: Fate
    reply: Reply | None = None


class Reception:
    """Takes messages in. What it returns is committed."""

    def __init__(self, *, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._hearing = Hearing(rules)
        self._means_stop = lru_cache(_TEXTS_KNOWN)(self._is_read_as_stop)

    def is_stop(self, inbound: Inbound) -> bool:
        """Whether a message asks to be left alone, by the same rules that hear it. Reads nothing.

        Whoever says that we have the wrong number asks for that too.
        """
        if inbound.opt_out is OptOut.STOP:
            return True
        return self._means_stop(inbound.body)

    def _is_read_as_stop(self, body: str) -> bool:
        return interpret(body, (), self._rules.reply_words).meaning in _AT_ONCE

    def take_in(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Store messages, all in one transaction; nobody is waited for."""
        with self._store.writing() as unit:
            return self._keep(unit, arrivals)

    def take_in_stops(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Store STOPs and let them take effect, all in one transaction. Waits for whoever holds their patients.

        What a patient wrote before and nobody has heard yet is heard first.
        """
        with self._store.writing() as unit:
            taken = self._keep(unit, arrivals)
            waiting = [one.reply for one in taken if one.fate is Fate.WAITING and one.reply is not None]
            now = max(arrival.at for arrival in arrivals)
            heard = self._hearing.hear_until(unit, waiting, now=now)
        return [
            Taken(Fate.DONE, heard[one.reply.id]) if one.reply is not None and one.reply.id in heard else one
            for one in taken
        ]

    def take_in_stop(self, arrival: Arrival) -> Taken:
        """One STOP. When it cannot take effect now, it is stored nevertheless, and waits like any other reply."""
        try:
            return self.take_in_stops([arrival])[0]
        except Exception:  # noqa: BLE001 - whatever stands in its way, its words must not be lost to that
            _log.exception("a STOP could not take effect as it came in; it is stored and waits")
            return self.take_in([arrival])[0]

    def _keep(self, unit: Unit, arrivals: Sequence[Arrival]) -> list[Taken]:
        clinics = unit.installation.clinics()
        routes = Routes(clinics)
        known = _known(unit, arrivals)
        texted_at = _texted_at(unit, routes, arrivals, known)
        replies: list[Reply | None] = []
        for arrival in arrivals:
            own = known.get((arrival.inbound.channel, arrival.inbound.sender), ())
            clinic = arrival.clinic or routes.clinic_for(
                own, number=arrival.number, messaging_service=arrival.messaging_service, texted_at=texted_at
            )
            replies.append(_reply(arrival, clinic, own) if clinic is not None else None)
        stored = unit.inbox.add([reply for reply in replies if reply is not None])
        for reply in replies:
            if reply is not None and reply.id in stored and reply.patient_id is None:
                self._hand_to_a_person(unit, clinics[reply.clinic_id], reply)
        _keep_orphans(unit, [arrival for arrival, reply in zip(arrivals, replies, strict=True) if reply is None])
        return [_taken(reply, stored) for reply in replies]

    def _hand_to_a_person(self, unit: Unit, clinic: Clinic, reply: Reply) -> None:
        """Somebody we do not know wrote: a person reads it. All that one stranger writes is one task."""
        words = words_of(reply.body, media=reply.media, provider_id=reply.provider_id)
        about = unit.inbox.stranger(reply.sender)
        if not unit.worklist.add_words(clinic.id, about, words, now=reply.received_at):
            kind = ServiceTask.UNCLEAR_REPLY
            task = clinic_task(self._rules, kind, clinic, cause=about, now=reply.received_at, note=words)
            unit.worklist.open([task], now=reply.received_at)


def receive(store: Store, rules: Rules, clinic: Clinic, inbound: Inbound, *, now: datetime) -> Reply | None:
    """Take in one message for `clinic` and understand it at once. None when it had been delivered before.

    It is committed before anybody tries to understand it; what cannot be understood now, waits.
    """
    arrival = Arrival(inbound=inbound, at=now, clinic=clinic)
    reception = Reception(store=store, rules=rules)
    is_stop = reception.is_stop(inbound)
    taken = reception.take_in_stop(arrival) if is_stop else reception.take_in([arrival])[0]
    if taken.fate is not Fate.WAITING or taken.reply is None:
        return taken.reply if taken.fate is Fate.DONE else None
    try:
        with store.writing() as unit:
            heard = Hearing(rules).hear_until(unit, [taken.reply], now=now).get(taken.reply.id)
    except Exception:  # noqa: BLE001 - the words are safe: the next tick tries again
        _log.exception("reply %s could not be understood as it came in; it waits", taken.reply.id)
        return taken.reply
    return heard or taken.reply


def _known(unit: Unit, arrivals: Sequence[Arrival]) -> Mapping[tuple[Channel, str], Sequence[Sender]]:
    """Who has the numbers and addresses that wrote."""
    by_channel: dict[Channel, set[str]] = defaultdict(set)
    for arrival in arrivals:
        by_channel[arrival.inbound.channel].add(arrival.inbound.sender)
    return {
        (channel, address): senders
        for channel, addresses in by_channel.items()
        for address, senders in unit.inbox.senders(channel, addresses).items()
    }


def _texted_at(
    unit: Unit,
    routes: Routes,
    arrivals: Sequence[Arrival],
    known: Mapping[tuple[Channel, str], Sequence[Sender]],
) -> Mapping[UUID, datetime]:
    """When those patients were last written to whom several clinics write from where the texts came to."""
    rivals: dict[Channel, set[UUID]] = defaultdict(set)
    for one in arrivals:
        own = known.get((one.inbound.channel, one.inbound.sender), ())
        if one.clinic is None:
            found = routes.rivals(own, number=one.number, messaging_service=one.messaging_service)
            rivals[one.inbound.channel].update(each.patient_id for each in found)
    return {
        patient_id: at
        for channel, patients in rivals.items()
        for patient_id, at in unit.inbox.last_sent(channel, patients).items()
    }


def _reply(arrival: Arrival, clinic: Clinic, known: Sequence[Sender]) -> Reply:
    inbound = arrival.inbound
    own = [one for one in known if one.clinic_id == clinic.id]
    is_shared = len({one.patient_id for one in own}) > 1
    # Of several it is one and the same each time, so that all that comes from the number is heard in its order.
    sender = min(own, key=lambda one: one.patient_id) if is_shared else written_by(own)
    return Reply(
        id=new_id(),
        clinic_id=clinic.id,
        patient_id=sender.patient_id if sender else None,
        mrn=sender.mrn if sender else None,
        received_at=arrival.at,
        channel=inbound.channel,
        sender=inbound.sender,
        body=inbound.body,
        provider_id=inbound.provider_id,
        media=inbound.media,
        thread=inbound.thread,
        opt_out=inbound.opt_out,
        written_by=sender.as_a if sender else Addressee.PATIENT,
        is_shared=is_shared,
    )


def _taken(reply: Reply | None, stored: AbstractSet[UUID]) -> Taken:
    if reply is None:
        return Taken(Fate.ORPHANED)
    if reply.id not in stored:
        return Taken(Fate.REPEATED, reply)
    return Taken(Fate.WAITING if reply.patient_id else Fate.DONE, reply)


def _keep_orphans(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """For no clinic at all: the operator learns of them by `doctor`."""
    unit.orphans.keep(
        [
            OrphanText(
                id=new_id(),
                received_at=arrival.at,
                sender=arrival.inbound.sender,
                recipient=arrival.messaging_service or arrival.number,
                body=arrival.inbound.body,
                provider_id=arrival.inbound.provider_id or new_id().hex,
                media=arrival.inbound.media,
            )
            for arrival in arrivals
        ]
    )
