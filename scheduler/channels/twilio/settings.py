"""What the Twilio channel needs to know."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote

TWILIO_API = "https://api.twilio.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """An account, the credentials to use it with, and where both sides are.

    `username` and `password` are the account SID and auth token, or an API key (SK...) and its secret; the
    account SID is needed in both cases. `timeout` is in seconds, for connecting and again for the answer.
    """

    account_sid: str
    username: str
    password: str = field(repr=False)
    public_url: str  # where Twilio reaches us, without a path at the end
    api_url: str = TWILIO_API
    timeout: float = 10.0
    concurrency: int = 64  # requests under way at once: 64 / 0.05 s of latency = 1,280 texts a second

    @property
    def messages_url(self) -> str:
        """The account's Messages resource. https://www.twilio.com/docs/messaging/api/message-resource"""
        return f"{self.api_url.rstrip('/')}/2010-04-01/Accounts/{quote(self.account_sid, safe='')}/Messages.json"

    @property
    def authorization(self) -> str:
        """The value of the Authorization header: HTTP Basic, RFC 7617."""
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()
