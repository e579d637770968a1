"""A word about languages that no message is written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduler.cli.failures import say

if TYPE_CHECKING:
    from scheduler.bootstrap import App


def note_untranslated(app: App, language: str, *, instead: str) -> None:
    """Say what a patient gets whose `language` has no messages: those in `instead`, or in English."""
    from scheduler.domain.languages import DEFAULT_LANGUAGE, language_chain

    written = app.languages
    wanted = [tag for tag in language_chain(language, None) if tag != DEFAULT_LANGUAGE]
    if not wanted or written.intersection(wanted):
        return
    used = next((tag for tag in language_chain(instead, None) if tag in written), DEFAULT_LANGUAGE)
    say(f"no message is written in {wanted[0]} yet; until then those in {used} go")
