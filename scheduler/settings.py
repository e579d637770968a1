"""Settings from the environment and `.env`. Each fault is one line that names the setting and the remedy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

SIMULATED = "simulated"
_PACKAGE = Path(__file__).resolve().parent


class SettingsError(ValueError):
    """A setting is missing, wrong or contradicts another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are and how the channels are reached. Times are in seconds."""

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
    tick_seconds: float
    provider_timeout: float

    @property
    def keys_file(self) -> Path:
        """Where `init` keeps the secret keys when the environment gives none."""
        return self.data_dir / "keys"

    @property
    def is_simulated(self) -> bool:
        """Nothing leaves the machine: only then may a visitor move the clock."""
        return self.sms == SIMULATED and self.email == SIMULATED


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; the environment wins over `.env` in the working folder. Raises `SettingsError`."""
    values = _Values(_from_dotenv() | dict(os.environ) if environment is None else environment)
    data_dir = Path(values.text("BONEWISE_DATA_DIR", "var"))
    settings = Settings(
        database_url=values.text("BONEWISE_DATABASE_URL", f"sqlite:///{data_dir / 'bonewise.db'}"),
        secret_keys=values.text("BONEWISE_SECRET_KEYS", "") or None,
        public_url=values.url("BONEWISE_PUBLIC_URL", "http://127.0.0.1:8000"),
        config_dir=values.folder("BONEWISE_CONFIG_DIR", "config"),
        templates_dir=values.folder("BONEWISE_TEMPLATES_DIR", "templates"),
        data_dir=data_dir,
        sms=values.choice("BONEWISE_SMS", SIMULATED, "twilio"),
        email=values.choice("BONEWISE_EMAIL", SIMULATED, "smtp"),
        twilio_account_sid=values.text("TWILIO_ACCOUNT_SID", ""),
        twilio_auth_token=values.text("TWILIO_AUTH_TOKEN", ""),
        twilio_api_key=values.text("TWILIO_API_KEY", ""),
        twilio_api_secret=values.text("TWILIO_API_SECRET", ""),
        twilio_api_url=values.url("TWILIO_API_URL", "https://api.twilio.com"),
        smtp_url=values.text("BONEWISE_SMTP_URL", ""),
        tick_seconds=values.seconds("BONEWISE_TICK_SECONDS", 1),
        provider_timeout=values.seconds("BONEWISE_PROVIDER_TIMEOUT", 10),
    )
    _check_channels(settings)
    return settings


def _check_channels(settings: Settings) -> None:
    if settings.sms == "twilio":
        if not settings.twilio_account_sid:
            raise SettingsError("TWILIO_ACCOUNT_SID is missing; BONEWISE_SMS=twilio needs it")
        if settings.twilio_api_key and not settings.twilio_api_secret:
            raise SettingsError("TWILIO_API_SECRET is missing; TWILIO_API_KEY needs it")
        if settings.twilio_api_secret and not settings.twilio_api_key:
            raise SettingsError("TWILIO_API_KEY is missing; TWILIO_API_SECRET needs it")
        if not (settings.twilio_auth_token or settings.twilio_api_key):
            raise SettingsError(
                "TWILIO_AUTH_TOKEN is missing; BONEWISE_SMS=twilio needs it, or TWILIO_API_KEY and TWILIO_API_SECRET"
            )
    if settings.email == "smtp" and not settings.smtp_url:
        raise SettingsError(
            "BONEWISE_SMTP_URL is missing; BONEWISE_EMAIL=smtp needs it, such as smtp://user:pass@host:587"
        )


def _from_dotenv() -> dict[str, str]:
    if not Path(".env").is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(".env").items() if value is not None}


class _Values:
    """Named values with their checks. An empty value counts as unset."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str) -> str:
        return self._environment.get(name, "").strip() or default

    def choice(self, name: str, *allowed: str) -> str:
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise SettingsError(f"{name} is {value!r}; write {' or '.join(allowed)}")
        return value

    def seconds(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if not 0 < number <= 3600:
            raise SettingsError(f"{name} is {value!r}; write a number of seconds above 0 and at most 3600")
        return number

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(value)
            is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
            _ = parts.port
        except ValueError:
            is_sound = False
        if not is_sound:
            raise SettingsError(f"{name} is {value!r}; write an address such as {default}")
        return value

    def folder(self, name: str, kind: str) -> Path:
        """A folder that must exist: the named one, else beside the work, else the one that was shipped."""
        given = self.text(name, "")
        if given:
            if not Path(given).is_dir():
                raise SettingsError(f"{name} is {given!r}, which is not a folder; name the folder of the {kind}")
            return Path(given)
        marker = "pathways" if kind == "config" else "messages"
        places = (Path(kind), _PACKAGE.parent / kind, _PACKAGE / "_shipped" / kind)
        found = next((place for place in places if (place / marker).is_dir()), None)
        if found is None:
            raise SettingsError(f"no {kind} folder is here or in the installation; set {name}")
        return found
