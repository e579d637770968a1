"""A text that the provider has understood, acted upon and answered before we heard of it.

Twilio's Advanced Opt-Out sends such a text on with `OptOutType`, after it has sent its own confirmation and, after a
STOP, refuses further messages to that number: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from scheduler.domain.conversation import Heard, hear
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel
from scheduler.domain.reacting import Situation
from scheduler.domain.replies.interpret import Meaning
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.sending import SERVICE_MESSAGES

_MEANINGS = {OptOut.STOP: Meaning.STOP, OptOut.START: Meaning.START, OptOut.HELP: Meaning.HELP}
_CONFIRMATIONS = {OptOut.STOP: "stopped", OptOut.START: "started", OptOut.HELP: "help"}


def hear_as_told(
    situation: Situation,
    text: str,
    opt_out: OptOut | None,
    *,
    channel: Channel,
    words: Mapping[str, ReplyWords],
    languages: tuple[str, ...],
    told: Mapping[str, datetime] = MappingProxyType({}),
) -> Heard:
    """As `hear`, following what the provider made of the text: it acts by it, whatever we would have heard.

    What the provider has confirmed is not confirmed again. Total.
    """
    heard = hear(situation, text, channel=channel, words=words, languages=languages, told=told)
    if opt_out is None or (opt_out is not OptOut.STOP and heard.meaning.meaning is Meaning.SAFETY):
        return heard  # a yes or a cry for help that answers our safety text gives no consent, and is answered
    if opt_out is OptOut.STOP and heard.topic is not None:  # the provider ends everything
        heard = hear(situation, opt_out.value, channel=channel, words=words, languages=languages)
    # A word of the provider's own list. What we hear as STOP stays one, whatever the provider made of it.
    if heard.meaning.meaning not in (_MEANINGS[opt_out], Meaning.STOP):
        acted = hear(situation, opt_out.value, channel=channel, words=words, languages=languages)
        if opt_out is not OptOut.START or acted.consent:
            danger = heard.meaning.speaks_of_danger
            heard = replace(
                acted,
                meaning=replace(acted.meaning, text=text.strip(), speaks_of_danger=danger),
                change=replace(acted.change, tasks=heard.change.tasks if danger else acted.change.tasks),
            )
    messages = tuple(
        message
        for message in heard.change.messages
        if (message.pathway, message.template) != (SERVICE_MESSAGES, _CONFIRMATIONS[opt_out])
    )
    return replace(heard, change=replace(heard.change, messages=messages))
