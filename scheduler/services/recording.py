"""After the call: what the answers move, and what they ask for beside it. One transaction a batch."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Clock, SendResult, Store, Unit
from scheduler.records import AttemptEnd, Clinic
from scheduler.services import lanes
from scheduler.services.aftermath import Aftermath, Fallen
from scheduler.services.answers import Answers
from scheduler.services.composing import Composed
from scheduler.services.new_tasks import clinic_task
from scheduler.services.outcomes import Settled, settle
from scheduler.services.rules import Rules

RELEASED = "released"  # the outcome of an attempt that was never handed over
_NEEDS_AFTERMATH = frozenset({MessageStatus.FAILED, MessageStatus.UNKNOWN})


class Recording:
    """Writes down what came of batches."""

    def __init__(self, *, store: Store, rules: Rules, aftermath: Aftermath, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._aftermath = aftermath
        self._clock = clock

    def record(self, answers: Answers) -> list[MessageStatus]:
        """Record all answers, and release what was never handed over. Returns where the messages now stand."""
        now = self._clock.now()
        settled = [(composed, result, _settle(composed, result, now)) for composed, result in answers.results]
        ends = [_end(*each) for each in settled]
        ends += [_release(composed) for composed in answers.feed.left]
        stopped = answers.feed.stopped
        ends += [_release(composed) for composed, _ in stopped]
        if not ends:
            return []
        with self._store.writing() as unit:
            unit.ledger.end_attempts(ends, now=now)
            fallen = [
                Fallen(composed.message, after.status, result.code, after.follow_up)
                for composed, result, after in settled
                if after.status in _NEEDS_AFTERMATH
            ]
            fallen += self._drop(unit, stopped)
            self._aftermath.settle(unit, fallen, now=now)
            self._steer(unit, answers, now)
        moved = [end.status for end in ends[: len(ends) - len(stopped)]]
        return moved + [MessageStatus.SKIPPED] * len(stopped)

    @staticmethod
    def _drop(unit: Unit, stopped: list[tuple[Composed, SkipReason]]) -> list[Fallen]:
        """Messages that are released because their patients have stopped: they go no further than that."""
        fallen = [Fallen(one.message, MessageStatus.SKIPPED, reason.value) for one, reason in stopped]
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
                    unit.worklist.close(clinic_id, [_cause(key)], now=now)

    def _alarm(self, unit: Unit, clinics: list[Clinic], key: str, result: SendResult, now: datetime) -> None:
        """Somebody has to look at the account or the sender: one task for each clinic that is affected."""
        note = result.detail or f"code {result.code}"
        unit.worklist.open(
            [
                clinic_task(self._rules, ServiceTask.SENDER_REFUSED, clinic, cause=_cause(key), now=now, note=note)
                for clinic in clinics
            ],
            now=now,
        )


def _cause(key: str) -> str:
    """What the task is about: the account or sender, as its channel and the last digits of its name."""
    channel, _, sender = key.partition(":")
    return f"{ServiceTask.SENDER_REFUSED}:{channel}:{sender[-24:]}"


def _settle(composed: Composed, result: SendResult, now: datetime) -> Settled:
    attempt = composed.attempt
    return settle(result, attempt.id, tries=attempt.number, now=now, until=composed.message.send_until)


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


def _release(composed: Composed) -> AttemptEnd:
    """Back to its place in the queue."""
    attempt = composed.attempt
    return AttemptEnd(
        attempt_id=attempt.id,
        message_id=attempt.message_id,
        clinic_id=attempt.clinic_id,
        status=MessageStatus.PLANNED,
        outcome=RELEASED,
        retry_at=composed.message.send_from,
    )
