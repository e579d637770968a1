"""Settings from the environment and `.env`. Each fault is one line that names the setting and the remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

SIMULATED = "simulated"
LONGEST_SECONDS = 3600.0
LONGEST_LABEL = 60  # characters of a button
LONGEST_TIMEOUT = 20.0  # of a provider; leases and holds are longer than a connection and an answer may take
_PACKAGE = Path(__file__).resolve().parent
_DOTENV = Path(".env")
_TWILIO_URL = "https://api.twilio.com"
_SELF = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - addresses that only this machine reaches

NAMES = (
    "BONEWISE_DATABASE_URL",
    "BONEWISE_SECRET_KEYS",
    "BONEWISE_PUBLIC_URL",
    "BONEWISE_CONFIG_DIR",
    "BONEWISE_TEMPLATES_DIR",
    "BONEWISE_DATA_DIR",
    "BONEWISE_SMS",
    "BONEWISE_EMAIL",
    "BONEWISE_SMTP_URL",
    "BONEWISE_BOUNCE_ADDRESS",
    "BONEWISE_BOUNCE_MAILBOX",
    "BONEWISE_TICK_SECONDS",
    "BONEWISE_PROVIDER_TIMEOUT",
    "BONEWISE_LOG",
    "BONEWISE_OIDC_ISSUER",
    "BONEWISE_OIDC_CLIENT_ID",
    "BONEWISE_OIDC_CLIENT_SECRET",
    "BONEWISE_OIDC_LABEL",
    "BONEWISE_OIDC_SECOND_FACTOR",
    "BONEWISE_OIDC_ACR",
    "BONEWISE_OIDC_CLINICS",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY",
    "TWILIO_API_SECRET",
    "TWILIO_API_URL",
)
"""Every setting. Twilio's own names may also be set for other programs, so only ours are checked for typos."""


class SettingsError(ValueError):
    """Settings are missing, wrong or contradict each other; `faults` has one line for each."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are and how the channels are reached. Times are in seconds.

    `notes` are sentences for the operator about settings that hold but may not be meant so.
    """

    database_url: str
    secret_keys: str | None = field(repr=False)  # None: `keys_file`
    public_url: str
    config_dir: Path
    templates_dir: Path
    data_dir: Path
    sms: str
    email: str
    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    twilio_api_key: str = ""
    twilio_api_secret: str = field(default="", repr=False)
    twilio_api_url: str
    smtp_url: str = field(default="", repr=False)
    bounce_address: str = ""  # where undeliverable mail comes back to; empty: to the clinic's own sender
    bounce_mailbox: str = field(default="", repr=False)
    tick_seconds: float
    provider_timeout: float
    log: str = "text"  # or json
    oidc_issuer: str = ""  # empty: nobody signs in by a provider
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_label: str = ""  # of the button
    oidc_second_factor: str = "proven"  # asks for our code unless the provider proves two factors; or always
    oidc_acr: tuple[str, ...] = ()  # what the provider calls a sign-in with more than one factor
    oidc_clinics: tuple[str, ...] = ()  # codes of the clinics whose people may use it; empty: all
    notes: tuple[str, ...] = ()

    @property
    def keys_file(self) -> Path:
        """Where `init` keeps the secret keys when the environment gives none."""
        return self.data_dir / "keys"

    @property
    def is_simulated(self) -> bool:
        """Nothing leaves the machine: only then may a visitor move the clock."""
        return self.sms == SIMULATED and self.email == SIMULATED


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; the environment wins over `.env` in the working folder, and an empty value is none.

    Raises `SettingsError` with every fault.
    """
    values = _Values(_surroundings() if environment is None else environment)
    data_dir = values.path("BONEWISE_DATA_DIR", "var")
    settings = Settings(
        database_url=values.text("BONEWISE_DATABASE_URL", f"sqlite:///{data_dir / 'bonewise.db'}"),
        secret_keys=values.text("BONEWISE_SECRET_KEYS", "") or None,
        public_url=values.url("BONEWISE_PUBLIC_URL", f"http://127.0.0.1:{values.port()}"),
        config_dir=values.folder("BONEWISE_CONFIG_DIR", kind="config", holds="pathways"),
        templates_dir=values.folder("BONEWISE_TEMPLATES_DIR", kind="templates", holds="messages"),
        data_dir=data_dir,
        sms=values.choice("BONEWISE_SMS", SIMULATED, "twilio"),
        email=values.choice("BONEWISE_EMAIL", SIMULATED, "smtp"),
        twilio_account_sid=values.text("TWILIO_ACCOUNT_SID", ""),
        twilio_auth_token=values.text("TWILIO_AUTH_TOKEN", ""),
        twilio_api_key=values.text("TWILIO_API_KEY", ""),
        twilio_api_secret=values.text("TWILIO_API_SECRET", ""),
        twilio_api_url=values.url("TWILIO_API_URL", _TWILIO_URL),
        smtp_url=values.text("BONEWISE_SMTP_URL", ""),
        bounce_address=values.text("BONEWISE_BOUNCE_ADDRESS", ""),
        bounce_mailbox=values.text("BONEWISE_BOUNCE_MAILBOX", ""),
        tick_seconds=values.seconds("BONEWISE_TICK_SECONDS", 1),
        provider_timeout=values.seconds("BONEWISE_PROVIDER_TIMEOUT", 10, most=LONGEST_TIMEOUT),
        log=values.choice("BONEWISE_LOG", "text", "json"),
        oidc_issuer=values.issuer("BONEWISE_OIDC_ISSUER"),
        oidc_client_id=values.text("BONEWISE_OIDC_CLIENT_ID", ""),
        oidc_client_secret=values.text("BONEWISE_OIDC_CLIENT_SECRET", ""),
        oidc_label=values.text("BONEWISE_OIDC_LABEL", "Sign in with the clinic’s account"),
        oidc_second_factor=values.choice("BONEWISE_OIDC_SECOND_FACTOR", "proven", "always"),
        oidc_acr=values.words("BONEWISE_OIDC_ACR"),
        oidc_clinics=values.words("BONEWISE_OIDC_CLINICS"),
    )
    if faults := [*values.faults, *_contradictions(settings)]:
        raise SettingsError(*faults)
    return replace(settings, notes=(*values.unknown_names(), *_doubts(settings)))


def _contradictions(settings: Settings) -> Iterator[str]:
    """What one setting asks of another and does not get."""
    if settings.sms == "twilio":
        yield from _twilio_faults(settings)
    if settings.email == "smtp" and not settings.smtp_url:
        yield "BONEWISE_SMTP_URL is missing; BONEWISE_EMAIL=smtp needs it, such as smtp://user:pass@host:587"
    yield from _oidc_faults(settings)


def _oidc_faults(settings: Settings) -> Iterator[str]:
    given = {
        "BONEWISE_OIDC_ISSUER": settings.oidc_issuer,
        "BONEWISE_OIDC_CLIENT_ID": settings.oidc_client_id,
        "BONEWISE_OIDC_CLIENT_SECRET": settings.oidc_client_secret,
    }
    if any(given.values()):
        there = next(name for name, value in given.items() if value)
        yield from (f"{name} is missing; {there} needs it" for name, value in given.items() if not value)
    if len(settings.oidc_label) > LONGEST_LABEL or not settings.oidc_label.isprintable():
        yield f"BONEWISE_OIDC_LABEL is too long or not printable; write at most {LONGEST_LABEL} characters"


def _twilio_faults(settings: Settings) -> Iterator[str]:
    sid = settings.twilio_account_sid
    if not sid:
        yield "TWILIO_ACCOUNT_SID is missing; BONEWISE_SMS=twilio needs it"
    elif not sid.startswith("AC"):
        yield "TWILIO_ACCOUNT_SID is not the SID of an account; copy the one that begins with AC"
    host = urlsplit(settings.public_url).hostname or ""
    if "_" in host:  # https://www.twilio.com/docs/errors/21609, for every text
        yield (
            f"BONEWISE_PUBLIC_URL has an underscore in its host name, {host}, and Twilio would refuse every text; "
            "BONEWISE_SMS=twilio needs a host name without one"
        )
    if settings.twilio_api_key and not settings.twilio_api_secret:
        yield "TWILIO_API_SECRET is missing; TWILIO_API_KEY needs it"
    if settings.twilio_api_secret and not settings.twilio_api_key:
        yield "TWILIO_API_KEY is missing; TWILIO_API_SECRET needs it"
    if not (settings.twilio_auth_token or settings.twilio_api_key or settings.twilio_api_secret):
        yield "TWILIO_AUTH_TOKEN is missing; BONEWISE_SMS=twilio needs it, or TWILIO_API_KEY and TWILIO_API_SECRET"


def _doubts(settings: Settings) -> Iterator[str]:
    if settings.sms != "twilio":
        return
    if not settings.twilio_auth_token:
        yield "without TWILIO_AUTH_TOKEN no callback of Twilio can be verified: replies and receipts are refused"
    if settings.twilio_api_url == _TWILIO_URL and urlsplit(settings.public_url).hostname in _SELF:
        yield (
            f"BONEWISE_PUBLIC_URL is {settings.public_url}, which Twilio cannot reach: "
            "replies and receipts will not arrive"
        )


def _surroundings() -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if value.strip()}
    return {**_from_dotenv(), **given}


def _from_dotenv() -> dict[str, str]:
    if not _DOTENV.is_file():
        return {}
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        with _DOTENV.open(encoding="utf-8-sig") as stream:
            lines = [found.original.line for found in parse_stream(stream) if found.error]
        values = dotenv_values(_DOTENV, encoding="utf-8-sig") if not lines else {}
    except OSError as error:
        raise SettingsError(f"{_DOTENV} cannot be read: {error.strerror}; correct its owner or mode") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{_DOTENV} is not UTF-8 text; save it as UTF-8") from error
    if lines:
        raise SettingsError(*(f"{_DOTENV}:{line}: this is no setting; write NAME=value" for line in lines))
    return {name: value for name, value in values.items() if value is not None}


class _Values:
    """Named values with their checks. A wrong one is noted in `faults`, and its default goes on in its place."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.faults: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def path(self, name: str, default: str) -> Path:
        try:
            return Path(self.text(name, default)).expanduser()
        except RuntimeError:  # ~name of nobody
            self.faults.append(f"{name} is {self.text(name, '')!r}, and there is no such user; write the whole path")
            return Path(default)

    def choice(self, name: str, *allowed: str) -> str:
        value = self.text(name, allowed[0])
        if value not in allowed:
            self.faults.append(f"{name} is {value!r}; write {' or '.join(allowed)}")
        return value

    def seconds(self, name: str, default: float, *, most: float = LONGEST_SECONDS) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number <= most:
            self.faults.append(f"{name} is {value!r}; write a number of seconds above 0 and at most {most:g}")
        return number

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            is_sound = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_sound = is_sound and not (parts.query or parts.fragment or parts.username or " " in value)
            _ = parts.port
        except ValueError:
            is_sound = False
        if not is_sound:
            self.faults.append(f"{name} is {value!r}; write an address such as {default}")
        return value.rstrip("/")

    def port(self) -> str:
        """The port that `serve` and `web` take from `PORT`; where it is no number, they say so themselves."""
        value = self.text("PORT", "")
        return value if value.isascii() and value.isdigit() and int(value) < 2**16 else "8000"

    def issuer(self, name: str) -> str:
        """The name of an OpenID Connect provider, exactly as written: a slash at its end is part of it."""
        value = self.text(name, "")
        known = len(self.faults)
        address = self.url(name, "https://id.example.org")
        is_plain = len(self.faults) == known and address.startswith("http:")
        if is_plain and urlsplit(address).hostname not in _SELF:
            self.faults.append(f"{name} is {value!r}; write its https address: over http anybody could answer")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Words with spaces or commas between them."""
        return tuple(self.text(name, "").replace(",", " ").split())

    def folder(self, name: str, *, kind: str, holds: str) -> Path:
        """A folder that must exist: the named one, else beside the work, else the one that was shipped."""
        if self.text(name, ""):
            folder = self.path(name, kind)
            if not folder.is_dir():
                what = "is no folder" if folder.exists() else "is not there"
                self.faults.append(f"{name} is {str(folder)!r}, which {what}; name the folder that holds {holds}/")
            return folder
        places = (Path(kind), _PACKAGE.parent / kind, _PACKAGE / "_shipped" / kind)
        found = next((place for place in places if (place / holds).is_dir()), None)
        if found is None:
            self.faults.append(f"{name} is missing, and no {kind} folder is here or in the installation; set it")
        return found or Path(kind)

    def unknown_names(self) -> Iterator[str]:
        """A setting that is misspelt would be silently without effect."""
        for name in sorted(self._environment):
            if name.startswith("BONEWISE_") and name not in NAMES:
                from difflib import get_close_matches

                bare = {known.removeprefix("BONEWISE_"): known for known in NAMES}
                close = get_close_matches(name.removeprefix("BONEWISE_"), bare, n=1, cutoff=0.8)
                hint = f"; did you mean {bare[close[0]]}?" if close else ""
                yield f"{name} is not a setting and has no effect{hint}"
