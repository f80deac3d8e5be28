"""The metrics segment: an append-only file of 32-byte records that one process writes and anybody reads.

The file starts with a header record. A point is ``(crc, key index, step, timestamp, value)``; before the first point
of a key, a definition record gives the length of its UTF-8 name and continuation records carry the name, 28 bytes
each. Every record starts with the CRC-32 of its other 28 bytes. Each call appends by one ``write()``; what a crash
leaves half written at the end is dropped by readers and never mattered to anybody, because it was not acknowledged.
"""

from __future__ import annotations

import errno
import functools
import logging
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"ATELIERM"
FORMAT_VERSION = 1
RECORD_SIZE = 32
BODY_SIZE = RECORD_SIZE - 4
DEFINITION = 0x8000_0000
"""Added to the key index in the record that defines a key."""

logger = logging.getLogger(__name__)

_POINT_BODY = struct.Struct("<Iqqd")
_CHECKED = struct.Struct("<I28s")
_HEADER_BODY = struct.Struct("<8sI16x")


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric; `timestamp` is in milliseconds since 1970 UTC."""

    key: str
    value: float
    step: int
    timestamp: int


class SegmentWriter:
    """Appends points to a new segment file; not shared between processes.

    Raises
    ------
    FileExistsError
        If the file exists: every writer has a segment of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, int] = {}
        self._next_step: dict[str, int] = {}
        self._defining = threading.Lock()
        self._writing = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._append(_checked(_HEADER_BODY.pack(MAGIC, FORMAT_VERSION)))

    def write(self, key: str, value: float, step: int | None, timestamp: int | None) -> None:
        """Append one point; acknowledged when this returns."""
        self._append(self._encode(key, value, step, timestamp))

    def write_many(self, points: Iterable[tuple[str, float]], step: int | None, timestamp: int | None) -> None:
        """Append several points of one step by one ``write()``."""
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        self._append(b"".join([self._encode(key, value, step, timestamp) for key, value in points]))

    def sync(self) -> None:
        """Ask the disk to keep what was written, also through a loss of power."""
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _encode(self, key: str, value: float, step: int | None, timestamp: int | None) -> bytes:
        index = self._keys.get(key)
        if index is None:
            index = self._define(key)
        if step is None:
            step = self._next_step.get(key, 0)
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        try:
            body = _POINT_BODY.pack(index, step, timestamp, value)
        except (struct.error, OverflowError, TypeError) as error:
            raise InvalidArgumentError(
                f"The point {key}={value!r} at step {step!r} cannot be logged: the value must be a number, step "
                "and timestamp "
                "(milliseconds) whole numbers of at most 63 bits."
            ) from error
        self._next_step[key] = step + 1
        return _CHECKED.pack(zlib.crc32(body), body)

    def _define(self, key: str) -> int:
        name = validate_key(key).encode()
        chunks = [name[start : start + BODY_SIZE].ljust(BODY_SIZE, b"\0") for start in range(0, len(name), BODY_SIZE)]
        with self._defining:
            if key not in self._keys:
                index = len(self._keys)
                definition = _POINT_BODY.pack(DEFINITION | index, len(name), len(chunks), 0.0)
                self._append(b"".join(map(_checked, [definition, *chunks])))
                self._keys[key] = index
            return self._keys[key]

    def _append(self, data: bytes) -> None:
        with self._writing:
            written = os.write(self._file, data)
            if written == len(data):
                return
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
        raise OSError(errno.ENOSPC, "the disk is full", str(self.path))


class SegmentReader:
    """Reads a segment, again and again while it grows; keeps the columns read so far in memory.

    Attributes
    ----------
    keys
        Metric names in the order of their first point.
    damage
        None, or a sentence that says where the file stops being whole; what lies before is readable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: list[str] = []
        self.damage: str | None = None
        self._offset = 0
        self._blocks: list[NDArray[np.void]] = []
        self._reading = threading.Lock()

    @property
    def size(self) -> int:
        """How many bytes of the file have been read."""
        return self._offset

    def refresh(self) -> None:
        """Read what was appended since the last call.

        Raises
        ------
        IntegrityError
            If the file is not a metrics segment at all, or one of a newer format.
        """
        with self._reading:
            if self.damage is not None:
                return
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            if self._offset == 0:
                if len(data) < RECORD_SIZE:
                    return
                self._read_header(data[:RECORD_SIZE])
                data = data[RECORD_SIZE:]
            self._read_records(data[: len(data) - len(data) % RECORD_SIZE])

    def points(self) -> NDArray[np.void]:
        """Return all points as a structured array with fields ``key``, ``step``, ``timestamp``, ``value``."""
        import numpy as np

        with self._reading:
            if len(self._blocks) != 1:
                self._blocks = [np.concatenate([np.empty(0, _point_type()), *self._blocks])]
            return self._blocks[0]

    def _read_header(self, record: bytes) -> None:
        crc, body = _CHECKED.unpack(record)
        magic, version = _HEADER_BODY.unpack(body)
        if magic != MAGIC or crc != zlib.crc32(body):
            raise IntegrityError(
                f"{self.path} is not a metrics segment: its header is damaged. Restore the file from a backup, or "
                "delete it to "
                "give up its points."
            )
        if version > FORMAT_VERSION:
            raise IntegrityError(
                f"{self.path} has format {version}; this Atelier reads up to {FORMAT_VERSION}. Install a newer Atelier."
            )
        self._offset = RECORD_SIZE

    def _read_records(self, data: bytes) -> None:
        import numpy as np

        records = np.frombuffer(data, _record_type())
        whole = _count_whole(records)
        records = records[:whole]
        definitions = np.flatnonzero(records["key"] & DEFINITION)
        is_point = np.ones(whole, bool)
        end = whole
        skip_until = 0
        for at in definitions.tolist():
            if at < skip_until:
                continue  # the bytes of a name, not a record of its own
            chunks, length = int(records["timestamp"][at]), int(records["step"][at])
            if at + 1 + chunks > len(records):
                end = at  # the name is still being written
                break
            start = (at + 1) * RECORD_SIZE
            name = b"".join(data[start + i * RECORD_SIZE + 4 : start + (i + 1) * RECORD_SIZE] for i in range(chunks))
            self.keys.append(name[:length].decode())
            skip_until = at + 1 + chunks
            is_point[at:skip_until] = False
        points = records[:end][is_point[:end]]
        if whole * RECORD_SIZE < len(data):
            self.damage = (
                f"{self.path} is damaged at byte {self._offset + whole * RECORD_SIZE}; the points before it are read."
            )
            logger.warning(self.damage)
        self._offset += end * RECORD_SIZE
        if len(points):
            self._blocks.append(points[["key", "step", "timestamp", "value"]].astype(_point_type()))


def validate_key(key: str) -> str:
    """Return `key` if it can name a metric, parameter or tag, else raise InvalidArgumentError."""
    if not isinstance(key, str) or not 0 < len(key) <= 250 or not key.isprintable():
        raise InvalidArgumentError(
            f"{str(key)[:80]!r} is not a valid key: use 1 to 250 printable characters, such as 'validation/auc'."
        )
    return key


def to_float(key: str, value: object) -> float:
    """Turn a Python, NumPy or torch scalar into a float; NaN and infinities are kept."""
    try:
        return float(value)  # type: ignore[arg-type]  # any scalar has __float__; what has not raises
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"The value of metric {key!r} is {str(value)[:80]!r}, which is not a number. Log numbers as metrics "
            "and text as "
            "parameters or tags."
        ) from error


def _checked(body: bytes) -> bytes:
    return _CHECKED.pack(zlib.crc32(body), body)


@functools.cache
def _record_type() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("crc", "<u4"), ("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])


@functools.cache
def _point_type() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])


@functools.cache
def _crc_tables() -> tuple[int, NDArray[np.uint32]]:
    """Tables that make the CRC-32 of many 28-byte bodies a matter of array look-ups: a CRC is affine in every byte."""
    import numpy as np

    empty = zlib.crc32(bytes(BODY_SIZE))
    tables = np.zeros((BODY_SIZE, 256), np.uint32)
    body = bytearray(BODY_SIZE)
    for position in range(BODY_SIZE):
        for byte in range(256):
            body[position] = byte
            tables[position, byte] = zlib.crc32(body) ^ empty
        body[position] = 0
    return empty, tables


def _count_whole(records: NDArray[np.void]) -> int:
    """Count the records before the first one whose checksum is wrong."""
    import numpy as np

    if not len(records):
        return 0
    empty, tables = _crc_tables()
    columns = records.view(np.uint8).reshape(-1, RECORD_SIZE)
    crc = np.full(len(records), empty, np.uint32)
    for position in range(BODY_SIZE):
        crc ^= tables[position][columns[:, 4 + position]]
    wrong = np.flatnonzero(crc != records["crc"])
    return int(wrong[0]) if len(wrong) else len(records)
