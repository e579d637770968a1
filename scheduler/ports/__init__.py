"""What the services need from the outside world. `store`, `channels` and `catalogue` implement these."""

from scheduler.ports.channels import (
    WINDOW_CLOSED,
    EmailChannel,
    ErrorClass,
    Handed,
    OutboundEmail,
    OutboundSms,
    Outcome,
    ProviderUnavailable,
    Scope,
    SendResult,
    SimulatedDelivery,
    SimulatedInbox,
    SmsChannel,
)
from scheduler.ports.clock import Clock
from scheduler.ports.rendering import MessageValues, RenderedEmail, RenderedSms, Renderer, TemplatePreview
from scheduler.ports.store import Rehearsed, Store, Unit
from scheduler.ports.work import Stopping, Waiting, Work
from scheduler.ports.worklist import SERVICE

__all__ = [
    "SERVICE",
    "WINDOW_CLOSED",
    "Clock",
    "EmailChannel",
    "ErrorClass",
    "Handed",
    "MessageValues",
    "OutboundEmail",
    "OutboundSms",
    "Outcome",
    "ProviderUnavailable",
    "Rehearsed",
    "RenderedEmail",
    "RenderedSms",
    "Renderer",
    "Scope",
    "SendResult",
    "SimulatedDelivery",
    "SimulatedInbox",
    "SmsChannel",
    "Stopping",
    "Store",
    "TemplatePreview",
    "Unit",
    "Waiting",
    "Work",
]
