"""The list of patients as somebody narrows it down."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from scheduler.domain.languages import base_language
from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports.choosing import PatientFilter
from scheduler.web.site import Site
from scheduler.web.staff.enrolling import language_name

NAMES = ("status", "pathway", "step", "language", "channel", "unreachable")


def filter_from(values: Mapping[str, str]) -> PatientFilter:
    """The filter that a query or a form names; what it names that is not known does not matter."""
    status, channel = values.get("status", ""), values.get("channel", "")
    pathway = _word(values.get("pathway", ""))
    return PatientFilter(
        status=PatientStatus(status) if status in list(PatientStatus) else None,
        pathway=pathway,
        step=_word(values.get("step", "")) if pathway else "",
        language=_word(values.get("language", "")),
        channel=Channel(channel) if channel in list(Channel) else None,
        unreachable=bool(values.get("unreachable")),
    )


def _word(typed: str) -> str:
    """What may be a name of ours; one that is not finds nobody. PostgreSQL takes no NUL."""
    return typed[:64].replace("\0", "\ufffd")


def named(which: PatientFilter) -> dict[str, str]:
    """The filter as fields of a form or a query."""
    values = {
        "status": which.status.value if which.status else "",
        "pathway": which.pathway,
        "step": which.step,
        "language": which.language,
        "channel": which.channel.value if which.channel else "",
        "unreachable": "yes" if which.unreachable else "",
    }
    return {name: value for name, value in values.items() if value}


def query_of(which: PatientFilter, **more: str) -> str:
    """The filter as a query, with `?` where there is one."""
    query = urlencode(named(which) | more)
    return f"?{query}" if query else ""


def languages_of(site: Site) -> dict[str, str]:
    """The languages that patients can be written to, by tag, without regions."""
    tags = {base_language(tag) for tag in site.app.languages}
    return {tag: language_name(tag) for tag in sorted(tags)}
