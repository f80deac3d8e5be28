"""The metrics segment: an append-only file of 32-byte records that one process writes and anybody reads
(`segment_reader`).

The file starts with a header record. A point is ``(crc, key index, step, timestamp, value)``; before the first point
of a key, a definition record gives the length of its UTF-8 name and continuation records carry the name, 28 bytes
each. Every record starts with the CRC-32 of its other 28 bytes. Each call appends by one ``write()``; what a crash
leaves half written at the end is dropped by readers and never mattered to anybody, because it was not acknowledged.
A writer that ends in good order seals the file with a record that has the CRC-32 of everything before it, so that
readers need one checksum instead of one per point.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
import threading
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.texts import MAX_KEYS, check_count, validate_key

MAGIC = b"ATELIERM"
FORMAT_VERSION = 2
"""Version 1 had no seal."""
RECORD_SIZE = 32
BODY_SIZE = RECORD_SIZE - 4
DEFINITION = 0x8000_0000
"""Added to the key index in the record that defines a key."""
SEAL = 0xFFFF_FFFF
"""In place of the key index in the last record of a sealed file: step is the number of records before it, timestamp
their CRC-32."""

logger = logging.getLogger(__name__)

POINT_BODY = struct.Struct("<Iqqd")
CHECKED = struct.Struct("<I28s")
HEADER_BODY = struct.Struct("<8sI16x")


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric; `timestamp` is in milliseconds since 1970 UTC."""

    key: str
    value: float
    step: int
    timestamp: int


class SegmentClosedError(Exception):
    """A point for a segment that has been closed in the meantime; the run's next segment takes it, or the run has
    ended."""


class SegmentWriter:
    """Appends points to a new segment file; not shared between processes.

    The file is locked (shared) as long as it is open, which tells a compaction in another process to wait.

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
        self._crc = 0
        self._size = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        try:
            lock_file(self._file, exclusive=False)
            self._append(_checked(HEADER_BODY.pack(MAGIC, FORMAT_VERSION)))
        except OSError:
            self.abandon()
            path.unlink(missing_ok=True)
            raise

    @property
    def is_closed(self) -> bool:
        """Whether the segment takes no more points."""
        return self._file < 0

    def write(self, key: str, value: float, step: int | None, timestamp: int | None) -> None:
        """Append one point; acknowledged when this returns."""
        self._append(self._encode(key, value, step, timestamp))

    def write_many(self, points: Sequence[tuple[str, float]], step: int | None, timestamp: int | None) -> None:
        """Append several points of one step by one ``write()``."""
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        self._require_room(key for key, _ in points)
        self._append(b"".join([self._encode(key, value, step, timestamp) for key, value in points]))

    def write_points(self, points: Sequence[Point]) -> None:
        """Append several points by one ``write()``."""
        self._require_room(item.key for item in points)
        self._append(b"".join([self._encode(item.key, item.value, item.step, item.timestamp) for item in points]))

    def close(self, is_durable: bool = False) -> None:
        """Seal and close the file, after asking the disk to keep it if `is_durable`; a second call does nothing."""
        with self._writing:
            if self._file < 0:
                return
            try:
                seal = POINT_BODY.pack(SEAL, self._size // RECORD_SIZE, self._crc, 0.0)
                self._write(_checked(seal))
                if is_durable:
                    os.fsync(self._file)
            except OSError as error:
                logger.warning("%s was closed without a seal: %s", self.path, error)  # it is read point by point
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it stands."""
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
            body = POINT_BODY.pack(index, step, timestamp, value)
        except (struct.error, OverflowError, TypeError) as error:
            raise InvalidArgumentError(
                f"The point {key}={value!r} at step {step!r} cannot be logged: the value must be a number, step "
                "and timestamp (milliseconds) whole numbers of at most 63 bits."
            ) from error
        self._next_step[key] = step + 1
        return CHECKED.pack(zlib.crc32(body), body)

    def _require_room(self, keys: Iterable[str]) -> None:
        """Raise TooLargeError before any of too many new keys is defined."""
        new = {key for key in keys if key not in self._keys}
        if new:
            check_count(len(self._keys) + len(new), "metrics")

    def _define(self, key: str) -> int:
        name = validate_key(key).encode()
        chunks = [name[start : start + BODY_SIZE].ljust(BODY_SIZE, b"\0") for start in range(0, len(name), BODY_SIZE)]
        with self._defining:
            if key not in self._keys:
                index = len(self._keys)
                if index >= MAX_KEYS:
                    check_count(index + 1, "metrics")
                definition = POINT_BODY.pack(DEFINITION | index, len(name), len(chunks), 0.0)
                self._append(b"".join(map(_checked, [definition, *chunks])))
                self._keys[key] = index
            return self._keys[key]

    def _append(self, data: bytes) -> None:
        with self._writing:
            if self._file < 0:
                raise SegmentClosedError(f"{self.path} is closed.")
            self._write(data)

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        if written != len(data):
            try:
                os.ftruncate(self._file, self._size)
            except OSError:
                self.abandon()  # what follows a torn record would not be read
                raise
            raise OSError(errno.ENOSPC, "the disk is full", str(self.path))
        self._crc = zlib.crc32(data, self._crc)
        self._size += written


def to_float(key: str, value: object) -> float:
    """Turn a Python, NumPy or torch scalar into a float; NaN and infinities are kept."""
    try:
        return float(value)  # type: ignore[arg-type]  # any scalar has __float__; what has not raises
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"The value of metric {key!r} is {str(value)[:80]!r}, which is not a number. Log numbers as metrics "
            "and text as parameters or tags."
        ) from error


def lock_file(descriptor: int, exclusive: bool) -> bool:
    """Lock an open file without waiting; False if another process holds a lock that excludes this one.

    Where files cannot be locked (Windows, some network disks) an exclusive lock is not given.
    """
    try:
        import fcntl

        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _checked(body: bytes) -> bytes:
    return CHECKED.pack(zlib.crc32(body), body)
