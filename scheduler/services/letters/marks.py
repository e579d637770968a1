"""Whether a machine wrote a mail by itself. Such a mail is neither answered nor understood (RFC 3834 section 2)."""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr
from enum import StrEnum

from scheduler.services.letters.reading import decoded_header, header

_DAEMONS = ("mailer-daemon", "postmaster", "mail-daemon", "microsoftexchange")
_NOBODY = re.compile(r"(?:no|do-?not)[-_.]?reply\b", re.IGNORECASE)
_AUTO_REPLIES = ("X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Autoreply-From", "X-Mail-Autoreply")
_BULK = frozenset({"auto_reply", "bulk", "junk"})
_LISTS = ("List-Id", "List-Post", "List-Unsubscribe", "List-Help", "Mailing-List")
_SUBJECTS = re.compile(
    r"""^\s*(?:
        auto(?:matic|mated)?[\ -]?(?:reply|response)\b | auto:\s
      | out\ of\ (?:the\ )?office\b
      | (?:vacation|away)\ (?:reply|notice|message)\b
      | respuesta\ autom[aá]tica\b | fuera\ de\ (?:la\ )?oficina\b
      | abwesenheits(?:notiz|nachricht|assistent|benachrichtigung|meldung)?\b | automatische\ (?:antwort|nachricht)\b
      | r[eé]ponse\ automatique\b | absence\ du\ bureau\b
      | risposta\ automatica\b | resposta\ autom[aá]tica\b | automatisch\ antwoord\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


class Mark(StrEnum):
    """What gives a machine away, the surest first."""

    AUTO_SUBMITTED = "auto-submitted"  # RFC 3834 section 5
    READ_RECEIPT = "read receipt"  # RFC 8098
    FEEDBACK = "feedback report"  # RFC 5965, other than a complaint
    NO_RETURN = "no return path"  # RFC 5321 section 4.5.5: nobody may be told of what becomes of it
    AUTO_REPLY = "auto-reply"  # headers from before the RFC
    BULK = "bulk"
    NO_REPLY = "no-reply sender"
    LIST = "mailing list"  # a person may have written to the list that our address stands behind
    SUBJECT = "subject"  # nothing but the words of its subject

    @property
    def is_weak(self) -> bool:
        """Whether a person's own mail may carry it."""
        return self in (Mark.LIST, Mark.SUBJECT)


def mark_of(mail: Message) -> Mark | None:
    """The surest sign that a machine wrote the mail by itself; None when there is none.

    `X-Auto-Response-Suppress` is no sign: Exchange puts it on the mails of people, and we on ours. The subject of a
    holiday notice counts last, for programs that mark theirs by nothing else.
    """
    if header(mail, "Auto-Submitted").partition(";")[0].partition(" ")[0].lower() not in ("", "no"):
        return Mark.AUTO_SUBMITTED
    if _parameter(mail, "report-type") == "disposition-notification":
        return Mark.READ_RECEIPT
    if is_without_return(mail):
        return Mark.NO_RETURN
    if any(name in mail for name in _AUTO_REPLIES):
        return Mark.AUTO_REPLY
    precedence = header(mail, "Precedence").lower()
    if precedence in _BULK:
        return Mark.BULK
    if _NOBODY.match(sender_of(mail)):
        return Mark.NO_REPLY
    if precedence == "list" or any(name in mail for name in _LISTS):
        return Mark.LIST
    return Mark.SUBJECT if _SUBJECTS.match(decoded_header(mail, "Subject")) else None


def is_without_return(mail: Message) -> bool:
    """Whether the envelope had no sender, as that of a notification: delivery notes it in the mail or before it."""
    return header(mail, "Return-Path") == "<>" or (mail.get_unixfrom() or "").startswith("From MAILER-DAEMON ")


def is_from_daemon(mail: Message) -> bool:
    """Whether a mail server is the sender."""
    return sender_of(mail).lower().startswith(_DAEMONS)


def sender_of(mail: Message) -> str:
    """The address in `From`, else in `Sender`; empty when neither has one."""
    for name in ("From", "Sender"):
        address = parseaddr(header(mail, name))[1]
        if "@" in address.strip("@"):
            return address
    return ""


def _parameter(mail: Message, name: str) -> str:
    try:
        return str(mail.get_param(name, "")).lower()
    except (LookupError, ValueError, TypeError):
        return ""
