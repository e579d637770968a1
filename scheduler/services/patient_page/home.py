"""What a patient's own page says first: what the clinic asks now, what it said last, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Enrolled, PlannedMessage
from scheduler.domain.conversation import open_questions
from scheduler.domain.messages import MessageKind
from scheduler.domain.pathway import Every, Pathway, Step
from scheduler.domain.people import PatientStatus
from scheduler.domain.when import local_date
from scheduler.domain.wishes import repeats
from scheduler.ports import Store
from scheduler.ports.patient_pages import PageMessage
from scheduler.records import Clinic, Patient
from scheduler.services.composing import Composer
from scheduler.services.patient_page.opening import Bearer
from scheduler.services.patient_page.resting import Rest, rest_of
from scheduler.services.patient_page.words import Speech, Takes, Words, read_mail
from scheduler.services.rules import Rules
from scheduler.services.simulate import coming
from scheduler.services.situations import Loaded, load

DONE = "DONE"  # what the button of a nudge sends
LOOKED_BACK = 40  # messages
_SAID_LATELY = timedelta(days=14)
_AHEAD = timedelta(days=120)
ENDED = frozenset({PatientStatus.STOPPED, PatientStatus.DECEASED, PatientStatus.DISCHARGED})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: what is sent as the reply, and what the button says. `label` empty: that it is done, or a yes."""

    text: str
    label: str
    is_yes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that is open. `step` and `cycle` tell it from the next one of its pathway.

    `came_on`: what was offered on a day is asked about later, in the page's own words instead of `paragraphs`.
    """

    pathway: str
    step: str
    cycle: int
    paragraphs: tuple[str, ...]
    choices: tuple[Choice, ...]
    takes_text: bool
    came_on: date | None = None

    def choice(self, text: str) -> Choice | None:
        """The answer that sends `text`."""
        return next((one for one in self.choices if one.text == text), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The first screen. Instants are in the patient's zone."""

    patient: Patient
    has_ended: bool  # nothing is sent any more
    is_reached: bool  # by one way at least
    questions: tuple[Question, ...]  # the one asked last first
    said: tuple[str, ...]  # the clinic's latest words, where nothing is asked
    next_at: datetime | None
    is_paused: bool
    paused_until: date | None
    may_resume: bool
    has_days: bool  # something comes on days of the week
    rest: Rest | None  # what comes on days of the week is paused alone


def home(
    store: Store, rules: Rules, composer: Composer, bearer: Bearer, *, language: str, speech: Speech, now: datetime
) -> Home:
    """The first screen of the patient's page at `now` (UTC), in `language`. Changes nothing."""
    clinic, patient_id = bearer.clinic, bearer.patient.id
    with store.reading() as unit:
        loaded = load(unit, rules, clinic, patient_id, now, lock=False)
        said = unit.pages.messages(clinic.id, patient_id, until=now, limit=LOOKED_BACK)
        gate = unit.pages.gate(clinic.id, patient_id)
        rest = None if loaded is None else rest_of(unit, loaded, said)
    if loaded is None:
        raise LookupError("the patient is gone")
    patient, enrolled = loaded.patient, loaded.situation.enrolments
    has_ended = patient.status in ENDED
    writer = _Writer(composer, patient, clinic, language=language, speech=speech)
    questions = () if has_ended else tuple(_questions(loaded, said, writer))
    is_paused = patient.status is PatientStatus.PAUSED
    return Home(
        patient=patient,
        has_ended=has_ended,
        is_reached=any((loaded.situation.contact.reach.sms, loaded.situation.contact.reach.email)),
        questions=questions,
        said=() if has_ended or questions else _latest(loaded, said, writer, now),
        next_at=None if has_ended else _next_at(rules, clinic, patient, enrolled, now),
        is_paused=is_paused,
        paused_until=patient.paused_until if is_paused else None,
        may_resume=is_paused and gate.paused_on is not None,
        has_days=any(repeats(loaded.situation, one) for one in enrolled),
        rest=rest,
    )


class _Writer:
    """Writes messages out for the page."""

    def __init__(
        self, composer: Composer, patient: Patient, clinic: Clinic, *, language: str, speech: Speech
    ) -> None:
        self._composer = composer
        self._patient = patient
        self._clinic = clinic
        self._language = language
        self._speech = speech

    def day_of(self, message: PageMessage) -> date:
        """The patient's day on which it went."""
        return local_date(message.at, ZoneInfo(self._patient.timezone))

    def words(self, message: PageMessage, takes: Takes = Takes.NOTHING) -> Words | None:
        """What it says; None where there is no such message any more."""
        on = self.day_of(message)
        planned = PlannedMessage(
            enrolment_id=None,
            kind=message.kind,
            channel=message.channel,
            pathway=message.pathway,
            step=message.step,
            cycle=0,
            fired=0,
            template=message.template,
            due_date=on,
            send_from=message.at,
            send_until=message.at,
            turn=message.turn,
            count=message.count,
        )
        try:
            text = self._composer.in_full(planned, self._patient, self._clinic, language=self._language)
        except LookupError:
            return None
        return read_mail(text, self._speech, takes=takes)


def _questions(loaded: Loaded, said: Sequence[PageMessage], writer: _Writer) -> list[Question]:
    situation = loaded.situation
    by_pathway = {one.state.pathway: one for one in situation.enrolments}
    found = []
    for asked in open_questions(situation):
        enrolled, pathway = by_pathway[asked.pathway], situation.pathways[asked.pathway]
        step = pathway.steps[enrolled.state.step]
        theirs = [one for one in said if one.pathway == asked.pathway]
        if step.every is None:
            question = _asked(enrolled, step, theirs, writer)
        elif _waits(loaded, enrolled) or enrolled.state.done_on == situation.today:
            continue
        else:
            question = _offered(enrolled, pathway, theirs, writer, situation.today)
        if question is not None:
            found.append(question)
    return found


def _waits(loaded: Loaded, enrolled: Enrolled) -> bool:
    """Whether nothing of a pathway is offered for now."""
    state, today = enrolled.state, loaded.situation.today
    return state.is_stopped or state.is_paused_on(today) or loaded.patient.status is PatientStatus.PAUSED


def _asked(enrolled: Enrolled, step: Step, said: Sequence[PageMessage], writer: _Writer) -> Question | None:
    """The question of a step that asks once, as the latest message that puts it does."""
    digits = [answer for answer in step.answers if answer.digit]
    takes = Takes.DONE if _takes_done(step) else Takes.TEXT if step.free_text is not None else Takes.NOTHING
    for message in said:
        words = writer.words(message, takes)
        if words is None or not words.paragraphs:
            continue
        if digits and not words.choices:
            continue  # thanks for an earlier answer, not the question
        choices = [
            Choice(answer.digit or "", _named(words.choices.get(answer.digit or "") or answer.name.replace("_", " ")))
            for answer in digits
        ]
        return Question(
            pathway=enrolled.state.pathway,
            step=enrolled.state.step,
            cycle=enrolled.state.cycle,
            paragraphs=words.paragraphs,
            choices=(*choices, *([Choice(DONE, "")] if takes is Takes.DONE else [])),
            takes_text=step.free_text is not None,
        )
    return None


def _offered(
    enrolled: Enrolled, pathway: Pathway, said: Sequence[PageMessage], writer: _Writer, today: date
) -> Question | None:
    """What a step that repeats has offered or asked last. What was for one day is not offered on another."""
    state = enrolled.state
    step = pathway.steps[state.step]
    theirs = [one for one in said if one.step == state.step and one.kind is MessageKind.REMINDER]
    of_a_day = _of_a_day(pathway)
    for message in theirs:
        came_on = writer.day_of(message)
        is_over = message.template in of_a_day and came_on != today
        if is_over and step.first is not None:
            continue  # what the step said first still holds
        words = writer.words(message, Takes.DONE if _takes_done(step) else Takes.NOTHING)
        if words is None or not words.paragraphs:
            continue
        if message.template == step.first and not _goes_on(step):
            return None  # it asks nothing
        return Question(
            pathway=state.pathway,
            step=state.step,
            cycle=state.cycle,
            paragraphs=() if is_over else words.paragraphs,
            choices=(Choice(DONE, "", is_yes=message.template == step.first),) if _takes_done(step) else (),
            takes_text=step.free_text is not None,
            came_on=came_on if is_over else None,
        )
    return None


def _takes_done(step: Step) -> bool:
    return any(answer.name == "done" and not answer.digit for answer in step.answers)


def _goes_on(step: Step) -> bool:
    """Whether DONE leads to another step."""
    return any(answer.name == "done" and answer.action.target is not None for answer in step.answers)


def _of_a_day(pathway: Pathway) -> frozenset[str]:
    """The messages that are for the day on which they come, such as the day's activity."""
    daily = [step for step in pathway.steps.values() if step.every is Every.DAY]
    return frozenset(name for step in daily for name in (step.send, step.on_sunday) if name is not None)


def _named(answer: str) -> str:
    """On a button it stands alone, and begins as a sentence does."""
    return answer[:1].upper() + answer[1:]


def _latest(loaded: Loaded, said: Sequence[PageMessage], writer: _Writer, now: datetime) -> tuple[str, ...]:
    if not said or now - said[0].at > _SAID_LATELY or _is_no_longer_meant(loaded, said[0]):
        return ()
    words = writer.words(said[0])
    return words.paragraphs if words is not None else ()


def _is_no_longer_meant(loaded: Loaded, message: PageMessage) -> bool:
    """Whether a message offered something of a day, or of what is paused or has been stopped."""
    pathway = loaded.situation.pathways.get(message.pathway)
    if pathway is None or message.kind is MessageKind.REPLY:
        return False
    if message.template in _of_a_day(pathway):
        return True
    is_routine = any(step.every is not None for step in pathway.steps.values())
    own = [one for one in loaded.situation.enrolments if one.state.pathway == message.pathway]
    return is_routine and all(_waits(loaded, one) for one in own)


def _next_at(
    rules: Rules, clinic: Clinic, patient: Patient, enrolled: tuple[Enrolled, ...], now: datetime
) -> datetime | None:
    """When the next reminder comes, if nothing is answered before, by the rules that send it."""
    ahead = coming(rules, clinic, patient, enrolled, start=now, days=_AHEAD.days)
    first = next((at for at, message in ahead if message.kind is MessageKind.REMINDER), None)
    return None if first is None else first.astimezone(ZoneInfo(patient.timezone))


def reminders_ahead(
    store: Store, rules: Rules, bearer: Bearer, *, now: datetime, days: int, most: int
) -> list[datetime]:
    """When the coming reminders go (UTC), the next `most` within `days` days, if nothing is answered before."""
    clinic = bearer.clinic
    with store.reading() as unit:
        loaded = load(unit, rules, clinic, bearer.patient.id, now, lock=False)
    if loaded is None or loaded.patient.status in ENDED:
        return []
    found: list[datetime] = []
    for at, message in coming(rules, clinic, loaded.patient, loaded.situation.enrolments, start=now, days=days):
        if message.kind is MessageKind.REMINDER:
            found.append(at)
        if len(found) == most:
            break
    return found
