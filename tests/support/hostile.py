"""What somebody might type who means harm, or whose keyboard does."""

from __future__ import annotations

PRODUCT = "9801547"  # what a template engine makes of the sum below

SHOWN: dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "handler": "' onfocus=alert(1) autofocus='",
    "template": "{{ 1337 * 7331 }}",
    "statement": "{% raw %}{{ 1337 * 7331 }}",
    "sql": "'; DROP TABLE patients; --",
    "right to left": "\u202etxet desrever",
    "emoji": "👩🏽\u200d🦽 𝒳𐍈",
}
"""What is stored is shown exactly so."""

RAW: dict[str, bytes] = {
    "nul": b"a\x00b",
    "controls": b"\x01\x08\x1b[31m\x7f",
    "lone surrogate": b"\xed\xa0\x80",
    "not utf-8": b"\xff\xfe\x80",
    "line breaks": b"a\r\nSet-Cookie: x=1\r\n\r\nb",
    "much": b"x" * 2**20,
    "empty": b"",
}
"""What is stored in some way or refused, and breaks nothing."""


def payloads() -> dict[str, bytes]:
    """All of them, by what they are called."""
    return {name: text.encode() for name, text in SHOWN.items()} | RAW
