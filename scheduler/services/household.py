"""A reply from a number or address that several people have: whose is it?

What holds for all of them is heard for all. What only one can mean goes to that one. What several can mean is held,
and the number is asked who wrote, once a day. Nothing is lost: what nobody explains within a day a person reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from scheduler.domain.conversation import ACKNOWLEDGEMENT, SAFETY, need_told, open_questions, service_message
from scheduler.domain.folding import normalise
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Addressee, PatientStatus
from scheduler.domain.replies.interpret import Interpretation, Meaning, interpret
from scheduler.domain.replies.need import read_need
from scheduler.domain.replies.words import WordList
from scheduler.domain.sharing import EVERYBODYS, MOST_NAMED, WHO, whose
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import Clinic, HeldReply, Reply, Sender
from scheduler.services.cases import Case, cases_of
from scheduler.services.in_doubt import in_doubt_of, settled
from scheduler.services.marking import Choices, choices_of
from scheduler.services.new_tasks import clinic_task
from scheduler.services.routing import last_contacted
from scheduler.services.rules import Rules
from scheduler.services.words import words_of

WAITS = timedelta(days=1)  # for somebody to say whose a reply is
_TOLD_FOR = timedelta(hours=50)  # longer than any local day
_ENDED = frozenset({PatientStatus.DECEASED, PatientStatus.DISCHARGED})
_MEANINGS = {OptOut.STOP: Meaning.STOP, OptOut.START: Meaning.START, OptOut.HELP: Meaning.HELP}


class HearKnown(Protocol):
    """Hears replies of which it is known about whom they are."""

    def __call__(
        self,
        unit: Unit,
        held: Sequence[HeldReply],
        *,
        now: datetime,
        is_echo: bool = False,
        told: Mapping[str, datetime] = ...,
    ) -> list[Reply]: ...


@dataclass(frozen=True, slots=True)
class _Home:
    """Everybody whose the reply can be, the one contacted last first; each with the reply as if it were theirs."""

    clinic: Clinic
    reply: Reply
    cases: tuple[Case, ...]
    choices: Choices

    def of(self, patient_id: UUID) -> Case | None:
        return next((case for case in self.cases if case.patient.id == patient_id), None)


class Household:
    """Finds out whose a reply is, inside the caller's transaction."""

    def __init__(self, rules: Rules, hear_known: HearKnown) -> None:
        self._rules = rules
        self._hear_known = hear_known

    def hear(self, unit: Unit, one: HeldReply, *, now: datetime) -> Reply:
        """Hear one reply, or hold it. Returns it as it is then."""
        home = self._home(unit, one)
        if one.reply.candidates:
            return self._for_a_person(unit, home, now=now)  # nobody has said whose it is
        if len(home.cases) == 1:
            return self._assign(unit, home.cases[0], now=now)
        read = [self._read(case) for case in home.cases]
        called_at = self._called_for_help_at(unit, home)
        if called_at is not None:
            return self._hear_for_all(unit, home, read, now=now, told={SAFETY: called_at})
        if read[0].is_reaction or read[0].is_courtesy or any(each.meaning in EVERYBODYS for each in read):
            return self._hear_for_all(unit, home, read, now=now)
        asked = next((case for case in home.cases if self._is_asked_about_number(case)), None)
        if asked is not None:  # the question was about the number, and its answer holds for whoever was asked
            return self._assign(unit, asked, now=now)
        chosen = self._hear_choice(unit, home, now=now)
        if chosen is None and (theirs := self._says_topic(unit, home)) is not None:
            return self._assign(unit, theirs, now=now)
        return chosen or self._hear_someones(unit, home, read, now=now)

    # Who there is

    def _home(self, unit: Unit, one: HeldReply) -> _Home:
        """Those who have the number, held in the order of ids, as everybody does who waits for several patients."""
        reply, clinic = one.reply, unit.installation.clinics()[one.patient.clinic_id]
        known = unit.inbox.senders(reply.channel, [reply.sender]).get(reply.sender, ())
        here = sorted((each for each in known if each.clinic_id == clinic.id), key=_carers_last)
        senders = {each.patient_id: each for each in here}
        held = [_held(unit, reply, senders[each]) for each in sorted(senders)]
        cases = cases_of(unit, [each for each in held if each is not None] or [one])
        cases = [case for case in cases if case.patient.status not in _ENDED] or cases
        last = last_contacted(senders[case.patient.id] for case in cases if case.patient.id in senders)
        cases.sort(key=lambda case: (last is None or case.patient.id != last.patient_id, case.patient.id))
        people = unit.sharing.people_at(clinic.id, reply.channel, reply.sender)
        return _Home(clinic, reply, tuple(cases), choices_of(people, clinic, self._rules.reply_words))

    def _read(self, case: Case) -> Interpretation:
        """What the reply means if this person wrote it."""
        questions = open_questions(case.situation(self._rules))
        read = interpret(case.reply.body, questions, self._rules.reply_words, languages=case.languages)
        told = case.reply.opt_out
        if told is None or read.meaning in (_MEANINGS[told], Meaning.STOP):
            return read
        return replace(read, meaning=_MEANINGS[told])

    def _is_asked_about_number(self, case: Case) -> bool:
        check = case.situation(self._rules).contact.check
        return check is not None and check.is_asked

    def _whose(self, home: _Home, read: Sequence[Interpretation]) -> list[UUID]:
        """Those whose it can be."""
        situations = [case.situation(self._rules) for case in home.cases]
        found = whose(list(zip(situations, read, strict=True)), home.reply.channel)
        return [home.cases[n].patient.id for n in found]

    # What becomes of it

    def _says_topic(self, unit: Unit, home: _Home) -> Case | None:
        """Whose answer in doubt the reply names the topic of, if it is one person's."""
        in_doubt = in_doubt_of(unit, home.cases)
        found = [case for case in home.cases if case.patient.id in in_doubt]
        found = [case for case in found if settled(case, in_doubt[case.patient.id], self._rules) is not None]
        return found[0] if len(found) == 1 else None

    def _assign(self, unit: Unit, case: Case, *, now: datetime) -> Reply:
        return self._hear_known(unit, [_now_theirs(unit, case, case.reply)], now=now)[0]

    def _called_for_help_at(self, unit: Unit, home: _Home) -> datetime | None:
        """When the number was sent the safety text that the reply answers, whoever wrote; None when it does not."""
        words, at, body = self._rules.reply_words, home.reply.received_at, home.reply.body
        if all(read_need(body, (), words, languages=case.languages) is None for case in home.cases):
            return None
        told = unit.inbox.told([case.patient.id for case in home.cases], [SAFETY], since=at - _TOLD_FOR)
        last = max((each[SAFETY] for each in told.values()), default=None)
        needs = (
            need_told(case.situation(self._rules), body, words=words, languages=case.languages, told_at=last)
            for case in home.cases
        )
        return last if all(needs) else None

    def _hear_for_all(
        self,
        unit: Unit,
        home: _Home,
        read: Sequence[Interpretation],
        *,
        now: datetime,
        told: Mapping[str, datetime] = MappingProxyType({}),
    ) -> Reply:
        """One answer goes back; what follows, follows for all. A STOP ends what goes to the number as it is heard."""
        first, *others = home.cases
        heard = self._hear_known(unit, [_now_theirs(unit, first, first.reply)], now=now, told=told)[0]
        if told or any(each.meaning in (Meaning.SAFETY, Meaning.WRONG_NUMBER) for each in read):
            for case in others:
                self._hear_known(unit, [_now_theirs(unit, case, case.reply)], now=now, is_echo=True, told=told)
        return heard

    def _hear_choice(self, unit: Unit, home: _Home, *, now: datetime) -> Reply | None:
        """The reply names somebody: what is held is theirs, and so is what else it says. None when it does not."""
        found = home.choices.read(home.reply.body)
        case = home.of(found[0]) if found else None
        if found is None or case is None:
            return None
        rest = "" if self._says_nothing(found[1]) else found[1]
        pending = unit.inbox.held(home.clinic.id, home.reply.channel, home.reply.sender)
        mine = [one for one in pending if case.patient.id in one.candidates]
        if not mine and not rest:
            return None
        for one in mine[:1]:
            self._hear_known(unit, [_now_theirs(unit, case, one)], now=now)
        for one in pending:
            if one not in mine[:1]:
                self._hear_again(unit, one, case, now=now)
        if rest and normalise(rest) not in {normalise(one.body) for one in mine}:
            said = replace(case, held=replace(case.held, reply=replace(case.reply, body=rest)))
            return self._assign(unit, said, now=now)
        chosen = replace(case.reply, meaning=Meaning.ANSWER.value, answer=WHO)
        unit.inbox.understood([chosen])
        return chosen

    def _says_nothing(self, text: str) -> bool:
        """Whether a text is nothing but polite words and what may stand before a name: `it is`."""
        idle = {
            word
            for words in self._rules.reply_words.values()
            for kind in (WordList.POLITE, WordList.THANKS, WordList.LEAD_IN)
            for word in words.of(kind)
        }
        return all(word in idle for word in normalise(text).split())

    def _hear_again(self, unit: Unit, reply: Reply, case: Case, *, now: datetime) -> None:
        """What else is held may be plain, now that the first answer is on record; else it goes on waiting."""
        home = self._home(unit, HeldReply(replace(reply, candidates=()), case.patient))
        candidates = self._whose(home, [self._read(each) for each in home.cases])
        if len(candidates) == 1 and (theirs := home.of(candidates[0])) is not None:
            self._assign(unit, theirs, now=now)

    def _hear_someones(self, unit: Unit, home: _Home, read: Sequence[Interpretation], *, now: datetime) -> Reply:
        candidates = self._whose(home, read)
        if len(candidates) == 1 and (case := home.of(candidates[0])) is not None:
            return self._assign(unit, case, now=now)
        can_be_listed = candidates and set(candidates) <= set(home.choices.patients)
        is_asked = self._is_told(unit, home, WHO)
        is_answered = is_asked and not unit.inbox.held(home.clinic.id, home.reply.channel, home.reply.sender)
        if not can_be_listed or is_answered or len(home.choices.patients) > MOST_NAMED:
            if not self._is_told(unit, home, ACKNOWLEDGEMENT):
                self._say(unit, home, ACKNOWLEDGEMENT)
            return self._for_a_person(unit, home, now=now)
        held = replace(home.reply, candidates=tuple(candidates))
        unit.inbox.hold(held, home.reply.received_at + WAITS)
        if not is_asked:
            self._say(unit, home, WHO)
        return replace(held, patient_id=None, mrn=None)

    def _for_a_person(self, unit: Unit, home: _Home, *, now: datetime) -> Reply:
        """Nobody can tell whose it is: the words are a task. All that the number writes meanwhile is one task."""
        reply = home.reply
        people = ", ".join(sorted(case.patient.mrn for case in home.cases))
        words = words_of(reply.body, media=reply.media, provider_id=reply.provider_id)
        note = f"From a number or address that {people} share; nobody knows who of them wrote:\n{words}"
        about = unit.inbox.stranger(reply.sender)
        if not unit.worklist.add_words(home.clinic.id, about, note, now=now):
            kind = ServiceTask.UNCLEAR_REPLY
            unit.worklist.open(
                [clinic_task(self._rules, kind, home.clinic, cause=about, now=now, note=note)], now=now
            )
        unclear = replace(reply, patient_id=None, mrn=None, meaning=Meaning.UNCLEAR.value, candidates=())
        unit.inbox.understood([unclear])
        return unclear

    # What is said to the number as a whole

    def _say(self, unit: Unit, home: _Home, template: str) -> None:
        case = next((case for case in home.cases if case.is_open), home.cases[0])
        if not case.is_open and template == ACKNOWLEDGEMENT:
            return
        made = service_message(template, case.contact, home.reply.channel, home.reply.received_at)
        made = replace(made, to=case.reply.written_by)
        unit.ledger.plan(
            [(case.patient.id, home.clinic.id, None, made)], now=home.reply.received_at, versions=self._rules.versions
        )

    def _is_told(self, unit: Unit, home: _Home, template: str) -> bool:
        """Whether the number has been told it today."""
        at = home.reply.received_at
        zone = home.cases[0].contact.zone
        told = unit.inbox.told([case.patient.id for case in home.cases], [template], since=at - _TOLD_FOR)
        return any(local_date(each[template], zone) >= local_date(at, zone) for each in told.values())


def _carers_last(sender: Sender) -> bool:
    """Where a patient and their carer have one number, the carer is who is written to there."""
    return sender.as_a is Addressee.CARER


def _held(unit: Unit, reply: Reply, sender: Sender) -> HeldReply | None:
    patient = unit.patients.get(reply.clinic_id, sender.patient_id, lock=True)
    if patient is None:
        return None
    own = replace(reply, patient_id=patient.id, mrn=patient.mrn, written_by=sender.as_a)
    return HeldReply(own, patient)


def _now_theirs(unit: Unit, case: Case, reply: Reply) -> HeldReply:
    """A reply as this person's, with their record as it is now: what was heard before may have changed it."""
    patient = unit.patients.get(case.clinic.id, case.patient.id, lock=True) or case.patient
    own = replace(reply, patient_id=patient.id, mrn=patient.mrn, written_by=case.reply.written_by, candidates=())
    return HeldReply(own, patient)
