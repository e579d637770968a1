"""What it means, in words, that a provider takes nothing from an account or a sender: for whoever has to mend it."""

from __future__ import annotations

from scheduler.channels.errors import ErrorTable, SmtpStage
from scheduler.domain.people import Channel

_BROKEN_OFF = (
    "the provider breaks off before a whole answer has come",
    "look at the provider's status page, and at what stands between this machine and it",
)
_NO_CONNECTION = (
    "no connection to the provider comes about",
    "check this machine's way to the internet, the provider's address in the settings, and its status page",
)

# Codes of our own, where no provider answered.
_OWN = {
    "tls": (
        "the encrypted connection to the provider failed",
        "check the provider's address in the settings, this machine's clock and its certificates",
    ),
    "address": ("the provider's address cannot be called", "check TWILIO_API_URL"),
    "dns": (
        "the provider's host name is not found",
        "check this machine's name resolution, and the provider's address in the settings",
    ),
    "connect": _NO_CONNECTION,
    "connect_timeout": _NO_CONNECTION,
    "timeout": (
        "the provider does not answer in time",
        "look at the provider's status page; BONEWISE_PROVIDER_TIMEOUT says how long it is waited for",
    ),
    "closed": _BROKEN_OFF,
    "answer_lost": _BROKEN_OFF,
    "unreadable": _BROKEN_OFF,
    "unstable": _BROKEN_OFF,
    "no_starttls": (
        "the mail server offers no encryption",
        "use smtps:// in BONEWISE_SMTP_URL, or starttls=optional without a login",
    ),
    "no_login": (
        "the mail server does not take the login that BONEWISE_SMTP_URL has",
        "leave out the user name, or write name and password in ASCII",
    ),
    "no_sender": ("the clinic has no sender", "give the clinic a number or a messaging service"),
}


def meaning_of_failure(table: ErrorTable, channel: Channel, code: str) -> str | None:
    """What the code means for which one message did not arrive; None for a code that nothing is known of."""
    if code in _OWN:
        return _OWN[code][0]
    unlisted = table.twilio_entry(None)
    if channel is Channel.SMS:
        entry = table.twilio_entry(code)
    else:
        reply, _, status = code.partition(" ")
        if not reply.isdigit():
            reply, status = "0", code
        entry = table.smtp_entry(SmtpStage.RECIPIENT, int(reply), status or None)
    return None if entry == unlisted else entry.meaning


def meaning_of_refusal(
    table: ErrorTable, channel: Channel, code: str | None, *, of_account: bool
) -> tuple[str, str] | None:
    """What the code means and what to do, which may be empty; None for a code that nothing is known of.

    `of_account`: it is about the whole account, not one of its senders.
    """
    if code is None:
        return None
    if code in _OWN:
        return _OWN[code]
    if channel is Channel.SMS:
        entry = table.twilio_entry(code)
    else:
        reply, _, status = code.partition(" ")
        if not reply.isdigit():
            return None
        stage = SmtpStage.LOGIN if of_account else SmtpStage.SENDER
        entry = table.smtp_entry(stage, int(reply), status or None)
    return None if entry == table.twilio_entry(None) else (entry.meaning, entry.action)
