"""Text whose lines were broken by the mail program rather than by its writer (RFC 3676)."""

from __future__ import annotations

SIGNATURE = "-- "


def unflowed(text: str, *, delete_space: bool) -> str:
    """The text with its paragraphs on one line each; quoted lines keep their marks. `delete_space` is DelSp=yes."""
    lines: list[str] = []
    open_depth = -1  # of quoting, in the line before, if it goes on
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content.removeprefix(" ")  # space-stuffing, section 4.4
        is_signature = content == SIGNATURE
        if open_depth == depth and not is_signature:
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        flows = content.endswith(" ") and not is_signature
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
        open_depth = depth if flows else -1
    return "\n".join(lines)
