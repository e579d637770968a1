"""A language that nobody speaks, made by copying English: every piece that a new language has."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TAG = "xx"
MARK = "~"  # what every text of the language begins with, to tell it from English


def make_folders(root: Path) -> tuple[Path, Path]:
    """A copy of the shipped (config, templates)."""
    config, templates = root / "config", root / "templates"
    shutil.copytree(ROOT / "config", config)
    shutil.copytree(ROOT / "templates", templates)
    return config, templates


def add_language(config: Path, templates: Path, tag: str = TAG) -> None:
    """Every piece of the language, as docs/languages.md lists them."""
    for path in [*templates.glob("messages/*/*/en.*"), *templates.glob("messages/*/activities.en.yaml")]:
        name = re.sub(r"^en\.|(?<=\.)en(?=\.yaml$)", lambda match: match[0].replace("en", tag), path.name)
        shutil.copy(path, path.with_name(name))
    replies = (config / "replies" / "en.yaml").read_text(encoding="utf-8")
    (config / "replies" / f"{tag}.yaml").write_text(
        re.sub(r"^language: en$", f"language: {tag}", replies, flags=re.MULTILINE), encoding="utf-8"
    )
    for layout in (templates / "layouts").glob("*.html"):
        text = layout.read_text(encoding="utf-8")
        own = r'\g<1>{% elif language == "' + tag + r'" %}\g<2>'
        layout.write_text(re.sub(r'({% (?:el)?if language == "es" %}(.*?))(?={% el)', own, text, flags=re.DOTALL))
    add_content_rules(config / "content_rules.yaml", tag)
    add_catalogue(templates, tag)


def add_content_rules(path: Path, tag: str) -> None:
    """What must not be said in the language: what must not be said in English."""
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))

    def with_tag(value: object) -> object:
        if not isinstance(value, dict):
            return value
        filled = {key: with_tag(each) for key, each in value.items()}
        return filled | {tag: filled["en"]} if "en" in filled else filled

    path.write_text(yaml.safe_dump(with_tag(rules), allow_unicode=True, sort_keys=False), encoding="utf-8")


def catalogue_of(templates: Path, tag: str = TAG) -> Path:
    return templates / "locale" / tag / "LC_MESSAGES" / "bonewise.po"


def add_catalogue(templates: Path, tag: str) -> None:
    """The words of the pages: the English ones, marked."""
    spanish = catalogue_of(templates, "es").read_text(encoding="utf-8")
    lines: list[str] = []
    head, _, texts = spanish.partition("\n\n")
    for msgid, plural in re.findall(r'^msgid "(.+)"$(?:\nmsgid_plural "(.+)"$)?', texts, flags=re.MULTILINE):
        if plural:
            lines += [f'msgid "{msgid}"', f'msgid_plural "{plural}"']
            lines += [f'msgstr[0] "{MARK}{msgid}"', f'msgstr[1] "{MARK}{plural}"', ""]
        else:
            lines += [f'msgid "{msgid}"', f'msgstr "{MARK}{msgid}"', ""]
    path = catalogue_of(templates, tag)
    path.parent.mkdir(parents=True)
    path.write_text(head.replace("Language: es", f"Language: {tag}") + "\n\n" + "\n".join(lines), encoding="utf-8")
