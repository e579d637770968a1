"""The ways to patients and back."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.bootstrap.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scheduler.domain.messages import MessageStatus
    from scheduler.ports import EmailChannel, ErrorClass, SmsChannel


class Providers(Storage):
    """The channels that the settings name, and what comes back over them."""

    @cached_property
    def sms_channel(self) -> SmsChannel:
        """The one way texts go: delivery sends over it, reconciliation asks it what it has."""
        return self._sms()

    def _sms(self) -> SmsChannel:
        if self.settings.sms != "twilio":
            from scheduler.channels.simulated import SimulatedSms

            return SimulatedSms(self.simulated_inbox, self.clock)
        from scheduler.channels.errors import load_error_table
        from scheduler.channels.twilio import TwilioSettings, TwilioSms

        settings = self.settings
        account = TwilioSettings(
            account_sid=settings.twilio_account_sid,
            username=settings.twilio_api_key or settings.twilio_account_sid,
            password=settings.twilio_api_secret or settings.twilio_auth_token,
            public_url=settings.public_url,
            api_url=settings.twilio_api_url,
            timeout=settings.provider_timeout,
        )
        return TwilioSms(account, errors=load_error_table(self._error_file), clock=self.clock)

    @cached_property
    def email_channel(self) -> EmailChannel:
        """The one way e-mails go: to patients, and to a clinic's own people."""
        return self._email()

    def _email(self) -> EmailChannel:
        if self.settings.email != "smtp":
            from scheduler.channels.simulated import SimulatedEmail

            return SimulatedEmail(self.simulated_inbox, self.clock)
        from scheduler.channels.errors import load_error_table
        from scheduler.channels.smtp import SmtpEmail

        return SmtpEmail(
            self._mail_server(),
            errors=load_error_table(self._error_file),
            clock=self.clock,
            bounce_address=self._bounce_address(),
        )

    def verify_twilio(self, url: str, params: Iterable[tuple[str, str]], signature: str | None) -> bool:
        """Whether Twilio signed this request. `url` is `public_url` with the request's own path and query."""
        from scheduler.channels.twilio.signature import verify_signature

        tokens = (self.settings.twilio_auth_token,)
        return verify_signature(url=url, params=params, signature=signature, tokens=tokens)

    def read_twilio_status(self, word: str, code: str | None) -> tuple[MessageStatus | None, ErrorClass]:
        """What Twilio's word for a message's status and its error code mean to us; None for words not known here."""
        from scheduler.channels.twilio.statuses import status_of

        return status_of(word), self.errors.twilio(code)
