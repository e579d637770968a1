"""What a carer writes: their answers are the patient's; what they decide about consent is about themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from scheduler.domain.conversation import Heard
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.reacting import Situation
from scheduler.domain.replies.interpret import Meaning
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.told_by_provider import hear_as_told

_THEIR_OWN = frozenset({Meaning.STOP, Meaning.START, Meaning.WRONG_NUMBER})


def hear_carer(
    situation: Situation,
    text: str,
    opt_out: OptOut | None,
    *,
    is_open: bool,
    channel: Channel,
    words: Mapping[str, ReplyWords],
    languages: tuple[str, ...],
    told: Mapping[str, datetime] = MappingProxyType({}),
) -> Heard:
    """As `hear_as_told`, for a carer, who may be written to on `channel` if `is_open`.

    STOP, START and a wrong number change nothing of the patient's: `consent` and `wrong_number` are the carer's.
    """
    heard = hear_as_told(situation, text, opt_out, channel=channel, words=words, languages=languages, told=told)
    if heard.meaning.meaning not in _THEIR_OWN:
        return heard
    contact = replace(
        situation.contact.reaching(channel if is_open else None), status=PatientStatus.ACTIVE, paused_until=None
    )
    own = hear_as_told(
        replace(situation, contact=contact), text, opt_out, channel=channel, words=words, languages=languages
    )
    is_again = own.consent is False and not is_open  # a second STOP is not confirmed
    messages = () if is_again else own.change.messages
    return replace(own, change=replace(situation.unchanged(), messages=messages, tasks=own.change.tasks))
