"""What a reply from a patient comes to: its meaning, and everything that follows. Pure; live and simulated alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from scheduler.domain.confirming import confirmed, no_longer_asked
from scheduler.domain.contact import (
    Change,
    ClearanceOpened,
    Contact,
    PlannedMessage,
    TaskChange,
    TaskOpened,
)
from scheduler.domain.effects import sendable
from scheduler.domain.enrolment import Answered, Event, FactRecorded, Resumed, TextReceived
from scheduler.domain.facts import FactKind
from scheduler.domain.folding import normalise
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel, PatientStatus, Reach
from scheduler.domain.reacting import Situation, ask_anew, reopen
from scheduler.domain.replies.agreement import MAY_TEXT, agrees
from scheduler.domain.replies.interpret import ANY, Interpretation, Meaning, OpenQuestion, interpret
from scheduler.domain.replies.naming import topic_alone
from scheduler.domain.replies.need import NOT_WANTED, Need, read_need
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.topics import come_back, has_stopped_topic, only_topic_ends, without_topic
from scheduler.domain.when import local_date
from scheduler.domain.wishes import at_another_time, on_other_days, repeats, without_what_repeats

ACKNOWLEDGEMENT = "unclear"  # the service message: your words were passed on
WHICH_ONE = "which_one"  # the service message: we asked two things, and your answer fits both
SAFETY = "safety"  # the service message: where to call when help is needed now
TOLD_ONCE = frozenset({ACKNOWLEDGEMENT, WHICH_ONE})  # once on a day of the patient's, and once for texts in a row
REMEMBERED = TOLD_ONCE | {SAFETY}  # what a reply soon afterwards is heard by
HELD_FOR = timedelta(days=1)  # an answer in doubt waits for its topic today and tomorrow
ASKED_FOR = timedelta(days=1)  # then we may ask again which question is meant
CALLED_FOR_HELP = timedelta(days=1)  # within this a yes or a no is about the help that the safety text speaks of
IN_A_ROW = timedelta(seconds=10)  # texts that come so soon after one another are one message to the patient

_SERVED = frozenset({PatientStatus.ACTIVE, PatientStatus.PAUSED})
_ANSWERS = frozenset({Meaning.ANSWER, Meaning.DONE})
_HEARD_BY_ANYONE = frozenset({Meaning.STOP, Meaning.START, Meaning.HELP, Meaning.WRONG_NUMBER, Meaning.SAFETY})
# Carriers expect the first three to be answered always; whoever speaks of danger is answered whatever they agreed to.
_NEEDS_NO_CONSENT = frozenset({"stopped", "started", "help", SAFETY})
_AMBIGUOUS_START = "yes"


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply, understood: what it means and what it changes. `consent` is set when it gives or takes consent.

    With `topic`, consent is taken back for that one pathway alone.
    """

    meaning: Interpretation
    change: Change
    consent: bool | None = None
    topic: str | None = None
    wrong_number: bool = False


def hear(
    situation: Situation,
    text: str,
    *,
    channel: Channel,
    words: Mapping[str, ReplyWords],
    languages: tuple[str, ...],
    told: Mapping[str, datetime] = MappingProxyType({}),
) -> Heard:
    """Understand `text`, which came over `channel`, and decide what follows. Total: any text has an outcome.

    `told` says when (UTC) the patient was last sent each of `REMEMBERED`.
    """
    need = need_told(situation, text, words=words, languages=languages, told_at=told.get(SAFETY))
    if need is None and _is_asked_for_number(situation, channel) and agrees(text, words, languages=languages):
        return _may_text(situation, text)
    meaning = _about_need(need, text) or interpret(text, open_questions(situation), words, languages=languages)
    if meaning.is_reaction or meaning.is_courtesy:  # a tap on one of our messages, or thanks: nothing follows
        return Heard(meaning, situation.unchanged())
    if need in (Need.NONE, Need.DOUBT):
        heard = _needs_no_help(situation, meaning, need, channel)
    else:
        may_ask = not _is_asked_which(situation, told.get(WHICH_ONE))
        heard = _settle(situation, meaning, channel, may_ask=may_ask)
        for part in meaning.also:
            heard = _and_then(heard, _settle(_after(situation, heard), part, channel, may_ask=may_ask))
    tasks = heard.change.tasks
    if meaning.speaks_of_danger and meaning.meaning is not Meaning.SAFETY:
        tasks = (*tasks, TaskOpened(ServiceTask.SAFETY, SERVICE_MESSAGES))
    if meaning.has_more and not any(isinstance(task, TaskOpened) and _is_ours(task) for task in tasks):
        tasks = (*tasks, TaskOpened(ServiceTask.MORE_TO_READ, SERVICE_MESSAGES))
    return replace(
        heard,
        change=replace(
            heard.change,
            # A text is answered by text and an e-mail by e-mail, whatever the patient prefers for reminders.
            messages=tuple(
                replace(message, channel=channel)
                for message in heard.change.messages
                if not (is_told_once(message) and _is_told(situation, told.get(message.template)))
                and not (need is not None and _is_in_a_row(situation, told.get(message.template)))
            ),
            tasks=tuple(_with_words(task, text.strip()) for task in tasks),
        ),
    )


def hear_topic(
    situation: Situation,
    text: str,
    held: str,
    *,
    held_at: datetime,
    channel: Channel,
    words: Mapping[str, ReplyWords],
    languages: tuple[str, ...],
) -> Heard | None:
    """What follows when `text` says which question is meant by `held`, an answer that fits several.

    None when `text` is no topic alone, when `held` (written at `held_at`, UTC) is of a day before yesterday, or when
    the question of that topic is another by now: then `text` is heard like any other.
    """
    held_on = local_date(held_at, situation.contact.zone)
    if held_on < situation.today - HELD_FOR or not is_served(situation, channel):
        return None
    topic = topic_alone(text, words, languages=languages)
    if topic is None or not any(
        one.state.pathway == topic and one.state.entered_on <= held_on for one in situation.enrolments
    ):
        return None
    own = interpret(text, open_questions(situation), words, languages=languages)
    if own.meaning in _ANSWERS and own.answer not in (None, ANY):
        return None
    read = interpret(held, open_questions(replace(situation, about=topic)), words, languages=languages)
    meant = next((one for one in (read, *read.also) if one.meaning in _ANSWERS and one.pathway == topic), None)
    if meant is None or meant.answer in (None, ANY):
        return None
    heard = _respond(situation, replace(meant, also=(), has_more=False), channel)
    messages = tuple(replace(message, channel=channel) for message in heard.change.messages)
    return replace(heard, change=replace(heard.change, messages=messages))


def may_name_topic(heard: Heard) -> bool:
    """Whether what was heard may rather say which question an earlier answer is for."""
    meaning = heard.meaning
    if meaning.is_reaction or meaning.is_courtesy or is_in_doubt(meaning):
        return False
    is_loose = meaning.meaning is Meaning.ANSWER and meaning.answer in (None, ANY)
    return is_loose or meaning.meaning in (Meaning.UNCLEAR, Meaning.SUPPLEMENT)


def is_told_once(message: PlannedMessage) -> bool:
    """Whether a message is one that a patient needs but once a day."""
    return message.pathway == SERVICE_MESSAGES and message.template in TOLD_ONCE


def is_remembered(message: PlannedMessage) -> bool:
    """Whether what the patient writes afterwards is heard by when this message went."""
    return message.pathway == SERVICE_MESSAGES and message.template in REMEMBERED


def need_told(
    situation: Situation,
    text: str,
    *,
    words: Mapping[str, ReplyWords],
    languages: tuple[str, ...],
    told_at: datetime | None,
) -> Need | None:
    """What `text` says to the safety text that went at `told_at` (UTC); None when it is about something else."""
    if told_at is None or situation.about is not None or not timedelta() <= situation.now - told_at < CALLED_FOR_HELP:
        return None
    return read_need(text, open_questions(situation), words, languages=languages)


def _respond(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    respond = _RESPONSES.get(meaning.meaning, _for_a_person)
    if not is_served(situation, channel) and meaning.meaning not in _HEARD_BY_ANYONE:
        respond = _for_a_person  # nobody was asked anything by this way
    return respond(situation, meaning, channel)


def _settle(situation: Situation, part: Interpretation, channel: Channel, *, may_ask: bool) -> Heard:
    """What one part of a text comes to; where it fits several questions the patient is asked which, if we may."""
    if may_ask and part.candidates:
        return _ask_which(situation, part, channel)
    return _respond(situation, part, channel)


def is_served(situation: Situation, channel: Channel) -> bool:
    """Whether the patient is one to whom we write by this way."""
    return situation.contact.status in _SERVED and situation.contact.reach.has(channel)


def _after(situation: Situation, heard: Heard) -> Situation:
    return replace(situation, contact=heard.change.contact, enrolments=heard.change.enrolments)


def _and_then(first: Heard, second: Heard) -> Heard:
    """What two parts of one text come to; the first gives its meaning, unless the other is in doubt."""
    change = replace(
        second.change,
        messages=(*first.change.messages, *second.change.messages),
        tasks=(*first.change.tasks, *second.change.tasks),
        superseded=first.change.superseded | second.change.superseded,
    )
    meaning = replace(second.meaning, also=first.meaning.also) if is_in_doubt(second.meaning) else first.meaning
    return replace(first, meaning=meaning, change=change)


def is_in_doubt(meaning: Interpretation) -> bool:
    """Whether an answer fits several questions and was counted for none: the patient is asked which is meant."""
    return meaning.meaning is Meaning.UNCLEAR and meaning.answer == WHICH_ONE


def open_questions(situation: Situation) -> list[OpenQuestion]:
    """What the patient may be answering, the question asked last first."""
    asked = [
        (enrolled, pathway)
        for enrolled in situation.enrolments
        if (pathway := situation.pathways.get(enrolled.state.pathway)) is not None
        and situation.about in (None, pathway.name)
        and enrolled.state.is_open_question(pathway)
    ]
    asked.sort(key=lambda pair: (-pair[0].state.silence_from.toordinal(), pair[1].priority))
    return [
        OpenQuestion(
            pathway=pathway.name,
            answers=pathway.steps[enrolled.state.step].answers,
            takes_text=pathway.steps[enrolled.state.step].free_text is not None,
        )
        for enrolled, pathway in asked
    ]


# What each meaning comes to


def _answer(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    name = meaning.answer
    event: Event = Answered(situation.today, name) if name is not None else TextReceived(situation.today)
    events = situation.each(lambda one: event if one.state.pathway == meaning.pathway else None)
    return Heard(meaning, _named(situation.react(events, kind=MessageKind.REPLY), meaning.text))


def _done(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    if meaning.pathway is not None:
        return _answer(situation, replace(meaning, answer=meaning.answer or "done"), channel)
    event = Answered(situation.today, "done")
    events = situation.each(lambda one: event if repeats(situation, one) else None)
    if not events:
        return _for_a_person(situation, meaning, channel)
    return Heard(meaning, situation.react(events, kind=MessageKind.REPLY))


def _is_asked_which(situation: Situation, at: datetime | None) -> bool:
    """Whether we have asked which question is meant; what comes in a row with the first text does not know it yet."""
    return at is not None and IN_A_ROW < situation.now - at < ASKED_FOR


def _ask_which(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """The answer fits two questions: asked once, and until then it answers neither."""
    unsure = replace(meaning, meaning=Meaning.UNCLEAR, pathway=None, answer=WHICH_ONE)
    return Heard(unsure, _with_service_message(situation.unchanged(), WHICH_ONE, situation, channel))


def _supplement(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    event = FactRecorded(situation.today, FactKind.SUPPLEMENT_NAMED, situation.today)
    events = situation.each(
        lambda one: event if situation.listens(one, event.kind) and not one.state.is_stopped else None
    )
    if not meaning.text or not events:
        return _for_a_person(situation, meaning, channel)
    return Heard(meaning, _named(situation.react(events, kind=MessageKind.REPLY), meaning.text))


def _stop(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """Everything stops at once, on every channel; one confirmation and nothing after it.

    Where the clinic wants it so, a STOP that names one topic ends that topic alone.
    """
    status = situation.contact.status
    if status is PatientStatus.STOPPED:
        return Heard(meaning, situation.unchanged())
    topic = meaning.topic
    if topic is not None and is_served(situation, channel) and only_topic_ends(situation, topic):
        message = service_message("topic_stopped", situation.contact, channel, situation.now)
        change = without_topic(situation, topic)
        change = replace(change, messages=(replace(message, step=topic),))  # the template says which by its step
        return Heard(replace(meaning, pathway=topic), change, consent=False, topic=topic)
    is_ended = status in (PatientStatus.DECEASED, PatientStatus.DISCHARGED)  # START must not bring these back
    stopped = replace(
        situation.contact,
        status=status if is_ended else PatientStatus.STOPPED,
        paused_until=None,
        reach=Reach(sms=False, email=False),
        check=None,
    )
    change = Change(
        contact=stopped,
        enrolments=situation.enrolments,
        next_contact_at=None,
        messages=(service_message("stopped", situation.contact, channel, situation.now),),
        tasks=no_longer_asked(situation.contact),
        superseded=frozenset(enrolled.id for enrolled in situation.enrolments),
    )
    return Heard(meaning, change, consent=False)


def _start(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    contact = situation.contact
    if contact.status not in _SERVED and contact.status is not PatientStatus.STOPPED:
        return _for_a_person(situation, meaning, channel)
    gets_reminders = contact.status in _SERVED and contact.reach.has(channel)
    # Carriers take YES for START. From somebody who gets our reminders it is more likely an answer.
    says_yes = _AMBIGUOUS_START in normalise(meaning.text).split()
    if gets_reminders and says_yes and (open_questions(situation) or not has_stopped_topic(situation)):
        return _for_a_person(situation, meaning, channel)
    if channel is Channel.SMS and contact.check is not None:
        return replace(_may_text(situation, meaning.text), meaning=meaning)
    opened = replace(
        contact,
        status=PatientStatus.ACTIVE if contact.status is PatientStatus.STOPPED else contact.status,
        reach=replace(contact.reach, sms=True) if channel is Channel.SMS else replace(contact.reach, email=True),
    )
    after = replace(situation, contact=opened)
    is_back = not gets_reminders or has_stopped_topic(situation)
    change = come_back(after, meaning.topic) if is_back else after.unchanged()
    if opened.status is PatientStatus.PAUSED:
        paused = replace(after, enrolments=change.enrolments)
        return replace(_out_of_pause(paused, meaning, channel), consent=True)
    return Heard(meaning, _with_service_message(change, "started", situation, channel), consent=True)


def _out_of_pause(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """The patient wants reminders again that are paused. What the clinic has paused is a person's to decide."""
    if not situation.is_own_pause:
        change = _with_service_message(situation.unchanged(), "referral", situation, channel)
        return Heard(meaning, replace(change, tasks=(TaskOpened(ServiceTask.UNCLEAR_REPLY, SERVICE_MESSAGES),)))
    freed = replace(situation.contact, status=PatientStatus.ACTIVE, paused_until=None)
    return Heard(
        meaning, _with_service_message(reopen(replace(situation, contact=freed)), "started", situation, channel)
    )


def _is_asked_for_number(situation: Situation, channel: Channel) -> bool:
    contact = situation.contact
    is_asked = contact.check is not None and contact.check.is_asked
    return is_asked and channel is Channel.SMS and contact.status in _SERVED


def _may_text(situation: Situation, text: str) -> Heard:
    """Somebody at the number agrees to be texted there."""
    meaning = Interpretation(meaning=Meaning.ANSWER, answer=MAY_TEXT, text=text.strip())
    change = _with_service_message(confirmed(situation), "started", situation, Channel.SMS)
    return Heard(meaning, change, consent=True)


def _pause(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    until = None if meaning.pause is None else meaning.pause.after(situation.today)
    change = without_what_repeats(situation, until=until)
    if change is None:
        return _for_a_person(situation, meaning, channel)
    last_day = "" if until is None else (until - timedelta(days=1)).isoformat()
    return Heard(meaning, _with_service_message(change, "paused", situation, channel, when=last_day))


def _time(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    if meaning.at is None:
        return _for_a_person(situation, meaning, channel)
    change = at_another_time(situation, meaning.at)
    if change is None:
        return Heard(meaning, _with_service_message(situation.unchanged(), "time_closed", situation, channel))
    at = meaning.at.isoformat("minutes")
    return Heard(meaning, _with_service_message(change, "time_set", situation, channel, when=at))


def _days(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    if not meaning.weekdays or not any(repeats(situation, one) for one in situation.enrolments):
        return _for_a_person(situation, meaning, channel)
    change = on_other_days(situation, meaning.weekdays)
    days = " ".join(day.name.lower() for day in sorted(meaning.weekdays))
    return Heard(meaning, _with_service_message(change, "days_set", situation, channel, when=days))


def _safety(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """The fixed text at once, by night too; exercise rests until the patient wants it back; a person looks today."""
    change = without_what_repeats(situation, until=None) or situation.unchanged()
    change = _with_service_message(change, SAFETY, situation, channel)
    return Heard(meaning, replace(change, tasks=(*change.tasks, TaskOpened(ServiceTask.SAFETY, SERVICE_MESSAGES))))


def _about_need(need: Need | None, text: str) -> Interpretation | None:
    """What an answer to the safety text means; it is never consent, nor an answer to another question."""
    match need:
        case Need.HELP:
            return Interpretation(meaning=Meaning.SAFETY, speaks_of_danger=True, text=text.strip())
        case Need.NONE:
            return Interpretation(meaning=Meaning.ANSWER, answer=NOT_WANTED, text=text.strip())
        case Need.DOUBT:
            return Interpretation(meaning=Meaning.UNCLEAR, text=text.strip())
        case None:
            return None


def _needs_no_help(situation: Situation, meaning: Interpretation, need: Need, channel: Channel) -> Heard:
    """Whoever looks at the urgent task reads it there; nobody is called again.

    Where that task is closed, a plain no is for a person to read, and one with more to say is urgent again.
    """
    if need is Need.NONE:
        read = TaskOpened(ServiceTask.MORE_TO_READ, SERVICE_MESSAGES, rather=ServiceTask.SAFETY)
        return Heard(meaning, replace(situation.unchanged(), tasks=(read,)))
    change = _with_service_message(situation.unchanged(), ACKNOWLEDGEMENT, situation, channel)
    return Heard(meaning, replace(change, tasks=(TaskOpened(ServiceTask.SAFETY, SERVICE_MESSAGES),)))


def _resume(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """Ends what PAUSE began; a pathway that the clinic has put on hold is not the patient's to resume.

    Ends the patient's own pause of everything as well, but not one of the clinic's.
    """
    event = Resumed(situation.today)
    events = situation.each(lambda one: event if one.state.is_paused and repeats(situation, one) else None)
    if situation.contact.status is PatientStatus.PAUSED:
        resumed = replace(situation, enrolments=situation.react(events, kind=MessageKind.REPLY).enrolments)
        return _out_of_pause(resumed, meaning, channel)
    if not any(repeats(situation, one) for one in situation.enrolments):
        return _for_a_person(situation, meaning, channel)
    change = situation.react(events, kind=MessageKind.REPLY)
    return Heard(meaning, _with_service_message(change, "resumed", situation, channel))


def _help(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    return Heard(meaning, _with_service_message(situation.unchanged(), "help", situation, channel))


def _later(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    event = Answered(situation.today, "later")
    change = situation.react(situation.each(lambda _: event), kind=MessageKind.REPLY)
    if change.messages:
        return Heard(meaning, change)
    return Heard(meaning, _with_service_message(change, "later", situation, channel))


def _wrong_number(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """Whoever has this number is not the patient: nothing more goes there, and staff ask for another.

    Nor was the patient asked what went there: the questions are put again where they reach them. Where there is
    another way, what is planned gives place to them; else it waits for its last look, and for a number.
    """
    reach, before = situation.contact.reach, situation.enrolments
    if reach.choose(situation.contact.channel) is channel:
        situation = ask_anew(situation)
    closed = replace(reach, sms=False) if channel is Channel.SMS else replace(reach, email=False)
    check = None if channel is Channel.SMS else situation.contact.check
    alone = replace(situation, contact=replace(situation.contact, reach=closed, check=check))
    return Heard(
        meaning,
        replace(
            alone.unchanged(),
            tasks=(
                *(no_longer_asked(situation.contact) if check is None else ()),
                TaskOpened(ServiceTask.WRONG_NUMBER, SERVICE_MESSAGES),
            ),
            superseded=frozenset(
                after.id
                for old, after in zip(before, situation.enrolments, strict=True)
                if old != after and (closed.sms or closed.email)
            ),
        ),
        wrong_number=True,
    )


def _for_a_person(situation: Situation, meaning: Interpretation, channel: Channel) -> Heard:
    """Nothing the service may settle: the words go to the worklist, and the patient hears that they did."""
    kind = _REFERRALS.get(meaning.answer or "", ServiceTask.UNCLEAR_REPLY)
    template = "referral" if meaning.meaning is Meaning.REFERRAL else ACKNOWLEDGEMENT
    change = _with_service_message(situation.unchanged(), template, situation, channel)
    return Heard(meaning, replace(change, tasks=(TaskOpened(kind, SERVICE_MESSAGES),)))


_Response = Callable[[Situation, Interpretation, Channel], Heard]

_RESPONSES: Mapping[Meaning, _Response] = {
    Meaning.ANSWER: _answer,
    Meaning.DONE: _done,
    Meaning.SUPPLEMENT: _supplement,
    Meaning.STOP: _stop,
    Meaning.START: _start,
    Meaning.PAUSE: _pause,
    Meaning.RESUME: _resume,
    Meaning.HELP: _help,
    Meaning.LATER: _later,
    Meaning.WRONG_NUMBER: _wrong_number,
    Meaning.TIME: _time,
    Meaning.DAYS: _days,
    Meaning.SAFETY: _safety,
}

_REFERRALS: Mapping[str, ServiceTask] = {
    ServiceTask.REFERRAL_PT: ServiceTask.REFERRAL_PT,
    ServiceTask.REFERRAL_DIET: ServiceTask.REFERRAL_DIET,
}


def _is_told(situation: Situation, at: datetime | None) -> bool:
    if at is None:
        return False
    return local_date(at, situation.contact.zone) >= situation.today or _is_in_a_row(situation, at)


def _is_in_a_row(situation: Situation, at: datetime | None) -> bool:
    return at is not None and situation.now - at <= IN_A_ROW


def _named(change: Change, text: str) -> Change:
    tasks = tuple(replace(task, named=text) if isinstance(task, ClearanceOpened) else task for task in change.tasks)
    return replace(change, tasks=tasks)


def _with_words(task: TaskChange, words: str) -> TaskChange:
    """A task for a person to read a reply, with the patient's own words."""
    return replace(task, note=words) if isinstance(task, TaskOpened) and _is_ours(task) else task


def _is_ours(task: TaskOpened) -> bool:
    return task.pathway == SERVICE_MESSAGES


def _with_service_message(
    change: Change, template: str, situation: Situation, channel: Channel, *, when: str = ""
) -> Change:
    """The change and a service message. `when` is what it confirms, which the message keeps as its step."""
    if template not in _NEEDS_NO_CONSENT and not situation.contact.reach.has(channel):
        return change
    added = service_message(template, situation.contact, channel, situation.now)
    added = replace(added, step=when) if when else added
    return replace(change, messages=(*change.messages, added))


def service_message(template: str, contact: Contact, channel: Channel, now: datetime) -> PlannedMessage:
    """A message that belongs to no pathway. It goes back the way the reply came."""
    no_enrolment: UUID | None = None
    send_from, send_until = sendable(contact, MessageKind.REPLY, now)
    return PlannedMessage(
        enrolment_id=no_enrolment,
        kind=MessageKind.REPLY,
        channel=channel,
        pathway=SERVICE_MESSAGES,
        step=template,
        cycle=0,
        fired=0,
        template=template,
        due_date=now.astimezone(contact.zone).date(),
        send_from=send_from,
        send_until=send_until,
    )
