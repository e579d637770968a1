"""Which clinic a text is for: by the number or service it was sent to, else by who sent it."""

from __future__ import annotations

from datetime import date

from scheduler.domain.people import Channel
from scheduler.ports import Unit
from scheduler.records import Clinic


def clinic_for(
    unit: Unit, channel: Channel, *, sender: str, number: str = "", messaging_service: str = ""
) -> Clinic | None:
    """The clinic that `sender` wrote to; None when nothing tells.

    Several clinics may share a number: then it is the one that has contacted the sender last. An installation with a
    single clinic takes in everything, so that no words are lost.
    """
    clinics = unit.installation.clinics()
    addressed = {
        clinic.id: clinic
        for clinic in clinics.values()
        if (number and clinic.sms_from == number)
        or (messaging_service and clinic.messaging_service == messaging_service)
    }
    if len(addressed) == 1:
        return next(iter(addressed.values()))
    among = addressed or clinics
    known = [patient for patient in unit.patients.by_address(channel, sender) if patient.clinic_id in among]
    if known:
        return clinics[max(known, key=lambda patient: patient.contacted_on or date.min).clinic_id]
    return next(iter(among.values())) if addressed or len(clinics) == 1 else None
