"""Which messages a pathway uses, from where, and which digits answer them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scheduler.catalogue.template_tree import (
    CONFIRM_NUMBER,
    DAYS_SET,
    FROM_STAFF,
    SERVICE,
    SERVICE_MESSAGES,
    TELLING_WHEN,
    TOPIC_STOPPED,
)
from scheduler.domain.pathway import Action, Pathway, Step
from scheduler.domain.replies import agreement


@dataclass(frozen=True, slots=True)
class Question:
    """A step whose question the message asks, and the digits it then understands."""

    step: str
    digits: frozenset[str]


@dataclass(frozen=True, slots=True)
class MessageUse:
    """One message and all that a pathway does with it."""

    pathway: str
    name: str
    places: tuple[str, ...]  # as people say it: "step ask"; empty for a service message
    questions: tuple[Question, ...] = ()
    routine: bool = False  # belongs to a pathway that repeats activities
    is_reminder: bool = False  # the service sends it of its own accord, so that the stop line may stand behind it

    @property
    def is_service(self) -> bool:
        return self.pathway == SERVICE

    @property
    def tells_topic(self) -> bool:
        """Whether it says which pathway has ended."""
        return (self.pathway, self.name) == (SERVICE, TOPIC_STOPPED)

    @property
    def has_words(self) -> bool:
        """Whether a member of staff writes its words."""
        return (self.pathway, self.name) == (SERVICE, FROM_STAFF)

    @property
    def tells_when(self) -> bool:
        """Whether it says which day or time was understood."""
        return self.pathway == SERVICE and self.name in TELLING_WHEN

    @property
    def tells_days(self) -> bool:
        """Whether it says which days of the week were understood."""
        return (self.pathway, self.name) == (SERVICE, DAYS_SET)

    @property
    def sender(self) -> str:
        """Who uses it, for a fault: `the dexa pathway (step ask)`."""
        return f"the {self.pathway} pathway ({', '.join(self.places)})" if self.places else "the service itself"


# What the service itself asks.
_ASKED: Mapping[str, tuple[Question, ...]] = {CONFIRM_NUMBER: (Question(CONFIRM_NUMBER, frozenset(agreement.DIGIT)),)}


@dataclass(frozen=True, slots=True)
class _Mention:
    name: str
    place: str
    question: Question | None = None
    is_sent: bool = False


def message_uses(pathways: Mapping[str, Pathway]) -> list[MessageUse]:
    """Every message of every pathway, then the service's own."""
    uses = [use for pathway in pathways.values() for use in _uses_of(pathway)]
    return uses + [MessageUse(SERVICE, name, (), questions=_ASKED.get(name, ())) for name in SERVICE_MESSAGES]


def _uses_of(pathway: Pathway) -> Iterator[MessageUse]:
    mentions: dict[str, list[_Mention]] = {}
    for mention in _mentions(pathway):
        mentions.setdefault(mention.name, []).append(mention)
    routine = any(step.every is not None for step in pathway.steps.values())
    for name, found in mentions.items():
        yield MessageUse(
            pathway=pathway.name,
            name=name,
            places=tuple(dict.fromkeys(mention.place for mention in found)),
            questions=tuple(dict.fromkeys(mention.question for mention in found if mention.question)),
            routine=routine,
            is_reminder=any(mention.is_sent for mention in found),
        )


def _mentions(pathway: Pathway) -> Iterator[_Mention]:
    yield from _said(pathway, pathway.begin, "begin")
    for step in pathway.steps.values():
        yield from _sent_by(step)
        yield from _said_by(pathway, step)
    for name, action in pathway.facts.items():
        yield from _said(pathway, action, f"fact {name}")


def _question_of(step: Step) -> Question:
    return Question(step.name, frozenset(answer.digit for answer in step.answers if answer.digit))


def _sent_by(step: Step) -> Iterator[_Mention]:
    sent = (step.send, step.first, step.on_sunday, *(silence.send for silence in step.silence))
    for name in sent:
        if name is not None:
            yield _Mention(name, f"step {step.name}", _question_of(step), is_sent=True)


def _said_by(pathway: Pathway, step: Step) -> Iterator[_Mention]:
    for answer in step.answers:
        yield from _said(pathway, answer.action, f"answer {answer.name} of step {step.name}")
    for silence in step.silence:
        yield from _said(pathway, silence.action, f"silence of step {step.name}")
    if step.free_text is not None:
        yield from _said(pathway, step.free_text, f"text in step {step.name}")
    yield from _said(pathway, step.then, f"end of step {step.name}")


def _said(pathway: Pathway, action: Action, place: str) -> Iterator[_Mention]:
    """What is said on the way into a step that sends nothing itself asks that step's question."""
    if action.say is None:
        return
    target = pathway.steps.get(action.target or "")
    asks = target is not None and target.send is None and bool(target.answers)
    yield _Mention(action.say, place, _question_of(target) if target is not None and asks else None)
