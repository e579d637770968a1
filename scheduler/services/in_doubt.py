"""Answers that fit several questions: they wait until the patient says which one is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from scheduler.domain.conversation import Heard, hear_topic
from scheduler.ports import Unit
from scheduler.records import Reply
from scheduler.services.cases import Case
from scheduler.services.rules import Rules

_LOOKED_BACK = timedelta(hours=50)  # longer than any local day and the one before


def in_doubt_of(unit: Unit, cases: Sequence[Case]) -> Mapping[UUID, Reply]:
    """The answer in doubt of each of these patients, if it was written by the same person and way as this reply."""
    cases = [case for case in cases if case.reply.opt_out is None]
    if not cases:
        return {}
    since = min(case.reply.received_at for case in cases) - _LOOKED_BACK
    found = unit.inbox.in_doubt([case.patient.id for case in cases], since=since)
    return {
        case.patient.id: one
        for case in cases
        if (one := found.get(case.patient.id)) is not None
        and (one.channel, one.written_by) == (case.reply.channel, case.reply.written_by)
    }


def settled(case: Case, in_doubt: Reply, rules: Rules) -> Heard | None:
    """What follows when a reply says which question an earlier one, `in_doubt`, is for; None when it does not."""
    return hear_topic(
        case.situation(rules),
        case.reply.body,
        in_doubt.body,
        held_at=in_doubt.received_at,
        channel=case.reply.channel,
        words=rules.reply_words,
        languages=case.languages,
    )
