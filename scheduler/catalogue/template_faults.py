"""Every fault of the message templates at once: what `bonewise check` says, and what prevents a start.

The approved-content matrix is message x language x file. A cell that is missing, that breaks the rules for
templates, that does not fit a text, or that says what a message must not say, is a fault.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from scheduler.catalogue.activities import check_activities, read_activities
from scheduler.catalogue.content_rules import FILE_NAME, ContentRules, read_content_rules
from scheduler.catalogue.message_uses import MessageUse, message_uses
from scheduler.catalogue.template_rules import Finding
from scheduler.catalogue.template_set import STOP_LINE_USE, TemplateSet, located, open_templates
from scheduler.catalogue.template_tree import (
    MESSAGES,
    SERVICE,
    Piece,
    activities_name,
    pieces_of,
    source_name,
)
from scheduler.catalogue.text_checks import (
    Texts,
    digit_findings,
    mail_findings,
    reading_findings,
    sentence_findings,
    sms_findings,
    subject_findings,
    word_findings,
)
from scheduler.catalogue.yaml_nodes import FaultLog, did_you_mean
from scheduler.domain.faults import Fault
from scheduler.domain.pathway import Pathway

REQUIRED_LANGUAGES = ("en", "es")

_PIECE_NAMES = {
    Piece.SMS: "text message",
    Piece.SUBJECT: "e-mail subject",
    Piece.TEXT: "e-mail text",
    Piece.HTML: "HTML e-mail",
}


def template_faults(
    templates_dir: Path,
    pathways: Mapping[str, Pathway],
    *,
    config_dir: Path,
    languages: Collection[str] = REQUIRED_LANGUAGES,
    unread: Collection[str] = (),
) -> list[Fault]:
    """Everything that is wrong with the templates in `templates_dir`, sorted by file and line.

    `languages` must be complete, and so must any other language of which there is a file. `unread` names
    pathways whose own file could not be read, so that nobody knows whether their messages are used.
    `config_dir` holds the content rules.
    """
    rules, faults = read_content_rules(config_dir)
    if not (templates_dir / MESSAGES).is_dir():
        return [
            *faults,
            Fault(f"{templates_dir}/{MESSAGES}", 0, "does not exist; point BONEWISE_TEMPLATES_DIR elsewhere"),
        ]
    opened, layout_faults = open_templates(templates_dir, rules)
    uses = message_uses(pathways)
    wanted = (*dict.fromkeys(languages), *sorted(opened.tree.languages() - set(languages)))
    faults += layout_faults
    faults += _stray_faults(opened, uses, unread)
    for pathway in sorted({use.pathway for use in uses if use.routine and opened.offers(use.pathway)}):
        faults += _activity_faults(opened, pathway, wanted)
    for language in wanted:
        faults += _rules_faults(rules, language, config_dir)
        for use in uses:
            faults += message_faults(opened, use, language)
    return sorted(set(faults))


def message_faults(opened: TemplateSet, use: MessageUse, language: str) -> list[Fault]:
    """Everything that is wrong with one message in one language."""
    faults: list[Fault] = []
    sound: list[Texts] = []
    for piece in pieces_of(use.pathway, use.name):
        name = source_name(use.pathway, use.name, language, piece)
        if not opened.has(use, language, piece):
            faults.append(_missing(opened, use, name, piece))
            continue
        texts = opened.texts(use, language, piece)
        if isinstance(texts, Texts):
            sound.append(texts)
            findings = list(_text_findings(opened, use, language, texts))
        else:
            findings = texts
        faults += located(findings, opened.library.templates_dir, name)
    if use != STOP_LINE_USE and len(sound) == len(pieces_of(use.pathway, use.name)):
        name = source_name(use.pathway, use.name, language, Piece.SMS)
        faults += located(list(reading_findings(sound, language)), opened.library.templates_dir, name)
    return faults


def _missing(opened: TemplateSet, use: MessageUse, name: str, piece: Piece) -> Fault:
    message = f"this {_PIECE_NAMES[piece]} is missing, and {use.sender} uses '{use.name}'; create the file"
    return Fault(f"{opened.library.templates_dir.name}/{name}", 0, message)


def _text_findings(opened: TemplateSet, use: MessageUse, language: str, texts: Texts) -> Iterator[Finding]:
    yield from word_findings(texts, use, language, opened.rules)
    if use == STOP_LINE_USE:
        return
    if texts.piece is Piece.SUBJECT:
        yield from subject_findings(texts, language, opened.rules)
        return
    yield from digit_findings(texts, use, language, opened.rules)
    if texts.piece is Piece.SMS:
        ending = opened.stop_line(language) if use.is_reminder else None
        yield from sms_findings(texts, language, stop_line=ending)
    else:
        yield from mail_findings(texts, language)
    if texts.piece is not Piece.HTML:
        yield from sentence_findings(texts)


def _stray_faults(opened: TemplateSet, uses: list[MessageUse], unread: Collection[str]) -> Iterator[Fault]:
    """Files and folders that nothing reads: most often a misspelt name, whose message is then missing too."""
    root = opened.library.templates_dir.name
    used = {(use.pathway, use.name) for use in uses}
    pathways = {use.pathway for use in uses}
    for stray in opened.tree.strays:
        yield Fault(f"{root}/{stray.name}", 0, f"is not used; {stray.remedy}")
    for pathway in opened.tree.pathways:
        if pathway not in pathways and pathway not in unread:
            hint = did_you_mean(pathway, sorted(pathways)) or "; remove the folder, or add the pathway"
            yield Fault(f"{root}/{MESSAGES}/{pathway}", 0, f"no pathway is called '{pathway}'{hint}")
    for pathway, language in sorted(opened.tree.activities):
        if pathway in pathways and not opened.offers(pathway):
            message = f"no text of {pathway} has a place for {{{{ activity }}}}; remove the file"
            yield Fault(f"{root}/{activities_name(pathway, language)}", 0, message)
    for pathway, name in opened.tree.messages:
        if pathway in pathways and (pathway, name) not in used:
            known = sorted(use.name for use in uses if use.pathway == pathway)
            hint = did_you_mean(name, known) or "; remove the folder"
            owner = "the service itself" if pathway == SERVICE else f"the {pathway} pathway"
            yield Fault(f"{root}/{MESSAGES}/{pathway}/{name}", 0, f"{owner} uses no message '{name}'{hint}")


def _activity_faults(opened: TemplateSet, pathway: str, languages: tuple[str, ...]) -> Iterator[Fault]:
    templates_dir = opened.library.templates_dir
    model = read_activities(templates_dir, pathway, languages[0], FaultLog(""))
    for language in languages:
        name = activities_name(pathway, language)
        log = FaultLog(f"{templates_dir.name}/{name}")
        own = read_activities(templates_dir, pathway, language, log)
        if not log.faults:
            check_activities(own, model, log)
        for group in own.values():
            for activity in group:
                for rule in opened.rules.forbidden_in(language):
                    for hit in rule.hits(activity.text):
                        log.add(activity.line, f"says '{hit}', which {rule.why}; say it another way")
        yield from log.faults


def _rules_faults(rules: ContentRules, language: str, config_dir: Path) -> Iterator[Fault]:
    for missing in rules.missing_for(language):
        message = f"'{missing}' has no words for {language}, which there are messages in; add them"
        yield Fault(f"{config_dir.name}/{FILE_NAME}", 0, message)
