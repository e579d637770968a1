"""What the services need from the outside world. `store`, `channels` and `catalogue` implement these."""

from scheduler.ports.channels import (
    EmailChannel,
    ErrorClass,
    OutboundEmail,
    OutboundSms,
    Outcome,
    SendResult,
    SimulatedDelivery,
    SimulatedInbox,
    SmsChannel,
)
from scheduler.ports.clock import Clock
from scheduler.ports.rendering import MessageValues, RenderedEmail, RenderedSms, Renderer, TemplatePreview
from scheduler.ports.store import SERVICE, Store, Unit

__all__ = [
    "SERVICE",
    "Clock",
    "EmailChannel",
    "ErrorClass",
    "MessageValues",
    "OutboundEmail",
    "OutboundSms",
    "Outcome",
    "RenderedEmail",
    "RenderedSms",
    "Renderer",
    "SendResult",
    "SimulatedDelivery",
    "SimulatedInbox",
    "SmsChannel",
    "Store",
    "TemplatePreview",
    "Unit",
]
