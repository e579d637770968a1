"""A templates folder of a test's own: sound for two small pathways, and changed file by file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scheduler.catalogue.message_uses import message_uses
from scheduler.catalogue.template_faults import template_faults
from scheduler.catalogue.template_tree import (
    FOR_WHOM,
    SERVICE,
    STOP_LINE,
    Piece,
    activities_name,
    pieces_of,
    source_name,
)
from scheduler.domain.faults import Fault
from scheduler.domain.pathway import Action, Answer, Every, Late, Pathway, Silence, Step, Wait
from scheduler.domain.people import Mobility
from scheduler.ports import MessageValues

CONFIG_DIR = Path(__file__).parents[2] / "config"
LANGUAGES = ("en", "es")

FALLS = Pathway(
    name="falls",
    title="Falls",
    priority=50,
    late=Late.SLIDE,
    begin=Action(go="ask"),
    steps={
        "ask": Step(
            name="ask",
            send="ask",
            answers=(
                Answer("steady", "1", Action(say="thanks", go="resting")),
                Answer("fell", "2", Action(say="thanks", go="resting")),
            ),
            silence=(Silence(Wait(7), send="again"),),
        ),
        "resting": Step(name="resting", rest=Wait(90), then=Action(restart="ask")),
    },
)
EXERCISE = Pathway(
    name="exercise",
    title="Movement",
    priority=40,
    late=Late.SKIP,
    begin=Action(go="daily"),
    steps={"daily": Step(name="daily", send="activity", on_sunday="week", every=Every.DAY)},
)
PATHWAYS = {"falls": FALLS, "exercise": EXERCISE}

LAYOUT = """\
<!doctype html>
<html lang="{{ language }}">
<body>
{% block body %}{% endblock %}
<p><a href="{{ unsubscribe_url }}">{{ clinic }}</a></p>
</body>
</html>
"""

_DIGITS = {"en": "Reply 1 or 2.", "es": "Responda 1 o 2."}
_WORDS = {
    ("activity", "en"): "{{ activity }} Reply DONE.",
    ("activity", "es"): "{{ activity }} Responda HECHO.",
    ("week", "en"): "You moved on {{ count }} day{% if count != 1 %}s{% endif %}.",
    ("week", "es"): "Se movió {{ count }} {% if count == 1 %}día{% else %}días{% endif %}.",
    ("ask", "en"): f"How is your step? {_DIGITS['en']}",
    ("ask", "es"): f"¿Cómo está su paso? {_DIGITS['es']}",
    ("again", "en"): f"How is your step now? {_DIGITS['en']}",
    ("again", "es"): f"¿Cómo está su paso hoy? {_DIGITS['es']}",
    ("confirm_number", "en"): "May we text you? Reply 1.",
    ("confirm_number", "es"): "¿Le podemos escribir? Responda 1.",
}
_ANY_WORDS = {"en": "Thank you for your reply.", "es": "Gracias por su respuesta."}
_MORE_WORDS = {
    "en": "We are here. Call us if you like. We are glad to help.",
    "es": "Estamos aquí. Llame si gusta.",
}
_STOP_LINES = {"en": "Reply STOP to stop.", "es": "Mande STOP para parar."}
_OPENINGS = {"en": "{{ clinic }}, for {{ for_whom }}", "es": "{{ clinic }}, para {{ for_whom }}"}
_SUBJECTS = {"en": "A note from {{ clinic }}", "es": "Un aviso de {{ clinic }}"}


def values(**changes: str | int) -> MessageValues:
    """What the tests fill templates with, unless they say otherwise."""
    usual: dict[str, str | int] = {
        "clinic": "Elm Clinic",
        "clinic_phone": "(617) 555-0199",
        "first_name": "Ada",
        "page_url": "",
        "unsubscribe_url": "https://remind.example/u/1",
    }
    return MessageValues(**(usual | changes))  # type: ignore[arg-type]


def template_tree(root: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """A sound templates folder under `root`. `changes` writes files, or with None removes them."""
    templates = root / "templates"
    for name, text in (_sound_files() | dict(changes or {})).items():
        file = templates / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text, encoding="utf-8")
    return templates


def faults(root: Path, changes: Mapping[str, str | None] | None = None) -> list[Fault]:
    """The faults of the sound folder after `changes`."""
    return template_faults(template_tree(root, changes), PATHWAYS, config_dir=CONFIG_DIR, languages=LANGUAGES)


def only_fault(root: Path, changes: Mapping[str, str | None]) -> Fault:
    """The one fault that `changes` bring about."""
    found = faults(root, changes)
    assert len(found) == 1, found
    return found[0]


def _sound_files() -> dict[str, str | None]:
    files: dict[str, str | None] = {"layouts/email.html": LAYOUT}
    for language in LANGUAGES:
        files[activities_name("exercise", language)] = activities_yaml(language)
        for use in message_uses(PATHWAYS):
            for piece in pieces_of(use.pathway, use.name):
                name = source_name(use.pathway, use.name, language, piece)
                files[name] = _sound_text(use.pathway, use.name, language, piece)
    return files


def activities_yaml(language: str, *, count: int = 7) -> str:
    """A sound activities file: the same ids for each mobility."""
    text = {"en": "Walk to the door and back, time {}.", "es": "Camine a la puerta, vez {}."}.get(
        language, "Move {}."
    )
    groups = (
        f"{mobility}:\n" + "".join(f"  - walk_{number}: '{text.format(number)}'\n" for number in range(count))
        for mobility in Mobility
    )
    return "".join(groups)


def _sound_text(pathway: str, name: str, language: str, piece: Piece) -> str:
    words = _WORDS.get((name, language), _ANY_WORDS[language])
    if (pathway, name) == (SERVICE, STOP_LINE):
        return _STOP_LINES[language]
    if (pathway, name) == (SERVICE, FOR_WHOM):
        return _OPENINGS[language]
    if piece is Piece.SMS:
        return f"{{{{ clinic }}}}: {words}"
    if piece is Piece.SUBJECT:
        return _SUBJECTS[language]
    if piece is Piece.TEXT:
        return f"{{{{ first_name }}}}:\n\n{words}\n\n{_MORE_WORDS[language]}\n\n{{{{ unsubscribe_url }}}}\n"
    return f'{{% extends "layouts/email.html" %}}\n{{% block body %}}<p>{words}</p>{{% endblock %}}\n'
