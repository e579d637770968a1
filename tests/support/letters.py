"""Letters as mail programs write them: headers, quotations and signatures are theirs, names and words are ours."""

from __future__ import annotations

import base64
import quopri
from textwrap import dedent

OURS = "care@harbor.example"
PATIENT = "e1@patients.example"
OUR_TEXT = """\
Harbor Clinic

Hello Pat,

Please have your level checked at our lab. Did you have it done?

Reply 1 if it is done. Reply 2 if it is booked. Reply 3 if not yet.

To end these e-mails: https://reminders.harbor.example/u/x
To stop all of our messages, reply STOP.
"""


def letter(
    text: str = "1",
    *,
    answers: str = "",
    sender: str = f"Pat E1 <{PATIENT}>",
    to: str = f"Harbor Clinic <{OURS}>",
    subject: str = "Re: A reminder from Harbor Clinic",
    head: str = "",
    message_id: str = "<CAF1=abc@mail.patients.example>",
    kind: str = 'text/plain; charset="utf-8"',
    encoding: str = "8bit",
) -> bytes:
    """A mail with one part. `answers` is the Message-ID that it answers."""
    thread = f"In-Reply-To: {answers}\nReferences: {answers}\n" if answers else ""
    named = f"Message-ID: {message_id}\n" if message_id else ""
    body = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)(text.encode())
    return (
        f"Return-Path: <{PATIENT}>\nFrom: {sender}\nTo: {to}\nSubject: {subject}\n{named}{thread}{head}"
        f"MIME-Version: 1.0\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n"
    ).encode() + body


def multipart(
    subtype: str, *parts: tuple[str, str], answers: str = "", head: str = "", boundary: str = "=_p"
) -> bytes:
    """A mail of several parts, each (headers, content)."""
    body = "".join(f"--{boundary}\n{dedent(about).strip()}\n\n{content}\n" for about, content in parts)
    return letter(
        f"{body}--{boundary}--\n", answers=answers, head=head, kind=f'multipart/{subtype}; boundary="{boundary}"'
    )


def quoted(text: str = OUR_TEXT) -> str:
    return "".join(f"> {line}\n" if line else ">\n" for line in text.splitlines())


def html_of(text: str = OUR_TEXT) -> str:
    return "".join(f"<p>{line}</p>\n" for line in text.splitlines() if line)


PLAIN = 'Content-Type: text/plain; charset="UTF-8"'
HTML = 'Content-Type: text/html; charset="UTF-8"'


def gmail(words: str, *, answers: str = "", is_html_only: bool = False) -> bytes:
    """Gmail on the web and on Android."""
    wrote = "On Tue, Mar 3, 2026 at 9:30 AM Harbor Clinic <care@harbor.example>\nwrote:"
    plain = f"{words}\n\n{wrote}\n\n{quoted()}"
    html = (
        f'<div dir="auto">{words}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        'class="gmail_attr">On Tue, Mar 3, 2026 at 9:30 AM Harbor Clinic &lt;<a href="mailto:care@harbor.example">'
        'care@harbor.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px '
        f'0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">{html_of()}</blockquote></div>'
    )
    if is_html_only:
        return letter(html, answers=answers, kind='text/html; charset="UTF-8"', encoding="quoted-printable")
    return multipart("alternative", (PLAIN, plain), (HTML, html), answers=answers)


def gmail_in_spanish(words: str, *, answers: str = "") -> bytes:
    wrote = "El mar, 3 mar 2026 a las 9:30, Harbor Clinic (<care@harbor.example>)\nescribió:"
    return letter(f"{words}\n\n{wrote}\n\n{quoted()}", answers=answers, encoding="base64")


def outlook(words: str, *, answers: str = "", is_html_only: bool = False) -> bytes:
    """Outlook on Windows, which marks nothing but the beginning of what it repeats; Exchange adds its headers."""
    plain = (
        f"{words}\n\nPat\n\nFrom: Harbor Clinic <care@harbor.example>\nSent: Tuesday, March 3, 2026 9:30 AM\n"
        f"To: Pat E1 <{PATIENT}>\nSubject: A reminder from Harbor Clinic\n\n{OUR_TEXT}"
    )
    html = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0in;} '
        "--></style><!--[if gte mso 9]><xml>STOP</xml><![endif]--></head><body lang=EN-US><div class=WordSection1>"
        f"<p class=MsoNormal>{words}<o:p></o:p></p><p class=MsoNormal>Pat<o:p></o:p></p><div><div style='border:none;"
        "border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> Harbor Clinic "
        "&lt;care@harbor.example&gt; <br><b>Sent:</b> Tuesday, March 3, 2026 9:30 AM<br><b>To:</b> Pat E1<br>"
        f"<b>Subject:</b> A reminder from Harbor Clinic<o:p></o:p></p></div></div>{html_of()}</div></body></html>"
    )
    head = "X-Auto-Response-Suppress: DR, OOF, AutoReply\nX-MS-Exchange-Organization-AuthAs: Internal\n"
    if is_html_only:
        return letter(html, answers=answers, head=head, kind="text/html; charset=utf-8", encoding="base64")
    return multipart("alternative", (PLAIN, plain), (HTML, html), answers=answers, head=head)


def outlook_on_a_phone(words: str, *, answers: str = "") -> bytes:
    plain = (
        f"{words}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
        f"From: Harbor Clinic <care@harbor.example>\nSent: Tuesday, March 3, 2026 9:30:00 AM\nTo: Pat\n"
        f"Subject: A reminder\n\n{OUR_TEXT}"
    )
    return letter(plain, answers=answers)


def outlook_on_the_web(words: str, *, answers: str = "") -> bytes:
    html = (
        f'<html><body><div class="elementToProof">{words}</div><div id="appendonsend"></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font>'
        f"<b>From:</b> Harbor Clinic<br><b>Sent:</b> Tuesday</font></div>{html_of()}</body></html>"
    )
    return letter(html, answers=answers, kind="text/html; charset=utf-8", encoding="quoted-printable")


def apple_mail(words: str, *, answers: str = "") -> bytes:
    """An iPhone: the signature, then the attribution."""
    wrote = f"On Mar 3, 2026, at 9:30 AM, Harbor Clinic <{OURS}> wrote:"
    plain = f"{words}\n\nSent from my iPhone\n\n> {wrote}\n> \n{quoted()}"
    html = (
        f'<html><body dir="auto">{words}<div><br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br>'
        '<blockquote type="cite">On Mar 3, 2026, at 9:30 AM, Harbor Clinic &lt;care@harbor.example&gt; wrote:<br><br>'
        f'</blockquote></div><blockquote type="cite"><div dir="ltr">{html_of()}</div></blockquote></body></html>'
    )
    return multipart("alternative", (PLAIN, plain), (HTML, html), answers=answers)


def thunderbird_below(words: str, *, answers: str = "") -> bytes:
    """An answer under what it quotes, with lines that the program broke (RFC 3676)."""
    text = f"On 3/3/26 09:30, Harbor Clinic wrote:\n{quoted()}\n{words}\n\n-- \nPat E1 \nStop by any time\n"
    return letter(text, answers=answers, kind="text/plain; charset=UTF-8; format=flowed")


def yahoo(words: str, *, answers: str = "") -> bytes:
    html = (
        f'<html><head></head><body><div class="ydp1yahoo-style-wrap"><div dir="ltr">{words}</div></div>'
        '<div id="yahoo_quoted_12" class="yahoo_quoted"><div>On Tuesday, March 3, 2026 at 09:30:00 AM EST, Harbor '
        f"Clinic &lt;care@harbor.example&gt; wrote:</div>{html_of()}</div></body></html>"
    )
    return letter(html, answers=answers, kind="text/html; charset=UTF-8")


def gmx_in_german(words: str, *, answers: str = "") -> bytes:
    text = f"{words}\n\nVon meinem Handy gesendet\n\nAm 03.03.26 um 09:30 schrieb Harbor Clinic:\n{quoted()}"
    return letter(text, answers=answers, encoding="quoted-printable")


def samsung(words: str, *, answers: str = "") -> bytes:
    text = (
        f"{words}\n\n\nEnviado desde mi Galaxy\n\n\n-------- Mensaje original --------\nDe: Harbor Clinic "
        f"<care@harbor.example>\nFecha: 3/3/26 9:30 (GMT-05:00)\nPara: Pat\nAsunto: Un recordatorio\n\n{OUR_TEXT}"
    )
    return letter(text, answers=answers, encoding="base64")


def signed(words: str, *, answers: str = "") -> bytes:
    """S/MIME, with the signature beside the text."""
    return multipart(
        'signed; protocol="application/pkcs7-signature"; micalg=sha-256',
        (PLAIN, f"{words}\n"),
        (
            """
            Content-Type: application/pkcs7-signature; name=smime.p7s
            Content-Transfer-Encoding: base64
            Content-Disposition: attachment; filename=smime.p7s
            """,
            "MIAGCSqGSIb3DQEHAqCAMIACAQExDzANBg==",
        ),
        answers=answers,
    )


PROGRAMS = [
    gmail,
    gmail_in_spanish,
    outlook,
    outlook_on_a_phone,
    outlook_on_the_web,
    apple_mail,
    thunderbird_below,
    yahoo,
    gmx_in_german,
    samsung,
    signed,
]


def photo(
    name: str = "filename=bottle.jpg", *, kind: str = "image/jpeg", disposition: str = "attachment"
) -> tuple[str, str]:
    about = f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\nContent-Disposition: {disposition}; {name}\n"
    return about, "/9j/4AAQSkZJRg=="


def automatic(head: str, *, subject: str = "Re: A reminder", answers: str = "", text: str = "I am away.") -> bytes:
    return letter(text, answers=answers, subject=subject, head=f"{head}\n" if head else "")
