"""The installation as everything else sees it."""

from __future__ import annotations

import os
import socket
from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.bootstrap.providers import Providers
from scheduler.bootstrap.storage import CLOCK_OFFSET
from scheduler.domain.people import Mobility
from scheduler.services.turn import Turn
from scheduler.settings import Settings

if TYPE_CHECKING:
    from scheduler.ports import Clock, ErrorClass
    from scheduler.services.advance import SimulatedTime
    from scheduler.services.bounces import Bounces
    from scheduler.services.claiming import Claiming
    from scheduler.services.composing import Composer
    from scheduler.services.deliver import Delivery
    from scheduler.services.links import Links
    from scheduler.services.receipts import ReceiptBook
    from scheduler.services.reconcile import Reconciliation
    from scheduler.services.tick import Ticker


class App(Providers):
    """A configured installation, in this process."""

    def __init__(self, settings: Settings, *, is_worker: bool = False) -> None:
        super().__init__(settings, is_worker=is_worker)
        self.turn = Turn()  # held by whoever works: who moves the clock of the simulated phones does so alone

    @cached_property
    def simulated_time(self) -> SimulatedTime | None:
        """What moves the clock; None unless nothing leaves the machine."""
        from scheduler.services.advance import SimulatedTime

        if not self.settings.is_simulated:
            return None
        return SimulatedTime(
            store=self.store, ticker=self.ticker, clock=self._shifted_clock, note=CLOCK_OFFSET, turn=self.turn
        )

    @cached_property
    def links(self) -> Links:
        from scheduler.services.links import Links

        return Links(self.vault, public_url=self.settings.public_url)

    @cached_property
    def composer(self) -> Composer:
        from scheduler.services.composing import Composer

        return Composer(self.templates, self.links)

    @cached_property
    def receipts(self) -> ReceiptBook:
        """Takes in what providers report about messages."""
        from scheduler.services.receipts import ReceiptBook

        return ReceiptBook(self.store, self.rules)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        """Settles texts whose hand-over got no readable answer."""
        from scheduler.services.reconcile import Reconciliation

        return Reconciliation(
            store=self.store,
            rules=self.rules,
            sms=self.sms_channel if self.settings.sms == "twilio" else None,
            classify=self.errors.twilio,
            clock=self.clock,
        )

    @cached_property
    def _claiming(self) -> Claiming:
        from scheduler.services.aftermath import Aftermath
        from scheduler.services.claiming import Claiming

        return Claiming(store=self.store, composer=self.composer, aftermath=Aftermath(self.rules))

    @cached_property
    def delivery(self) -> Delivery:
        from scheduler.services.deliver import Delivery

        return Delivery(
            store=self.store,
            rules=self.rules,
            claiming=self._claiming,
            abreast=2 if self.store.has_many_writers else 1,
            sms=self.sms_channel,
            email=self._email(),
            clock=self.clock,
            worker=self.worker_name,
        )

    @cached_property
    def ticker(self) -> Ticker:
        from scheduler.services.tick import Ticker

        return Ticker(
            store=self.store,
            rules=self.rules,
            delivery=self.delivery,
            reconciliation=self.reconciliation,
            clock=self.clock,
        )

    def ticker_at(self, clock: Clock) -> Ticker:
        """A ticker of simulated phones that lives by another clock: for what happened before now."""
        from scheduler.channels.simulated import SimulatedEmail, SimulatedSms
        from scheduler.services.deliver import Delivery
        from scheduler.services.reconcile import Reconciliation
        from scheduler.services.tick import Ticker

        delivery = Delivery(
            store=self.store,
            rules=self.rules,
            claiming=self._claiming,
            sms=SimulatedSms(self.simulated_inbox, clock),
            email=SimulatedEmail(self.simulated_inbox, clock),
            clock=clock,
            worker=self.worker_name,
        )
        asking = Reconciliation(
            store=self.store, rules=self.rules, sms=None, classify=self.errors.twilio, clock=clock
        )
        return Ticker(store=self.store, rules=self.rules, delivery=delivery, reconciliation=asking, clock=clock)

    def warm_up(self) -> None:
        """Make all that serving needs, so that no request has to wait for it. Raises what keeps it from serving."""
        _ = self.rules, self.store, self.ticker, self.simulated_time
        self.templates.activities("exercise", Mobility.WALKING, ("en",))
        if self.settings.sms == "twilio":
            self.verify_twilio(self.settings.public_url, (), "none")
            self.read_twilio_status("", None)
            _ = self.receipts
        else:
            _ = self.simulated_inbox

    @cached_property
    def worker_name(self) -> str:
        """This process, as leases and heartbeats know it."""
        return f"{socket.gethostname()[:40]}:{os.getpid()}"

    @cached_property
    def bounces(self) -> Bounces:
        """What takes undeliverable mail that came back."""
        from scheduler.channels.errors import SmtpStage
        from scheduler.services.bounces import Bounces

        def judge(reply: int, status: str | None, *, of_content: bool) -> ErrorClass:
            return self.errors.smtp(SmtpStage.CONTENT if of_content else SmtpStage.RECIPIENT, reply, status)

        return Bounces(store=self.store, rules=self.rules, book=self.receipts, judge=judge, clock=self.clock)

    def close(self) -> None:
        """Let go of channels and database."""
        if "delivery" in self.__dict__:
            self.delivery.close()
        elif "sms_channel" in self.__dict__:
            self.sms_channel.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
