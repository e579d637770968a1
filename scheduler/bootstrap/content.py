"""What is written down: pathways, templates, words, tables, and the addresses in the settings."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.domain.faults import Fault
from scheduler.domain.people import Channel
from scheduler.domain.zones import use_packaged_zones
from scheduler.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from scheduler.catalogue.content_rules import ContentRules, WordRule
    from scheduler.channels.errors import ErrorTable
    from scheduler.channels.smtp import SmtpSettings
    from scheduler.channels.smtp.mailbox import Mailbox
    from scheduler.domain.holidays import HolidayCalendar
    from scheduler.ports import Renderer, TemplatePreview
    from scheduler.ports.gallery import Gallery
    from scheduler.ports.identity import IdentityProvider
    from scheduler.ports.ui import UiWords
    from scheduler.services.rules import Rules

_LONGEST_SIGN_IN = 5.0  # seconds that somebody waits for each answer of the provider they sign in by


class FaultyContentError(ValueError):
    """Pathways, templates or tables have faults, and the service does not start on them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"{len(faults)} faults keep Bonewise from starting; `bonewise check` lists all:\n{lines}")
        self.faults = tuple(faults)


class Content:
    """Read when it is first needed; every fault in it has its place."""

    def __init__(self, settings: Settings) -> None:
        use_packaged_zones()
        self.settings = settings

    @cached_property
    def rules(self) -> Rules:
        """Pathways, kinds of task and words of reply. Raises `FaultyContentError`."""
        rules, faults = self._load_rules(templates_dir=self.settings.templates_dir)
        if faults:
            raise FaultyContentError([self._placed(fault) for fault in faults])
        return rules

    @cached_property
    def calendars(self) -> dict[str, HolidayCalendar]:
        """The calendars of holidays that clinics choose from. Raises `FaultyContentError`."""
        from scheduler.catalogue.holiday_files import load_holidays

        loaded = load_holidays(self.settings.config_dir)
        if loaded.faults:
            raise FaultyContentError([self._placed(fault) for fault in loaded.faults])
        return loaded.calendars

    def faults(self) -> list[Fault]:
        """Every fault in settings, pathways, templates and tables, in order of file and line."""
        from scheduler.catalogue.template_faults import template_faults
        from scheduler.channels.errors import error_table_faults

        rules, faults = self._load_rules()
        begun = self._languages_begun()
        faults += error_table_faults(self._error_file)
        faults += self._word_faults(begun)
        faults += template_faults(
            self.settings.templates_dir,
            rules.pathways,
            config_dir=self.settings.config_dir,
            languages=begun,
            unread={file.stem for file in self.settings.config_dir.glob("pathways/*.yaml")} - set(rules.pathways),
        )
        return sorted({*self._setting_faults(), *(self._placed(fault) for fault in faults)})

    def _languages_begun(self) -> tuple[str, ...]:
        """The languages that there must be, and any other of which some piece is there: each has to be whole."""
        from scheduler.catalogue.reply_words import languages_of_replies
        from scheduler.catalogue.template_faults import REQUIRED_LANGUAGES
        from scheduler.catalogue.ui_words import catalogue_paths

        own = (self.settings.templates_dir,)
        begun = {*self.languages, *languages_of_replies(self.settings.config_dir), *catalogue_paths(own)}
        return (*REQUIRED_LANGUAGES, *sorted(begun - set(REQUIRED_LANGUAGES)))

    def _word_faults(self, languages: Sequence[str]) -> list[Fault]:
        """What is missing or wrong in the words of the pages, and whose words of reply are missing."""
        from scheduler.catalogue.reply_words import missing_reply_words
        from scheduler.catalogue.ui_checks import ui_faults
        from scheduler.catalogue.ui_words import WEB

        return [
            *missing_reply_words(self.settings.config_dir, languages),
            *ui_faults(self._template_folders, WEB, languages),
        ]

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
        if settings.oidc_issuer:
            checks.append(self.identity_provider)
        for check in checks:
            try:
                check()
            except ValueError as error:
                yield Fault("settings", 0, str(error))

    def identity_provider(self) -> IdentityProvider:
        """The OpenID Connect provider of the settings. Raises `SettingsError` without the package that it needs."""
        try:
            from scheduler.identity.provider import Client, OpenIdProvider
        except ModuleNotFoundError as error:
            if error.name != "jwt":
                raise
            raise SettingsError(
                "BONEWISE_OIDC_ISSUER needs the package PyJWT, which is not installed; install it with "
                "`pip install 'bonewise[oidc]'`"
            ) from error
        from scheduler.channels.twilio.handles import default_ca_file
        from scheduler.identity.fetching import Fetcher

        settings = self.settings
        client = Client(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            secret=settings.oidc_client_secret,
            contexts=settings.oidc_acr,
        )
        timeout = min(settings.provider_timeout, _LONGEST_SIGN_IN)
        return OpenIdProvider(client, Fetcher(timeout=timeout, ca_file=default_ca_file()))

    def _load_rules(self, *, templates_dir: Path | None = None) -> tuple[Rules, list[Fault]]:
        """What is sound, and every fault. With `templates_dir`, also that each message a pathway names is there."""
        from scheduler.catalogue.holiday_files import load_holidays
        from scheduler.catalogue.pathway_files import load_pathways
        from scheduler.catalogue.reply_words import load_reply_words
        from scheduler.catalogue.task_kinds import load_task_kinds
        from scheduler.services.rules import Rules

        config_dir = self.settings.config_dir
        loaded = load_pathways(config_dir, templates_dir=templates_dir)
        kinds = load_task_kinds(config_dir)
        words = load_reply_words(config_dir, loaded.pathways)
        holidays = load_holidays(config_dir)
        rules = Rules(
            pathways=loaded.pathways,
            off_by_default=loaded.disabled,
            task_kinds=kinds.kinds,
            reply_words=words.words,
            holidays=holidays.calendars,
        )
        return rules, [*loaded.faults, *kinds.faults, *words.faults, *holidays.faults]

    @cached_property
    def templates(self) -> Renderer:
        """The messages' texts; read when they are first needed."""
        from scheduler.catalogue.deferred import DeferredTemplates

        return DeferredTemplates(self.settings.templates_dir)

    @cached_property
    def ui_words(self) -> UiWords:
        """What the web pages say in other languages. Raises `ValueError` for a catalogue that cannot be read."""
        from scheduler.catalogue.ui_words import load_ui_words

        return load_ui_words(self._template_folders)

    @property
    def _template_folders(self) -> tuple[Path, ...]:
        """Where pages and their words are looked for: the installation's own folder, then what was shipped."""
        from scheduler.catalogue.ui_words import SHIPPED

        return (self.settings.templates_dir, *SHIPPED)

    @cached_property
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

    @cached_property
    def gallery(self) -> Gallery:
        """All messages as patients get them, for staff to look at."""
        from scheduler.catalogue.gallery import TemplateGallery

        return TemplateGallery(self.settings.templates_dir, self.settings.config_dir, self.rules.pathways)

    @property
    def _error_file(self) -> Path:
        return self.settings.config_dir / "provider_errors.yaml"

    @cached_property
    def errors(self) -> ErrorTable:
        from scheduler.channels.errors import load_error_table

        return load_error_table(self._error_file)

    def meaning_of_refusal(self, channel: Channel, code: str | None, *, of_account: bool) -> tuple[str, str] | None:
        """What a code means for which a provider takes nothing more, and what to do; None when unlisted.

        Raises `ValueError` when the error table has faults.
        """
        from scheduler.channels.refusals import meaning_of_refusal

        return meaning_of_refusal(self.errors, channel, code, of_account=of_account)

    def meaning_of_failure(self, channel: Channel, code: str) -> str | None:
        """What a code means for which a message did not arrive; None when unlisted.

        Raises `ValueError` when the error table has faults.
        """
        from scheduler.channels.refusals import meaning_of_failure

        return meaning_of_failure(self.errors, channel, code)

    @cached_property
    def content_rules(self) -> ContentRules:
        """The words that no message should hold; what is wrong with their file is for `check` to say."""
        from scheduler.catalogue.content_rules import read_content_rules

        return read_content_rules(self.settings.config_dir)[0]

    def doubts_about(self, words: str, language: str) -> list[tuple[str, tuple[str, ...]]]:
        """Why what somebody wrote to a patient should perhaps not be sent: each reason, and the words it is about."""
        return _doubts(words, self._forbidden(language))

    def doubts_about_name(self, name: str) -> list[tuple[str, tuple[str, ...]]]:
        """Why a name should not open every message, by the words that no message may hold in any language."""
        return _doubts(name, dict.fromkeys(rule for rules in self.content_rules.forbidden.values() for rule in rules))

    def _forbidden(self, language: str) -> tuple[WordRule, ...]:
        """In that language and in English: staff may write in either."""
        rules = (*self.content_rules.forbidden_in(language), *self.content_rules.forbidden_in("en"))
        return tuple(dict.fromkeys(rules))

    def _mail_server(self) -> SmtpSettings:
        from scheduler.channels.smtp import parse_smtp_url

        try:
            return parse_smtp_url(self.settings.smtp_url, timeout=self.settings.provider_timeout)
        except ValueError as error:
            raise SettingsError(f"BONEWISE_SMTP_URL: {error}") from error

    def _bounce_address(self) -> str:
        from scheduler.channels.smtp import ascii_address

        try:
            return ascii_address(self.settings.bounce_address) if self.settings.bounce_address else ""
        except ValueError as error:
            raise SettingsError(f"BONEWISE_BOUNCE_ADDRESS: {error}; write one such as bounces@example.org") from error

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


def _doubts(words: str, rules: Iterable[WordRule]) -> list[tuple[str, tuple[str, ...]]]:
    found = [(rule.why, tuple(dict.fromkeys(rule.hits(words)))) for rule in rules]
    return [(why, hits) for why, hits in found if hits]
