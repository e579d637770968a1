"""Signed, opaque links: who they are for stands in them, and nobody can make one up."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from uuid import UUID

_UNSUBSCRIBE = "unsubscribe-link"
_PRESSED = "unsubscribe-pressed"
_ID_BYTES = 16
_CLINIC_BYTES = 4
_SIGNATURE_BYTES = 12
_INSTANT_BYTES = 6
_PAGE = "patient-page"
_DAY_BYTES = 2
_FIRST_DAY = date(2020, 1, 1)
# So few that a text with the link is one segment; and nobody finds one of 2**64 keys by trying.
_PAGE_SIGNATURE_BYTES = 8
_PAGE_TOKEN = 24  # characters
_IN_TEXT = re.compile(r"(/[pu]/)[\w.~%=-]{16,}")


def without_keys(text: str) -> str:
    """A message's text for people other than the patient: whoever has such a link can use it in their name."""
    return _IN_TEXT.sub(r"\1…", text)


class Signer(Protocol):
    """Makes and checks signatures with the installation's keys."""

    def sign(self, purpose: str, data: bytes, *, length: int) -> bytes: ...

    def verify(self, purpose: str, data: bytes, signature: bytes, *, length: int) -> bool: ...


class Links:
    """The links that go into messages."""

    def __init__(self, signer: Signer, *, public_url: str) -> None:
        self._signer = signer
        self._public_url = public_url.rstrip("/")

    def unsubscribe(self, clinic_id: int, patient_id: UUID) -> str:
        """The one-click link of RFC 8058 for this patient's e-mail."""
        data = _whose(clinic_id, patient_id)
        signed = data + self._signer.sign(_UNSUBSCRIBE, data, length=_SIGNATURE_BYTES)
        return f"{self._public_url}/u/{_written(signed)}"

    def unsubscribing(self, token: str) -> tuple[int, UUID] | None:
        """The (clinic, patient) of an unsubscribe token, or None when it is not ours."""
        signed = _read(token)
        data, signature = signed[: _ID_BYTES + _CLINIC_BYTES], signed[_ID_BYTES + _CLINIC_BYTES :]
        if not self._signer.verify(_UNSUBSCRIBE, data, signature, length=_SIGNATURE_BYTES):
            return None
        return int.from_bytes(data[_ID_BYTES:]), UUID(bytes=data[:_ID_BYTES])

    def page(self, key: bytes, *, expires_on: date) -> str:
        """The link to a patient's own page, by the page's key; it leads there to the end of that day (UTC)."""
        data = key + (expires_on - _FIRST_DAY).days.to_bytes(_DAY_BYTES)
        return f"{self._public_url}/p/{_written(data + self._signer.sign(_PAGE, data, length=_PAGE_SIGNATURE_BYTES))}"

    def paged(self, token: str) -> tuple[bytes, date] | None:
        """The (key, last day) of a page's token, or None when it is not ours."""
        signed = _read(token) if len(token) == _PAGE_TOKEN else b""
        data, signature = signed[:-_PAGE_SIGNATURE_BYTES], signed[-_PAGE_SIGNATURE_BYTES:]
        if len(data) <= _DAY_BYTES or not self._signer.verify(_PAGE, data, signature, length=_PAGE_SIGNATURE_BYTES):
            return None
        return data[:-_DAY_BYTES], _FIRST_DAY + timedelta(days=int.from_bytes(data[-_DAY_BYTES:]))

    def pressed(self, clinic_id: int, patient_id: UUID, at: datetime) -> str:
        """A token that says when this patient's e-mails were ended by the link (to the second, UTC)."""
        instant = int(at.timestamp()).to_bytes(_INSTANT_BYTES)
        data = _whose(clinic_id, patient_id) + instant
        return _written(instant + self._signer.sign(_PRESSED, data, length=_SIGNATURE_BYTES))

    def pressed_at(self, token: str, *, clinic_id: int, patient_id: UUID) -> datetime | None:
        """What a token of `pressed` says of this patient; None when it is not ours, or another's."""
        signed = _read(token)
        instant, signature = signed[:_INSTANT_BYTES], signed[_INSTANT_BYTES:]
        data = _whose(clinic_id, patient_id) + instant
        if not self._signer.verify(_PRESSED, data, signature, length=_SIGNATURE_BYTES):
            return None
        return datetime.fromtimestamp(int.from_bytes(instant), UTC)


def _whose(clinic_id: int, patient_id: UUID) -> bytes:
    return patient_id.bytes + clinic_id.to_bytes(_CLINIC_BYTES)


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _read(token: str) -> bytes:
    """The bytes of a token; none when it is malformed."""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return b""
