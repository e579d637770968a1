"""Signed, opaque links: who they are for stands in them, and nobody can make one up."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol
from uuid import UUID

_UNSUBSCRIBE = "unsubscribe-link"
_ID_BYTES = 16
_CLINIC_BYTES = 4
_SIGNATURE_BYTES = 12


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
        data = patient_id.bytes + clinic_id.to_bytes(_CLINIC_BYTES)
        signed = data + self._signer.sign(_UNSUBSCRIBE, data, length=_SIGNATURE_BYTES)
        return f"{self._public_url}/u/{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"

    def unsubscribing(self, token: str) -> tuple[int, UUID] | None:
        """The (clinic, patient) of an unsubscribe token, or None when it is not ours."""
        try:
            signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        data, signature = signed[: _ID_BYTES + _CLINIC_BYTES], signed[_ID_BYTES + _CLINIC_BYTES :]
        if not self._signer.verify(_UNSUBSCRIBE, data, signature, length=_SIGNATURE_BYTES):
            return None
        return int.from_bytes(data[_ID_BYTES:]), UUID(bytes=data[:_ID_BYTES])
