"""Turning a template and values into the text that a patient reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scheduler.domain.people import Mobility


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

    def activities(self, mobility: Mobility, languages: tuple[str, ...]) -> tuple[str, ...]:
        """The exercise activities that fit, in rotation order."""
        ...
