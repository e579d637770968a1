"""A ledger of past reminders: all sent and delivered, as nearly everything in a ledger is.

It is what PostgreSQL's statistics are made of, and so what its plans rest on: of very many messages none is waiting.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.store.tables import attempts, messages
from tests.bench.growth.dialects import Dialect
from tests.bench.growth.loading import Loading

_MESSAGE, _ATTEMPT = 3, 4  # kinds of ids


def add_past(into: Loading, *, each: int, before: datetime) -> None:
    """`each` reminders for every patient, one a day, the last of them the day before the instant `before`."""
    sql, sent = into.sql, before - timedelta(days=each + 1)
    past = (
        "past AS (SELECT row_number() OVER () AS at, n.i AS day, e.id, e.patient_id, e.clinic_id"
        " FROM enrolments e CROSS JOIN n WHERE e.pathway = 'exercise')"
    )
    when = "day * 86400 + at % 3600"
    values = {
        "id": sql.key(_MESSAGE, "at"), "clinic_id": "clinic_id", "patient_id": "patient_id", "enrolment_id": "id",
        "kind": "'reminder'", "recipient": "'patient'", "channel": "'sms'", "pathway": "'exercise'",
        "step": "'daily'", "cycle": "1", "fired": "day", "template": "'activity'", "activity_turn": "day",
        "count": "0", "stop_line": "false",
        "due_date": sql.day(before.date(), f"{each} - day + 1"), "planned_at": sql.instant(sent, when),
        "send_from": sql.instant(sent, when), "send_until": sql.instant(sent, f"{when} + 36000"),
        "status": "'delivered'", "attempts": "1", "provider_id": f"'SM' || {sql.key(_MESSAGE, 'at')}",
        "sent_at": sql.instant(sent, f"{when} + 1"), "body": _sealed(sql, 9), "language": "'en'", "segments": "1",
        "pathway_version": "'0123456789abcdef'", "template_version": "'0123456789abcdef'",
    }  # fmt: skip
    into.insert(messages, values, given=(sql.numbers(each), past), source="past")
    _add_attempts(into)


def _add_attempts(into: Loading) -> None:
    values = {
        "id": into.sql.key(_ATTEMPT, "row_number() OVER ()"),
        "clinic_id": "clinic_id",
        "message_id": "id",
        "number": "1",
        "channel": "channel",
        "address": _sealed(into.sql, 3),
        "started_at": "planned_at",
        "finished_at": "sent_at",
        "outcome": "'accepted'",
    }
    delivered = "SELECT *, length(status) AS at FROM messages WHERE status = 'delivered'"
    into.insert(attempts, values, given=(f"past AS ({delivered})",), source="past")


def _sealed(sql: Dialect, blocks: int) -> str:
    """As many bytes as a sealed text has; nobody opens them."""
    return " || ".join(sql.noise(f"at + {block}") for block in range(blocks))
