"""SMS through Twilio's Messages resource, and the check of its signed webhooks."""

from scheduler.channels.twilio.channel import TwilioSms
from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.channels.twilio.signature import parse_form, verify_signature

__all__ = ["TwilioSettings", "TwilioSms", "parse_form", "verify_signature"]
