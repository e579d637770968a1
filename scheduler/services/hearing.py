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
from scheduler.domain.conversation import TOLD_ONCE, Heard, is_told_once
from scheduler.domain.messages import SkipReason
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.replies.interpret import Interpretation, Meaning
from scheduler.domain.sending import SERVICE_MESSAGES
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
from scheduler.services.consenting import Revocation, record_consent, revoke_all
from scheduler.services.household import Household
from scheduler.services.new_tasks import cause
from scheduler.services.rules import Rules
from scheduler.services.sharing import stop_all_at
from scheduler.services.staff_mail import plan_staff_mail
from scheduler.services.words import words_of

BY_REPLY = "patient"  # the actor of what a patient's own message decided
MOST_BEFORE = 20  # waiting replies of one patient that are heard before the one that cannot wait
_PENDING_FOR = timedelta(days=31)  # what was planned earlier and still waits falls at its last look
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
        self, unit: Unit, held: Sequence[HeldReply], *, now: datetime, is_echo: bool = False
    ) -> list[Reply]:
        """As `hear`, once it is known about whom each is.

        `is_echo`: the same was heard about somebody else, who has been answered; only what follows is written.
        """
        if not held:
            return []
        cases = cases_of(unit, held)
        heard = [self._heard(case) for case in cases]
        told = _told_before(unit, held, heard)
        heard = [
            self._heard(case, told=told[case.patient.id]) if case.patient.id in told else one
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
        unit.inbox.answered([case.reply for case in cases if case.reply.thread], planned_at=now)
        for case, one in each:
            carer_decided(unit, self._rules, case, one, by=BY_REPLY, now=now)
            if one.consent is False:
                stop_all_at(unit, self._rules, case.clinic, case.reply, source=case.source, by=BY_REPLY, now=now)
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

    def _heard(self, case: Case, *, told: Mapping[str, datetime] = MappingProxyType({})) -> Heard:
        reply = case.reply
        try:
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
        if one.consent is False
    ]
    if stopped:
        own = [(one.patient.clinic_id, one.patient.id) for one in stopped]
        unit.stops.void(own, since=now - _PENDING_FOR)
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
            )


def _suspended(unit: Unit, case: Case, heard: Heard, *, now: datetime) -> Heard:
    """Nothing goes any more to the number that the words came from; answers that wait to go there do not either.

    It may have been corrected while they were on their way: then it is the old one that is wrong.
    """
    patient, reply = case.patient, case.reply
    if reply.written_by is Addressee.CARER:
        return heard
    after = not_theirs(unit, patient, reply.channel, reply.sender, now=now)
    own = [(patient.clinic_id, patient.id)]
    since = now - _PENDING_FOR
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


def _told_before(
    unit: Unit, held: Sequence[HeldReply], heard: Sequence[Heard]
) -> Mapping[UUID, Mapping[str, datetime]]:
    """When those patients who would be told what is told but once were last told it."""
    about = [one for one, each in zip(held, heard, strict=True) if any(map(is_told_once, each.change.messages))]
    if not about:
        return {}
    since = min(one.reply.received_at for one in about) - _TOLD_FOR
    return unit.inbox.told([one.patient.id for one in about], TOLD_ONCE, since=since)


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
        elif not unit.worklist.add_words(
            patient.clinic_id, cause(patient.id, task.kind, task.pathway), words, now=now
        ):
            new.append(replace(task, note=words))
    return tuple(new)


def _is_about_words(task: TaskChange) -> bool:
    return isinstance(task, TaskOpened) and task.pathway == SERVICE_MESSAGES


def _as_understood(reply: Reply, meaning: Interpretation) -> Reply:
    return replace(reply, meaning=meaning.meaning.value, pathway=meaning.pathway, answer=meaning.answer)


def _consented(patient: Patient) -> list[Channel]:
    agreed = {Channel.SMS: patient.sms_consent, Channel.EMAIL: patient.email_consent}
    return [channel for channel, given in agreed.items() if given]
