"""The words of the alert to a clinic's duty address: that somebody has to look, and nothing about whom or why."""

from __future__ import annotations

from scheduler.domain.languages import said_in

_WORDS = {
    "en": (
        "Urgent: a reply needs a person now",
        "A reply that came in to {clinic} may speak of an emergency.\n\n"
        "Please open the worklist of {clinic} now. The urgent task on it has the words and whom to call.\n\n"
        "The person who wrote has been told to call the local emergency number.",
    ),
    "es": (
        "Urgente: una respuesta necesita a una persona ahora",
        "Una respuesta que ha recibido {clinic} puede hablar de una emergencia.\n\n"
        "Abra ahora la lista de tareas de {clinic}. La tarea urgente tiene las palabras y a quién llamar.\n\n"
        "A quien escribió se le ha dicho que llame al número local de emergencias.",
    ),
}


def alert_text(*, clinic: str, language: str) -> tuple[str, str]:
    """The subject and the text, in the clinic's language if it has words, else in English."""
    subject, text = said_in(_WORDS, language)
    return subject, text.format(clinic=clinic)
