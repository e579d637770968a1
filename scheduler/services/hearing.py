"""Hearing replies: what each means, and everything that follows from it, inside the caller's transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from scheduler.domain.carers import hear_carer
from scheduler.domain.contact import Change, TaskChange, TaskOpened
from scheduler.domain.conversation import REMEMBERED, Heard, is_told_once, may_name_topic
from scheduler.domain.messages import SkipReason
from scheduler.domain.people import Addressee, Channel, PatientStatus
from scheduler.domain.replies.interpret import Interpretation, Meaning
from scheduler.domain.replies.need import read_need
from scheduler.domain.sending import CONFIRM_NUMBER, SERVICE_MESSAGES
from scheduler.domain.staff_mail import StaffMailKind
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.told_by_provider import hear_as_told
from scheduler.ports import Unit
from scheduler.records import Clinic, HeldReply, Patient, Reply
from scheduler.services.alert_words import alert_text
from scheduler.services.bad_addresses import not_theirs
from scheduler.services.carers import carer_decided
from scheduler.services.cases import Case, cases_of
from scheduler.services.changes import Decided, write_changes
from scheduler.services.consenting import PENDING_FOR, Revocation, record_consent, revoke_all, revoke_topics
from scheduler.services.household import Household
from scheduler.services.in_doubt import in_doubt_of, settled
from scheduler.services.new_tasks import cause
from scheduler.services.rules import Rules
from scheduler.services.sharing import confirm_all_at, start_at_other_clinics, stop_all_at, stop_at_other_clinics
from scheduler.services.staff_mail import plan_staff_mail
from scheduler.services.words import words_of

BY_REPLY = "patient"  # the actor of what a patient's own message decided
MOST_BEFORE = 20  # waiting replies of one patient that are heard before the one that cannot wait
_TOLD_FOR = timedelta(hours=50)  # longer than any local day

_log = logging.getLogger(__name__)


class Hearing:
    """Hears replies whose patients are held."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def hear(self, unit: Unit, held: Sequence[HeldReply], *, now: datetime) -> list[Reply]:
        """Hear one reply of each patient, and write what follows. Returns the replies as they are then.

        A reply counts from the instant it was received; `now` (UTC) is when what follows is written. One that raises
        is put aside with its words, for a person to read. Where several have the number, whose it is comes first.
        """
        understood = self.hear_known(unit, [one for one in held if not one.reply.is_shared], now=now)
        household = Household(self._rules, self.hear_known)
        return understood + [household.hear(unit, one, now=now) for one in held if one.reply.is_shared]

    def hear_known(
        self,
        unit: Unit,
        held: Sequence[HeldReply],
        *,
        now: datetime,
        is_echo: bool = False,
        told: Mapping[str, datetime] = MappingProxyType({}),
    ) -> list[Reply]:
        """As `hear`, once it is known about whom each is.

        `is_echo`: the same was heard about somebody else, who has been answered; only what follows is written.
        `told`: what whoever wrote was told about somebody else with their number, and when (UTC).
        """
        if not held:
            return []
        cases = cases_of(unit, held)
        heard = [self._heard(case, told=told) for case in cases]
        in_doubt = _in_doubt(unit, cases, heard)
        heard = [
            self._heard(case, told=told, in_doubt=in_doubt[case.patient.id]) if case.patient.id in in_doubt else one
            for case, one in zip(cases, heard, strict=True)
        ]
        before = self._told_before(unit, cases, heard)
        heard = [
            self._heard(case, told={**told, **before[case.patient.id]}, in_doubt=in_doubt.get(case.patient.id))
            if case.patient.id in before
            else one
            for case, one in zip(cases, heard, strict=True)
        ]
        heard = [_addressed(case, one, is_echo=is_echo) for case, one in zip(cases, heard, strict=True)]
        each = list(zip(cases, heard, strict=True))
        _record(unit, each, now=now)
        heard = [_suspended(unit, case, one, now=now) if one.wrong_number else one for case, one in each]
        each = list(zip(cases, heard, strict=True))
        _grant_wishes(unit, each, now=now)
        if not is_echo:
            _call_for_help(unit, each, now=now)
        decisions = [
            Decided(
                case.patient.id,
                case.clinic.id,
                case.enrolled,
                replace(one.change, tasks=_new_tasks(unit, case.held, one.change.tasks, now=now)),
            )
            for case, one in zip(cases, heard, strict=True)
        ]
        write_changes(unit, self._rules, decisions, now=now)
        _end_own_pauses(unit, each, now=now)
        unit.inbox.answered([case.reply for case in cases if case.reply.thread], planned_at=now)
        for case, one in each:
            carer_decided(unit, self._rules, case, one, by=BY_REPLY, now=now)
            if one.consent is False:
                stop_all_at(
                    unit,
                    self._rules,
                    case.clinic,
                    case.reply,
                    source=case.source,
                    by=BY_REPLY,
                    now=now,
                    topic=one.topic,
                )
            elif one.consent and case.reply.channel is Channel.SMS:
                confirm_all_at(unit, self._rules, case.clinic, case.reply, by=BY_REPLY, now=now)
            if not is_echo:
                self._hear_elsewhere(unit, case, one, now=now)
        understood = [_as_understood(case.reply, one.meaning) for case, one in zip(cases, heard, strict=True)]
        if not is_echo:
            unit.inbox.understood(understood)
        return understood

    def hear_next_of(self, unit: Unit, clinic_id: int, patient_id: UUID, *, now: datetime) -> None:
        """Hear the first reply of one patient that waits, if one does."""
        self.hear(unit, unit.inbox.claim_next_of([(clinic_id, patient_id)], now), now=now)

    def hear_until(self, unit: Unit, wanted: Iterable[Reply], *, now: datetime) -> dict[UUID, Reply]:
        """Hear what the patients of `wanted` wrote before and nobody has heard yet, and then these themselves.

        Returns those that were heard, by id. The others somebody else has heard, or there is too much before them.
        """
        left = {one.id: (one.clinic_id, one.patient_id) for one in wanted if one.patient_id is not None}
        found: dict[UUID, Reply] = {}
        for _ in range(MOST_BEFORE):
            held = unit.inbox.claim_next_of(left.values(), now) if left else []
            if not held:
                break
            for heard in self.hear(unit, held, now=now):
                if left.pop(heard.id, None) is not None:
                    found[heard.id] = heard
        return found

    def put_aside(self, unit: Unit, one: HeldReply, *, now: datetime) -> None:
        """Hand a reply to a person as it is: nothing follows from it but their task."""
        heard = _aside(one, unit.installation.clinics()[one.patient.clinic_id])
        change = replace(heard.change, tasks=_new_tasks(unit, one, heard.change.tasks, now=now))
        decided = Decided(one.patient.id, one.patient.clinic_id, (), change)
        write_changes(unit, self._rules, [decided], now=now)
        unit.inbox.understood([_as_understood(one.reply, heard.meaning)])

    def _told_before(
        self, unit: Unit, cases: Sequence[Case], heard: Sequence[Heard]
    ) -> Mapping[UUID, Mapping[str, datetime]]:
        """When patients were last told what decides about their reply: what is told but once, and about danger."""
        about = [
            case
            for case, one in zip(cases, heard, strict=True)
            if any(map(is_told_once, one.change.messages)) or self._may_be_about_help(case)
        ]
        if not about:
            return {}
        since = min(case.reply.received_at for case in about) - _TOLD_FOR
        return unit.inbox.told([case.patient.id for case in about], REMEMBERED, since=since)

    def _may_be_about_help(self, case: Case) -> bool:
        """Whether the words could answer the safety text, had it gone."""
        try:
            return read_need(case.reply.body, (), self._rules.reply_words, languages=case.languages) is not None
        except Exception:  # noqa: BLE001 - whatever is wrong with it shows when it is heard
            return False

    def _hear_elsewhere(self, unit: Unit, case: Case, heard: Heard, *, now: datetime) -> None:
        """What a reply decides for the other clinics that text from the same sender."""
        meaning = heard.meaning.meaning
        if meaning in (Meaning.STOP, Meaning.WRONG_NUMBER) or heard.consent is False:
            stop_at_other_clinics(
                unit,
                self._rules,
                case.clinic,
                case.reply,
                source=case.source,
                by=BY_REPLY,
                now=now,
                topic=heard.topic,
                is_wrong_number=heard.wrong_number,
            )
        elif meaning is Meaning.START and heard.consent:
            start_at_other_clinics(
                unit, self._rules, case.clinic, case.reply, source=case.source, by=BY_REPLY, now=now
            )

    def _heard(
        self, case: Case, *, told: Mapping[str, datetime] = MappingProxyType({}), in_doubt: Reply | None = None
    ) -> Heard:
        reply = case.reply
        try:
            named = None if in_doubt is None else settled(case, in_doubt, self._rules)
            if named is not None:
                return named
            if reply.written_by is Addressee.CARER:
                return hear_carer(
                    case.situation(self._rules),
                    reply.body,
                    reply.opt_out,
                    is_open=case.is_open,
                    channel=reply.channel,
                    words=self._rules.reply_words,
                    languages=case.languages,
                    told=told,
                )
            return hear_as_told(
                case.situation(self._rules),
                reply.body,
                reply.opt_out,
                channel=reply.channel,
                words=self._rules.reply_words,
                languages=case.languages,
                told=told,
            )
        except Exception:  # noqa: BLE001 - whatever is wrong, it is about this reply alone, and a person reads it
            _log.exception("reply %s cannot be understood; it is a task now", reply.id)
            return _aside(case.held, case.clinic)


def _addressed(case: Case, heard: Heard, *, is_echo: bool) -> Heard:
    """What is said goes to whoever wrote; for an echo nothing is."""
    to = case.reply.written_by
    messages = () if is_echo else tuple(replace(one, to=to) for one in heard.change.messages)
    return replace(heard, change=replace(heard.change, messages=messages))


def _record(unit: Unit, all_heard: Sequence[tuple[Case, Heard]], *, now: datetime) -> None:
    """What patients' replies decide about consent and numbers, beside the pathways."""
    heard = [(case, one) for case, one in all_heard if case.reply.written_by is Addressee.PATIENT]
    stopped = [
        Revocation(case.patient, _consented(case.patient) or [case.reply.channel], case.source, case.today)
        for case, one in heard
        if one.consent is False and one.topic is None
    ]
    topics = [
        (
            Revocation(case.patient, _consented(case.patient), case.source, case.today, topic=one.topic),
            [enrolled.id for enrolled in case.enrolled if enrolled.state.pathway == one.topic],
        )
        for case, one in heard
        if one.topic is not None
    ]
    revoke_topics(unit, topics, by=BY_REPLY, now=now)
    if stopped:
        own = [(one.patient.clinic_id, one.patient.id) for one in stopped]
        unit.stops.void(own, since=now - PENDING_FOR)
        revoke_all(unit, stopped, by=BY_REPLY, now=now)
    for case, one in heard:
        if one.consent:
            record_consent(
                unit,
                case.patient,
                case.reply.channel,
                granted=True,
                source=case.source,
                given_on=case.today,
                by=BY_REPLY,
                now=now,
                wording=agreed_to(unit, case.patient) if case.reply.channel is Channel.SMS else None,
            )
            # Not a number that has taken the place of the one they wrote from.
            if case.reply.channel is Channel.SMS and case.patient.phone == case.reply.sender:
                unit.patients.confirm_phones([(case.patient.clinic_id, case.patient.id)])


def _suspended(unit: Unit, case: Case, heard: Heard, *, now: datetime) -> Heard:
    """Nothing goes any more to the number that the words came from; answers that wait to go there do not either.

    It may have been corrected while they were on their way: then it is the old one that is wrong.
    """
    patient, reply = case.patient, case.reply
    if reply.written_by is Addressee.CARER:
        return heard
    after = not_theirs(unit, patient, reply.channel, reply.sender, now=now)
    own = [(patient.clinic_id, patient.id)]
    since = now - PENDING_FOR
    unit.stops.void(own, since=since, channel=reply.channel, reason=SkipReason.WRONG_NUMBER)
    if after.status is patient.status:
        return heard
    contact = replace(heard.change.contact, status=after.status)
    return replace(heard, change=replace(heard.change, contact=contact, next_contact_at=None))


def _grant_wishes(unit: Unit, heard: Sequence[tuple[Case, Heard]], *, now: datetime) -> None:
    """Another time of day or other days, on the patient's own record."""
    changed: list[Patient] = []
    for case, one in heard:
        before, after = case.contact, one.change.contact
        if after.contact_time != before.contact_time:
            changed.append(replace(case.patient, contact_time=after.contact_time))
        elif after.weekdays != before.weekdays:
            changed.append(replace(case.patient, exercise_days=frozenset(after.weekdays)))
    if changed:
        unit.patients.update(changed, now=now)
        entries = [(one.clinic_id, "contact times changed", one.id, "by the patient's reply") for one in changed]
        unit.installation.audit(entries, actor=BY_REPLY, now=now)


def _end_own_pauses(unit: Unit, heard: Sequence[tuple[Case, Heard]], *, now: datetime) -> None:
    """Where the patient's own pause has ended by what they wrote, their page knows it."""
    for case, one in heard:
        after = one.change.contact.status
        if not case.is_own_pause or after is PatientStatus.PAUSED:
            continue
        gate = unit.pages.gate(case.clinic.id, case.patient.id)
        unit.pages.keep_gate(replace(gate, paused_on=None, paused_until=None))
        if after is PatientStatus.ACTIVE:
            entry = (case.clinic.id, "reminders changed", case.patient.id, "pause lifted")
            unit.installation.audit([entry], actor=BY_REPLY, now=now)


def _call_for_help(unit: Unit, heard: Sequence[tuple[Case, Heard]], *, now: datetime) -> None:
    """Where words of danger were heard, the clinic's duty address is told that its worklist has something urgent."""
    for case, one in heard:
        is_danger = one.meaning.meaning is Meaning.SAFETY or one.meaning.speaks_of_danger
        if is_danger and case.clinic.duty_email:
            subject, text = alert_text(clinic=case.clinic.name, language=case.clinic.language)
            plan_staff_mail(
                unit,
                case.clinic,
                kind=StaffMailKind.SAFETY,
                to=case.clinic.duty_email,
                subject=subject,
                text=text,
                cause=f"safety:{case.reply.id.hex}",
                now=now,
            )


def _in_doubt(unit: Unit, cases: Sequence[Case], heard: Sequence[Heard]) -> Mapping[UUID, Reply]:
    """The answer in doubt of those patients whose reply may say which question it is for."""
    asked = [case for case, one in zip(cases, heard, strict=True) if may_name_topic(one)]
    return in_doubt_of(unit, asked)


def _aside(one: HeldReply, clinic: Clinic) -> Heard:
    """Nothing is understood, and nothing changes: a person reads it."""
    change = Change(
        contact=one.patient.contact(clinic),
        enrolments=(),
        next_contact_at=one.patient.next_contact_at,
        tasks=(TaskOpened(ServiceTask.UNCLEAR_REPLY, SERVICE_MESSAGES),),
    )
    return Heard(Interpretation(meaning=Meaning.UNCLEAR, text=one.reply.body), change)


def _new_tasks(unit: Unit, one: HeldReply, tasks: Sequence[TaskChange], *, now: datetime) -> tuple[TaskChange, ...]:
    """The tasks to open, with the reply's words in those that are about them.

    Where such a task is open already the words are written under those that it has, and it is not opened again.
    Pictures are always somebody's to look at.
    """
    reply, patient = one.reply, one.patient
    words = words_of(reply.body, media=reply.media, provider_id=reply.provider_id)
    if reply.media and not any(_is_about_words(task) for task in tasks):
        tasks = (*tasks, TaskOpened(ServiceTask.UNCLEAR_REPLY, SERVICE_MESSAGES))
    new: list[TaskChange] = []
    for task in tasks:
        if not isinstance(task, TaskOpened) or not _is_about_words(task):
            new.append(task)
        elif not any(
            unit.worklist.add_words(patient.clinic_id, cause(patient.id, kind, task.pathway), words, now=now)
            for kind in filter(None, (task.rather, task.kind))
        ):
            new.append(replace(task, note=words))
    return tuple(new)


def _is_about_words(task: TaskChange) -> bool:
    return isinstance(task, TaskOpened) and task.pathway == SERVICE_MESSAGES


def _as_understood(reply: Reply, meaning: Interpretation) -> Reply:
    return replace(reply, meaning=meaning.meaning.value, pathway=meaning.pathway, answer=meaning.answer)


def agreed_to(unit: Unit, patient: Patient) -> str | None:
    """The version of the question that the patient answers, where their number was asked about."""
    if not patient.number_check.is_asked:
        return None
    return unit.inbox.wording_of(patient.clinic_id, patient.id, CONFIRM_NUMBER)


def _consented(patient: Patient) -> list[Channel]:
    agreed = {Channel.SMS: patient.sms_consent, Channel.EMAIL: patient.email_consent}
    return [channel for channel, given in agreed.items() if given]
