"""Encrypted blobs and their key: nothing is told, nothing is exchanged, and a key is never silently missing."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel_tools.core.artifacts import ArtifactStore, load_encryption_key
from kernel_tools.core.encryption import CHUNK_SIZE, HEADER_SIZE, TAG_SIZE, EncryptionKeyError, key_id
from kernel_tools.core.errors import (
    IntegrityError,
    InvalidArgumentError,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def blob_file(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def test_chunks_in_another_order_and_the_file_of_another_blob_are_found(folder: Path) -> None:
    store = ArtifactStore(str(folder), KEY)
    contents = [random.Random(seed).randbytes(3 * CHUNK_SIZE) for seed in (1, 2)]
    first, second = (store.put_bytes(content).sha256 for content in contents)
    one, two = blob_file(folder, first).read_bytes(), blob_file(folder, second).read_bytes()
    stride = CHUNK_SIZE + TAG_SIZE
    cut = [HEADER_SIZE + index * stride for index in range(4)]

    def chunk(data: bytes, index: int) -> bytes:
        return data[cut[index] : cut[index + 1]]

    exchanged = one[:HEADER_SIZE] + chunk(one, 1) + chunk(one, 0) + chunk(one, 2)
    mixed = one[:HEADER_SIZE] + chunk(two, 0) + chunk(one, 1) + chunk(one, 2)
    for broken in (exchanged, mixed, two, one[:HEADER_SIZE] + two[HEADER_SIZE:]):
        blob_file(folder, first).write_bytes(broken)
        with pytest.raises(IntegrityError, match=first), store.open(first) as file:
            file.read(10)


def test_an_encrypted_blob_shows_nothing_of_its_content_and_is_different_each_time(folder: Path) -> None:
    store = ArtifactStore(str(folder), KEY)
    content = b"secret" * 1000
    path = blob_file(folder, store.put_bytes(content).sha256)
    first = path.read_bytes()
    store.put_bytes(content)

    assert b"secret" not in first
    assert path.read_bytes() != first
    assert repr(KEY) not in repr(store)


@pytest.mark.parametrize("key", [None, OTHER_KEY], ids=["no key", "another key"])
def test_a_blob_whose_key_is_not_there_names_the_key_and_what_to_set(folder: Path, key: bytes | None) -> None:
    sha256 = ArtifactStore(str(folder), KEY).put_bytes(b"secret").sha256
    store = ArtifactStore(str(folder), key)

    with pytest.raises(EncryptionKeyError, match=f"{key_id(KEY)}.*ATELIER_ENCRYPTION_KEY"):
        store.read_bytes(sha256)
    assert store.size(sha256) == 6


def test_a_store_with_a_key_reads_plain_blobs_and_encrypts_new_ones(folder: Path) -> None:
    sha256 = ArtifactStore(str(folder)).put_bytes(b"plain").sha256
    store = ArtifactStore(str(folder), KEY)
    assert store.read_bytes(sha256) == b"plain"

    store.put_bytes(b"plain")
    assert b"plain" not in blob_file(folder, sha256).read_bytes()
    assert store.read_bytes(sha256) == b"plain"


def test_a_store_without_the_key_does_not_replace_an_encrypted_blob_by_a_plain_one(folder: Path) -> None:
    store = ArtifactStore(str(folder), KEY)
    sha256 = store.put_bytes(b"secret").sha256

    with pytest.raises(EncryptionKeyError):
        ArtifactStore(str(folder)).put_bytes(b"secret")
    assert store.read_bytes(sha256) == b"secret"


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode().rstrip("="),
        f" {KEY.hex()}\n",
    ],
)
def test_a_key_is_read_as_hexadecimal_or_base64(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", text)
    assert load_encryption_key(tmp_path) == KEY


def test_a_key_comes_from_the_variable_then_the_named_file_then_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY", raising=False)
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY_FILE", raising=False)
    assert load_encryption_key(tmp_path) is None

    (tmp_path / "encryption.key").write_text(bytes(32).hex())
    assert load_encryption_key(tmp_path) == bytes(32)

    (tmp_path / "raw").write_bytes(OTHER_KEY)
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY_FILE", str(tmp_path / "raw"))
    assert load_encryption_key(tmp_path) == OTHER_KEY

    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", KEY.hex())
    assert load_encryption_key(tmp_path) == KEY


@pytest.mark.parametrize("text", ["", "abc", "ab" * 31, "ä" * 43, "=" * 44])
def test_a_key_that_is_meant_to_be_there_and_is_not_is_an_error(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", text)
    with pytest.raises(InvalidArgumentError, match="ATELIER_ENCRYPTION_KEY does not hold"):
        load_encryption_key(tmp_path)

    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY")
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(InvalidArgumentError, match="missing"):
        load_encryption_key(tmp_path)


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY", raising=False)
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY_FILE", raising=False)
    yield
