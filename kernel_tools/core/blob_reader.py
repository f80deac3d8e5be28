"""Reading a blob and checking it on the way.

How a blob is checked: read from front to back, it is hashed on the way, and the read that reaches the end raises if the
sha256 is not the address. The first read out of that order checks first: a plain blob is then hashed to its end, once
for each time it is opened; an encrypted one needs no such pass, as each of its chunks is authenticated when it is read.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_SIZE = 1024 * 1024


class BrokenBlobError(IntegrityError):
    """A stored blob that is not what was written.

    Parameters
    ----------
    sha256
        The blob's address.
    reason
        A clause that says what is wrong with it.
    """

    def __init__(self, sha256: str, reason: str) -> None:
        super().__init__(
            f"Blob {sha256} is broken: {reason}. Store the same content again, which repairs it, "
            f"or restore the file {sha256[:2]}/{sha256} of the artifact store from a backup."
        )


def read_blocks(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Read a stream in blocks of exactly `size` bytes; the last one may be shorter, none is empty.

    A raw stream may return less than asked for before its end, so blocks are filled here.
    """
    block = bytearray()
    while True:
        data = source.read(size - len(block))
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidArgumentError(
                f"{source!r} gave {type(data).__name__} when it was read, and an artifact is made of bytes: "
                "open the file in binary mode, and a socket in blocking mode."
            )
        block += data
        if block and (not data or len(block) == size):
            yield bytes(block)
            block.clear()
        if not data:
            return


class BlobSource(Protocol):
    """Random access to the content of one stored blob."""

    is_authenticated: bool
    """Whether `read_at` gives only bytes that are proven to be the written ones."""

    @property
    def size(self) -> int:
        """Size of the content in bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return 1 to `length` bytes from `offset`, which is before the end; nothing if the file ends too early."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class PlainSource:
    """A blob stored as it is, behind `start` bytes of something else."""

    is_authenticated = False

    def __init__(self, file: BinaryIO, file_size: int, start: int = 0) -> None:
        self._file = file
        self._start = start
        self.size = file_size - start

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`."""
        self._file.seek(self._start + offset)
        return self._file.read(length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class BlobReader(io.RawIOBase):
    """A seekable, unbuffered stream over one blob that checks what it reads.

    Parameters
    ----------
    source
        The content.
    sha256
        The blob's address, which is the sha256 that its content must have.
    """

    def __init__(self, source: BlobSource, sha256: str) -> None:
        self._source = source
        self._sha256 = sha256
        self._position = 0
        self._hashed = 0
        self._digest = hashlib.sha256()
        self._is_verified = False
        if source.size == 0:
            self._finish_hash()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the content."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; nothing is read or checked by that alone."""
        self._check_open()
        if whence not in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to {base + offset}, before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with the next bytes; raise `BrokenBlobError` if they prove to be wrong."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        if not len(view) or self._position >= self._source.size:
            return 0
        if self._position != self._hashed:
            self._leave_order()
        data = self._read_at(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        self._hash(data)
        return len(data)

    def readall(self) -> bytes:
        """Read to the end."""
        parts = []
        while part := self.read(BLOCK_SIZE):
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the blob's file."""
        if not self.closed:
            self._source.close()
        super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"blob {self._sha256} is closed")

    def _read_at(self, offset: int, length: int) -> bytes:
        data = self._source.read_at(offset, min(length, self._source.size - offset))
        if not data:
            raise BrokenBlobError(self._sha256, f"its file ends after {offset} of {self._source.size} bytes")
        return data

    def _leave_order(self) -> None:
        """Check a plain blob to its end, once; from here on nothing needs to be hashed."""
        if not self._is_verified and not self._source.is_authenticated:
            while self._hashed < self._source.size:
                self._hash(self._read_at(self._hashed, BLOCK_SIZE))
        self._is_verified = True

    def _hash(self, data: bytes) -> None:
        if self._is_verified:
            return
        self._digest.update(data)
        self._hashed += len(data)
        if self._hashed == self._source.size:
            self._finish_hash()

    def _finish_hash(self) -> None:
        if self._digest.hexdigest() != self._sha256:
            raise BrokenBlobError(self._sha256, f"the sha256 of its content is {self._digest.hexdigest()}")
        self._is_verified = True
