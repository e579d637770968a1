"""What the SMTP channel needs to know, and how it is written as a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_EXAMPLE = "write it as smtp://user:password@host:587 or smtps://user:password@host"
_SUBMISSION_PORT = 587  # RFC 6409
_DEFAULT_PORTS = {"smtp": 25, "smtps": 465}  # RFC 5321, RFC 8314


class SmtpUrlError(ValueError):
    """The URL cannot be used; the text says why and what to write, and never repeats the password."""


class Tls(StrEnum):
    """How the connection is encrypted."""

    IMPLICIT = "implicit"  # from the first byte (smtps)
    REQUIRED = "required"  # STARTTLS, or no mail
    OPTIONAL = "optional"  # STARTTLS when the server offers it
    NO = "no"  # never


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """A mail server and how to log in. `timeout` is in seconds, for each answer of the server."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10.0


def parse_smtp_url(url: str, *, timeout: float = 10.0) -> SmtpSettings:
    """Read `smtp://user:pass@host:587?starttls=required`, `smtps://...` or `smtp://127.0.0.1:2525`.

    Reserved characters in the user name and password are percent-encoded. `starttls` is `required`,
    `optional` or `no`; left out, it is required with a user name or on port 587, and optional otherwise.
    Raises `SmtpUrlError`.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise SmtpUrlError(f"the port or the host is malformed: {_EXAMPLE}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise SmtpUrlError(f"it must begin with smtp:// or smtps://: {_EXAMPLE}")
    if not parts.hostname:
        raise SmtpUrlError(f"the mail server's host is missing: {_EXAMPLE}")
    if parts.path not in ("", "/") or parts.fragment:
        raise SmtpUrlError("there is text after the host; write / ? # @ : in a password as %2F %3F %23 %40 %3A")
    port = port or _DEFAULT_PORTS[parts.scheme]
    username, password = _credentials(parts)
    return SmtpSettings(
        host=parts.hostname,
        port=port,
        tls=_tls(parts, port=port, with_login=username is not None),
        username=username,
        password=password,
        timeout=timeout,
    )


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    if not parts.username and not parts.password:
        return None, None
    if not parts.username or parts.password is None:
        missing = "password" if parts.username else "user name"
        raise SmtpUrlError(f"the {missing} is missing: {_EXAMPLE}")
    return unquote(parts.username), unquote(parts.password)


def _tls(parts: SplitResult, *, port: int, with_login: bool) -> Tls:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = options.pop("starttls", None)
    if options:
        raise SmtpUrlError(f"unknown option {next(iter(options))!r}: only starttls= is known")
    if parts.scheme == "smtps":
        if wanted is not None:
            raise SmtpUrlError("smtps:// is encrypted from the start: leave starttls= out, or write smtp://")
        return Tls.IMPLICIT
    if wanted is None:
        return Tls.REQUIRED if with_login or port == _SUBMISSION_PORT else Tls.OPTIONAL
    if wanted not in (Tls.REQUIRED, Tls.OPTIONAL, Tls.NO):
        raise SmtpUrlError(f"starttls={wanted} is unknown: use required, optional or no")
    if wanted == Tls.NO and with_login:
        raise SmtpUrlError(
            "starttls=no would send the password unencrypted: use starttls=required, or leave out the login"
        )
    return Tls(wanted)
