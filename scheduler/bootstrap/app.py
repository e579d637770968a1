"""The installation as everything else sees it."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING

from scheduler.bootstrap.providers import Providers
from scheduler.bootstrap.storage import CLOCK_OFFSET
from scheduler.domain.people import Mobility
from scheduler.services.traffic import Traffic
from scheduler.services.turn import Turn
from scheduler.settings import Settings

if TYPE_CHECKING:
    from scheduler.ports import Clock, EmailChannel, ErrorClass
    from scheduler.services.accounts.openid import OpenIdDoor
    from scheduler.services.advance import SimulatedTime
    from scheduler.services.bounces import Bounces
    from scheduler.services.claiming import Claiming
    from scheduler.services.composing import Composer
    from scheduler.services.deliver import Delivery
    from scheduler.services.finding import Finder
    from scheduler.services.front_desk import FrontDesk
    from scheduler.services.links import Links
    from scheduler.services.mail_in import MailIn
    from scheduler.services.office import Office
    from scheduler.services.playing import Player
    from scheduler.services.receipts import ReceiptBook
    from scheduler.services.reconcile import Reconciliation
    from scheduler.services.tick import Ticker
    from scheduler.services.understanding import Understanding
    from scheduler.services.uploads.desk import UploadDesk


class App(Providers):
    """A configured installation, in this process."""

    def __init__(self, settings: Settings, *, is_worker: bool = False) -> None:
        super().__init__(settings, is_worker=is_worker)
        self.traffic = Traffic()
        self.stopping = Event()  # the process has been asked to end
        self.turn = Turn()  # held by whoever works: who moves the clock of the simulated phones does so alone

    @cached_property
    def simulated_time(self) -> SimulatedTime | None:
        """What moves the clock; None unless nothing leaves the machine."""
        from scheduler.services.advance import SimulatedTime

        if not self.settings.is_simulated:
            return None
        return SimulatedTime(
            store=self.store,
            ticker=self.ticker,
            clock=self._shifted_clock,
            note=CLOCK_OFFSET,
            turn=self.turn,
            stopping=self.stopping.is_set,
        )

    @cached_property
    def player(self) -> Player | None:
        """What lets the clock run fast; None unless nothing leaves the machine."""
        from scheduler.clock import SystemClock
        from scheduler.services.playing import Player

        if self.simulated_time is None:
            return None
        return Player(store=self.store, moves=self.simulated_time, clock=self.clock, wall=SystemClock())

    @cached_property
    def links(self) -> Links:
        from scheduler.services.links import Links

        return Links(self.vault, public_url=self.settings.public_url)

    @cached_property
    def finder(self) -> Finder:
        """Finds patients while somebody types, one for all requests of this process."""
        from scheduler.services.finding import Finder

        return Finder(self.store)

    @cached_property
    def uploads(self) -> UploadDesk:
        """Takes lists of patients that are sent to the pages of staff, one for all requests of this process."""
        from scheduler.services.uploads.desk import UploadDesk

        return UploadDesk(
            store=self.store,
            rules=self.rules,
            folder=self.settings.data_dir / "uploads",
            worker=self.worker_name,
            clock=self.clock,
            wall=lambda: datetime.now(UTC),
        )

    @cached_property
    def openid(self) -> OpenIdDoor | None:
        """The way in by the clinic's own provider; None unless the settings name one. Raises `SettingsError`."""
        from scheduler.services.accounts.openid import OpenIdDoor, Policy

        settings = self.settings
        if not settings.oidc_issuer:
            return None
        policy = Policy(
            clinics=frozenset(settings.oidc_clinics),
            always_asks=settings.oidc_second_factor == "always",
            contexts=frozenset(settings.oidc_acr),
        )
        return OpenIdDoor(
            store=self.store,
            provider=self.identity_provider(),
            policy=policy,
            label=settings.oidc_label,
            public_url=settings.public_url,
        )

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
        from scheduler.services.addressing import Addressing
        from scheduler.services.aftermath import Aftermath
        from scheduler.services.claiming import Claiming

        return Claiming(
            store=self.store,
            composer=self.composer,
            aftermath=Aftermath(self.rules),
            addressing=Addressing(self.rules),
        )

    @cached_property
    def delivery(self) -> Delivery:
        from scheduler.services.deliver import Delivery

        return Delivery(
            store=self.store,
            rules=self.rules,
            claiming=self._claiming,
            abreast=2 if self.store.has_many_writers else 1,
            sms=self.sms_channel,
            email=self.email_channel,
            clock=self.clock,
            worker=self.worker_name,
        )

    def _office(self, email: EmailChannel, clock: Clock) -> Office:
        """What looks after the worklist, and writes to a clinic's own people."""
        from scheduler.services.office import Office

        return Office(
            store=self.store,
            rules=self.rules,
            email=email,
            clock=clock,
            worker=self.worker_name,
            public_url=self.settings.public_url,
        )

    @cached_property
    def ticker(self) -> Ticker:
        from scheduler.services.tick import Ticker

        return Ticker(
            store=self.store,
            rules=self.rules,
            delivery=self.delivery,
            reconciliation=self.reconciliation,
            understanding=self.understanding,
            office=self._office(self.email_channel, self.clock),
            clock=self.clock,
        )

    @cached_property
    def understanding(self) -> Understanding:
        """What understands replies, one for all threads of this process."""
        return self._understanding(self.clock)

    def _understanding(self, clock: Clock) -> Understanding:
        from scheduler.services.understanding import Understanding

        return Understanding(store=self.store, rules=self.rules, clock=clock, traffic=self.traffic)

    @cached_property
    def front_desk(self) -> FrontDesk:
        """Where texts come in, one for all requests of this process."""
        from scheduler.services.front_desk import FrontDesk, SoonUnderstood
        from scheduler.services.replies import Reception

        return FrontDesk(
            store=self.store,
            reception=Reception(store=self.store, rules=self.rules),
            understanding=SoonUnderstood(self.understanding, shared=self.turn.shared),
            traffic=self.traffic,
        )

    def ticker_at(self, clock: Clock) -> Ticker:
        """A ticker of simulated phones that lives by another clock: for what happened before now."""
        from scheduler.channels.simulated import SimulatedEmail, SimulatedSms
        from scheduler.services.deliver import Delivery
        from scheduler.services.reconcile import Reconciliation
        from scheduler.services.tick import Ticker

        email = SimulatedEmail(self.simulated_inbox, clock)
        delivery = Delivery(
            store=self.store,
            rules=self.rules,
            claiming=self._claiming,
            sms=SimulatedSms(self.simulated_inbox, clock),
            email=email,
            clock=clock,
            worker=self.worker_name,
        )
        asking = Reconciliation(
            store=self.store, rules=self.rules, sms=None, classify=self.errors.twilio, clock=clock
        )
        return Ticker(
            store=self.store,
            rules=self.rules,
            delivery=delivery,
            reconciliation=asking,
            understanding=self._understanding(clock),
            office=self._office(email, clock),
            clock=clock,
        )

    def warm_up(self) -> None:
        """Make all that serving needs, so that no request has to wait for it. Raises what keeps it from serving."""
        _ = self.rules, self.store, self.ticker, self.simulated_time, self.player, self.finder, self.uploads
        self.templates.activities("exercise", Mobility.WALKING, ("en",))
        if self.settings.sms == "twilio":
            self.verify_twilio(self.settings.public_url, (), "none")
            self.read_twilio_status("", None)
            _ = self.receipts, self.front_desk
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

    @cached_property
    def mail_in(self) -> MailIn:
        """What takes mail in: patients' letters, undeliverable mail, complaints."""
        from scheduler.services.mail_in import MailIn

        return MailIn(store=self.store, rules=self.rules, bounces=self.bounces, clock=self.clock)

    def close(self) -> None:
        """Finish what came in, and let go of channels and database."""
        self.stopping.set()
        if (player := self.__dict__.get("player")) is not None:
            player.close()
        if "uploads" in self.__dict__:
            self.uploads.close()
        if "front_desk" in self.__dict__:
            self.front_desk.close()
        if "delivery" in self.__dict__:
            self.delivery.close()
        elif "sms_channel" in self.__dict__:
            self.sms_channel.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
