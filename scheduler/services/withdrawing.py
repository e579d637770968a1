"""One patient takes back consent to one way of reaching them, and what follows for their reminders."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.people import Channel, ConsentSource
from scheduler.ports import Unit
from scheduler.services.consenting import record_consent
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, write


def withdraw(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    channel: Channel,
    *,
    source: ConsentSource,
    by: str,
    now: datetime,
    wording: str | None = None,
) -> None:
    """Put the revocation on record, as of the patient's today, and look anew at when to contact them next.

    Inside the caller's transaction; `now` is UTC. Whoever has agreed to another way goes on by that one.
    """
    patient = record_consent(
        unit,
        loaded.patient,
        channel,
        granted=False,
        source=source,
        given_on=loaded.situation.today,
        by=by,
        now=now,
        wording=wording,
    )
    after = loaded.with_patient(patient)
    write(unit, rules, after, after.situation.unchanged())
