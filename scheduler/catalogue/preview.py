"""One message as a patient would get it, with its length, its reading score and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from jinja2 import TemplateError

from scheduler.catalogue.content_rules import read_content_rules
from scheduler.catalogue.message_uses import MessageUse, message_uses
from scheduler.catalogue.readability import Score, score
from scheduler.catalogue.samples import TYPICAL
from scheduler.catalogue.template_faults import message_faults
from scheduler.catalogue.template_set import TemplateSet, open_templates
from scheduler.catalogue.template_tree import MAIL_PIECES, Piece, pieces_of
from scheduler.catalogue.templates import TemplateMissingError
from scheduler.catalogue.text_checks import Texts, reading_texts
from scheduler.domain.faults import Fault
from scheduler.domain.languages import language_chain
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel
from scheduler.domain.sms import segments
from scheduler.ports import MessageValues, TemplatePreview

# What keeps a message from being rendered; its faults name each.
_UNSENDABLE = (LookupError, TemplateError, TypeError, UnicodeError)

_CLOSE_ENOUGH = 0.5  # of `difflib`; a slip of the finger scores above it


def preview(
    templates_dir: Path,
    template: str,
    language: str,
    *,
    pathways: Mapping[str, Pathway],
    config_dir: Path,
) -> list[TemplatePreview]:
    """The text and the mail of `template` (such as `dexa/ask`) in `language`, or in what that falls back to.

    Each channel falls back on its own, as in sending. Raises `LookupError`, with the names that come close,
    when there is no such template.
    """
    rules, rule_faults = read_content_rules(config_dir)
    opened, layout_faults = open_templates(templates_dir, rules)
    use = _find(opened, template, pathways)
    previews = [_preview_sms(opened, use, _language_with(opened, use, language, Piece.SMS))]
    if Piece.TEXT in pieces_of(use.pathway, use.name):
        mail = _preview_mail(opened, use, _language_with(opened, use, language, *Piece))
        previews.append(replace(mail, faults=(*layout_faults, *mail.faults)))
    return [replace(one, faults=(*rule_faults, *one.faults)) for one in previews]


def written_in(opened: TemplateSet, use: MessageUse, language: str) -> list[TemplatePreview]:
    """The text and the mail of a message as they are written in `language`, without what is not."""
    found: list[TemplatePreview] = []
    if opened.has(use, language, Piece.SMS):
        found.append(_preview_sms(opened, use, language))
    if all(opened.has(use, language, piece) for piece in MAIL_PIECES):
        found.append(_preview_mail(opened, use, language))
    return found


def _find(opened: TemplateSet, template: str, pathways: Mapping[str, Pathway]) -> MessageUse:
    uses = {f"{use.pathway}/{use.name}": use for use in message_uses(pathways)}
    unused = {
        f"{pathway}/{name}": MessageUse(pathway, name, ()) for pathway, name in opened.tree.messages
    }  # a message that is being written, and that no pathway names yet
    known = unused | uses
    if template in known:
        return known[template]
    close = get_close_matches(template, known, n=3, cutoff=_CLOSE_ENOUGH)
    hint = f"did you mean {' or '.join(close)}?" if close else "write it as pathway/message, such as dexa/ask"
    raise TemplateMissingError(f"there is no template '{template}'; {hint}")


def _language_with(opened: TemplateSet, use: MessageUse, language: str, *pieces: Piece) -> str:
    chain = language_chain(language, None)
    complete = (one for one in chain if all(opened.has(use, one, piece) for piece in pieces))
    return next(complete, chain[-1])


def _preview_sms(opened: TemplateSet, use: MessageUse, language: str) -> TemplatePreview:
    values = replace(_values(opened, use.pathway, language), first_name="", unsubscribe_url="")
    shown = _scored(opened, use, language, Channel.SMS)
    try:
        sms = opened.library.sms(use.pathway, use.name, (language,), values, stop_line=use.is_reminder)
    except _UNSENDABLE:
        return shown  # its faults say why
    length = segments(sms.body)
    return replace(
        shown,
        body=sms.body,
        encoding=length.encoding,
        units=length.units,
        segments=length.segments,
        odd=length.odd,
    )


def _preview_mail(opened: TemplateSet, use: MessageUse, language: str) -> TemplatePreview:
    shown = _scored(opened, use, language, Channel.EMAIL)
    try:
        mail = opened.library.email(use.pathway, use.name, (language,), _values(opened, use.pathway, language))
    except _UNSENDABLE:
        return shown  # its faults say why
    return replace(shown, subject=mail.subject, text=mail.text, html=mail.html)


def _scored(opened: TemplateSet, use: MessageUse, language: str, channel: Channel) -> TemplatePreview:
    """The preview of a channel before its content: the grade, and the faults of its files."""
    result = _score(opened, use, language)
    faults = message_faults(opened, use, language)
    return TemplatePreview(
        template=f"{use.pathway}/{use.name}",
        language=language,
        channel=channel,
        grade=result.value if result else None,
        grade_formula=result.formula if result else None,
        faults=tuple(fault for fault in faults if _is_of_sms(fault) == (channel is Channel.SMS)),
    )


def _values(opened: TemplateSet, pathway: str, language: str) -> MessageValues:
    """Typical values with the longest activity, because that is the one that may not fit."""
    offered = opened.activities.get((pathway, language), ())
    return replace(TYPICAL, activity=max(offered, key=len, default=TYPICAL.activity))


def _score(opened: TemplateSet, use: MessageUse, language: str) -> Score | None:
    pieces = [piece for piece in (Piece.SMS, Piece.TEXT) if opened.has(use, language, piece)]
    sound = [texts for piece in pieces if isinstance(texts := opened.texts(use, language, piece), Texts)]
    return score(reading_texts(sound), language)


def _is_of_sms(fault: Fault) -> bool:
    return fault.path.endswith(Piece.SMS)
