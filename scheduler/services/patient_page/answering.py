"""What a patient says on their own page: a reply like any other, stored first and understood as a text would be.

The page knows what a text does not: which question is answered. What is sent in answer goes the way reminders go.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from enum import StrEnum

from scheduler.domain.people import Addressee, Channel, StopScope
from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.ids import new_id
from scheduler.ports import Store
from scheduler.records import ON_PAGE, Clinic, Patient, Reply
from scheduler.services.hearing import Hearing
from scheduler.services.patient_page.opening import Bearer
from scheduler.services.rules import Rules

LONGEST_ANSWER = 500  # characters
STOP = "STOP"
RESUME = "RESUME"

_log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of it, as the page tells the patient."""

    TAKEN = "taken"
    PASSED_ON = "passed_on"  # a person at the clinic reads it
    DANGER = "danger"  # it speaks of an emergency
    STOPPED = "stopped"


def say(
    store: Store, rules: Rules, bearer: Bearer, text: str, *, once: str, about: str | None, now: datetime
) -> Outcome:
    """Take in what the patient says at `now` (UTC), about the question of the pathway `about` or about none.

    It is committed before anybody tries to understand it; what cannot be understood now, waits. The same `once` again
    is a second press of one button, and changes nothing.
    """
    reply = _reply(bearer, text, once=once, about=about, now=now)
    with store.writing() as unit:
        stored = unit.inbox.add([reply])
    if reply.id not in stored:
        return Outcome.TAKEN
    try:
        with store.writing() as unit:
            heard = Hearing(rules).hear_until(unit, [reply], now=now).get(reply.id)
    except Exception:  # noqa: BLE001 - the words are safe: the next tick tries again
        _log.exception("reply %s could not be understood as it came in; it waits", reply.id)
        return Outcome.PASSED_ON
    return _outcome(rules, text, heard)


def topics_to_stop(rules: Rules, clinic: Clinic, pathways: tuple[str, ...]) -> dict[str, str]:
    """The pathways of which this clinic lets a patient stop one alone, each with the words that do so."""
    if clinic.stop_scope is not StopScope.TOPIC or len(pathways) < 2:
        return {}
    found = {pathway: _stop_words(rules, pathway) for pathway in pathways}
    return {pathway: words for pathway, words in found.items() if words is not None}


def _stop_words(rules: Rules, pathway: str) -> str | None:
    """A text that our own rules hear as a STOP of this pathway; None where there are no words for it."""
    named = (word for words in rules.reply_words.values() for word in sorted(words.topics.get(pathway, ())))
    for word in named:
        text = f"{STOP} {word}"
        heard = interpret(text, (), rules.reply_words)
        if heard.meaning is Meaning.STOP and heard.topic == pathway:
            return text
    return None


def _reply(bearer: Bearer, text: str, *, once: str, about: str | None, now: datetime) -> Reply:
    clinic, patient = bearer.clinic, bearer.patient
    channel, writer = _way_back(patient, clinic, is_answer=about is not None)
    press = hashlib.sha256(f"{patient.id.hex}:{once}".encode("utf-8", "replace")).hexdigest()[:32]
    return Reply(
        id=new_id(),
        clinic_id=clinic.id,
        patient_id=patient.id,
        mrn=patient.mrn,
        received_at=now,
        channel=channel,
        sender=ON_PAGE,
        body=text,
        provider_id=f"{ON_PAGE}:{press}",
        written_by=writer,
        pathway=about,
    )


def _way_back(patient: Patient, clinic: Clinic, *, is_answer: bool) -> tuple[Channel, Addressee]:
    """Where what is said in answer goes: the patient's own way or, for an answer, that of a carer in their place."""
    contact = patient.contact(clinic)
    own = (contact.own or contact.reach).choose(patient.channel)
    if own is None and is_answer and contact.addressee is Addressee.CARER and patient.carer_channel is not None:
        return patient.carer_channel, Addressee.CARER
    return own or patient.channel, Addressee.PATIENT


def _outcome(rules: Rules, text: str, heard: Reply | None) -> Outcome:
    if heard is None:
        return Outcome.PASSED_ON
    if heard.meaning == Meaning.SAFETY or interpret(text, (), rules.reply_words).speaks_of_danger:
        return Outcome.DANGER
    if heard.meaning == Meaning.STOP:
        return Outcome.STOPPED
    return Outcome.PASSED_ON if heard.meaning == Meaning.UNCLEAR else Outcome.TAKEN
