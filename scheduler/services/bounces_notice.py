"""What a notification says about one recipient: the fields of RFC 3464, and the paragraphs of qmail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

# RFC 3463: class, subject, detail. Not a piece of an IP address or of a version.
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(r"(?<![\d.#+\-])([45]\d\d)(?=[\s\-])")  # RFC 5321 section 4.2
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9\-]*)[ \t]*:[ \t]*(.*)", re.DOTALL)
_TYPED = re.compile(r"(?:([A-Za-z0-9\-]+) ?; ?)?<? ?([^<>\s]+@[^<>\s@]+) ?>?")
_LONGEST_NAME = 1000  # characters; RFC 3461 section 4.2 has 500
_XTEXT = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 section 4
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 section 3
_HIGHEST_CHARACTER = 0x10FFFF
_ADDRESS_TYPES = frozenset({"rfc822", "utf-8", ""})
# How Postfix and Exim say that it was the mail which was refused, not its recipient.
_AFTER_CONTENT = re.compile(r"end of (?:message )?data\b", re.IGNORECASE)
# Of one recipient; every other group of fields is about the mail as a whole.
_RECIPIENT_FIELDS = frozenset({"final-recipient", "original-recipient", "action"})

Fields = Mapping[str, str]


class Fate(StrEnum):
    """What became of the mail for one recipient."""

    FAILED = "failed"  # the mail server has given up
    DELAYED = "delayed"  # it goes on trying
    REACHED = "reached"  # delivered, or handed to a server that sends no notifications, or to a list


_FATES = {
    "failed": Fate.FAILED,
    "delayed": Fate.DELAYED,
    "delivered": Fate.REACHED,
    "relayed": Fate.REACHED,
    "expanded": Fate.REACHED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Why. `status` is an RFC 3463 code, `reply` three digits of SMTP; `of_content` when it was the mail's fault."""

    status: str | None = None
    reply: int | None = None
    of_content: bool = False

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.reply, self.status) if part) or "no code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """About one recipient. `addresses` is each way of reading the names it gives them, comparable; empty: none."""

    fate: Fate
    code: Code
    addresses: frozenset[str] = frozenset()


def comparable(address: str) -> str:
    """The address so that two that are the same are equal: without case, its domain in ASCII."""
    mailbox, _, domain = address.strip().rpartition("@")
    with suppress(UnicodeError):  # what is no domain name is equal to itself alone
        domain = domain.encode("idna").decode("ascii")
    return f"{mailbox}@{domain}".casefold()


def named_addresses(*values: str) -> frozenset[str]:
    """The addresses in fields like `rfc822; ann@example.org`: as they stand, and as their encoding may mean them."""
    found: set[str] = set()
    for value in values:
        match = _TYPED.fullmatch(" ".join(value[:_LONGEST_NAME].split()))
        if match is not None and (match[1] or "").lower() in _ADDRESS_TYPES:
            written = match[2]
            found |= {written, _XTEXT.sub(_character, written), _UNITEXT.sub(_character, written)}
    return frozenset(comparable(address) for address in found)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number <= _HIGHEST_CHARACTER else match[0]


def code_in(text: str, *, status: str = "", around: str = "") -> Code:
    """The code in a diagnostic `text`; `status` is the field of that name, and `around` more of the notification.

    A status that only repeats its class (`5.0.0`) gives way to a more telling one in the text.
    """
    given = _first(_STATUS, status)
    told = _first(_STATUS, text)
    is_vague = given is None or given.endswith(".0.0")
    is_same_class = given is None or told is None or told[0] == given[0]
    reply = _first(_REPLY, text)
    return Code(
        status=told if told is not None and is_vague and is_same_class else given,
        reply=int(reply) if reply else None,
        of_content=_AFTER_CONTENT.search(f"{text}\n{around}") is not None,
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def field_groups(text: str) -> list[Fields]:
    """The groups of fields of a `message/delivery-status`, names in lower case; what is no field is passed over."""
    groups: list[Fields] = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        unfolded = re.sub(r"\n[ \t]+", " ", block)
        fields: dict[str, str] = {}
        for line in unfolded.split("\n"):
            match = _FIELD.fullmatch(line.strip())
            if match is not None:
                fields.setdefault(match[1].lower(), match[2].strip())
        if fields:
            groups.append(fields)
    return groups


def notices_of(groups: Iterable[Fields], *, around: str) -> Iterator[Notice]:
    """What the groups say about recipients. `around` is the notification's text for people."""
    for fields in groups:
        if not _RECIPIENT_FIELDS & fields.keys():
            continue
        status = fields.get("status", "")
        action = re.match(r"\s*([A-Za-z]+)", fields.get("action", ""))
        fate = _FATES.get(action[1].lower()) if action else _fate_by_status(status)
        if fate is None:
            continue
        yield Notice(
            fate=fate,
            code=code_in(fields.get("diagnostic-code", ""), status=status, around=around),
            addresses=named_addresses(fields.get("original-recipient", ""), fields.get("final-recipient", "")),
        )


def _fate_by_status(status: str) -> Fate | None:
    """For a group without an action; of 4.x.x nobody can say whether the server has given up."""
    return {"2": Fate.REACHED, "5": Fate.FAILED}.get(status.strip()[:1])


def qmail_notices(text: str) -> list[Notice]:
    """The recipients in a bounce of qmail (QSBMF): paragraphs that begin with `<address>:`, up to one with `-`."""
    notices: list[Notice] = []
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        if paragraph.startswith("-"):
            break
        match = re.match(r"<([^\n]*)>:[ \t]*\n(.*)", paragraph, re.DOTALL)
        if match is not None:
            notices.append(
                Notice(fate=Fate.FAILED, code=code_in(match[2]), addresses=named_addresses(match[1].strip()))
            )
    return notices
