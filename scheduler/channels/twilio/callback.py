"""The address that Twilio reports a message's delivery to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit
from uuid import UUID

from scheduler.channels.twilio.settings import TWILIO_API

# Twilio repeats a callback once, and only when it could not connect, unless the address ends in this
# fragment: three more tries, also after a 5xx answer and a timeout. It is not part of the signed address.
# https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
RETRIES = "#rc=3&rp=5xx,ct,rt"

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?", re.IGNORECASE)


def status_callback_base(public_url: str, api_url: str) -> str | None:
    """Where receipts go, up to the attempt's id; None when Twilio would refuse the address or never reach it.

    Twilio wants a valid host name without an underscore. An address that only this machine or network
    knows is left out too, unless the API itself is a test server that can reach it.
    https://www.twilio.com/docs/messaging/api/message-resource#create-a-message
    """
    host = urlsplit(public_url).hostname or ""
    if not _is_acceptable(host) or (_is_local(host) and api_url.rstrip("/") == TWILIO_API):
        return None
    return f"{public_url.rstrip('/')}/hooks/twilio/status?a="


def status_callback(base: str, attempt_id: UUID) -> str:
    """The full address for one attempt.

    The id says nothing about the patient, and finds the attempt even when Twilio's answer was lost.
    """
    return f"{base}{attempt_id}{RETRIES}"


def _is_acceptable(host: str) -> bool:
    return _is_address(host) or _HOST_NAME.fullmatch(host) is not None


def _is_local(host: str) -> bool:
    if _is_address(host):
        return not ipaddress.ip_address(host).is_global
    return host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
