"""Encryption of single columns, blind indexes to find what is encrypted, and signatures for links.

A sealed value is: version byte, key id byte, 12-byte random nonce, AES-256-GCM ciphertext with its 16-byte
tag (NIST SP 800-38D). Its associated data is version, key id and "table.column", so a value moved to another
column does not open. Each column has a subkey of its own, derived with HKDF (RFC 5869): the limit of 2**32
random nonces per key then counts per column and not for the whole database.

What is not hidden: the length of a text, and, for indexed columns, which rows hold equal values.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from scheduler.store.keyring import Key, KeyFault, KeyRing, load, load_or_create, make_key, save

__all__ = [
    "INDEX_BYTES",
    "Key",
    "KeyFault",
    "KeyMissing",
    "KeyRing",
    "SealBroken",
    "Vault",
    "VaultFault",
    "load",
    "load_or_create",
    "make_key",
    "save",
]

INDEX_BYTES = 16
SIGNATURE_BYTES = 16
_SHORTEST_SIGNATURE = 8
_LONGEST_SIGNATURE = 32
_VERSION = 1
_NONCE = 12
_TAG = 16
_HEADER = 2
_BODY = _HEADER + _NONCE
_SHORTEST = _BODY + _TAG


class VaultFault(Exception):  # noqa: N818 - a fault in stored data
    """A sealed value that cannot be opened. The message names the column, never what it holds."""


class SealBroken(VaultFault):
    """The value was altered, cut short, or belongs to another column."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"a sealed value in {place} does not open: it was altered or moved from another column; "
            "restore the row from a backup"
        )
        self.place = place


class KeyMissing(VaultFault):
    """The value was sealed with a key that is no longer in the ring."""

    def __init__(self, place: str, key_id: int) -> None:
        super().__init__(
            f"a value in {place} was sealed with key {key_id}, which is not among the secret keys; "
            f"add key {key_id} back after the newest one in BONEWISE_SECRET_KEYS or the key file"
        )
        self.place = place
        self.key_id = key_id


class _Sealer(NamedTuple):
    """All that sealing and opening one column under one key needs, made once."""

    header: bytes
    cipher: AESGCM
    associated: bytes


class _Mac:
    """HMAC-SHA256 (RFC 2104) with both key blocks absorbed beforehand: half the time of `hmac.digest`.

    The prepared states are only ever copied, so one object may serve many threads.
    """

    __slots__ = ("_inner", "_outer")

    _BLOCK = 64

    def __init__(self, key: bytes) -> None:
        block = key.ljust(self._BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, data: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class Vault:
    """Seals and opens texts, indexes them, and signs, with the keys of one ring. Threads may share it.

    `place` is always "table.column", `purpose` a name such as "page-link". Subkeys are made at first use and
    kept.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._by_id = {key.id: key for key in ring.keys}
        self._sealers: dict[str, _Sealer] = {}
        self._openers: dict[tuple[str, int], _Sealer] = {}
        self._indexers: dict[str, tuple[_Mac, ...]] = {}
        self._signers: dict[str, tuple[_Mac, ...]] = {}

    @property
    def newest_key_id(self) -> int:
        """The id of the key that `seal` uses."""
        return self._ring.newest.id

    def seal(self, place: str, text: str | None) -> bytes | None:
        """The text encrypted under the newest key, different at every call; None stays None."""
        if text is None:
            return None
        sealer = self._sealers.get(place) or self._newest_sealer(place)
        nonce = os.urandom(_NONCE)
        # Unpaired surrogates cannot be sent or printed, yet a value must never be lost for containing one.
        clear = text.encode("utf-8", "surrogatepass")
        return sealer.header + nonce + sealer.cipher.encrypt(nonce, clear, sealer.associated)

    def seal_all(self, place: str, texts: Sequence[str | None]) -> list[bytes | None]:
        """As `seal`, of many texts: their nonces are drawn at once, for asking for one costs as much as sealing."""
        header, cipher, associated = self._sealers.get(place) or self._newest_sealer(place)
        nonces = os.urandom(_NONCE * len(texts))
        sealed: list[bytes | None] = []
        for at, text in zip(range(0, len(nonces), _NONCE), texts, strict=True):
            if text is None:
                sealed.append(None)
            else:
                nonce = nonces[at : at + _NONCE]
                clear = text.encode("utf-8", "surrogatepass")
                sealed.append(header + nonce + cipher.encrypt(nonce, clear, associated))
        return sealed

    def open(self, place: str, blob: bytes | None) -> str | None:
        """What `seal` was given for this place. Raises `SealBroken` or `KeyMissing`; None stays None."""
        if blob is None:
            return None
        if len(blob) < _SHORTEST or blob[0] != _VERSION:
            raise SealBroken(place)
        opener = self._openers.get((place, blob[1])) or self._opener(place, blob[1])
        try:
            clear = opener.cipher.decrypt(blob[_HEADER:_BODY], blob[_BODY:], opener.associated)
        except InvalidTag:
            raise SealBroken(place) from None
        return clear.decode("utf-8", "surrogatepass")

    def needs_rotation(self, blob: bytes | None) -> bool:
        """Whether the value is sealed under another key or layout than `seal` uses now; False for None."""
        return blob is not None and blob[:_HEADER] != bytes((_VERSION, self._ring.newest.id))

    def index(self, place: str, normalised: str) -> bytes:
        """The 16-byte blind index of a value under the newest key: equal values give equal bytes.

        The caller normalises (E.164, lower case ...), so that what should be found as equal is equal.
        """
        macs = self._indexers.get(place) or self._macs(self._indexers, "index", place)
        return macs[0].digest(normalised.encode("utf-8", "surrogatepass"))[:INDEX_BYTES]

    def indexes(self, place: str, normalised: str) -> tuple[bytes, ...]:
        """The blind index under every key, newest first: look-ups use all of them during a rotation."""
        data = normalised.encode("utf-8", "surrogatepass")
        macs = self._indexers.get(place) or self._macs(self._indexers, "index", place)
        return tuple(mac.digest(data)[:INDEX_BYTES] for mac in macs)

    def sign(self, purpose: str, data: bytes, *, length: int = SIGNATURE_BYTES) -> bytes:
        """A signature of `length` bytes (8 to 32) under the newest key, for links that must not be forged."""
        if not _SHORTEST_SIGNATURE <= length <= _LONGEST_SIGNATURE:
            raise ValueError(f"a signature has 8 to 32 bytes, not {length}")
        return self._signing(purpose)[0].digest(data)[:length]

    def verify(self, purpose: str, data: bytes, signature: bytes, *, length: int = SIGNATURE_BYTES) -> bool:
        """Whether `sign` made this signature of exactly `length` bytes under any key; constant time.

        The length is the verifier's, never the bearer's: a signature cut to one byte is guessed at once.
        """
        if len(signature) != length or not _SHORTEST_SIGNATURE <= length <= _LONGEST_SIGNATURE:
            return False
        matches = [hmac.compare_digest(mac.digest(data)[:length], signature) for mac in self._signing(purpose)]
        return any(matches)

    def _newest_sealer(self, place: str) -> _Sealer:
        return self._sealers.setdefault(place, self._opener(place, self._ring.newest.id))

    def _opener(self, place: str, key_id: int) -> _Sealer:
        key = self._by_id.get(key_id)
        if key is None:
            raise KeyMissing(place, key_id)
        header = bytes((_VERSION, key_id))
        sealer = _Sealer(header, AESGCM(_subkey(key, "data", place)), header + place.encode())
        return self._openers.setdefault((place, key_id), sealer)

    def _macs(self, kept: dict[str, tuple[_Mac, ...]], use: str, name: str) -> tuple[_Mac, ...]:
        return kept.setdefault(name, tuple(_Mac(_subkey(key, use, name)) for key in self._ring.keys))

    def _signing(self, purpose: str) -> tuple[_Mac, ...]:
        return self._signers.get(purpose) or self._macs(self._signers, "sign", purpose)


def _subkey(key: Key, use: str, name: str) -> bytes:
    """HKDF-SHA256 of the master key. No salt: the master key is already uniformly random (RFC 5869, 3.1)."""
    info = f"bonewise/{_VERSION}/{use}/{name}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.secret)
