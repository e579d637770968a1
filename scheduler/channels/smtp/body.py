"""The body of a mail: text, and HTML beside it, as `multipart/alternative` in quoted-printable.

Written out here because the standard library takes up to two milliseconds for each, most of it for encoding letter by
letter in Python; `binascii` does the same in C. A test holds the two to the same result.
"""

from __future__ import annotations

from binascii import b2a_qp

# A line of quoted-printable never has "=_", so this cannot occur in a part (RFC 2045 section 6.7, note 3).
_BOUNDARY = "=_bonewise"
_VERSION = "MIME-Version: 1.0\r\n"
_MULTIPART = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n\r\n'
_PART = 'Content-Type: text/{}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


def mime_body(text: str, html: str) -> bytes:
    """The MIME headers, an empty line and the body, with CRLF line ends, in ASCII, in lines of 76 at most.

    The text comes first, because the last alternative is the preferred one (RFC 2046 section 5.1.4); without `html`
    it is the whole body. Raises `UnicodeEncodeError` for half of a surrogate pair.
    """
    plain = _part("plain", text)
    if not html:
        return _VERSION.encode() + plain
    fence = f"--{_BOUNDARY}"
    head = f"{_VERSION}{_MULTIPART}{fence}\r\n".encode()
    return b"%b%b\r\n%b\r\n%b\r\n%b--\r\n" % (head, plain, fence.encode(), _part("html", html), fence.encode())


def _part(subtype: str, text: str) -> bytes:
    lines = text.encode().splitlines() or [b""]  # whatever line ends it had
    return _PART.format(subtype).encode() + b2a_qp(b"\r\n".join([*lines, b""]))
