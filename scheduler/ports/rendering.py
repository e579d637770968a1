"""Turning a template and values into the text that a patient reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scheduler.domain.faults import Fault
from scheduler.domain.people import Channel, Mobility


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageValues:
    """What a message template may mention. Nothing here is a diagnosis, a drug, a result or a dose."""

    clinic: str  # the clinic's neutral name, which every message opens with
    clinic_phone: str  # as people write it; empty when the clinic gave none
    first_name: str  # e-mail only: a text never names the patient
    page_url: str  # the patient's own page or, in an e-mail, where it is; may be empty
    unsubscribe_url: str  # e-mail footer; empty in a text
    activity: str = ""  # exercise only: the day's activity, in the language of the message
    count: int = 0  # exercise only: days done this week
    for_whom: str = ""  # on a number that several share, or to a carer: the mark of whom it is about
    choices: str = ""  # the letters of those who share a number, as the question who wrote lists them
    words: str = ""  # those of a member of staff, in the message that carries them
    when: str = ""  # 19:30 or 2026-09-30, for the messages that confirm it; a template gets it in words
    days: str = ""  # mon wed fri, for the message that confirms them; a template gets them in words
    topic: str = ""  # what has ended, as the name of its pathway, for the message that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSms:
    body: str
    language: str  # the language that was really used, after fallback
    segments: int
    template_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedEmail:
    subject: str
    text: str
    html: str
    language: str
    template_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePreview:
    """One message on one channel, filled with sample values.

    What belongs to the other channel is None; so is content that a fault keeps from being rendered. The
    grade is that of the whole message, text and mail together, as the check sees it.
    """

    template: str  # pathway/message
    language: str  # the one that was used, after fallback
    channel: Channel
    body: str | None = None  # of a text, with the stop line where it may have one
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    encoding: str | None = None  # GSM-7 or UCS-2
    units: int | None = None
    segments: int | None = None
    odd: tuple[str, ...] = ()  # the characters that forced UCS-2
    grade: float | None = None
    grade_formula: str | None = None
    faults: tuple[Fault, ...] = ()


class Renderer(Protocol):
    """Turns a template and values into text. `languages` is the order to try, best first, and ends with `en`.

    Raises `LookupError` when not even English has the template, which `bonewise check` rules out before start.
    """

    def sms(
        self,
        pathway: str,
        template: str,
        languages: tuple[str, ...],
        values: MessageValues,
        *,
        stop_line: bool,
    ) -> RenderedSms: ...

    def email(
        self, pathway: str, template: str, languages: tuple[str, ...], values: MessageValues
    ) -> RenderedEmail: ...

    def activities(self, pathway: str, mobility: Mobility, languages: tuple[str, ...]) -> tuple[str, ...]:
        """What a pathway offers in turn that fits, one in each message; most offer nothing."""
        ...
