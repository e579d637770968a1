"""After the call: what the answers move, and what they ask for beside it. One transaction a batch."""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Clock, ErrorClass, Outcome, SendResult, Store, Unit
from scheduler.records import AttemptEnd, Clinic
from scheduler.services import lanes
from scheduler.services.aftermath import Aftermath, Again, Fallen
from scheduler.services.answers import Answers
from scheduler.services.composing import Composed
from scheduler.services.new_tasks import clinic_task
from scheduler.services.outcomes import FollowUp, Settled, settle
from scheduler.services.rescuing import releases
from scheduler.services.rules import Rules
from scheduler.services.settled_messages import close_for_what_went, refusal_cause, sender_cause

REFUSED_IN_A_ROW = 3  # messages to one person, for a reason that the error table does not explain: staff look
_WITHIN = timedelta(days=30)
_UNEXPLAINED = frozenset({None, ErrorClass.AMBIGUOUS})
_NEEDS_AFTERMATH = frozenset({MessageStatus.FAILED, MessageStatus.UNKNOWN})


class Recording:
    """Writes down what came of batches."""

    def __init__(self, *, store: Store, rules: Rules, aftermath: Aftermath, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._aftermath = aftermath
        self._clock = clock

    def record(self, answers: Answers) -> list[MessageStatus]:
        """Record all answers, and release what was never handed over. Returns where the messages now stand.

        When others have taken the batch over, what was never handed over is theirs: only the answers are recorded.
        """
        now = self._clock.now()
        settled = [(composed, result, _settle(composed, result, now)) for composed, result in answers.results]
        ends, feed = [_end(*each) for each in settled], answers.feed
        with self._store.writing() as unit:
            is_ours = _let_go(unit, answers)
            left, stopped = (feed.left, feed.stopped) if is_ours else ([], [])
            never_went = [*left, *(composed for composed, _ in stopped)]
            ends += releases([(composed.message, composed.attempt.id) for composed in never_went])
            unit.ledger.end_attempts(ends, now=now)
            fallen = [
                Fallen(
                    composed.message,
                    after.status,
                    result.code,
                    after.follow_up,
                    address=composed.attempt.address,
                    check_number=_is_refused_again(unit, composed, result, after, now),
                )
                for composed, result, after in settled
                if after.status in _NEEDS_AFTERMATH
            ]
            fallen += self._drop(unit, stopped)
            self._aftermath.settle(unit, fallen, now=now)
            self._tell_of_faults(unit, settled, now)
            went = [composed for composed, _, after in settled if after.status is MessageStatus.SENT]
            close_for_what_went(unit, went, is_late=not is_ours, now=now)
            self._steer(unit, answers, now)
        moved = [end.status for end in ends[: len(ends) - len(stopped)]]
        return moved + [MessageStatus.SKIPPED] * len(stopped)

    def _tell_of_faults(self, unit: Unit, settled: list[tuple[Composed, SendResult, Settled]], now: datetime) -> None:
        """A message that met a fault of ours is tried again; whoever can mend that hears of it at once."""
        met = {
            (composed.message.clinic_id, refusal_cause(composed.message.channel, result.code)): (composed, result)
            for composed, result, after in settled
            if after.status is MessageStatus.PLANNED and after.follow_up is FollowUp.OPERATOR
        }
        if not met:
            return
        clinics = unit.installation.clinics()
        for (clinic_id, cause), (composed, result) in sorted(met.items(), key=lambda pair: pair[0]):
            note, kind = f"{composed.message.channel.value}: {result.code}", ServiceTask.SENDER_REFUSED
            task = clinic_task(self._rules, kind, clinics[clinic_id], cause=cause, now=now, note=note)
            unit.worklist.open([task], now=now)

    @staticmethod
    def _drop(unit: Unit, stopped: list[tuple[Composed, SkipReason]]) -> list[Fallen]:
        """Messages that are released because their patients have stopped: they go no further than that.

        Where it is only the number that is wrong, another way may take over today.
        """
        channels = {one.message.channel for one, _ in stopped}
        wrong = {
            (patient_id, channel)
            for channel in channels
            for patient_id in unit.numbers.bad_among({one.message.patient_id for one, _ in stopped}, channel)
        }
        fallen = [
            Fallen(one.message, MessageStatus.SKIPPED, SkipReason.WRONG_NUMBER.value, again=Again.TODAY)
            if (one.message.patient_id, one.message.channel) in wrong
            else Fallen(one.message, MessageStatus.SKIPPED, reason.value)
            for one, reason in stopped
        ]
        unit.ledger.move(
            MessageStatus.SKIPPED, [(one.message.id, one.message.clinic_id, one.reason) for one in fallen]
        )
        return fallen

    def _steer(self, unit: Unit, answers: Answers, now: datetime) -> None:
        """What the answers mean for the lane as a whole. Lanes are held all at once, in order, as everybody does."""
        route = answers.route
        if not answers.is_steering:
            return
        unit.lanes.hold(sorted({route.account, route.key, *answers.refusals}))
        for key, result in answers.refusals.items():
            if lanes.refuse(unit, key, result.code, now=now, by_probe=route.is_probe):
                clinics = unit.installation.clinics()
                self._alarm(unit, [clinics[each] for each in sorted(answers.affected(key))], key, result, now)
        if answers.silence is not None:
            lanes.hush(unit, route.channel, until=now + answers.silence)
        if answers.outage is not None:
            lanes.refuse(unit, route.key, answers.outage.code, now=now, by_probe=route.is_probe)
        elif route.is_probe and answers.is_served and not answers.refusals:
            for key in lanes.mend(unit, [route.key]):
                for clinic_id in unit.installation.clinics():
                    unit.worklist.close(clinic_id, [sender_cause(key)], now=now, words="messages are taken again")

    def _alarm(self, unit: Unit, clinics: list[Clinic], key: str, result: SendResult, now: datetime) -> None:
        """Somebody has to look at the account or the sender: one task for each clinic that is affected."""
        note, cause = result.detail or f"code {result.code}", sender_cause(key)
        unit.worklist.open(
            [
                clinic_task(self._rules, ServiceTask.SENDER_REFUSED, clinic, cause=cause, now=now, note=note)
                for clinic in clinics
            ],
            now=now,
        )


def _let_go(unit: Unit, answers: Answers) -> bool:
    """Give the batch out of hand, but for what has no answer: that is looked into when the lease has run out.

    False when others have taken the batch over.
    """
    unanswered = answers.feed.unanswered
    if unanswered:
        return unit.batches.keep(answers.batch_id, [one.message.id for one in unanswered])
    return unit.batches.end(answers.batch_id)


def _settle(composed: Composed, result: SendResult, now: datetime) -> Settled:
    attempt = composed.attempt
    return settle(result, attempt.id, tries=attempt.number, now=now, until=composed.message.send_until)


def _is_refused_again(unit: Unit, composed: Composed, result: SendResult, after: Settled, now: datetime) -> bool:
    """Whether nothing reaches this person, for a reason that is about no one else as far as anybody knows."""
    is_refused = after.status is MessageStatus.FAILED and result.outcome is Outcome.REFUSED
    if not is_refused or result.error_class not in _UNEXPLAINED:
        return False
    return unit.receipts.refused_in_a_row(composed.message, since=now - _WITHIN) >= REFUSED_IN_A_ROW


def _end(composed: Composed, result: SendResult, settled: Settled) -> AttemptEnd:
    attempt = composed.attempt
    return AttemptEnd(
        attempt_id=attempt.id,
        message_id=attempt.message_id,
        clinic_id=attempt.clinic_id,
        status=settled.status,
        outcome=result.outcome.value,
        provider_id=result.provider_id,
        code=result.code,
        detail=result.detail,
        retry_at=settled.retry_at,
    )
