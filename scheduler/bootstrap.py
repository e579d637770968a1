"""The one place that wires parts together. Parts are made when first asked for: a small command stays quick."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scheduler.clock import ShiftedClock, SystemClock
from scheduler.domain.faults import Fault
from scheduler.domain.people import Channel, Mobility
from scheduler.domain.zones import use_packaged_zones
from scheduler.services.turn import Turn
from scheduler.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine

    from scheduler.channels.errors import ErrorTable
    from scheduler.channels.smtp import SmtpSettings
    from scheduler.channels.smtp.mailbox import Mailbox
    from scheduler.domain.messages import MessageStatus
    from scheduler.ports import Clock, EmailChannel, ErrorClass, Renderer, SmsChannel, TemplatePreview
    from scheduler.services.advance import SimulatedTime
    from scheduler.services.bounces import Bounces
    from scheduler.services.claiming import Claiming
    from scheduler.services.composing import Composer
    from scheduler.services.deliver import Delivery
    from scheduler.services.links import Links
    from scheduler.services.receipts import ReceiptBook
    from scheduler.services.reconcile import Reconciliation
    from scheduler.services.rules import Rules
    from scheduler.services.tick import Ticker
    from scheduler.store.simulated_inbox import StoredInbox
    from scheduler.store.unit import Store
    from scheduler.store.vault import Vault

CLOCK_OFFSET = "clock_offset_seconds"  # note of a simulated installation: how far a visitor has moved the clock


class FaultyContentError(ValueError):
    """Pathways, templates or tables have faults, and the service does not start on them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{len(faults)} faults keep Bonewise from starting; `bonewise check` lists all:\n{lines}")
        self.faults = tuple(faults)


class App:
    """A configured installation, in this process."""

    def __init__(self, settings: Settings, *, is_worker: bool = False) -> None:
        use_packaged_zones()
        self.settings = settings
        self._is_worker = is_worker
        self.turn = Turn()  # held by whoever works: who moves the clock of the simulated phones does so alone

    # What the clinicians wrote

    @cached_property
    def rules(self) -> Rules:
        """Pathways, kinds of task and words of reply. Raises `FaultyContentError`."""
        rules, faults = self._load_rules(templates_dir=self.settings.templates_dir)
        if faults:
            raise FaultyContentError([self._placed(fault) for fault in faults])
        return rules

    def faults(self) -> list[Fault]:
        """Every fault in settings, pathways, templates and tables, in order of file and line."""
        from scheduler.catalogue.template_faults import template_faults
        from scheduler.channels.errors import error_table_faults

        rules, faults = self._load_rules()
        faults += error_table_faults(self._error_file)
        faults += template_faults(
            self.settings.templates_dir,
            rules.pathways,
            config_dir=self.settings.config_dir,
            unread={file.stem for file in self.settings.config_dir.glob("pathways/*.yaml")} - set(rules.pathways),
        )
        return sorted({*self._setting_faults(), *(self._placed(fault) for fault in faults)})

    def _placed(self, fault: Fault) -> Fault:
        """The fault with its path as seen from the working folder, for the folders may lie anywhere."""
        for folder in (self.settings.config_dir, self.settings.templates_dir):
            if fault.path.startswith(f"{folder.name}/"):
                return replace(fault, path=(folder.parent / fault.path).as_posix())
        return fault

    def _setting_faults(self) -> Iterator[Fault]:
        """What `load_settings` cannot judge, for it knows neither databases nor keys nor mail servers."""
        from scheduler.store.engine import make_engine
        from scheduler.store.vault import KeyRing

        settings = self.settings
        checks: list[Callable[[], object]] = [lambda: make_engine(settings.database_url)]
        if settings.secret_keys:
            checks.append(lambda: KeyRing.parse(settings.secret_keys or ""))
        if settings.email == "smtp":
            checks += [self._mail_server, self._bounce_address]
        if settings.bounce_mailbox:
            checks.append(self.bounce_mailbox)
        for check in checks:
            try:
                check()
            except ValueError as error:
                yield Fault("settings", 0, str(error))

    def _load_rules(self, *, templates_dir: Path | None = None) -> tuple[Rules, list[Fault]]:
        """What is sound, and every fault. With `templates_dir`, also that each message a pathway names is there."""
        from scheduler.catalogue.pathway_files import load_pathways
        from scheduler.catalogue.reply_words import load_reply_words
        from scheduler.catalogue.task_kinds import load_task_kinds
        from scheduler.services.rules import Rules

        config_dir = self.settings.config_dir
        loaded = load_pathways(config_dir, templates_dir=templates_dir)
        kinds = load_task_kinds(config_dir)
        words = load_reply_words(config_dir, loaded.pathways)
        rules = Rules(
            pathways=loaded.pathways,
            off_by_default=loaded.disabled,
            task_kinds=kinds.kinds,
            reply_words=words.words,
        )
        return rules, [*loaded.faults, *kinds.faults, *words.faults]

    @cached_property
    def templates(self) -> Renderer:
        """The messages' texts; read when they are first needed."""
        from scheduler.catalogue.deferred import DeferredTemplates

        return DeferredTemplates(self.settings.templates_dir)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that messages are written in."""
        from scheduler.catalogue.template_tree import read_tree

        return read_tree(self.settings.templates_dir).languages()

    def preview(self, template: str, language: str) -> list[TemplatePreview]:
        """A message as a patient would get it. Raises `LookupError` for one that does not exist."""
        from scheduler.catalogue.preview import preview

        return preview(
            self.settings.templates_dir,
            template,
            language,
            pathways=self.rules.pathways,
            config_dir=self.settings.config_dir,
        )

    # Where things are kept

    @cached_property
    def engine(self) -> Engine:
        from scheduler.store.engine import make_engine

        return make_engine(self.settings.database_url, worker=self._is_worker)

    @cached_property
    def vault(self) -> Vault:
        from scheduler.store.vault import KeyRing, Vault, load

        keys = self.settings.secret_keys
        return Vault(KeyRing.parse(keys) if keys else load(self.settings.keys_file))

    @cached_property
    def store(self) -> Store:
        """The store. Raises when the database is not there or not of this version."""
        from scheduler.store.key_check import require_fitting_keys
        from scheduler.store.migrate import require_current
        from scheduler.store.unit import Store

        require_current(self.engine)
        store = Store(self.engine, self.vault)
        source = "BONEWISE_SECRET_KEYS" if self.settings.secret_keys else str(self.settings.keys_file)
        require_fitting_keys(store, self.vault, source=source)
        return store

    def initialise(self) -> bool:
        """Create or migrate the database, and make keys where there are none. True when the database changed."""
        from scheduler.store import engine_schema
        from scheduler.store.key_check import note_keys
        from scheduler.store.migrate import current, upgrade
        from scheduler.store.vault import load_or_create

        is_new = current(self.engine) is None
        if not self.settings.secret_keys and is_new:
            load_or_create(self.settings.keys_file)
        _ = self.vault  # an old database without its keys is a fault to name now, not at the first patient
        has_changed = upgrade(self.engine)
        has_changed |= engine_schema.install(self.engine)
        store = self.store  # an old database with the keys of another is refused here
        if is_new:
            note_keys(store, self.vault)
        return has_changed

    def rotate_keys(self, on_progress: Callable[[int], None]) -> int:
        """Make a new key and seal everything again under it; returns the number of rows changed.

        With keys from the environment the newest of those is used, and making one is up to the operator.
        """
        from scheduler.store.key_check import note_keys
        from scheduler.store.rotation import reseal
        from scheduler.store.vault import Vault, load, save

        _ = self.store  # the database has to be there and of this version before a key is made for it
        if not self.settings.secret_keys:
            save(self.settings.keys_file, load(self.settings.keys_file).with_new_key())
            self.vault = Vault(load(self.settings.keys_file))
        changed = reseal(self.engine, self.vault, on_progress=on_progress)
        note_keys(self.store, self.vault)
        return changed

    @property
    def has_job_queue(self) -> bool:
        """Whether many workers can share the work: the database keeps a queue of jobs for them."""
        from scheduler.store.engine_schema import is_available

        return is_available(self.engine)

    def job_queue(self) -> tuple[dict[str, Any], str]:
        """How the queue is reached: arguments of `psycopg.connect`, and the schema. Raises when it is not there."""
        from scheduler.store.engine_schema import SCHEMA, connection_settings, require

        require(self.engine)
        return connection_settings(self.engine), SCHEMA

    def database_fault(self) -> str | None:
        """Why the database cannot be read, in one sentence; None when it can."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.store.reading() as unit:
                unit.installation.note(CLOCK_OFFSET)
        except (self.store_unavailable, SQLAlchemyError) as error:
            return str(error)
        return None

    @property
    def store_unavailable(self) -> type[Exception]:
        """What all work with the store raises where the database cannot be reached; its text is for the operator."""
        from scheduler.store.unavailable import StoreUnavailable

        return StoreUnavailable

    @cached_property
    def simulated_inbox(self) -> StoredInbox:
        from scheduler.store.simulated_inbox import StoredInbox

        return StoredInbox(self.engine, self.vault)

    # The time

    @cached_property
    def clock(self) -> Clock:
        return self._shifted_clock if self.settings.is_simulated else SystemClock()

    @cached_property
    def _shifted_clock(self) -> ShiftedClock:
        return ShiftedClock(self._clock_offset)

    @cached_property
    def simulated_time(self) -> SimulatedTime | None:
        """What moves the clock; None unless nothing leaves the machine."""
        from scheduler.services.advance import SimulatedTime

        if not self.settings.is_simulated:
            return None
        return SimulatedTime(
            store=self.store, ticker=self.ticker, clock=self._shifted_clock, note=CLOCK_OFFSET, turn=self.turn
        )

    def _clock_offset(self) -> timedelta:
        with self.store.reading() as unit:
            return timedelta(seconds=float(unit.installation.note(CLOCK_OFFSET) or 0))

    # Channels and services

    @cached_property
    def links(self) -> Links:
        from scheduler.services.links import Links

        return Links(self.vault, public_url=self.settings.public_url)

    @cached_property
    def composer(self) -> Composer:
        from scheduler.services.composing import Composer

        return Composer(self.templates, self.links)

    @cached_property
    def sms_channel(self) -> SmsChannel:
        """The one way texts go: delivery sends over it, reconciliation asks it what it has."""
        return self._sms()

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
            classify=self._errors.twilio,
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
            store=self.store, rules=self.rules, sms=None, classify=self._errors.twilio, clock=clock
        )
        return Ticker(store=self.store, rules=self.rules, delivery=delivery, reconciliation=asking, clock=clock)

    def verify_twilio(self, url: str, params: Iterable[tuple[str, str]], signature: str | None) -> bool:
        """Whether Twilio signed this request. `url` is `public_url` with the request's own path and query."""
        from scheduler.channels.twilio.signature import verify_signature

        tokens = (self.settings.twilio_auth_token,)
        return verify_signature(url=url, params=params, signature=signature, tokens=tokens)

    def read_twilio_status(self, word: str, code: str | None) -> tuple[MessageStatus | None, ErrorClass]:
        """What Twilio's word for a message's status and its error code mean to us; None for words not known here."""
        from scheduler.channels.twilio.statuses import status_of

        return status_of(word), self._errors.twilio(code)

    def warm_up(self) -> None:
        """Make all that serving needs, so that no request has to wait for it. Raises what keeps it from serving."""
        _ = self.rules, self.store, self.ticker, self.simulated_time
        self.templates.activities(Mobility.WALKING, ("en",))
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

    @property
    def _error_file(self) -> Path:
        return self.settings.config_dir / "provider_errors.yaml"

    @cached_property
    def _errors(self) -> ErrorTable:
        from scheduler.channels.errors import load_error_table

        return load_error_table(self._error_file)

    def meaning_of_refusal(self, channel: Channel, code: str | None, *, of_account: bool) -> tuple[str, str] | None:
        """What a code means for which a provider takes nothing more, and what to do; None when unlisted.

        Raises `ValueError` when the error table has faults.
        """
        from scheduler.channels.refusals import meaning_of_refusal

        return meaning_of_refusal(self._errors, channel, code, of_account=of_account)

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

    def _bounce_address(self) -> str:
        from scheduler.channels.smtp import ascii_address

        try:
            return ascii_address(self.settings.bounce_address) if self.settings.bounce_address else ""
        except ValueError as error:
            raise SettingsError(f"BONEWISE_BOUNCE_ADDRESS: {error}; write one such as bounces@example.org") from error

    def _mail_server(self) -> SmtpSettings:
        from scheduler.channels.smtp import parse_smtp_url

        try:
            return parse_smtp_url(self.settings.smtp_url, timeout=self.settings.provider_timeout)
        except ValueError as error:
            raise SettingsError(f"BONEWISE_SMTP_URL: {error}") from error

    # What comes back

    @cached_property
    def bounces(self) -> Bounces:
        """What takes undeliverable mail that came back."""
        from scheduler.channels.errors import SmtpStage
        from scheduler.services.bounces import Bounces

        def judge(reply: int, status: str | None, *, of_content: bool) -> ErrorClass:
            return self._errors.smtp(SmtpStage.CONTENT if of_content else SmtpStage.RECIPIENT, reply, status)

        return Bounces(store=self.store, rules=self.rules, book=self.receipts, judge=judge, clock=self.clock)

    def bounce_mailbox(self, url: str = "") -> Mailbox:
        """The mailbox at `url`, else of the settings; a context manager opens it. Raises `SettingsError`."""
        from scheduler.channels.smtp.mailbox import Mailbox
        from scheduler.channels.smtp.mailbox_url import parse_mailbox_url

        name, given = ("--mailbox", url) if url else ("BONEWISE_BOUNCE_MAILBOX", self.settings.bounce_mailbox)
        if not given:
            raise SettingsError("BONEWISE_BOUNCE_MAILBOX is missing; set it, or write --mailbox imaps://...")
        try:
            return Mailbox(parse_mailbox_url(given, timeout=self.settings.provider_timeout))
        except ValueError as error:
            raise SettingsError(f"{name}: {error}") from error

    def close(self) -> None:
        """Let go of channels and database."""
        if "delivery" in self.__dict__:
            self.delivery.close()
        elif "sms_channel" in self.__dict__:
            self.sms_channel.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
