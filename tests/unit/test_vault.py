"""The vault: what it seals opens again, and only there; indexes find, signatures hold, keys rotate."""

from __future__ import annotations

import base64
import logging
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.store.keyring import Key, KeyFault, KeyRing, exposure, load, load_or_create, make_key, save
from scheduler.store.vault import INDEX_BYTES, KeyMissing, SealBroken, Vault

PHONE = "patients.phone"
NAME = "patients.name"
ANY_TEXT = st.text(st.characters())  # surrogates included, which plain UTF-8 cannot hold
OLD = KeyRing.parse(make_key())
BOTH = OLD.with_new_key()
VAULT = Vault(OLD)


def sealed(vault: Vault, text: str, *, place: str = PHONE) -> bytes:
    blob = vault.seal(place, text)
    assert blob is not None
    return blob


@given(ANY_TEXT)
def test_any_text_opens_as_it_was_sealed(text: str) -> None:
    assert VAULT.open(PHONE, VAULT.seal(PHONE, text)) == text


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "\udfff\ud800", "é", "e\u0301", "😀", "x" * 100_000])
def test_texts_at_the_edge_open_as_they_were_sealed(text: str) -> None:
    assert VAULT.open(PHONE, VAULT.seal(PHONE, text)) == text


def test_nothing_stays_nothing() -> None:
    assert VAULT.seal(PHONE, None) is None
    assert VAULT.open(PHONE, None) is None
    assert not VAULT.needs_rotation(None)


@given(st.text(min_size=4))
def test_the_text_is_not_in_what_is_stored(text: str) -> None:
    assert text.encode() not in sealed(VAULT, text)


def test_the_same_text_is_sealed_differently_every_time() -> None:
    assert len({sealed(VAULT, "+15551234567") for _ in range(100)}) == 100


def test_sealing_adds_thirty_bytes() -> None:
    assert len(sealed(VAULT, "four")) == 4 + 30


@given(ANY_TEXT, st.data())
def test_a_change_of_any_byte_is_noticed(text: str, data: st.DataObject) -> None:
    blob = bytearray(sealed(VAULT, text))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(KeyMissing if position == 1 else SealBroken):  # byte 1 is the id of the key
        VAULT.open(PHONE, bytes(blob))


def test_a_value_relabelled_with_another_known_key_does_not_open() -> None:
    blob = bytearray(sealed(Vault(BOTH), "text"))
    blob[1] = OLD.newest.id
    with pytest.raises(SealBroken):
        Vault(BOTH).open(PHONE, bytes(blob))


@given(ANY_TEXT, st.integers(0, 60))
def test_a_value_cut_short_does_not_open(text: str, kept: int) -> None:
    blob = sealed(VAULT, text)
    with pytest.raises(SealBroken):
        VAULT.open(PHONE, blob[: min(kept, len(blob) - 1)])


@given(ANY_TEXT)
def test_a_value_moved_to_another_column_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken, match=r"patients\.name"):
        VAULT.open(NAME, VAULT.seal(PHONE, text))


def test_a_broken_seal_names_the_column_and_not_the_content() -> None:
    with pytest.raises(SealBroken) as caught:
        VAULT.open(NAME, sealed(VAULT, "+15551234567"))
    assert "patients.name" in str(caught.value)
    assert "+1555" not in str(caught.value)


def test_a_missing_key_is_named_with_the_remedy() -> None:
    blob = sealed(VAULT, "text")
    stranger = Vault(KeyRing((Key(9, bytes(32)),)))
    with pytest.raises(KeyMissing, match=r"patients\.phone.*key 1.*add key 1 back"):
        stranger.open(PHONE, blob)


def test_another_installations_key_of_the_same_id_does_not_open() -> None:
    with pytest.raises(SealBroken):
        Vault(KeyRing.parse(make_key())).open(PHONE, sealed(VAULT, "text"))


def test_after_a_new_key_old_values_open_and_ask_for_rotation() -> None:
    old, rotated = sealed(VAULT, "text"), Vault(BOTH)
    assert rotated.open(PHONE, old) == "text"
    assert rotated.needs_rotation(old)
    assert not rotated.needs_rotation(sealed(rotated, "text"))
    assert not VAULT.needs_rotation(old)


def test_equal_values_have_equal_indexes_within_a_column_only() -> None:
    assert VAULT.index(PHONE, "+15551234567") == VAULT.index(PHONE, "+15551234567")
    assert VAULT.index(PHONE, "+15551234567") != VAULT.index(PHONE, "+15551234568")
    assert VAULT.index(PHONE, "+15551234567") != VAULT.index("replies.sender", "+15551234567")
    assert len(VAULT.index(PHONE, "+15551234567")) == INDEX_BYTES


def test_an_index_made_before_a_new_key_is_found_after_it() -> None:
    rotated = Vault(BOTH)
    before = VAULT.index(PHONE, "+15551234567")
    assert rotated.index(PHONE, "+15551234567") != before
    assert rotated.indexes(PHONE, "+15551234567") == (rotated.index(PHONE, "+15551234567"), before)


def test_index_and_signature_are_hmac_sha256_under_hkdf_subkeys() -> None:
    """Computed apart, with the standard library alone: other programs must be able to follow the format."""
    import hmac

    def expected(use: str, name: str) -> bytes:
        extracted = hmac.digest(bytes(32), OLD.newest.secret, "sha256")
        subkey = hmac.digest(extracted, f"bonewise/1/{use}/{name}".encode() + b"\x01", "sha256")
        return hmac.digest(subkey, b"value", "sha256")

    assert VAULT.index(PHONE, "value") == expected("index", PHONE)[:16]
    assert VAULT.sign("page", b"value", length=32) == expected("sign", "page")


@given(st.binary(), st.integers(8, 32))
def test_a_signature_holds_for_its_data_and_purpose_only(data: bytes, length: int) -> None:
    signature = VAULT.sign("page", data, length=length)
    assert len(signature) == length
    assert VAULT.verify("page", data, signature, length=length)
    assert not VAULT.verify("unsubscribe", data, signature, length=length)
    assert not VAULT.verify("page", data + b"x", signature, length=length)


@pytest.mark.parametrize("kept", range(16))
def test_a_shortened_signature_is_refused(kept: int) -> None:
    assert not VAULT.verify("page", b"data", VAULT.sign("page", b"data")[:kept])


@pytest.mark.parametrize("length", [0, 1, 7])
def test_a_signature_short_enough_to_guess_is_refused_even_when_asked_for(length: int) -> None:
    assert not VAULT.verify("page", b"data", VAULT.sign("page", b"data")[:length], length=length)


def test_a_signature_made_before_a_new_key_still_holds() -> None:
    assert Vault(BOTH).verify("page", b"data", VAULT.sign("page", b"data"))
    assert not VAULT.verify("page", b"data", Vault(BOTH).sign("page", b"data"))


@pytest.mark.parametrize("length", [0, 7, 33])
def test_a_signature_of_a_useless_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="8 to 32 bytes"):
        VAULT.sign("page", b"data", length=length)


def test_threads_share_one_vault_from_its_first_use() -> None:
    vault, wrong = Vault(BOTH), []

    def work(number: int) -> None:
        text = f"text {number}"
        for place in (PHONE, NAME, f"place.{number}"):
            if vault.open(place, vault.seal(place, text)) != text or len(vault.indexes(place, text)) != 2:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_keys_are_read_newest_first_from_commas_or_lines() -> None:
    first, second = str(Key(7, b"a" * 32)), str(Key(3, b"b" * 32))
    for text in (f"{first},{second}", f"{first}\n{second}\n", f"# kept safe\n\n {first} ,{second} # old\n"):
        assert [key.id for key in KeyRing.parse(text).keys] == [7, 3]


def test_a_key_ring_reads_back_from_its_own_text() -> None:
    assert KeyRing.parse(BOTH.as_text()) == BOTH


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "BONEWISE_SECRET_KEYS holds no secret key; run `bonewise init`"),
        ("secret", "key 1 in BONEWISE_SECRET_KEYS is not written as <id>:<base64>"),
        ("0:" + "A" * 43 + "=", "has the id 0; an id is a number from 1 to 255"),
        ("256:" + "A" * 43 + "=", "has the id 256"),
        ("1:QUJD", "has 3 bytes instead of 32"),
        ("1:QUJDR", "not valid base64"),
        (f"1:{'A' * 43}=,1:{'B' * 42}A=", "BONEWISE_SECRET_KEYS: secret key id 1 is given twice"),
        (f"1:{'A' * 43}=,2:short", "key 2 in BONEWISE_SECRET_KEYS"),
    ],
)
def test_an_unusable_key_is_named_by_its_place(text: str, message: str) -> None:
    with pytest.raises(KeyFault) as caught:
        KeyRing.parse(text)
    assert message in str(caught.value)


def test_no_secret_shows_in_a_message_or_in_repr() -> None:
    key = Key(1, b"Z" * 32)
    written = base64.b64encode(key.secret).decode()
    assert written not in repr(KeyRing((key,)))
    assert "ZZZ" not in repr(KeyRing((key,)))
    with pytest.raises(KeyFault) as caught:
        KeyRing.parse(f"1:{written[:-5]}")
    assert written[:8] not in str(caught.value)


def test_a_new_key_takes_a_free_id() -> None:
    assert [make_key(taken=taken).split(":")[0] for taken in ([], [1], [4, 2], [255], [255, 1])] == [
        "1",
        "2",
        "5",
        "1",
        "2",
    ]
    with pytest.raises(KeyFault, match="all 255"):
        make_key(taken=range(1, 256))


def test_a_finished_rotation_keeps_only_the_new_key() -> None:
    assert BOTH.with_only_newest().keys == (BOTH.newest,)
    assert BOTH.newest != OLD.newest


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys"
    made = load_or_create(path)
    assert load_or_create(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["keys"]


def test_starters_at_the_same_moment_agree_on_one_key(tmp_path: Path) -> None:
    rings: list[KeyRing] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        rings.append(load_or_create(tmp_path / "keys"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 8
    assert len(set(rings)) == 1


def test_a_saved_ring_replaces_the_file_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    grown = load_or_create(path).with_new_key()
    save(path, grown)
    assert load(path) == grown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_missing_key_file_says_to_restore_it(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="keys is missing; restore it from a backup"):
        load(tmp_path / "keys")


def test_an_unreadable_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyFault, match="binary cannot be read: it is not text"):
        load(tmp_path / "binary")
    with pytest.raises(KeyFault, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_key_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(KeyFault, match="var/keys cannot be"):
        load_or_create(tmp_path / "var" / "keys")


def test_a_key_file_that_everybody_may_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys"
    load_or_create(path)
    assert exposure(path) is None
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        load(path)
    assert f"chmod 600 {path}" in caplog.text


def test_texts_sealed_together_open_each_by_itself_under_nonces_of_their_own() -> None:
    texts = ["Rosa", "Rosa", None, "", "Ağaoğlu"]
    blobs = VAULT.seal_all(NAME, texts)
    assert [VAULT.open(NAME, blob) for blob in blobs] == texts
    nonces = [blob[2:14] for blob in blobs if blob is not None]
    assert len(set(nonces)) == 4 and VAULT.seal_all(NAME, []) == []


def test_texts_sealed_together_are_under_the_newest_key() -> None:
    assert not any(map(Vault(BOTH).needs_rotation, Vault(BOTH).seal_all(NAME, ["a", "b"])))
