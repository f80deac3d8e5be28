"""The encrypted form of a blob: AES-256-GCM in chunks, so that a reader can seek; and where its key comes from.

Layout, all integers big-endian::

    header   7 magic "ATELIER" | 1 format | 8 key id | 4 chunk size | 16 salt | 7 nonce prefix
             | 32 sha256 of the plaintext | 8 size of the plaintext | 32 HMAC-SHA256 of all before
    chunks   ciphertext and 16-byte tag of each `chunk size` bytes of plaintext; the last may be shorter or empty

Two keys are derived for each blob by HKDF-SHA256 from the store's key and the random salt, one for the header's HMAC
and one for the chunks, so no two blobs share a GCM key. The nonce of a chunk is the prefix, its index (4 bytes) and 1
for the last chunk, else 0. This is the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, CRYPTO 2015). A truncated blob, chunks in another order,
chunks or whole files taken from another blob, and any changed byte are all found.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kernel_tools.core.blob_reader import BrokenBlobError
from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError
from kernel_tools.core.workspace import ENCRYPTION_VARIABLES

KEY_VARIABLE, KEY_FILE_VARIABLE = ENCRYPTION_VARIABLES
KEY_FILE = "encryption.key"
KEY_SIZE = 32

MAGIC = b"ATELIER"
FORMAT = 1
CHUNK_SIZE = 64 * 1024
MAX_CHUNK_SIZE = 16 * 1024 * 1024
TAG_SIZE = 16
_FIELDS = struct.Struct(">7sB8sI16s7s32sQ")
_MAC_SIZE = 32
HEADER_SIZE = _FIELDS.size + _MAC_SIZE


class EncryptionKeyError(ForbiddenError):
    """An encrypted blob whose key this process does not have."""


def key_id(key: bytes) -> str:
    """Name a key without telling it: the first 8 bytes of its sha256, in hexadecimal."""
    return hashlib.sha256(key).digest()[:8].hex()


def load_encryption_key(workspace_root: Path) -> bytes | None:
    """Find the key of the artifact store, None if there is none and blobs are stored plain.

    Looks at ``ATELIER_ENCRYPTION_KEY``, then at the file named by ``ATELIER_ENCRYPTION_KEY_FILE``, then at
    ``encryption.key`` in the workspace. A key is 32 bytes as base64 or hexadecimal text; a file may also hold
    the 32 bytes themselves.

    Raises
    ------
    InvalidArgumentError
        If a variable is set, or the file is there, and it holds no key. A key that is meant to be there and is not
        must never lead to plain storage.
    """
    text = os.environ.get(KEY_VARIABLE)
    if text is not None:
        return _parse_key(text.encode(), KEY_VARIABLE)
    name = os.environ.get(KEY_FILE_VARIABLE)
    path = Path(name).expanduser() if name is not None else workspace_root / KEY_FILE
    if name is None and not path.exists():
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidArgumentError(
            f"The key file {str(path)!r} cannot be read: {error.strerror}. "
            f"Put the key there, or set {KEY_FILE_VARIABLE} to the right file."
        ) from error
    return data if len(data) == KEY_SIZE else _parse_key(data, f"the key file {str(path)!r}")


def _parse_key(data: bytes, where: str) -> bytes:
    text = data.strip()
    if re.fullmatch(rb"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text.decode("ascii"))
    try:
        key = base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")) + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_SIZE:
        raise InvalidArgumentError(
            f"{where} does not hold an encryption key: 32 bytes as base64 or 64 hexadecimal digits are needed. "
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return key


@dataclass(frozen=True, slots=True)
class Header:
    """The first bytes of an encrypted blob, parsed but not yet authenticated."""

    key_id: str
    chunk_size: int
    salt: bytes
    nonce_prefix: bytes
    sha256: str
    size: int

    def signed(self, key: bytes) -> bytes:
        """Return the header's bytes with their HMAC under the header key."""
        fields = _FIELDS.pack(
            MAGIC,
            FORMAT,
            bytes.fromhex(self.key_id),
            self.chunk_size,
            self.salt,
            self.nonce_prefix,
            bytes.fromhex(self.sha256),
            self.size,
        )
        return fields + hmac.digest(key, fields, "sha256")

    @property
    def chunk_count(self) -> int:
        """Number of chunks; empty content has one empty chunk."""
        return max(1, -(-self.size // self.chunk_size))

    @property
    def file_size(self) -> int:
        """Size of the whole file that belongs to this header."""
        return HEADER_SIZE + self.size + TAG_SIZE * self.chunk_count

    def nonce(self, index: int) -> bytes:
        """Return the nonce of chunk `index`."""
        return _nonce(self.nonce_prefix, index, index == self.chunk_count - 1)


def parse_header(data: bytes, sha256: str) -> Header:
    """Parse the first `HEADER_SIZE` bytes of the encrypted blob that lies at the address `sha256`.

    Raises
    ------
    BrokenBlobError
        If they are no header that this version can read.
    """
    if len(data) < HEADER_SIZE:
        raise BrokenBlobError(sha256, "its header is cut short")
    magic, version, identifier, chunk_size, salt, prefix, digest, size = _FIELDS.unpack(data[: _FIELDS.size])
    if magic != MAGIC or version != FORMAT:
        raise BrokenBlobError(sha256, f"its header says format {version}; this version of Atelier reads {FORMAT}")
    if not 0 < chunk_size <= MAX_CHUNK_SIZE:
        raise BrokenBlobError(sha256, f"its header says chunks of {chunk_size} bytes")
    return Header(identifier.hex(), chunk_size, salt, prefix, digest.hex(), size)


def write_encrypted(blocks: Iterator[bytes], file: BinaryIO, key: bytes) -> tuple[str, int]:
    """Encrypt `blocks` of plaintext, each of `CHUNK_SIZE` bytes but the last, into an empty seekable `file`.

    Returns
    -------
    tuple
        The sha256 and the size of the plaintext. They are known at the end only, so the header is written last.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, prefix = os.urandom(16), os.urandom(7)
    header_key, chunk_key = _derive_keys(key, salt)
    cipher = AESGCM(chunk_key)
    digest = hashlib.sha256()
    size = 0
    file.write(bytes(HEADER_SIZE))
    block = next(blocks, b"")
    index = 0
    is_last = False
    while not is_last:
        following = next(blocks, b"")
        is_last = not following
        digest.update(block)
        size += len(block)
        file.write(cipher.encrypt(_nonce(prefix, index, is_last), block, None))
        block = following
        index += 1
    header = Header(key_id(key), CHUNK_SIZE, salt, prefix, digest.hexdigest(), size)
    file.seek(0)
    file.write(header.signed(header_key))
    return header.sha256, size


class EncryptedSource:
    """Random access to the plaintext of an encrypted blob; every chunk is authenticated before it is handed out.

    Parameters
    ----------
    file
        The blob's file.
    file_size
        Its size in bytes.
    key
        The store's key, None if it has none.
    sha256
        The address under which the file was found.

    Raises
    ------
    EncryptionKeyError
        If the key is missing or another one.
    BrokenBlobError
        If the header is not the one that was written for this address.
    """

    is_authenticated = True

    def __init__(self, file: BinaryIO, file_size: int, key: bytes | None, sha256: str) -> None:
        self._file = file
        self._sha256 = sha256
        file.seek(0)
        data = file.read(HEADER_SIZE)
        header = parse_header(data, sha256)
        header_key, chunk_key = _derive_keys(require_key(header.key_id, key, sha256), header.salt)
        if not hmac.compare_digest(header.signed(header_key), data):
            raise BrokenBlobError(sha256, "its header was changed")
        if header.sha256 != sha256:
            raise BrokenBlobError(sha256, f"its file holds the blob {header.sha256}")
        if header.file_size != file_size:
            raise BrokenBlobError(sha256, f"its file has {file_size} bytes, and {header.file_size} were written")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(chunk_key)
        self._header = header
        self._last_index = -1
        self._last_chunk = b""
        if header.size == 0:
            self._chunk(0)

    @property
    def size(self) -> int:
        """Size of the plaintext in bytes."""
        return self._header.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of plaintext from `offset`, at most to the end of one chunk."""
        index, start = divmod(offset, self._header.chunk_size)
        return self._chunk(index)[start : start + length]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _chunk(self, index: int) -> bytes:
        if index == self._last_index:
            return self._last_chunk
        from cryptography.exceptions import InvalidTag

        stride = self._header.chunk_size + TAG_SIZE
        self._file.seek(HEADER_SIZE + index * stride)
        data = self._file.read(min(stride, self._header.file_size - HEADER_SIZE - index * stride))
        try:
            chunk = self._cipher.decrypt(self._header.nonce(index), data, None)
        except InvalidTag as error:
            raise BrokenBlobError(self._sha256, f"chunk {index} of its encrypted file was changed") from error
        self._last_index, self._last_chunk = index, chunk
        return chunk


def require_key(needed: str, key: bytes | None, sha256: str) -> bytes:
    """Return `key` if it is the one whose id is `needed`, else raise `EncryptionKeyError`."""
    if key is not None and key_id(key) == needed:
        return key
    present = "no key is set" if key is None else f"the key that is set is {key_id(key)}"
    raise EncryptionKeyError(
        f"Blob {sha256} is encrypted with the key {needed}, and {present}. "
        f"Set {KEY_VARIABLE} to that key, or {KEY_FILE_VARIABLE} to the file that holds it."
    )


def _derive_keys(key: bytes, salt: bytes) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), length=64, salt=salt, info=b"atelier encrypted blob 1").derive(key)
    return derived[:32], derived[32:]


def _nonce(prefix: bytes, index: int, is_last: bool) -> bytes:
    return prefix + struct.pack(">IB", index, is_last)
