"""Whether the secret keys are those that the database was made with.

Without this, a service started with other keys would take on new patients and seal them under keys that do not
open the old ones, and nobody would know before the first old name is needed.
"""

from __future__ import annotations

from scheduler.store.keyring import KeyFault
from scheduler.store.unit import Store
from scheduler.store.vault import Vault

_NOTE = "key check"  # note of the installation: the index of a known word under the newest key
_PLACE = "meta.key_check"
_WORD = "bonewise"


def require_fitting_keys(store: Store, vault: Vault, *, source: str) -> None:
    """Raises `KeyFault` when the keys, which come from `source`, do not open what the database holds."""
    with store.reading() as unit:
        noted = unit.installation.note(_NOTE)
    if noted is not None and bytes.fromhex(noted) not in vault.indexes(_PLACE, _WORD):
        raise KeyFault(
            f"the keys in {source} do not belong to this database; restore the key file that does from a backup, "
            "or correct BONEWISE_SECRET_KEYS, BONEWISE_DATA_DIR or BONEWISE_DATABASE_URL"
        )


def note_keys(store: Store, vault: Vault) -> None:
    """Note in the database which key is the newest: when it is made, and after a rotation."""
    fitting = vault.index(_PLACE, _WORD).hex()
    with store.reading() as unit:
        if unit.installation.note(_NOTE) == fitting:
            return
    with store.writing() as unit:
        unit.installation.set_note(_NOTE, fitting)
