"""Mails as they come back: from Postfix, Exim, Exchange and qmail, and from mailbox providers' complaint desks."""

from __future__ import annotations

from textwrap import dedent

OURS = "care@harbor.example"
PATIENT = "e1@patients.example"


def returned_headers(message_id: str, *, to: str = PATIENT) -> str:
    return (
        f"From: Harbor Clinic <{OURS}>\nTo: {to}\nSubject: A reminder\nMessage-ID: {message_id}\n"
        "Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    )


def recipient_fields(
    *,
    to: str = PATIENT,
    original: str | None = None,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <e1@patients.example>: Recipient address rejected: User unknown",
) -> str:
    """One group of RFC 3464; an empty value leaves its field out."""
    named = {
        "Original-Recipient": original,
        "Final-Recipient": f"rfc822; {to}" if to else None,
        "Action": action,
        "Status": status,
        "Remote-MTA": "dns; mx.patients.example",
        "Diagnostic-Code": diagnostic,
    }
    return "".join(f"{name}: {value}\n" for name, value in named.items() if value)


def dsn(
    message_id: str,
    *groups: str,
    returned: str = "text/rfc822-headers",
    status_type: str = "message/delivery-status",
    text: str = "I'm sorry to have to inform you that your message could not\nbe delivered.",
    head: str = "",
    envelope_id: str = "",
) -> bytes:
    """A notification as RFC 3464 has it, and Postfix writes it. `returned` is the type of its last part, or ""."""
    status = "Reporting-MTA: dns; relay.harbor.example\n"
    status += f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    status += "Arrival-Date: Tue, 3 Mar 2026 14:30:00 +0000 (UTC)\n\n" + "\n".join(groups or [recipient_fields()])
    parts = [
        f"Content-Type: text/plain; charset=us-ascii\n\n{text}\n",
        f"Content-Description: Delivery report\nContent-Type: {status_type}\n\n{status}",
    ]
    if returned:
        rest = "" if returned == "text/rfc822-headers" else "\nMove today.\n"
        parts.append(f"Content-Type: {returned}\n\n{returned_headers(message_id)}{rest}")
    return multipart(parts, head=head, subtype='report; report-type="delivery-status"')


def multipart(parts: list[str], *, subtype: str, head: str = "") -> bytes:
    body = "".join(f"--=_b\n{part}\n" for part in parts)
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@relay.harbor.example (Mail Delivery System)\n"
        f"To: {OURS}\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n{head}"
        f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="=_b"\n\n{body}--=_b--\n'
    ).encode()


def plain(text: str, *, head: str = "", sender: str = "MAILER-DAEMON@mx.patients.example") -> bytes:
    return f"Return-Path: <>\nFrom: {sender}\nTo: {OURS}\nSubject: failure notice\n{head}\n{dedent(text)}".encode()


def qmail(message_id: str, *, to: str = PATIENT, why: str = "Sorry, no mailbox here by that name. (#5.1.1)") -> bytes:
    text = (
        "Hi. This is the qmail-send program at mx.patients.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{to}>:\n{why}\n\n--- Below this line is a copy of the message.\n\n"
        f"Return-Path: <{OURS}>\n{returned_headers(message_id)}\nMove today.\n"
    )
    return plain(text)


def exim(
    message_id: str, *, to: str = PATIENT, reply: str = "550 No such user here", after: str = "RCPT TO"
) -> bytes:
    text = (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. "
        f"This is a permanent error. The following address(es) failed:\n\n  {to}\n"
        f"    host mx.patients.example [192.0.2.25]\n    SMTP error from remote mail server after {after}:<{to}>:\n"
        f"    {reply}\n\n------ This is a copy of the message, including all the headers. ------\n\n"
        f"Return-path: <{OURS}>\n{returned_headers(message_id)}\nMove today.\n"
    )
    return plain(text, head=f"X-Failed-Recipients: {to}\nAuto-Submitted: auto-replied\n")


def complaint(message_id: str, *, kind: str = "abuse", to: str = PATIENT) -> bytes:
    """A complaint in the form of RFC 5965."""
    named = f"Original-Rcpt-To: {to}\n" if to else ""
    return multipart(
        [
            "Content-Type: text/plain\n\nThis is an abuse report for a mail received from 192.0.2.1.\n",
            f"Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nVersion: 1\n{named}",
            f"Content-Type: message/rfc822\n\n{returned_headers(message_id)}\nMove today.\n",
        ],
        subtype="report; report-type=feedback-report",
    )


def holiday_notice(message_id: str) -> bytes:
    """An automatic answer (RFC 3834); Outlook's and Gmail's look the same where it matters."""
    return (
        f"Return-Path: <>\nFrom: {PATIENT}\nTo: {OURS}\nSubject: Out of office\n"
        f"Auto-Submitted: auto-replied (vacation)\nIn-Reply-To: {message_id}\nReferences: {message_id}\n\n"
        "I am away until the 5.1.27 of next month.\n"
    ).encode()
