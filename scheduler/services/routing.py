"""Which clinic a text is for: by the number or service it was sent to, else by who sent it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from uuid import UUID

from scheduler.domain.people import Addressee, Channel
from scheduler.ports import Unit
from scheduler.records import Clinic, Sender

_NEVER = datetime.min.replace(tzinfo=UTC)


class Routes:
    """The numbers and services of all clinics, looked through once for many texts."""

    def __init__(self, clinics: Mapping[int, Clinic]) -> None:
        self._clinics = clinics
        self._addressed: dict[str, dict[int, Clinic]] = {}
        for clinic in clinics.values():
            for address in (clinic.sms_from, clinic.messaging_service):
                if address:
                    self._addressed.setdefault(address, {})[clinic.id] = clinic

    def clinic_for(
        self,
        known: Sequence[Sender],
        *,
        number: str = "",
        messaging_service: str = "",
        texted_at: Mapping[UUID, datetime] = MappingProxyType({}),
    ) -> Clinic | None:
        """The clinic that a text is for; None when nothing tells. `known` are those who have its sender's number.

        Several clinics may share a number: then it is the one that has contacted the sender last, by `texted_at`
        where that says. An installation with a single clinic takes in everything, so that no words are lost.
        """
        addressed = self._to(number, messaging_service)
        if len(addressed) == 1:
            return next(iter(addressed.values()))
        among = addressed or self._clinics
        last = last_contacted((sender for sender in known if sender.clinic_id in among), texted_at)
        if last is not None:
            return self._clinics[last.clinic_id]
        return next(iter(among.values())) if addressed or len(self._clinics) == 1 else None

    def rivals(self, known: Sequence[Sender], *, number: str = "", messaging_service: str = "") -> list[Sender]:
        """Those of `known` among whose clinics only the instant of the last text can decide; mostly nobody."""
        addressed = self._to(number, messaging_service)
        if len(addressed) == 1:
            return []
        found = [sender for sender in known if sender.clinic_id in (addressed or self._clinics)]
        return found if len({sender.clinic_id for sender in found}) > 1 else []

    def _to(self, number: str, messaging_service: str) -> dict[int, Clinic]:
        return {**self._addressed.get(number, {}), **self._addressed.get(messaging_service, {})}


def last_contacted(
    senders: Iterable[Sender], texted_at: Mapping[UUID, datetime] = MappingProxyType({})
) -> Sender | None:
    """Whose number or address it is: of several who share it, the one contacted last."""
    return max(
        senders,
        key=lambda sender: (texted_at.get(sender.patient_id, _NEVER), sender.contacted_on or date.min),
        default=None,
    )


def written_by(senders: Iterable[Sender]) -> Sender | None:
    """Who wrote, of one patient and their carer: where they have one number, the carer is written to there."""
    return max(senders, key=lambda sender: sender.as_a is Addressee.CARER, default=None)


def clinic_for(
    unit: Unit, channel: Channel, *, sender: str, number: str = "", messaging_service: str = ""
) -> Clinic | None:
    """The clinic that `sender` wrote to; None when nothing tells."""
    known = unit.inbox.senders(channel, [sender]).get(sender, ())
    routes = Routes(unit.installation.clinics())
    rivals = routes.rivals(known, number=number, messaging_service=messaging_service)
    texted_at = unit.inbox.last_sent(channel, {one.patient_id for one in rivals})
    return routes.clinic_for(known, number=number, messaging_service=messaging_service, texted_at=texted_at)
