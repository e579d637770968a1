"""A STOP about one pathway, where the clinic's configuration lets it end that one alone. Pure.

The rules are in flux: until 2027-01-31 a stop on one topic need not end the others (47 CFR 64.1200(a)(10), waived in
part by the FCC), so a clinic chooses, and unless it does a STOP ends everything.
"""

from __future__ import annotations

from dataclasses import replace

from scheduler.domain.contact import Change
from scheduler.domain.enrolment import TopicStarted, TopicStopped
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import StopScope
from scheduler.domain.reacting import Situation, reopen


def only_topic_ends(situation: Situation, topic: str | None) -> bool:
    """Whether a STOP that names `topic` (a pathway) ends that alone.

    Not when the patient is not on it, nor when nothing else would be left: then it is a STOP like any other.
    """
    if topic is None or situation.contact.stop_scope is not StopScope.TOPIC or topic not in situation.pathways:
        return False
    on = {one.state.pathway for one in situation.enrolments if one.state.pathway in situation.pathways}
    left = {one.state.pathway for one in situation.enrolments if not one.state.is_stopped} & on
    return topic in on and bool(left - {topic})


def without_topic(situation: Situation, topic: str) -> Change:
    """The pathway says nothing more, in this cycle or the next, until the patient or staff wants it back."""
    event = TopicStopped(situation.today)
    return situation.react(
        situation.each(lambda one: event if one.state.pathway == topic else None), kind=MessageKind.NOTICE
    )


def come_back(situation: Situation, topic: str | None = None) -> Change:
    """The patient wants messages again: what waited is due from the next day on, and what they had ended with it.

    With `topic`, of what they had ended that one alone.
    """
    event = TopicStarted(situation.today)
    started = situation.react(
        situation.each(
            lambda one: event if one.state.is_stopped and topic in (None, one.state.pathway) else None,
        ),
        kind=MessageKind.NOTICE,
    )
    return reopen(replace(situation, enrolments=started.enrolments))


def has_stopped_topic(situation: Situation) -> bool:
    """Whether there is a pathway that the patient wanted no more of."""
    return any(one.state.is_stopped for one in situation.enrolments)
