"""Letters taken in: as a patient's reply, as a task for the clinic, or kept where no clinic is to be found."""

from __future__ import annotations

import logging

from scheduler.domain.people import Addressee, Channel, ConsentSource
from scheduler.domain.tasks import ServiceTask
from scheduler.ids import new_id
from scheduler.ports import Clock, Store, Unit
from scheduler.records import Clinic, OrphanText, Patient, Reply
from scheduler.services.hearing import Hearing
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.origin import Origin
from scheduler.services.letters.verdicts import Handled, Verdict
from scheduler.services.new_tasks import cause, clinic_task, patient_task
from scheduler.services.replies import Inbound, receive
from scheduler.services.rules import Rules
from scheduler.services.unsubscribe import revoke
from scheduler.services.words import words_of

_log = logging.getLogger(__name__)

_RECIPIENT = "e-mail"  # of what is kept for no clinic
_REPEATED = Handled(Verdict.REPEATED, "a letter that has been taken in before; nothing changed")
_KEPT = Handled(Verdict.KEPT, "a letter for no clinic that is known here; its words are kept, and `doctor` shows it")
_REPLY = Handled(Verdict.REPLY, "a patient's reply; it was taken in")
_STRANGER = "a letter from somebody who is not known here; its words are a task for clinic {}"
_STOPPED = "STOP from another address"  # the wording on record


class Letterbox:
    """Takes letters in. What it returns is committed."""

    def __init__(self, *, store: Store, rules: Rules, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._hearing = Hearing(rules)

    def take(self, letter: Letter, origin: Origin, words: str, *, is_stop: bool) -> Handled:
        """Take in a letter; `words` is what it says, and `is_stop` whether it asks to be left alone."""
        clinic, patient = origin.clinic, origin.answered
        if clinic is None:
            return self._keep(letter, words)
        is_trusted = not letter.is_disowned and (letter.mark is None or is_stop)
        if patient is not None and origin.is_theirs and is_trusted:
            return self._hear(self._reply(letter, clinic, words, patient=patient, by=origin.written_by))
        if patient is not None or not is_trusted:
            return self._for_people(letter, clinic, words, about=patient, is_stop=is_stop)
        inbound = Inbound(
            channel=Channel.EMAIL,
            sender=letter.sender,
            body=words,
            provider_id=letter.provider_id,
            media=_media(letter),
            thread=letter.thread,
        )
        reply = receive(self._store, self._rules, clinic, inbound, now=self._clock.now())
        if reply is None:
            return _REPEATED
        return _REPLY if reply.patient_id is not None else Handled(Verdict.TASK, _STRANGER.format(clinic.code))

    def _hear(self, reply: Reply) -> Handled:
        """Store a reply whose patient is known for sure, and let it take effect in the same transaction.

        What keeps it from taking effect must not keep it from being stored: then it waits for the next tick.
        """
        try:
            with self._store.writing() as unit:
                if reply.id not in unit.inbox.add([reply]):
                    return _REPEATED
                self._hearing.hear_until(unit, [reply], now=reply.received_at)
        except Exception:  # noqa: BLE001 - where it is the database, storing it raises again
            _log.exception("a reply by e-mail could not take effect as it came in; it is stored and waits")
            with self._store.writing() as unit:
                if reply.id not in unit.inbox.add([reply]):
                    return _REPEATED
        return _REPLY

    def _for_people(
        self, letter: Letter, clinic: Clinic, words: str, *, about: Patient | None, is_stop: bool
    ) -> Handled:
        """Hand a letter to the clinic without understanding it. A wish to be left alone ends the mails it answers."""
        reply = self._reply(letter, clinic, words)
        with self._store.writing() as unit:
            if reply.id not in unit.inbox.add([reply]):
                return _REPEATED
            has_stopped = about is not None and is_stop and self._stop(unit, clinic, about)
            self._open_task(unit, clinic, reply, about=about, has_stopped=has_stopped)
        said = "a letter that may not be the patient's; its words are a task for clinic {}{}"
        return Handled(Verdict.TASK, said.format(clinic.code, ", and the e-mails have ended" if has_stopped else ""))

    def _stop(self, unit: Unit, clinic: Clinic, patient: Patient) -> bool:
        return revoke(
            unit,
            self._rules,
            clinic,
            patient.id,
            source=ConsentSource.REPLY,
            wording=_STOPPED,
            now=self._clock.now(),
        )

    def _open_task(
        self, unit: Unit, clinic: Clinic, reply: Reply, *, about: Patient | None, has_stopped: bool
    ) -> None:
        note = "\n".join(
            part
            for part in (
                f"By e-mail from {reply.sender}, which may not be the patient; nothing else has changed.",
                "It asks to stop, so the e-mails to the patient have ended." if has_stopped else "",
                words_of(reply.body, media=reply.media, provider_id=None),
            )
            if part
        )
        now, kind = reply.received_at, ServiceTask.UNCLEAR_REPLY
        about_what = cause(about.id, kind) if about else unit.inbox.stranger(reply.sender)
        if unit.worklist.add_words(clinic.id, about_what, note, now=now):
            return
        if about is not None:
            task = patient_task(self._rules, kind, clinic, about.id, now=now, note=note)
        else:
            task = clinic_task(self._rules, kind, clinic, cause=about_what, now=now, note=note)
        unit.worklist.open([task], now=now)

    def _keep(self, letter: Letter, words: str) -> Handled:
        text = OrphanText(
            id=new_id(),
            received_at=self._clock.now(),
            sender=letter.sender,
            recipient=_RECIPIENT,
            body=words,
            provider_id=letter.provider_id,
            media=_media(letter),
        )
        with self._store.writing() as unit:
            unit.orphans.keep([text])
        return _KEPT

    def _reply(
        self,
        letter: Letter,
        clinic: Clinic,
        words: str,
        *,
        patient: Patient | None = None,
        by: Addressee = Addressee.PATIENT,
    ) -> Reply:
        return Reply(
            id=new_id(),
            clinic_id=clinic.id,
            patient_id=patient.id if patient else None,
            mrn=patient.mrn if patient else None,
            received_at=self._clock.now(),
            channel=Channel.EMAIL,
            sender=letter.sender,
            body=words,
            provider_id=letter.provider_id,
            media=_media(letter),
            written_by=by,
            thread=letter.thread,
        )


def _media(letter: Letter) -> int:
    """How many files came with it; what could not be read counts as one, so that a person looks."""
    return min(letter.content.files + bool(letter.flaw), 99)
