"""E-mail through an SMTP server."""

from scheduler.channels.smtp.channel import SmtpEmail
from scheduler.channels.smtp.message import ascii_address
from scheduler.channels.smtp.settings import SmtpSettings, SmtpUrlError, Tls, parse_smtp_url

__all__ = ["SmtpEmail", "SmtpSettings", "SmtpUrlError", "Tls", "ascii_address", "parse_smtp_url"]
