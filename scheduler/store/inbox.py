"""What patients sent. A reply is stored before it is understood, and waits until it is."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, literal, literal_column, or_, select, update

from scheduler.domain.conversation import WHICH_ONE
from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.replies.interpret import Meaning
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.records import HeldReply, Reply, Sender
from scheduler.store import rows
from scheduler.store.bulk import keyed, update_rows
from scheduler.store.tables import carers, messages, patients, replies
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault, VaultFault

UNREADABLE_FOR = timedelta(hours=1)  # then a reply that cannot be read is looked at again
_WINDOW = 10  # how many waiting replies are looked at to find one writer: some write several

_WAITING = replies.c.look_at.is_not(None)
_UNDERSTOOD = update(replies).where(_WAITING)
_others = replies.alias("others")
_FIRST_OF_PATIENT = (
    select(_others.c.id)
    .where(_others.c.patient_id == patients.c.id, _others.c.look_at.is_not(None))
    .order_by(_others.c.received_at, _others.c.id)
    .limit(1)
)
_NEVER_WENT: list[ColumnElement[str]] = [
    literal_column(f"'{status.value}'") for status in (MessageStatus.SKIPPED, MessageStatus.EXPIRED)
]

_log = logging.getLogger(__name__)


class Inbox:
    """Inbound messages, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Coming in

    def senders(self, channel: Channel, addresses: Iterable[str]) -> dict[str, list[Sender]]:
        """Who has each of these numbers (E.164) or addresses, in all clinics; nothing of them is deciphered."""
        place, column = {
            Channel.SMS: ("patients.phone", patients.c.phone_index),
            Channel.EMAIL: ("patients.email", patients.c.email_index),
        }[channel]
        wanted: dict[bytes, str] = {
            index: address for address in addresses for index in self._vault.indexes(place, address.lower())
        }
        about = (patients.c.id, patients.c.clinic_id, patients.c.mrn, patients.c.contacted_on)
        of_carers = carers.c.phone_index if channel is Channel.SMS else carers.c.email_index
        own = select(column, *about, literal(Addressee.PATIENT.value)).where(column.in_(list(wanted)))
        cared_for = (
            select(of_carers, *about, literal(Addressee.CARER.value))
            .join(patients, patients.c.id == carers.c.patient_id)
            .where(of_carers.in_(list(wanted)), carers.c.removed_at.is_(None))
        )
        found: dict[str, list[Sender]] = defaultdict(list)
        for index, patient_id, clinic_id, mrn, contacted_on, as_a in self._connection.execute(
            own.union_all(cared_for)
        ):
            found[wanted[bytes(index)]].append(
                Sender(
                    patient_id=patient_id,
                    clinic_id=clinic_id,
                    mrn=mrn,
                    contacted_on=contacted_on,
                    as_a=Addressee(as_a),
                )
            )
        return dict(found)

    def add(self, new: Sequence[Reply]) -> set[UUID]:
        """Store replies; those of a patient wait to be understood. Returns the ids of those stored."""
        if not new:
            return set()
        statement = (
            insert_into(self._connection, replies)
            .on_conflict_do_nothing(index_elements=[replies.c.clinic_id, replies.c.provider_id])
            .returning(replies.c.id)
        )
        return set(self._connection.execute(statement, [self._values(reply) for reply in new]).scalars())

    def _values(self, reply: Reply) -> rows.Values:
        return {
            "id": reply.id,
            "clinic_id": reply.clinic_id,
            "patient_id": reply.patient_id,
            "received_at": reply.received_at,
            "channel": reply.channel.value,
            "sender": self._vault.seal("replies.sender", reply.sender),
            "sender_index": self._vault.index("replies.sender", reply.sender.lower()),
            "body": self._vault.seal("replies.body", reply.body),
            "provider_id": reply.provider_id,
            "media": reply.media,
            "written_by": reply.written_by.value,
            "is_shared": reply.is_shared,
            "candidates": _ids(reply.candidates),
            "thread": self._vault.seal("replies.thread", " ".join(reply.thread) or None),
            "opt_out": reply.opt_out.value if reply.opt_out else None,
            "look_at": reply.received_at if reply.patient_id else None,
            "pathway": reply.pathway,
        }

    def stranger(self, address: str) -> str:
        """A name for whoever has this address, the same each time; it does not tell the address."""
        return f"stranger:{self._vault.index('replies.sender', address.lower()).hex()}"

    # Waiting

    def waiting(self) -> tuple[int, datetime | None]:
        """How many replies wait to be understood, and since when the first of them does."""
        query = select(func.count(), func.min(replies.c.received_at)).where(_WAITING, replies.c.candidates.is_(None))
        count, first = self._connection.execute(query).one()
        return count, first

    def claim(self, now: datetime, *, limit: int) -> list[HeldReply]:
        """The first waiting reply of up to `limit` patients whom nobody else holds, of all clinics.

        The patients are held, and their replies are looked up only then: what somebody else has understood in the
        meantime is not found again, and nobody's second reply is heard before their first.
        """
        query = (
            select(replies.c.patient_id)
            .where(_WAITING, replies.c.look_at <= now)
            .order_by(replies.c.look_at)
            .limit(limit * _WINDOW)
        )
        writers = list(dict.fromkeys(self._connection.execute(query).scalars()))
        if not writers:
            return []
        held = (
            select(patients)
            .where(patients.c.id.in_(writers))
            .limit(limit)
            .with_for_update(key_share=True, skip_locked=True)
        )
        return self._first_replies(held, now)

    def claim_next_of(self, writers: Iterable[tuple[int, UUID]], now: datetime) -> list[HeldReply]:
        """The first waiting reply of each (clinic, patient). Whoever is held by somebody else is waited for.

        They are held in the order of ids, as everybody does who waits for several patients.
        """
        wanted = set(writers)
        held = (
            select(patients)
            .where(
                patients.c.id.in_([patient_id for _, patient_id in wanted]),
                patients.c.clinic_id.in_({clinic_id for clinic_id, _ in wanted}),
            )
            .order_by(patients.c.id)
            .with_for_update(key_share=True)
        )
        return [one for one in self._first_replies(held, now) if (one.patient.clinic_id, one.patient.id) in wanted]

    def _first_replies(self, held: Select[Any], now: datetime) -> list[HeldReply]:
        writers = {row.id: row for row in self._connection.execute(held)}
        if not writers:
            return []
        query = (
            select(replies)
            .select_from(patients)
            .join(replies, replies.c.id == _FIRST_OF_PATIENT.where(_others.c.look_at <= now).scalar_subquery())
            .where(patients.c.id.in_(list(writers)))
            .order_by(replies.c.received_at, replies.c.id)
        )
        found = []
        for row in self._connection.execute(query).all():
            try:
                patient = rows.patient_from(writers[row.patient_id], self._vault)
                found.append(HeldReply(self._reply(row, patient.mrn), patient))
            except (VaultFault, ValueError, LookupError):
                _log.exception("reply %s cannot be read; trying again in %s", row.id, UNREADABLE_FOR)
                self._put_off(row.id, row.clinic_id, now + UNREADABLE_FOR)
        return found

    def understood(self, heard: Iterable[Reply]) -> None:
        """Record what replies were taken to mean: they wait no longer."""
        values = [
            keyed(
                reply.id,
                reply.clinic_id,
                meaning=reply.meaning,
                pathway=reply.pathway,
                answer=reply.answer,
                look_at=None,
                patient_id=reply.patient_id,
                written_by=reply.written_by.value,
                candidates=None,
            )
            for reply in heard
        ]
        update_rows(self._connection, _UNDERSTOOD, values)

    def put_off(self, reply: Reply, until: datetime) -> None:
        """Look at a waiting reply again at `until`."""
        self._put_off(reply.id, reply.clinic_id, until)

    def _put_off(self, reply_id: UUID, clinic_id: int, until: datetime) -> None:
        update_rows(self._connection, _UNDERSTOOD, [keyed(reply_id, clinic_id, look_at=until)])

    def hold(self, reply: Reply, until: datetime) -> None:
        """Keep a reply, with those whose it may be, until somebody says whose it is, or until then."""
        values = keyed(reply.id, reply.clinic_id, candidates=_ids(reply.candidates), look_at=until)
        update_rows(self._connection, _UNDERSTOOD, [values])

    def held(self, clinic_id: int, channel: Channel, sender: str) -> list[Reply]:
        """What came from this number or address and waits for somebody to say whose it is, oldest first."""
        indexes = self._vault.indexes("replies.sender", sender.lower())
        query = _REPLIES.where(
            replies.c.clinic_id == clinic_id,
            replies.c.channel == channel.value,
            replies.c.sender_index.in_(indexes),
            replies.c.candidates.is_not(None),
            _WAITING,
        ).order_by(replies.c.received_at, replies.c.id)
        return [self._reply(row, None) for row in self._connection.execute(query)]

    def in_doubt(self, patient_ids: Sequence[UUID], *, since: datetime) -> Mapping[UUID, Reply]:
        """The last answer of each patient since then, where it fits several questions and waits for its topic."""
        query = _REPLIES.where(
            replies.c.patient_id.in_(patient_ids),
            replies.c.received_at >= since,
            or_(
                replies.c.meaning.in_([Meaning.ANSWER.value, Meaning.DONE.value]) & replies.c.pathway.is_not(None),
                (replies.c.meaning == Meaning.UNCLEAR.value) & (replies.c.answer == WHICH_ONE),
            ),
        ).order_by(replies.c.received_at, replies.c.id)
        last = {row.patient_id: row for row in self._connection.execute(query)}
        return {
            patient_id: self._reply(row, row.mrn)
            for patient_id, row in last.items()
            if row.meaning == Meaning.UNCLEAR.value
        }

    def told(
        self, patient_ids: Sequence[UUID], templates: Iterable[str], *, since: datetime
    ) -> Mapping[UUID, Mapping[str, datetime]]:
        """When each patient was last sent each of these service messages, if that is not before `since`."""
        query = (
            select(messages.c.patient_id, messages.c.template, func.max(messages.c.send_from))
            .where(
                messages.c.patient_id.in_(patient_ids),
                messages.c.planned_at >= since,
                messages.c.pathway == SERVICE_MESSAGES,
                messages.c.template.in_(sorted(templates)),
                messages.c.status.not_in(_NEVER_WENT),
            )
            .group_by(messages.c.patient_id, messages.c.template)
        )
        found: dict[UUID, dict[str, datetime]] = defaultdict(dict)
        for patient_id, template, at in self._connection.execute(query):
            found[patient_id][template] = at
        return found

    def last_sent(self, channel: Channel, patient_ids: Set[UUID]) -> Mapping[UUID, datetime]:
        """When each patient was last sent anything over this channel; who never was is absent."""
        if not patient_ids:
            return {}
        query = (
            select(messages.c.patient_id, func.max(messages.c.sent_at).label("at"))
            .where(
                messages.c.patient_id.in_(sorted(patient_ids)),
                messages.c.channel == channel.value,
                messages.c.sent_at.is_not(None),
            )
            .group_by(messages.c.patient_id)
        )
        return {row.patient_id: row.at for row in self._connection.execute(query)}

    # Threads of e-mails

    def answered(self, of: Iterable[Reply], *, planned_at: datetime) -> None:
        """What was planned for these patients at that instant, to go by e-mail, answers these e-mails."""
        for reply in of:
            self._connection.execute(
                update(messages)
                .where(
                    messages.c.patient_id == reply.patient_id,
                    messages.c.clinic_id == reply.clinic_id,
                    messages.c.planned_at == planned_at,
                    messages.c.kind == MessageKind.REPLY.value,
                    messages.c.channel == Channel.EMAIL.value,
                    messages.c.answers.is_(None),
                )
                .values(answers=reply.id)
            )

    def threads(self, message_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
        """The Message-IDs of the e-mail that each of these messages answers, and of those that led to it."""
        query = (
            select(messages.c.id, replies.c.thread)
            .join(replies, (replies.c.id == messages.c.answers) & (replies.c.clinic_id == messages.c.clinic_id))
            .where(messages.c.id.in_(message_ids), replies.c.thread.is_not(None))
        )
        return {
            row.id: tuple((self._vault.open("replies.thread", row.thread) or "").split())
            for row in self._connection.execute(query)
        }

    # Reading

    def wording_of(self, clinic_id: int, patient_id: UUID, template: str) -> str | None:
        """Which wording of a service message the patient was last sent: its name, language and version."""
        query = (
            select(messages.c.language, messages.c.template_version)
            .where(
                messages.c.patient_id == patient_id,
                messages.c.clinic_id == clinic_id,
                messages.c.pathway == SERVICE_MESSAGES,
                messages.c.template == template,
                messages.c.template_version.is_not(None),
            )
            .order_by(messages.c.planned_at.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else f"{template} {row.language} {row.template_version}"

    def reply(self, clinic_id: int, reply_id: UUID) -> Reply | None:
        """One reply of the clinic."""
        query = _REPLIES.where(replies.c.clinic_id == clinic_id, replies.c.id == reply_id)
        row = self._connection.execute(query).first()
        return None if row is None else self._reply(row, row.mrn)

    def replies(
        self, clinic_id: int, *, mrn: str | None = None, since: datetime | None = None, limit: int | None = None
    ) -> list[Reply]:
        """The clinic's replies, oldest first; with `limit`, the latest so many."""
        query = _REPLIES.where(replies.c.clinic_id == clinic_id)
        if mrn is not None:
            query = query.where(
                replies.c.patient_id == rows.patient_id_of(clinic_id, mrn), replies.c.candidates.is_(None)
            )
        if since is not None:
            query = query.where(replies.c.received_at >= since)
        query = query.order_by(replies.c.received_at.desc(), replies.c.id.desc())
        found = self._connection.execute(query if limit is None else query.limit(limit))
        return [self._reply(row, None if row.candidates else row.mrn) for row in found][::-1]

    def _reply(self, row: rows.AnyRow, mrn: str | None) -> Reply:
        return Reply(
            id=row.id,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            mrn=mrn,
            received_at=row.received_at,
            channel=Channel(row.channel),
            sender=self._vault.open("replies.sender", row.sender) or "",
            body=self._vault.open("replies.body", row.body) or "",
            provider_id=row.provider_id,
            media=row.media,
            thread=tuple((self._vault.open("replies.thread", row.thread) or "").split()),
            opt_out=OptOut(row.opt_out) if row.opt_out else None,
            written_by=Addressee(row.written_by),
            is_shared=row.is_shared,
            candidates=tuple(map(UUID, row.candidates.split(";"))) if row.candidates else (),
            meaning=row.meaning,
            pathway=row.pathway,
            answer=row.answer,
        )


def _ids(ids: Sequence[UUID]) -> str | None:
    return ";".join(each.hex for each in ids) or None


_REPLIES = select(replies, patients.c.mrn).outerjoin(patients, patients.c.id == replies.c.patient_id)
