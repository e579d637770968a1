"""What the Twilio channel needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    threads: int = 16  # requests under way at once
