"""The words of a message as people who work on it read them."""

from __future__ import annotations

MAIL_ID = "mail:"  # how the ids of e-mails begin; their files are in the clinic's mailbox


def words_of(body: str, *, media: int, provider_id: str | None) -> str:
    """All that a person needs to know of what came: the words, and that there were pictures or files."""
    parts = [body.strip()]
    if media:
        things = "a picture or file" if media == 1 else f"{media} pictures or files"
        is_kept = provider_id is not None and not provider_id.startswith(MAIL_ID)
        kept = f"; the provider keeps {'it' if media == 1 else 'them'} under {provider_id}" if is_kept else ""
        parts.append(f"({things} came{' with it' if parts[0] else ' without words'}{kept})")
    return "\n".join(part for part in parts if part) or "(a message without words)"
