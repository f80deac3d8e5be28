"""Reading a metrics segment, also while it grows; what the file holds is described in `segment`."""

from __future__ import annotations

import functools
import logging
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import IntegrityError
from kernel_tools.experiments.segment import (
    BODY_SIZE,
    CHECKED,
    DEFINITION,
    FORMAT_VERSION,
    HEADER_BODY,
    MAGIC,
    POINT_BODY,
    RECORD_SIZE,
    SEAL,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


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
        self._unseen: list[NDArray[np.void]] = []
        self._latest: dict[int, tuple[int, int, float]] = {}
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
            is_sealed = False
            if self._offset == 0:
                if len(data) < RECORD_SIZE:
                    return
                self._read_header(data[:RECORD_SIZE])
                is_sealed = _is_sealed(data)
                data = data[RECORD_SIZE:]
            self._read_records(data[: len(data) - len(data) % RECORD_SIZE], is_sealed)

    def latest(self) -> dict[str, tuple[int, int, float]]:
        """Return step, timestamp and value of the latest point of every key: the highest step, then the latest time,
        then the last one written."""
        with self._reading:
            blocks, self._unseen = self._unseen, []
            for block in blocks:
                for index, point in _last_by_key(block):
                    before = self._latest.get(index)
                    if before is None or point[:2] >= before[:2]:
                        self._latest[index] = point
            return {self.keys[index]: point for index, point in self._latest.items()}

    def points(self) -> NDArray[np.void]:
        """Return all points as a structured array with fields ``key``, ``step``, ``timestamp``, ``value``."""
        import numpy as np

        with self._reading:
            if len(self._blocks) != 1:
                self._blocks = [np.concatenate([np.empty(0, point_type()), *self._blocks])]
            return self._blocks[0]

    def points_of(self, key: str) -> NDArray[np.void]:
        """Return the points of one key, in the order in which they were written."""
        points = self.points()
        return points if len(self.keys) == 1 else points[points["key"] == self.keys.index(key)]

    def _read_header(self, record: bytes) -> None:
        crc, body = CHECKED.unpack(record)
        magic, version = HEADER_BODY.unpack(body)
        if magic != MAGIC or crc != zlib.crc32(body):
            raise IntegrityError(
                f"{self.path} is not a metrics segment: its header is damaged. Restore the file from a backup, or "
                "delete it to give up its points."
            )
        if version > FORMAT_VERSION:
            raise IntegrityError(
                f"{self.path} has format {version}; this Atelier reads up to {FORMAT_VERSION}. Install a newer Atelier."
            )
        self._offset = RECORD_SIZE

    def _read_records(self, data: bytes, is_whole: bool) -> None:
        import numpy as np

        records = np.frombuffer(data, _record_type())
        whole = len(records) if is_whole else _count_whole(records)
        records = records[:whole]
        definitions = np.flatnonzero(records["key"] & DEFINITION)
        is_point = np.ones(whole, bool)
        end = whole
        skip_until = 0
        for at in definitions.tolist():
            if at < skip_until:
                continue  # the bytes of a name, not a record of its own
            if int(records["key"][at]) == SEAL:
                is_point[at] = False
                continue
            chunks, length = int(records["timestamp"][at]), int(records["step"][at])
            if at + 1 + chunks > len(records):
                end = at  # the name is still being written
                break
            start = (at + 1) * RECORD_SIZE
            name = b"".join(data[start + i * RECORD_SIZE + 4 : start + (i + 1) * RECORD_SIZE] for i in range(chunks))
            self.keys.append(name[:length].decode())
            skip_until = at + 1 + chunks
            is_point[at:skip_until] = False
        points = records[:end][is_point[:end]] if len(definitions) else records[:end]
        if whole * RECORD_SIZE < len(data):
            self.damage = (
                f"{self.path} is damaged at byte {self._offset + whole * RECORD_SIZE}; the points before it are read."
            )
            logger.warning(self.damage)
        self._offset += end * RECORD_SIZE
        if len(points):
            block = np.empty(len(points), point_type())
            for field in ("key", "step", "timestamp", "value"):
                block[field] = points[field]
            self._blocks.append(block)
            self._unseen.append(block)


def _is_sealed(data: bytes) -> bool:
    """Say whether a whole file ends with a seal that fits what is before it."""
    crc, body = CHECKED.unpack(data[-RECORD_SIZE:])
    key, count, checksum, _ = POINT_BODY.unpack(body)
    if key != SEAL or crc != zlib.crc32(body) or len(data) != (count + 1) * RECORD_SIZE:
        return False
    return bool(zlib.crc32(memoryview(data)[:-RECORD_SIZE]) == checksum)


def _last_by_key(points: NDArray[np.void]) -> list[tuple[int, tuple[int, int, float]]]:
    import numpy as np

    order = np.lexsort((points["timestamp"], points["step"], points["key"]))
    keys = points["key"][order]
    ends = order[np.append(np.flatnonzero(np.diff(keys)), len(keys) - 1)]
    last = points[ends]
    columns = [last[name].tolist() for name in ("key", "step", "timestamp", "value")]
    return [(key, (step, timestamp, value)) for key, step, timestamp, value in zip(*columns, strict=True)]


@functools.cache
def _record_type() -> np.dtype[np.void]:
    import numpy as np

    return np.dtype([("crc", "<u4"), ("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])


@functools.cache
def point_type() -> np.dtype[np.void]:
    """Return the type of a point in memory: key index, step, timestamp, value."""
    import numpy as np

    return np.dtype([("key", "<u4"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])


@functools.cache
def _crc_tables() -> tuple[int, NDArray[np.uint32]]:
    """Tables that make the CRC-32 of many bodies a matter of look-ups, two bytes at a time: a CRC is affine in every
    byte, so that the share of each byte is added (exclusive or) whatever the others are."""
    import numpy as np

    empty = zlib.crc32(bytes(BODY_SIZE))
    single = np.zeros((BODY_SIZE, 256), np.uint32)
    body = bytearray(BODY_SIZE)
    for position in range(BODY_SIZE):
        for byte in range(256):
            body[position] = byte
            single[position, byte] = zlib.crc32(body) ^ empty
        body[position] = 0
    low, high = single[0::2], single[1::2]
    return empty, (high[:, :, np.newaxis] ^ low[:, np.newaxis, :]).reshape(BODY_SIZE // 2, -1)


def _count_whole(records: NDArray[np.void]) -> int:
    """Count the records before the first one whose checksum is wrong."""
    import numpy as np

    if not len(records):
        return 0
    empty, tables = _crc_tables()
    pairs = np.ascontiguousarray(records.view("<u2").reshape(-1, RECORD_SIZE // 2)[:, 2:].T)
    crc = np.full(len(records), empty, np.uint32)
    for table, column in zip(tables, pairs, strict=True):
        crc ^= np.take(table, column, mode="clip")
    wrong = np.flatnonzero(crc != records["crc"])
    return int(wrong[0]) if len(wrong) else len(records)
