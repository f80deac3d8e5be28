"""The artifact store: blobs by content, each at ``<root>/ab/<sha256>``, checked when they are read.

Who refers to a blob, and under which name, is decided by the rooms above; `collect_garbage` asks them.

A blob's file is its content. With a key it is the encrypted form of `encryption`; and plain content that happens to
begin like an encrypted blob gets a small header, so that the first bytes of a file always tell which it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kernel_tools.core import encryption
from kernel_tools.core.blob_reader import BLOCK_SIZE, BlobReader, BlobSource, PlainSource, read_blocks
from kernel_tools.core.encryption import MAGIC, load_encryption_key
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.storage import open_storage
from kernel_tools.core.workspace import atomic_write

__all__ = ["ArtifactStore", "Blob", "Freed", "load_encryption_key"]

_ADDRESS = re.compile(r"[0-9a-f]{64}")
_PLAIN_HEADER = MAGIC + b"\0"
"""In front of plain content that itself begins with `MAGIC`; an encrypted blob has its format, 1 or more, there."""

_BUFFER_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob: its address and the size of its content in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Freed:
    """What a garbage collection removed: number of blobs, and bytes on the disk including old temporary files."""

    blobs: int
    bytes: int


class ArtifactStore:
    """Content-addressed blobs in a folder or an object store.

    The same content is stored once, whoever stores it and how often. Any number of processes may write, read and
    collect garbage at the same time.

    Parameters
    ----------
    root_url
        fsspec URL of the root (``file:///...``, ``s3://bucket/prefix``, ``memory://...``), or a folder.
    key
        32 bytes. With a key new blobs are encrypted with AES-256-GCM; plain ones stay readable.

    Examples
    --------
    >>> store = ArtifactStore("memory://doctest")
    >>> blob = store.put_bytes(b"weights")
    >>> blob.size
    7
    >>> with store.open(blob.sha256) as file:
    ...     file.read()
    b'weights'
    """

    def __init__(self, root_url: str, key: bytes | None = None) -> None:
        if key is not None and len(key) != encryption.KEY_SIZE:
            raise InvalidArgumentError(
                f"The encryption key has {len(key)} bytes: AES-256 needs {encryption.KEY_SIZE}. "
                f"See {encryption.KEY_VARIABLE}."
            )
        self.root_url = root_url
        self._key = key
        self._storage = open_storage(root_url)

    def __repr__(self) -> str:
        return f"ArtifactStore({self.root_url!r}{', encrypted' if self._key else ''})"

    def put_bytes(self, data: bytes) -> Blob:
        """Store bytes."""
        return self.put_stream(io.BytesIO(data))

    def put_file(self, path: str | os.PathLike[str]) -> Blob:
        """Store the content of a file.

        Raises
        ------
        NotFoundError
            If there is no such file.
        InvalidArgumentError
            If it is a folder.
        ConflictError
            If the file is changed while it is stored.
        """
        source_path = Path(path)
        if source_path.is_dir():
            raise InvalidArgumentError(f"{str(source_path)!r} is a folder: store its files one by one.")
        try:
            source = source_path.open("rb")
        except FileNotFoundError as error:
            raise NotFoundError(f"The file {str(source_path)!r} does not exist: check its path.") from error
        with source:
            if self._key is None and self._storage.copies_on_publish and source.read(len(MAGIC)) != MAGIC:
                return self._upload(source, source_path)
            source.seek(0)
            return self.put_stream(source)

    def put_stream(self, source: BinaryIO) -> Blob:
        """Store what is left of a binary stream, which need not be seekable; needs 1 MiB of memory for any size."""
        with self._storage.staging() as staged:
            with staged.open("wb") as file:
                blob = self._write(source, file)
                file.flush()
                os.fsync(file.fileno())
            self._publish(staged, blob)
        return blob

    def open(self, sha256: str) -> io.BufferedReader:
        """Open a blob for reading and seeking; `blob_reader` says how its bytes are checked.

        Raises
        ------
        NotFoundError
            If there is no such blob.
        IntegrityError
            If its bytes are not those written: here, or by the read that finds out.
        EncryptionKeyError
            If it is encrypted with a key that this store does not have; the message names the key.
        """
        file = self._open_file(sha256)
        try:
            return io.BufferedReader(BlobReader(self._source(file, sha256), sha256), _BUFFER_SIZE)
        except BaseException:
            file.close()
            raise

    def read_bytes(self, sha256: str) -> bytes:
        """Return the whole, checked content of a blob; errors as for `open`."""
        with self.open(sha256) as file:
            return file.read()

    def download(self, sha256: str, path: str | os.PathLike[str]) -> Path:
        """Write a blob to a file that appears whole and checked, or not at all; errors as for `open`."""
        target = Path(path)
        with self.open(sha256) as source, atomic_write(target) as file:
            while block := source.read(BLOCK_SIZE):
                file.write(block)
        return target

    def exists(self, sha256: str) -> bool:
        """Say whether a blob is stored; its bytes are not looked at."""
        return self._storage.exists(_file_name(sha256))

    def size(self, sha256: str) -> int:
        """Return the size of a blob's content in bytes, as its file says and without a key.

        Raises
        ------
        NotFoundError
            If there is no such blob.
        """
        with self._open_file(sha256) as file:
            start = file.read(encryption.HEADER_SIZE)
            if _is_encrypted(start):
                return encryption.parse_header(start, sha256).size
            return file.seek(0, io.SEEK_END) - (len(_PLAIN_HEADER) if start.startswith(_PLAIN_HEADER) else 0)

    def delete(self, sha256: str) -> None:
        """Delete a blob; nothing happens if there is none."""
        self._storage.delete(_file_name(sha256))

    def list(self) -> Iterator[str]:
        """Iterate over the addresses of all blobs, in no order; files that are no blobs are left out."""
        for name in self._storage.names():
            address = name.rpartition("/")[2]
            if _ADDRESS.fullmatch(address) and name == _file_name(address):
                yield address

    def collect_garbage(self, referenced: Iterable[str], older_than: float = 3600.0) -> Freed:
        """Delete what nothing refers to, and what crashed writers left behind.

        Parameters
        ----------
        referenced
            The addresses of all blobs that are needed; read to its end before anything is deleted.
        older_than
            Age in seconds below which a blob stays, so that a blob which was just stored and is about to be referred
            to is not lost. Storing content again makes its blob young again.

        Raises
        ------
        InvalidArgumentError
            If a reference is not an address: a mistake there would delete what is needed.
        """
        needed = {bytes.fromhex(_check_address(address)) for address in referenced}
        blobs = freed = 0
        for address in self.list():
            if bytes.fromhex(address) in needed:
                continue
            size = self._storage.delete_older(_file_name(address), older_than)
            if size is not None:
                blobs += 1
                freed += size
        return Freed(blobs, freed + self._storage.sweep_staging(older_than))

    def _write(self, source: BinaryIO, file: BinaryIO) -> Blob:
        """Write the stored form of `source` to `file`."""
        if self._key is not None:
            return Blob(*encryption.write_encrypted(read_blocks(source, encryption.CHUNK_SIZE), file, self._key))
        digest = hashlib.sha256()
        size = 0
        for block in read_blocks(source, BLOCK_SIZE):
            if size == 0 and block.startswith(MAGIC):
                file.write(_PLAIN_HEADER)
            digest.update(block)
            size += len(block)
            file.write(block)
        return Blob(digest.hexdigest(), size)

    def _upload(self, source: BinaryIO, path: Path) -> Blob:
        """Store a plain file in an object store without a copy of it on this machine: hash it, then upload it."""
        before = os.fstat(source.fileno())
        source.seek(0)
        blob = self._write(source, _Nowhere())
        self._publish(path, blob)
        after = path.stat()
        if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
            self.delete(blob.sha256)
            raise ConflictError(f"The file {str(path)!r} was changed while it was stored: store it again.")
        return blob

    def _publish(self, file: Path, blob: Blob) -> None:
        if self._key is None:
            self._refuse_to_decrypt(blob.sha256)
        self._storage.publish(file, _file_name(blob.sha256))

    def _refuse_to_decrypt(self, sha256: str) -> None:
        """Raise if the blob is stored encrypted: a store that has lost its key must not replace it by a plain one."""
        try:
            file = self._storage.open(_file_name(sha256))
        except FileNotFoundError:
            return
        with file:
            start = file.read(encryption.HEADER_SIZE)
        if _is_encrypted(start) and len(start) == encryption.HEADER_SIZE:
            encryption.require_key(encryption.parse_header(start, sha256).key_id, None, sha256)

    def _open_file(self, sha256: str) -> BinaryIO:
        try:
            return self._storage.open(_file_name(sha256))
        except FileNotFoundError as error:
            raise NotFoundError(
                f"Blob {sha256} is not in the artifact store {self.root_url!r}: "
                "check the address, and that ATELIER_ARTIFACT_ROOT is the store it was written to."
            ) from error

    def _source(self, file: BinaryIO, sha256: str) -> BlobSource:
        start = file.read(len(_PLAIN_HEADER))
        file_size = file.seek(0, io.SEEK_END)
        if _is_encrypted(start):
            return encryption.EncryptedSource(file, file_size, self._key, sha256)
        return PlainSource(file, file_size, len(_PLAIN_HEADER) if start == _PLAIN_HEADER else 0)


class _Nowhere(io.BytesIO):
    """A file that forgets what is written to it."""

    def write(self, data: object, /) -> int:
        return 0


def _is_encrypted(start: bytes) -> bool:
    """Tell from the first bytes of a blob's file whether it is encrypted."""
    return start.startswith(MAGIC) and not start.startswith(_PLAIN_HEADER)


def _check_address(sha256: str) -> str:
    if not isinstance(sha256, str) or _ADDRESS.fullmatch(sha256) is None:
        raise InvalidArgumentError(
            f"{sha256!r} is not the address of a blob: use the 64 hexadecimal digits of a sha256."
        )
    return sha256


def _file_name(sha256: str) -> str:
    return f"{_check_address(sha256)[:2]}/{sha256}"
